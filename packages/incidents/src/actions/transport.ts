import { TransportClosed } from '../errors.ts';
import type { ActPorts, ReadPorts } from './ports.ts';

/** All ways to the outside that a run has. */
export interface Transport {
  readonly reads: ReadPorts;
  readonly acts: ActPorts;
}

/**
 * The transport of a dry run. It is made from what can be read and never gets what can act, so no step can reach out,
 * whatever its code does: there is no flag to forget. Whatever tries is an error of that action.
 */
export function closedTransport(reads: ReadPorts): Transport {
  const refuse = (path: string): never => {
    throw new TransportClosed(`A dry run tried to act: ${path}.`);
  };
  const closed = (path: string): object =>
    new Proxy(() => undefined, {
      get: (_target, name) => (typeof name === 'symbol' || name === 'then' ? undefined : closed(`${path}.${name}`)),
      apply: () => refuse(path),
      set: () => refuse(path),
    });
  return { reads, acts: closed('acts') as ActPorts }; // every path into it ends in `refuse`
}
