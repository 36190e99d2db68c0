import type { Queryable } from '@cordon/kernel';
import type { Kysely } from 'kysely';

interface OwnDetectorTables {
  own_detector_key: { id: string; sealed: string; created_at: Date };
  own_detector: {
    id: string;
    name: string;
    kind: string;
    title: string;
    label: string;
    category: string;
    confidence: number;
    enabled: boolean;
    count: number;
    packed: Buffer | null;
    sha256: string | null;
    key_id: string;
    created_by: string;
    created_at: Date;
    changed_at: Date;
  };
}

/** The same connection, seen with this package's tables. */
export function tablesOf(db: Queryable): Kysely<OwnDetectorTables> {
  return db.tables<OwnDetectorTables>();
}
