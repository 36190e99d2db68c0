import type { Queryable } from '@cordon/kernel';
import type { Kysely } from 'kysely';

export interface ProofTables {
  proof_logs: {
    name: string;
    origin: string;
    public_key: string;
    sealed_private: string;
    size: number;
    created_at: Date;
  };
  lake_leaf: { seq: number; record: string };
  lake_leaf_position: { one: boolean; at: number };
  proof_nodes: { log: string; level: number; index: number; hash: Buffer };
  proof_checkpoints: { log: string; size: number; root: Buffer; signed_at: Date; note: string };
  proof_witnesses: { id: string; name: string; url: string; vkey: string; created_at: Date };
  proof_witness_state: {
    witness_id: string;
    log: string;
    size: number;
    cosigned_at: Date | null;
    error: string | null;
  };
}

export function tablesOf(db: Queryable): Kysely<ProofTables> {
  return db.tables<ProofTables>();
}
