import { type Queryable, uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import { monitoringTablesOf } from '../monitoring/monitoring-tables.ts';
import { GROUPS, type Score } from './score.ts';

const HISTORY_MAX = 200;

export const scoreRow = z.object({
  key: z.string(),
  part: z.enum(['inherent', 'residual']),
  group: z.enum(GROUPS),
  what: z.string(),
  value: z.string(),
  weight: z.string(),
  points: z.int(),
  link: z.string().nullable(),
  isFixable: z.boolean(),
});

export interface KeptScore extends Score {
  readonly id: string;
  readonly at: number;
  readonly weights: string;
}

export async function listScores(db: Queryable, vendorId: string, limit = HISTORY_MAX): Promise<KeptScore[]> {
  const rows = await monitoringTablesOf(db)
    .selectFrom('vendor_scores')
    .selectAll()
    .where('vendor_id', '=', vendorId)
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    at: row.at.getTime(),
    weights: row.weights,
    inherent: row.inherent,
    residual: row.residual,
    rows: z.array(scoreRow).parse(row.rows),
  }));
}

/** The last score of every vendor that has one. */
export async function latestScores(
  db: Queryable,
): Promise<ReadonlyMap<string, { inherent: number; residual: number }>> {
  const rows = await monitoringTablesOf(db)
    .selectFrom('vendor_scores')
    .distinctOn('vendor_id')
    .select(['vendor_id', 'inherent', 'residual'])
    .orderBy('vendor_id')
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return new Map(rows.map(({ vendor_id: id, inherent, residual }) => [id, { inherent, residual }]));
}

/** Keeps a score when it differs from the last in any row. Returns the one before, when it was kept. */
export async function keepScore(
  tx: Queryable,
  vendorId: string,
  score: Score,
  weights: string,
  at: number,
): Promise<{ readonly isNew: boolean; readonly before: KeptScore | null }> {
  const [before = null] = await listScores(tx, vendorId, 1);
  const isSame =
    before !== null &&
    before.weights === weights &&
    JSON.stringify(before.rows) === JSON.stringify(z.array(scoreRow).parse(score.rows));
  if (isSame) return { isNew: false, before };
  const { inherent, residual, rows } = score;
  await monitoringTablesOf(tx)
    .insertInto('vendor_scores')
    .values({
      id: uuidv7(at),
      vendor_id: vendorId,
      at: new Date(at),
      weights,
      inherent,
      residual,
      rows: JSON.stringify(rows),
    })
    .execute();
  return { isNew: true, before };
}
