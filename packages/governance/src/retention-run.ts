import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import {
  appendAudit,
  canonicalJson,
  type Clock,
  type Database,
  type WorkflowDefinition,
  type WorkflowSteps,
} from '@cordon/kernel';
import { NotAvailable } from './errors.ts';
import { listSets, SETS_PAGE_MAX } from './inventory-store.ts';
import type { RetentionItemRead, RetentionSource, RetentionTools } from './retention-ports.ts';
import { coversSet, judgeRecord, type RetentionRule, type RetentionSet } from './retention-rule.ts';
import {
  countItems,
  listItems,
  loadExemptions,
  loadRun,
  type PlannedItem,
  type RetentionRun,
  savePlan,
  setItem,
} from './retention-store.ts';
import { tablesOf } from './tables.ts';

const ITEMS_MAX = 100_000;
const MINUTE_MS = 60_000;
const SETS_MAX = 20_000;

export const retentionWorkflow = { name: 'governance.retention' } as const;

export interface RetentionRunDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly tools: RetentionTools;
  /** Waits, milliseconds; a test passes its own. */
  readonly pause?: (ms: number) => Promise<void>;
}

type Gap = RetentionRun['unenforceable'][number];

async function loadSets(db: Database): Promise<Map<string, RetentionSet>> {
  const sets = new Map<string, RetentionSet>();
  for (let after: string | undefined; sets.size < SETS_MAX;) {
    const page = await listSets(db, { after });
    for (const { app, object, label, categories } of page)
      sets.set(`${app}\0${object}`, { app, object, label, categories });
    const last = page.at(-1);
    if (page.length < SETS_PAGE_MAX || !last) break;
    after = `${last.app}/${last.object}`;
  }
  return sets;
}

/** What the rule is about in a place: an object that no inventory knows is only met by a rule that names it. */
function isCovered(rule: RetentionRule, sets: ReadonlyMap<string, RetentionSet>, app: string, object: string): boolean {
  const set = sets.get(`${app}\0${object}`) ?? { app, object, label: 'public', categories: [] };
  return coversSet(rule, set);
}

function gapsOf(source: RetentionSource, object: string, rule: RetentionRule): Gap | null {
  if (rule.action === 'report') return null;
  const way = source.way(object, rule.action);
  const { connectionId, app } = source;
  if (!way)
    return { connectionId, app, object, because: `the tool has no way to ${rule.action} a record of ${object}` };
  return null;
}

/** Reads what there is and judges each record. Records themselves are dropped; ids and times stay. */
async function plan(deps: RetentionRunDeps, run: RetentionRun): Promise<void> {
  const { db, clock, tools } = deps;
  const { rule } = run;
  const now = clock.now();
  const [sets, exemptions] = await Promise.all([loadSets(db), loadExemptions(db, run.ruleId, new Date(now))]);
  const items = new Map<string, PlannedItem>();
  const gaps = new Map<string, Gap>();
  const totals: Record<string, number> = {};
  const count = (what: string): void => {
    totals[what] = (totals[what] ?? 0) + 1;
  };
  const take = (source: RetentionSource, record: RetentionItemRead): void => {
    const { connectionId, app } = source;
    const { object, id } = record;
    if (!isCovered(rule, sets, app, object)) return;
    // Said in the counts: the next run takes up what this one has no room for.
    if (items.size >= ITEMS_MAX) return count('beyond_limit');
    const judged = judgeRecord(rule, { ...record, connectionId, app }, exemptions, now);
    count(judged.verdict);
    if (judged.verdict === 'young' || judged.verdict === 'undated') return;
    const gap = judged.verdict === 'due' ? gapsOf(source, object, rule) : null;
    if (gap) gaps.set(`${connectionId}\0${object}`, gap);
    items.set([connectionId, object, id].join('\0'), {
      connectionId,
      app,
      object,
      recordId: id,
      parentId: record.parentId ?? null,
      clockAt: new Date(judged.clockAt),
      verdict: judged.verdict,
      reason: judged.verdict === 'due' ? (gap?.because ?? null) : judged.reason,
      status: judged.verdict !== 'due' ? 'kept' : gap ? 'unenforceable' : 'planned',
    });
  };
  for (const source of await tools.list()) {
    const { connectionId, app } = source;
    if (rule.app === null ? source.onlyByName === true : rule.app !== app) continue;
    for (const stream of source.streams) {
      // Streams of such a place are named for what they hold: another data set's gap is none of this rule's.
      if (source.onlyByName === true && rule.object !== null && rule.object !== stream) continue;
      try {
        for await (const record of tools.read(connectionId, stream, `retention: ${run.id}`)) take(source, record);
      } catch (error) {
        // What can't be read can't be kept short here: said in the run, and no reason to leave other tools alone.
        if (!(error instanceof NotAvailable)) throw error;
        gaps.set(`${connectionId}\0${stream}`, {
          connectionId,
          app,
          object: stream,
          because: `cannot be read: ${error.message}`,
        });
      }
    }
  }
  await db.transaction((tx) => savePlan(tx, run.id, [...items.values()], totals, [...gaps.values()]));
}

