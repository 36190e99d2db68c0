import { type Queryable, uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import { monitoringTablesOf } from '../monitoring/monitoring-tables.ts';
import { type Contradiction, OBSERVATIONS } from './contradiction.ts';
import { SEVERITIES, type Severity } from './weights.ts';

const FINDINGS_MAX = 500;

const saidSchema = z.object({
  questionnaireId: z.string().nullable(),
  questionId: z.string().nullable(),
  question: z.string(),
  answers: z.array(z.string()),
  link: z.string().nullable(),
});
const evidenceSchema = z.array(
  z.object({
    kind: z.enum(OBSERVATIONS),
    key: z.string(),
    text: z.string(),
    link: z.string().nullable(),
    at: z.number().nullable(),
    region: z.string().optional(),
  }),
);
const decisionSchema = z.object({ reason: z.string(), by: z.string(), at: z.number() });

/** A contradiction as it is kept: found once, seen since, gone when it is no longer seen. */
export interface StoredContradiction {
  readonly id: string;
  readonly key: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly title: string;
  readonly said: z.output<typeof saidSchema>;
  readonly evidence: z.output<typeof evidenceSchema>;
  readonly foundAt: number;
  readonly seenAt: number;
  readonly goneAt: number | null;
  /** A person looked and dismissed it. */
  readonly decision: z.output<typeof decisionSchema> | null;
}

export async function listContradictions(db: Queryable, vendorId: string): Promise<StoredContradiction[]> {
  const rows = await monitoringTablesOf(db)
    .selectFrom('vendor_contradictions')
    .selectAll()
    .where('vendor_id', '=', vendorId)
    .orderBy('found_at', 'desc')
    .limit(FINDINGS_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    key: row.key,
    rule: row.rule,
    severity: z.enum(SEVERITIES).parse(row.severity),
    title: row.title,
    said: saidSchema.parse(row.said),
    evidence: evidenceSchema.parse(row.evidence),
    foundAt: row.found_at.getTime(),
    seenAt: row.seen_at.getTime(),
    goneAt: row.gone_at?.getTime() ?? null,
    decision: row.decision === null ? null : decisionSchema.parse(row.decision),
  }));
}

/** Writes down what is seen now. Returns what is new or has returned. */
export async function saveContradictions(
  tx: Queryable,
  vendorId: string,
  found: readonly Contradiction[],
  at: number,
): Promise<Contradiction[]> {
  const tables = monitoringTablesOf(tx);
  const known = new Map((await listContradictions(tx, vendorId)).map((one) => [one.key, one]));
  const fresh: Contradiction[] = [];
  const now = new Date(at);
  for (const one of found) {
    const before = known.get(one.key);
    known.delete(one.key);
    if (!before || before.goneAt !== null) fresh.push(one);
    const { key, rule, severity, title } = one;
    const row = { key, rule, severity, title, said: JSON.stringify(one.said), evidence: JSON.stringify(one.evidence) };
    await tables
      .insertInto('vendor_contradictions')
      .values({
        id: uuidv7(at),
        vendor_id: vendorId,
        ...row,
        found_at: now,
        seen_at: now,
        gone_at: null,
        decision: null,
      })
      .onConflict((conflict) =>
        conflict.columns(['vendor_id', 'key']).doUpdateSet({ ...row, seen_at: now, gone_at: null }),
      )
      .execute();
  }
  for (const { id, goneAt } of known.values()) {
    if (goneAt === null)
      await tables.updateTable('vendor_contradictions').set({ gone_at: now }).where('id', '=', id).execute();
  }
  return fresh;
}

export async function dismiss(
  tx: Queryable,
  vendorId: string,
  id: string,
  decision: z.output<typeof decisionSchema> | null,
): Promise<boolean> {
  const done = await monitoringTablesOf(tx)
    .updateTable('vendor_contradictions')
    .set({ decision: decision === null ? null : JSON.stringify(decision) })
    .where('id', '=', id)
    .where('vendor_id', '=', vendorId)
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}
