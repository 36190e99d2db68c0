import type { Queryable, Transaction } from '@cordon/kernel';
import { sql } from 'kysely';
import { z } from 'zod';
import type { WatchTables } from '../watch-tables.ts';
import {
  type BehaviourState,
  type BehaviourType,
  behaviourKey,
  DAY_MS,
  FEATURES,
  type Feedback,
  type Term,
} from './behaviour.ts';
import type { Judged } from './judge.ts';
import { runningScore } from './score.ts';

export interface ScoredEntity {
  readonly key: string;
  readonly type: BehaviourType;
  readonly id: string;
  readonly name: string;
  readonly score: number;
  readonly state: BehaviourState;
  readonly criticality: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly updatedAt: number;
  /** What weighed most, in the order of weight. */
  readonly reasons: readonly string[];
}

export interface ScoredDay {
  readonly day: number;
  readonly score: number;
  readonly state: BehaviourState;
  readonly terms: readonly Term[];
}

const SCORE_DAYS = 30;
const FEEDBACK_MAX = 5_000;

const termSchema = z.object({
  feature: z.enum(FEATURES),
  group: z.enum(['amount', 'where', 'how', 'what', 'when', 'errors', 'signals']),
  value: z.string(),
  observed: z.number(),
  baseline: z.object({ usual: z.number(), high: z.number(), days: z.number(), borrowed: z.number() }),
  peers: z.object({ count: z.number(), usual: z.number().nullable(), organisation: z.number().nullable() }),
  probability: z.number(),
  contribution: z.number(),
  from: z.number(),
  to: z.number(),
  query: z.string(),
  eventIds: z.array(z.string()),
  feedback: z.string().exactOptional(),
});
const termsSchema = z.array(termSchema);
const peersSchema = z.array(z.object({ id: z.string(), similarity: z.number() }));

export async function readBehaviourPosition(db: Queryable, name: string): Promise<unknown> {
  const row = await db
    .tables<WatchTables>()
    .selectFrom('behaviour_position')
    .select('value')
    .where('name', '=', name)
    .executeTakeFirst();
  return row?.value;
}

export async function saveBehaviourPosition(db: Queryable, name: string, value: unknown, now: number): Promise<void> {
  const row = { value: JSON.stringify(value), updated_at: now };
  await db
    .tables<WatchTables>()
    .insertInto('behaviour_position')
    .values({ name, ...row })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
    .execute();
}

/** Writes a day's judgement and gives the entity's running score at `now`. */
export async function saveJudgement(
  tx: Transaction,
  judged: Judged,
  day: number,
  now: number,
): Promise<{ readonly running: number; readonly criticality: number }> {
  const tables = tx.tables<WatchTables>();
  const { facts, peers, score, state } = judged;
  const key = behaviourKey(facts);
  const lastAt = Math.max(day, ...facts.hours);
  const common = { name: facts.name, state, peers: JSON.stringify(peers), first_at: facts.firstAt, updated_at: now };
  const entity = await tables
    .insertInto('behaviour_entity')
    .values({ entity_key: key, type: facts.type, id: facts.id, score: 0, last_at: lastAt, ...common })
    .onConflict((conflict) =>
      conflict
        .column('entity_key')
        .doUpdateSet({ ...common, last_at: sql<number>`greatest(behaviour_entity.last_at, ${lastAt})` }),
    )
    .returning('criticality')
    .executeTakeFirstOrThrow();
  const row = { score, state, terms: JSON.stringify(judged.terms), updated_at: now };
  await tables
    .insertInto('behaviour_day')
    .values({ entity_key: key, day, ...row })
    .onConflict((conflict) => conflict.columns(['entity_key', 'day']).doUpdateSet(row))
    .execute();
  const days = await tables
    .selectFrom('behaviour_day')
    .select(['day', 'score'])
    .where('entity_key', '=', key)
    .where('day', '>=', now - SCORE_DAYS * DAY_MS)
    .execute();
  const running = runningScore(days, now, entity.criticality);
  await tables.updateTable('behaviour_entity').set({ score: running }).where('entity_key', '=', key).execute();
  return { running, criticality: entity.criticality };
}