/**
 * Reads again what the plan found, right before anything is done: an approval may have taken days, and a record that
 * somebody touched since is not the one that was approved.
 */
async function spareChanged({ db, clock, tools }: RetentionRunDeps, run: RetentionRun): Promise<void> {
  const exemptions = await loadExemptions(db, run.ruleId, new Date(clock.now()));
  const planned = new Map<string, number>();
  const places = new Set<string>();
  for (let after = -1; ;) {
    const items = await listItems(db, run.id, after);
    const last = items.at(-1);
    if (!last) break;
    for (const item of items.filter(({ status }) => status === 'planned')) {
      planned.set([item.connectionId, item.object, item.recordId].join('\0'), item.seq);
      places.add(item.connectionId);
    }
    after = last.seq;
  }
  const sources = (await tools.list()).filter(({ connectionId }) => places.has(connectionId));
  for (const { connectionId, app, streams } of sources) {
    for (const stream of streams) {
      try {
        for await (const record of tools.read(connectionId, stream, `retention, again: ${run.id}`)) {
          const seq = planned.get([connectionId, record.object, record.id].join('\0'));
          if (seq === undefined) continue;
          const { verdict } = judgeRecord(run.rule, { ...record, connectionId, app }, exemptions, clock.now());
          if (verdict !== 'due') await setItem(db, run.id, seq, { status: 'kept', reason: 'changed since the plan' });
        }
      } catch (error) {
        // The plan met nothing in a stream that is not shown, and said so.
        if (!(error instanceof NotAvailable)) throw error;
      }
    }
  }
}

/** Acts on one page of items, at the rule's pace. Gives the last place, or null at the end. */
async function actOnPage(deps: RetentionRunDeps, run: RetentionRun, after: number): Promise<number | null> {
  const { db, clock, tools, pause = (ms) => setTimeout(ms) } = deps;
  const sources = new Map((await tools.list()).map((source) => [source.connectionId, source]));
  const items = await listItems(db, run.id, after);
  const last = items.at(-1);
  for (const item of items) {
    if (item.status !== 'planned') continue;
    // Looked up for each one: a hold that is placed while a run is under way wins from the next record on.
    const exemptions = await loadExemptions(db, run.ruleId, new Date(clock.now()));
    const at = item.clockAt.toISOString();
    const record = { ...item, id: item.recordId, createdAt: at, updatedAt: at };
    const judged = judgeRecord(run.rule, record, exemptions, clock.now());
    if (judged.verdict === 'held' || judged.verdict === 'excepted') {
      await setItem(db, run.id, item.seq, { status: 'kept', reason: judged.reason });
      continue;
    }
    const { action: wanted } = run.rule;
    const way = wanted === 'report' ? null : sources.get(item.connectionId)?.way(item.object, wanted);
    const { object, recordId: id, parentId } = item;
    const input = way ? await tools.inputFor(item.connectionId, way.action, { object, id, parentId }) : null;
    if (!way || !input) {
      await setItem(db, run.id, item.seq, { status: 'unenforceable', reason: 'cannot be enforced here' });
      continue;
    }
    const key = `retention:${run.id}:${item.seq}`;
    const target = { connectionId: item.connectionId, action: way.action, input };
    const acted = await tools.act({ ...target, key });
    if (acted.error !== null) {
      await setItem(db, run.id, item.seq, { status: 'failed', action_run_id: acted.runId, error: acted.error });
      continue;
    }
    const seen = way.canVerify ? await tools.verify({ ...target, key: `${key}:verify` }) : 'unknown';
    await setItem(db, run.id, item.seq, {
      status: seen === 'gone' ? 'verified' : seen === 'there' ? 'failed' : 'unverified',
      action_run_id: acted.runId,
      outcome: acted.outcome,
      ...(seen === 'gone' ? { verified_at: new Date(clock.now()) } : {}),
      ...(seen === 'there' ? { error: 'the record is still there' } : {}),
    });
    await pause(Math.ceil(MINUTE_MS / run.rule.perMinuteMax));
  }
  return last ? last.seq : null;
}

