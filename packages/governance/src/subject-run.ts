import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { appendAudit, canonicalJson, type WorkflowDefinition, type WorkflowSteps } from '@cordon/kernel';
import { z } from 'zod';
import { loadFingerprintKey } from './fingerprint-key.ts';
import { coversRecord } from './retention-rule.ts';
import { forgetPerson } from './subject-forget.ts';
import { type Matcher, withoutPerson } from './subject-identifier.ts';
import type { SubjectRecord } from './subject-ports.ts';
import {
  ACCOUNT,
  listStandingHolds,
  matchersOf,
  printsOf,
  readPerson,
  recordKey,
  searchPerson,
  type SubjectDeps,
} from './subject-search.ts';
import {
  countTargets,
  eachTarget,
  listTargets,
  loadSubjectRequest,
  moveRequest,
  openIdentifiers,
  saveTargets,
  setTarget,
  type SubjectGap,
  type SubjectRequest,
  type SubjectTarget,
  targetContext,
  type TargetStatus,
} from './subject-store.ts';

const MINUTE_MS = 60_000;
const inputs = z.record(z.string(), z.unknown());
/** What is sealed for an act: its inputs, and those of making anonymous where the tool refuses to delete. */
const prepared = z.object({ input: inputs, fallback: z.object({ action: z.string(), input: inputs }).nullable() });

export const subjectWorkflow = { name: 'governance.subject-request' } as const;

