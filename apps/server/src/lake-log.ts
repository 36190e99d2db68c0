import type { Clock, Database, Queryable } from '@cordon/kernel';
import type { BatchDigestLake } from '@cordon/lake';
import {
  appendLeaf,
  createLog,
  lakeLeaf,
  type LakeLeaf,
  lakeLeafSource,
  type MerkleLog,
  readLeafPosition,
} from '@cordon/proof';
import { sql } from 'kysely';
import { z } from 'zod';
import type { ProofDeps } from './audit-log.ts';

/** The name of the log of what the lake took; part of its origin, so it can't change. */
export const LAKE_LOG = 'lake';
const SPAN_MS = 60_000;
const LEAVES_A_ROUND_MAX = 200;
const PAGE = 500;

/** The Merkle log over what the lake took. */
export function createLakeLog({ db, envelope, clock, publicUrl }: ProofDeps): MerkleLog {
  const origin = `${new URL(publicUrl).host}/${LAKE_LOG}`;
  return createLog({ db, envelope, clock, name: LAKE_LOG, origin, source: lakeLeafSource(db) });
}

type DigestPort = BatchDigestLake;

/** Takes what has settled since the last time into leaves, a minute each at most. */
export async function takeLeaves(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly digests: DigestPort;
}): Promise<number> {
  const { db, clock, digests } = deps;
  const settled = await digests.settledAt();
  let from = (await readLeafPosition(db)) ?? (await digests.firstTakenAt());
  if (from === null) return 0;
  let taken = 0;
  for (let round = 0; round < LEAVES_A_ROUND_MAX && from < settled; round++) {
    const to = Math.min(from + SPAN_MS, settled);
    const days = await digests.digest({ from, to });
    const events = days.reduce((sum, one) => sum + one.events, 0);
    await appendLeaf(db, { at: clock.now(), from, to, events, days });
    taken += events > 0 ? 1 : 0;
    from = to;
  }
  return taken;
}

export interface LakeCheck {
  readonly leaves: number;
  readonly events: number;
  /** Events that a recorded deletion took since; nothing can be said of what is left of those days. */
  readonly deleted: number;
  readonly broken: readonly {
    readonly leaf: number;
    readonly day: string;
    readonly expected: number;
    readonly found: number;
    readonly problem: 'removed' | 'added' | 'changed';
  }[];
}

const BROKEN_MAX = 100;

/** Days from which retention deleted, as the audit trail has it. */
async function deletedDays(db: Queryable): Promise<Set<string>> {
  const detail = z.object({ days: z.array(z.object({ day: z.string(), events: z.number() })) });
  const { rows } = await sql<{
    record: string;
  }>`select record from audit_trail where action = 'lake.days_deleted'`.execute(db.tables());
  const days = rows.flatMap(({ record }) => {
    const parsed = z.object({ detail }).safeParse(JSON.parse(record));
    return parsed.success ? parsed.data.detail.days.filter(({ events }) => events > 0).map(({ day }) => day) : [];
  });
  return new Set(days);
}

/** Holds what the lake has against every leaf. What retention deleted is told apart from what somebody removed. */
export async function checkLake(deps: { readonly db: Database; readonly digests: DigestPort }): Promise<LakeCheck> {
  const source = lakeLeafSource(deps.db);
  const retained = await deletedDays(deps.db);
  const broken: LakeCheck['broken'][number][] = [];
  let [leaves, events, deleted] = [0, 0, 0];
  for (;;) {
    const records = await source.readAfter(leaves, PAGE);
    for (const record of records) {
      const leaf = lakeLeaf.parse(JSON.parse(record));
      leaves += 1;
      events += leaf.events;
      const now = new Map((await deps.digests.digest(leaf)).map((one) => [one.day, one]));
      for (const problem of compare(leaf, now)) {
        if (problem.problem === 'removed' && retained.has(problem.day)) deleted += problem.expected - problem.found;
        else if (broken.length < BROKEN_MAX) broken.push(problem);
      }
    }
    if (records.length < PAGE) return { leaves, events, deleted, broken };
  }
}

function compare(leaf: LakeLeaf, now: ReadonlyMap<string, LakeLeaf['days'][number]>): LakeCheck['broken'] {
  const days = new Map(leaf.days.map((one) => [one.day, one]));
  return [...new Set([...days.keys(), ...now.keys()])].flatMap((day) => {
    const [expected, found] = [days.get(day), now.get(day)];
    if (expected?.digest === found?.digest) return [];
    const counts = { expected: expected?.events ?? 0, found: found?.events ?? 0 };
    const problem = counts.found < counts.expected ? 'removed' : counts.found > counts.expected ? 'added' : 'changed';
    return [{ leaf: leaf.seq, day, ...counts, problem } as const];
  });
}
