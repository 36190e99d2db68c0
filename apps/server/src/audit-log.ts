import type { Clock, Database, SecretEnvelope } from '@cordon/kernel';
import { auditSource, createLog, type MerkleLog } from '@cordon/proof';

/** The name of the log of the audit trail; part of its origin, so it can't change. */
export const AUDIT_LOG = 'audit';

export interface ProofDeps {
  readonly db: Database;
  readonly envelope: SecretEnvelope;
  readonly clock: Clock;
  readonly publicUrl: string;
}

/** The Merkle log over the audit trail, named after the address that people know this Cordon by. */
export function createAuditLog({ db, envelope, clock, publicUrl }: ProofDeps): MerkleLog {
  const origin = `${new URL(publicUrl).host}/${AUDIT_LOG}`;
  return createLog({ db, envelope, clock, name: AUDIT_LOG, origin, source: auditSource(db) });
}
