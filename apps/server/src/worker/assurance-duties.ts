import { type Clock, type Database, type Logger, type SecretEnvelope } from '@cordon/kernel';
import { type AttestationKind, warnOwners } from '@cordon/vendors';
import { repeat } from './repeating.ts';

const WARN_MS = 15 * 60_000;

export interface AssuranceDutyDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly publicUrl: string;
  readonly kinds: readonly AttestationKind[];
  readonly addressOfOwner: (owner: string) => Promise<string | null>;
}

/** Tells owners of gaps, expiries and overdue findings, reopens what was accepted for a time, makes the next audits. */
export function startAssuranceDuties({
  db,
  clock,
  envelope,
  logger,
  publicUrl,
  kinds,
  addressOfOwner,
}: AssuranceDutyDeps) {
  return repeat('vendor warnings', WARN_MS, logger, () =>
    warnOwners(db, { envelope, now: clock.now(), publicUrl, kinds, addressOfOwner }),
  );
}