/** The proof of a run: what was done to which record, under one hash that the audit trail holds. */
async function finish(deps: RetentionRunDeps, runId: string): Promise<void> {
  const { db, clock } = deps;
  const run = await loadRun(db, runId);
  const digest = createHash('sha256');
  for (let after = -1; ;) {
    const items = await listItems(db, runId, after);
    const last = items.at(-1);
    if (!last) break;
    for (const { seq, connectionId, object, recordId, verdict, status, actionRunId, outcome, verifiedAt } of items) {
      const line = { seq, connectionId, object, recordId, verdict, status, actionRunId, outcome, verifiedAt };
      digest.update(`${canonicalJson({ ...line, verifiedAt: verifiedAt?.toISOString() ?? null })}\n`);
    }
    after = last.seq;
  }
  const at = clock.now();
  const byStatus = await countItems(db, runId);
  const { rule, mode, approvedBy, counts, unenforceable } = run;
  const evidence = {
    run: runId,
    rule,
    mode,
    approvedBy,
    verdicts: counts,
    items: byStatus,
    unenforceable,
    itemsSha256: digest.digest('hex'),
  };
  const text = canonicalJson(evidence);
  const sha256 = createHash('sha256').update(text).digest('hex');
  await db.transaction(async (tx) => {
    const done = await tablesOf(tx)
      .updateTable('retention_run')
      .set({ status: 'done', evidence: text, evidence_sha256: sha256, ended_at: new Date(at) })
      .where('id', '=', runId)
      .where('status', '<>', 'done')
      .executeTakeFirst();
    // A crash right after the commit runs this step again: the trail holds each end once.
    if (Number(done.numUpdatedRows) === 0) return;
    await appendAudit(tx, {
      actor: { kind: 'system', name: `retention, for ${run.requestedBy.name}` },
      action: mode === 'run' ? 'retention.run_ended' : 'retention.dry_run_ended',
      target: { type: 'retention_run', id: runId, name: run.ruleId },
      detail: { items: byStatus, evidence: sha256 },
      at,
    });
  });
}

async function move(db: Database, id: string, from: readonly string[], to: string): Promise<void> {
  await tablesOf(db)
    .updateTable('retention_run')
    .set({ status: to })
    .where('id', '=', id)
    .where('status', 'in', [...from])
    .execute();
}

/**
 * Plans, waits for an approval where one is needed (the run ends here then, and the approval starts it again under
 * another id), acts and proves. Each page is a step; each act carries the key of its item, so that what a crash
 * interrupted is looked at before it is done again.
 */
export function createRetentionWorkflow(deps: RetentionRunDeps): WorkflowDefinition<{ readonly runId: string }> {
  return {
    name: retentionWorkflow.name,
    async run({ runId }, steps) {
      try {
        return await carryOut(deps, runId, steps);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        await steps.step('fail', () => fail(deps, runId, message));
        throw error;
      }
    },
  };
}

async function fail({ db, clock }: RetentionRunDeps, id: string, error: string): Promise<void> {
  await tablesOf(db)
    .updateTable('retention_run')
    .set({ status: 'failed', error, ended_at: new Date(clock.now()) })
    .where('id', '=', id)
    .execute();
}

async function carryOut(
  deps: RetentionRunDeps,
  runId: string,
  steps: WorkflowSteps,
): Promise<{ readonly status: string }> {
  const { db } = deps;
  const needsApproval = await steps.step(
    'plan',
    async () => {
      const run = await loadRun(db, runId);
      // What a person approved is what is done: no second plan.
      if (run.status !== 'queued' && run.status !== 'planning') return false;
      await move(db, runId, ['queued'], 'planning');
      await plan(deps, run);
      const { planned = 0 } = await countItems(db, runId);
      const waits = run.mode === 'run' && run.rule.action !== 'report' && planned > run.rule.approvalAbove;
      if (waits) await move(db, runId, ['planning'], 'waiting');
      return waits;
    },
    { attemptsMax: 3 },
  );
  if (needsApproval) return { status: 'waiting' };
  const isReal = await steps.step('begin', async () => {
    const { mode, rule } = await loadRun(db, runId);
    if (mode !== 'run' || rule.action === 'report') return false;
    await move(db, runId, ['planning', 'approved'], 'acting');
    return true;
  });
  if (isReal)
    await steps.step('look again', async () => spareChanged(deps, await loadRun(db, runId)), { attemptsMax: 3 });
  let page = 0;
  for (let after: number | null = isReal ? -1 : null; after !== null; page += 1) {
    const from: number = after;
    const work = async (): Promise<number | null> => actOnPage(deps, await loadRun(db, runId), from);
    after = await steps.step(`act ${page}`, work, { attemptsMax: 5 });
  }
  await steps.step('finish', () => finish(deps, runId));
  return { status: 'done' };
}
