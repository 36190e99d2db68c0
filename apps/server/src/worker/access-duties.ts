import type { Identity } from '@cordon/identity';
import type { Logger } from '@cordon/kernel';
import { repeat } from './repeating.ts';

/** Elevations end by the clock wherever they are used; how soon that is recorded, told and cleaned up. */
const ELEVATIONS_MS = 1_000;
const BREAK_GLASS_MS = 5 * 60_000;

/** What follows from time alone: elevations that are over, and break-glass accounts nobody drilled. */
export function startAccessDuties(deps: { readonly identity: Identity; readonly logger: Logger }): {
  stop(): Promise<void>;
} {
  const { identity, logger } = deps;
  const duties = [
    repeat('elevations', ELEVATIONS_MS, logger, () => identity.elevations.settleDue()),
    repeat('break-glass accounts', BREAK_GLASS_MS, logger, () => identity.breakGlass.tellOverdue()),
  ];
  return {
    async stop() {
      await Promise.all(duties.map((duty) => duty.stop()));
    },
  };
}