export interface SubjectRunDeps extends SubjectDeps {
  /** Waits, milliseconds; a test passes its own. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** Finds again what is about the person now, right before and right after anything is done. */
async function findAgain(
  deps: SubjectRunDeps,
  request: SubjectRequest,
  matchers: readonly Matcher[],
  each: (key: string, record: SubjectRecord, connectionId: string) => Promise<void>,
): Promise<ReadonlySet<string>> {
  const places = new Set<string>();
  for await (const target of eachTarget(deps.db, request.id)) places.add(target.connectionId);
  const seen = { gaps: [] as SubjectGap[], objects: new Set<string>() };
  for await (const { source, record } of readPerson(deps, matchers, `subject request: ${request.id}`, seen, places)) {
    await each(recordKey(source.connectionId, record.object, record.id), record, source.connectionId);
  }
  return new Set(seen.gaps.map(({ app }) => app));
}

/** What was planned and isn't met again is gone, unless its tool could not be read. */
async function noteMissing(
  { db }: SubjectRunDeps,
  id: string,
  missing: Iterable<SubjectTarget>,
  unread: ReadonlySet<string>,
): Promise<void> {
  for (const { seq, app } of missing) {
    const set = unread.has(app)
      ? { status: 'failed', error: 'the tool could not be read again' }
      : { status: 'gone', reason: 'no longer there, or no longer about them' };
    await setTarget(db, id, seq, set, ['planned']);
  }
}

const keyOf = (target: SubjectTarget): string => recordKey(target.connectionId, target.object, target.recordId);

async function targetsBy(
  deps: SubjectRunDeps,
  id: string,
  statuses: readonly TargetStatus[],
): Promise<Map<string, SubjectTarget>> {
  const found = new Map<string, SubjectTarget>();
  for await (const target of eachTarget(deps.db, id)) {
    if (statuses.includes(target.status)) found.set(keyOf(target), target);
  }
  return found;
}

/** An export: what is there now is sealed with its target. */
async function collect(deps: SubjectRunDeps, request: SubjectRequest): Promise<void> {
  const { db, envelope } = deps;
  const matchers = matchersOf(await openIdentifiers(db, envelope, request.id));
  const planned = await targetsBy(deps, request.id, ['planned']);
  const unread = await findAgain(deps, request, matchers, async (key, record) => {
    const target = planned.get(key);
    if (!target) return;
    const sealed = envelope.seal(JSON.stringify(record), targetContext(request.id, target.seq));
    await setTarget(db, request.id, target.seq, { status: 'collected', sealed }, ['planned']);
    planned.delete(key);
  });
  await noteMissing(deps, request.id, planned.values(), unread);
}

/** Works out the inputs of each act from the record as it is now, and seals them: after a crash they are the same. */
async function prepare(deps: SubjectRunDeps, request: SubjectRequest): Promise<void> {
  const { db, envelope, tools } = deps;
  const matchers = matchersOf(await openIdentifiers(db, envelope, request.id));
  const sources = new Map((await tools.list()).map((source) => [source.connectionId, source]));
  const planned = await targetsBy(deps, request.id, ['planned']);
  const unread = await findAgain(deps, request, matchers, async (key, record, connectionId) => {
    const target = planned.get(key);
    if (!target?.action) return;
    planned.delete(key);
    const given = target.way === 'anonymise' ? cleaned(record, matchers) : record;
    const input = await tools.inputs(connectionId, target.action, given);
    const other = target.way === 'delete' ? sources.get(connectionId)?.way(target.object, 'anonymise') : null;
    const otherInput = other ? await tools.inputs(connectionId, other.action, cleaned(record, matchers)) : null;
    const fallback = other && otherInput ? { action: other.action, input: otherInput } : null;
    const set =
      input === null
        ? { status: 'task', reason: `The connector doesn't say how ${target.action} is done for a record.` }
        : { sealed: envelope.seal(JSON.stringify({ input, fallback }), targetContext(request.id, target.seq)) };
    await setTarget(db, request.id, target.seq, set, ['planned']);
  });
  await noteMissing(deps, request.id, planned.values(), unread);
}

function cleaned(record: SubjectRecord, matchers: readonly Matcher[]): SubjectRecord {
  const title = withoutPerson(record.title, matchers);
  const content = withoutPerson(record.content, matchers);
  return { ...record, title: typeof title === 'string' ? title : null, content };
}

async function actOn(deps: SubjectRunDeps, request: SubjectRequest, target: SubjectTarget & { sealed: string | null }) {
  const { db, envelope, tools, pause = (ms) => setTimeout(ms) } = deps;
  const { seq, connectionId, action } = target;
  // Looked up for each one: a hold that is placed while a run is under way wins from the next record on.
  const hold = (await listStandingHolds(deps)).find(({ scope }) =>
    coversRecord(scope, { ...target, id: target.recordId }),
  );
  if (hold) {
    await setTarget(db, request.id, seq, { status: 'held', reason: hold.name, sealed: null }, ['planned']);
    return;
  }
  if (action === null || target.sealed === null) {
    await setTarget(db, request.id, seq, { status: 'task', reason: 'Nothing says how to do it here.' }, ['planned']);
    return;
  }
  const plain: unknown = JSON.parse(envelope.open(target.sealed, targetContext(request.id, seq)).toString('utf8'));
  const key = `subject:${request.id}:${request.runs}:${seq}`;
  const { input, fallback } = prepared.parse(plain);
  const first = await tools.act({ connectionId, action, input, key });
  const falls = first.error !== null && fallback !== null;
  const acted = falls ? await tools.act({ connectionId, ...fallback, key: `${key}:anonymise` }) : first;
  const instead = { way: 'anonymise', action: fallback?.action ?? null, reason: `Not deleted: ${first.error}` };
  const isDone = acted.error === null && acted.outcome !== 'not_done' && acted.outcome !== 'unclear';
  await setTarget(
    db,
    request.id,
    seq,
    {
      status: isDone ? 'acted' : 'failed',
      ...(falls && isDone ? instead : {}),
      action_run_id: acted.runId,
      outcome: acted.outcome,
      error: acted.error ?? (isDone ? null : `the tool says: ${acted.outcome}`),
      sealed: null,
    },
    ['planned'],
  );
  await pause(Math.ceil(MINUTE_MS / request.perMinuteMax));
}

/** Acts on one page of targets, at the request's pace. Gives the last place, or null at the end. */
async function actOnPage(deps: SubjectRunDeps, id: string, after: number): Promise<number | null> {
  const request = await loadSubjectRequest(deps.db, id);
  const targets = await listTargets(deps.db, id, after);
  for (const target of targets) if (target.status === 'planned') await actOn(deps, request, target);
  return targets.at(-1)?.seq ?? null;
}

/** Reads the tools once more: only what no longer names the person counts as done. */
async function lookAgain(deps: SubjectRunDeps, request: SubjectRequest): Promise<void> {
  const { db, envelope, clock } = deps;
  const matchers = matchersOf(await openIdentifiers(db, envelope, request.id));
  const acted = await targetsBy(deps, request.id, ['acted', 'task-done', 'unverified']);
  const unread = await unreadable(deps, request, matchers, acted);
  const at = new Date(clock.now());
  for (const target of acted.values()) {
    // What no connector reads stays a person's word.
    if (target.connectionId === '' || (target.status === 'task-done' && target.object === ACCOUNT)) continue;
    // Another stream of the tool may have shown records of this kind whole.
    const isUnread = unread.get(target.connectionId)?.has(`${target.app}\0${target.object}`) === false;
    const set = isUnread
      ? { status: 'unverified' as const }
      : { status: 'verified' as const, verified_at: at, error: null };
    await setTarget(db, request.id, target.seq, set, ['acted', 'task-done', 'unverified']);
  }
}

/**
 * Takes out of `acted` what still names the person; gives the connections of which a stream couldn't be read, with the
 * kinds of record that were.
 */
async function unreadable(
  deps: SubjectRunDeps,
  request: SubjectRequest,
  matchers: readonly Matcher[],
  acted: Map<string, SubjectTarget>,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const unread = new Map<string, ReadonlySet<string>>();
  for (const connectionId of new Set([...acted.values()].map((target) => target.connectionId))) {
    const seen = { gaps: [] as SubjectGap[], objects: new Set<string>() };
    const purpose = `subject request, again: ${request.id}`;
    for await (const { record } of readPerson(deps, matchers, purpose, seen, new Set([connectionId]))) {
      const target = acted.get(recordKey(connectionId, record.object, record.id));
      // Accounts are as the last sync saw them.
      if (!target || record.object === ACCOUNT) continue;
      acted.delete(keyOf(target));
      const status = target.status === 'task-done' ? 'task' : 'failed';
      await setTarget(deps.db, request.id, target.seq, {
        status,
        error: 'it still names the person',
        verified_at: null,
      });
    }
    if (seen.gaps.length > 0) unread.set(connectionId, seen.objects);
  }
  return unread;
}

const STAYS: readonly TargetStatus[] = ['planned', 'task', 'held', 'spared', 'failed'];
const WORK_LEFT: readonly TargetStatus[] = ['planned', 'task', 'failed'];

/** The end of a run: what was done to which record under one hash, and the person out of Cordon's own memory. */
async function finish(deps: SubjectRunDeps, id: string): Promise<string> {
  const { db, clock, envelope } = deps;
  const request = await loadSubjectRequest(db, id);
  const prints = await printsOf(deps, await openIdentifiers(db, envelope, id));
  const key = await loadFingerprintKey(db, envelope);
  const digest = createHash('sha256');
  const kept = new Set<string>();
  const records: { app: string; object: string; id: string }[] = [];
  let left = 0;
  for await (const { seq, connectionId, app, object, recordId, status, actionRunId, outcome, verifiedAt } of eachTarget(
    db,
    id,
  )) {
    const line = { seq, connectionId, app, object, recordId, status, actionRunId, outcome };
    digest.update(`${canonicalJson({ ...line, verifiedAt: verifiedAt?.toISOString() ?? null })}\n`);
    if (STAYS.includes(status)) kept.add(`${app}\0${object}`);
    else records.push({ app, object, id: recordId });
    if (WORK_LEFT.includes(status)) left += 1;
  }
  const at = clock.now();
  const counts = await countTargets(db, id);
  const { kind, reference, masked, identity, receivedAt, dueAt, approvedBy, gaps } = request;
  const facts = { request: id, kind, reference, masked, identity, approvedBy, targets: counts, gaps };
  const evidence = {
    ...facts,
    receivedAt: receivedAt.toISOString(),
    dueAt: dueAt.toISOString(),
    endedAt: new Date(at).toISOString(),
    targetsSha256: digest.digest('hex'),
  };
  const text = canonicalJson(evidence);
  const sha256 = createHash('sha256').update(text).digest('hex');
  const status = left > 0 ? 'tasks' : 'done';
  await db.transaction(async (tx) => {
    const isMoved = await moveRequest(tx, id, ['acting', 'tasks'], {
      status,
      evidence: text,
      evidence_sha256: sha256,
      // Nobody needs to know any more who it was, once everything is done.
      ...(status === 'done' ? { ended_at: new Date(at), sealed: null } : {}),
    });
    // A crash right after the commit runs this step again: the trail holds each end once.
    if (!isMoved) return;
    const forgotten = kind === 'export' || !key ? null : await forgetPerson(tx, { key, prints, kept, records });
    await appendAudit(tx, {
      actor: { kind: 'system', name: `subject request, for ${request.runBy?.name ?? request.openedBy.name}` },
      action: status === 'done' ? 'subject.request_done' : 'subject.run_ended',
      target: { type: 'subject_request', id, name: reference },
      detail: { targets: counts, evidence: sha256, ...(forgotten ? { fingerprintsForgotten: forgotten.places } : {}) },
      at,
    });
  });
  return status;
}

async function search(deps: SubjectRunDeps, id: string): Promise<void> {
  const request = await loadSubjectRequest(deps.db, id);
  if (request.status !== 'searching') return;
  const { targets, gaps } = await searchPerson(deps, request);
  await deps.db.transaction(async (tx) => {
    await saveTargets(tx, id, targets);
    await countTargets(tx, id);
    const found = { status: 'found', gaps: JSON.stringify(gaps), searched_at: new Date(deps.clock.now()), error: null };
    await moveRequest(tx, id, ['searching'], found);
  });
}

async function carryOut(deps: SubjectRunDeps, id: string, steps: WorkflowSteps): Promise<{ readonly status: string }> {
  const { db } = deps;
  const request = await steps.step('begin', async () => {
    await moveRequest(db, id, ['approved'], { status: 'acting' });
    const { kind, status } = await loadSubjectRequest(db, id);
    return { kind, status };
  });
  if (request.status !== 'acting') return { status: request.status };
  const load = () => loadSubjectRequest(db, id);
  if (request.kind === 'export') {
    await steps.step('collect', async () => collect(deps, await load()), { attemptsMax: 3 });
  } else {
    await steps.step('prepare', async () => prepare(deps, await load()), { attemptsMax: 3 });
    let page = 0;
    for (let after: number | null = -1; after !== null; page += 1) {
      const from: number = after;
      after = await steps.step(`act ${page}`, () => actOnPage(deps, id, from), { attemptsMax: 5 });
    }
    await steps.step('look again', async () => lookAgain(deps, await load()), { attemptsMax: 3 });
  }
  return { status: await steps.step('finish', () => finish(deps, id)) };
}

/** `search` is the dry run; `run` does what was found and a person let stand; `check` reads again after people's tasks. */
export function createSubjectWorkflow(
  deps: SubjectRunDeps,
): WorkflowDefinition<{ readonly requestId: string; readonly phase: 'search' | 'run' | 'check' }> {
  return {
    name: subjectWorkflow.name,
    async run({ requestId, phase }, steps) {
      try {
        if (phase === 'run') return await carryOut(deps, requestId, steps);
        if (phase === 'search') {
          await steps.step('search', () => search(deps, requestId), { attemptsMax: 3 });
          return { status: 'found' };
        }
        await steps.step('look again', async () => lookAgain(deps, await loadSubjectRequest(deps.db, requestId)));
        return { status: await steps.step('finish', () => finish(deps, requestId)) };
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        await steps.step('fail', () => fail(deps, requestId, message));
        throw error;
      }
    },
  };
}

/** A search that failed can be made again; a run that failed goes on where it was. */
async function fail({ db }: SubjectRunDeps, id: string, error: string): Promise<void> {
  await moveRequest(db, id, ['searching'], { status: 'open', error });
  await moveRequest(db, id, ['approved', 'acting'], { status: 'failed', error });
}
