import type { Label, OwnRuleKind } from '@cordon/classifier';
import type { Queryable } from '@cordon/kernel';
import { tablesOf } from './tables.ts';

/** One of an organisation's own detectors, without what it looks for. */
export interface OwnDetector {
  readonly id: string;
  readonly name: string;
  readonly kind: OwnRuleKind;
  readonly title: string;
  readonly label: Label;
  readonly category: string;
  readonly confidence: number;
  readonly enabled: boolean;
  /** Terms, values or phrases; 0: nothing was given yet, and it finds nothing. */
  readonly count: number;
  readonly sha256: string | null;
  readonly keyId: string;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly changedAt: Date;
}

/** All of them, by name. */
export async function listOwnDetectors(db: Queryable): Promise<OwnDetector[]> {
  const rows = await tablesOf(db)
    .selectFrom('own_detector')
    .select(['id', 'name', 'kind', 'title', 'label', 'category', 'confidence', 'enabled', 'count', 'sha256', 'key_id'])
    .select(['created_by', 'created_at', 'changed_at'])
    .orderBy('name')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    kind: row.kind as OwnRuleKind, // written by our own input
    title: row.title,
    label: row.label as Label, // the same
    category: row.category,
    // real has seven digits; what was given had two
    confidence: Math.round(row.confidence * 1_000) / 1_000,
    enabled: row.enabled,
    count: row.count,
    sha256: row.sha256,
    keyId: row.key_id,
    createdBy: row.created_by,
    createdAt: row.created_at,
    changedAt: row.changed_at,
  }));
}

/** What a detector looks for, as gateways fetch it: by the hash of its bytes. */
export async function readPackedDetector(db: Queryable, sha256: string): Promise<Buffer | null> {
  const row = await tablesOf(db)
    .selectFrom('own_detector')
    .select('packed')
    .where('sha256', '=', sha256)
    .executeTakeFirst();
  return row?.packed ?? null;
}
