import { once } from 'node:events';
import { createServer } from 'node:net';
import { ConfigInvalid } from '@cordon/kernel';

export interface PortUse {
  readonly port: number;
  readonly host: string;
  /** What the port is for and how to choose another: `CORDON_GATEWAY_PORT`. */
  readonly setting: string;
}

async function isFree({ host, port }: PortUse): Promise<boolean> {
  // Bound alone: gateways share their ports among processes (SO_REUSEPORT), and would share them with another Cordon's
  // on this machine without noticing, each answering half of the other's calls.
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** Refuses to start on a port that another program holds, naming the setting that chooses another. */
export async function checkPorts(uses: readonly PortUse[]): Promise<void> {
  const taken: string[] = [];
  for (const use of uses) {
    if (use.port !== 0 && !(await isFree(use))) taken.push(`port ${use.port} (${use.setting})`);
  }
  if (taken.length === 0) return;
  const [is, it] = taken.length === 1 ? ['is', 'it'] : ['are', 'them'];
  throw new ConfigInvalid(
    `${taken.join(', ')} ${is} in use by another program, perhaps another Cordon. Stop it or choose others for ${it}.`,
    { taken },
  );
}