/** Lets all scores fade to what they are now, and drops days that no longer count. */
export async function fadeScores(db: Queryable, now: number): Promise<void> {
  const tables = db.tables<WatchTables>();
  await tables
    .deleteFrom('behaviour_day')
    .where('day', '<', now - SCORE_DAYS * DAY_MS)
    .execute();
  await sql`
    update behaviour_entity set score = criticality * coalesce((
      select sum(one.score * power(0.5, greatest(0, ${now}::float8 - one.day - ${DAY_MS}) / ${3 * DAY_MS}))
      from behaviour_day one where one.entity_key = behaviour_entity.entity_key), 0)
    where score > 0.001`.execute(tables);
}

export async function listScored(
  db: Queryable,
  { type, limit }: { readonly type?: BehaviourType | undefined; readonly limit: number },
): Promise<ScoredEntity[]> {
  const tables = db.tables<WatchTables>();
  let query = tables
    .selectFrom('behaviour_entity')
    .selectAll()
    .orderBy('score', 'desc')
    .orderBy('entity_key')
    .limit(limit);
  if (type !== undefined) query = query.where('type', '=', type);
  const rows = await query.execute();
  if (rows.length === 0) return [];
  const days = await tables
    .selectFrom('behaviour_day')
    .select(['entity_key', 'terms', 'score'])
    .where(
      'entity_key',
      'in',
      rows.map((row) => row.entity_key),
    )
    .where('score', '>', 0)
    .execute();
  const byKey = Map.groupBy(days, (day) => day.entity_key);
  return rows.map((row) => {
    const terms = (byKey.get(row.entity_key) ?? []).flatMap((day) => termsSchema.parse(day.terms));
    const ordered = terms.sort((a, b) => b.contribution - a.contribution);
    return { ...toEntity(row), reasons: [...new Set(ordered.map(({ feature }) => feature))].slice(0, 3) };
  });
}

function toEntity(row: {
  entity_key: string;
  type: BehaviourType;
  id: string;
  name: string;
  score: number;
  state: BehaviourState;
  criticality: number;
  first_at: number;
  last_at: number;
  updated_at: number;
}): Omit<ScoredEntity, 'reasons'> {
  return {
    key: row.entity_key,
    type: row.type,
    id: row.id,
    name: row.name,
    score: row.score,
    state: row.state,
    criticality: row.criticality,
    firstAt: row.first_at,
    lastAt: row.last_at,
    updatedAt: row.updated_at,
  };
}

export async function loadScored(db: Queryable, key: string) {
  const tables = db.tables<WatchTables>();
  const row = await tables.selectFrom('behaviour_entity').selectAll().where('entity_key', '=', key).executeTakeFirst();
  if (!row) return null;
  const days = await tables
    .selectFrom('behaviour_day')
    .selectAll()
    .where('entity_key', '=', key)
    .orderBy('day', 'desc')
    .limit(SCORE_DAYS)
    .execute();
  return {
    ...toEntity(row),
    criticalityReason: row.criticality_reason,
    peers: peersSchema.parse(row.peers),
    days: days.map(({ day, score, state, terms }) => ({ day, score, state, terms: termsSchema.parse(terms) })),
  };
}

/** Feedback in force, of one entity or of all. */
export async function listFeedback(db: Queryable, now: number, entityKey?: string): Promise<Feedback[]> {
  let query = db
    .tables<WatchTables>()
    .selectFrom('behaviour_feedback')
    .selectAll()
    .where('expires_at', '>', now)
    .orderBy('created_at', 'desc')
    .limit(FEEDBACK_MAX);
  if (entityKey !== undefined) query = query.where('entity_key', '=', entityKey);
  return (await query.execute()).map((row) => ({
    id: row.id,
    entityKey: row.entity_key,
    feature: row.feature,
    value: row.value,
    verdict: row.verdict,
    observed: row.observed,
    day: row.day,
    reason: row.reason,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    createdBy: row.created_by,
  }));
}

/** Signals of rules about these entities on one day, without behaviour's own. */
export async function signalsOfDay(db: Queryable, keys: readonly string[], day: number, ownRule: string) {
  if (keys.length === 0) return [];
  return db
    .tables<WatchTables>()
    .selectFrom('alert_signal')
    .innerJoin('alert', 'alert.id', 'alert_signal.alert_id')
    .select(['alert.entity_key as entityKey', 'alert.level', 'alert.title', 'alert_signal.event_ids as eventIds'])
    .where('alert.entity_key', 'in', [...keys])
    .where('alert.rule_id', '<>', ownRule)
    .where('alert_signal.at', '>=', day)
    .where('alert_signal.at', '<', day + DAY_MS)
    .limit(5_000)
    .execute();
}
