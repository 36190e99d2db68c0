import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type SecretEnvelope,
  type Transaction,
  uuidv7,
  type WorkflowClient,
} from '@cordon/kernel';
import type { z } from 'zod';
import { settleMoves } from '../moves.ts';
import { NoteNeeded, ProvisionInvalid, PushUnderWay, TaskNotOpen } from '../errors.ts';
import {
  deleteProvisionTarget,
  hasPushUnderWay,
  insertProvisionRun,
  isTargetNameTaken,
  listItems,
  listProvisionRuns,
  listProvisionTargets,
  loadProvisionRun,
  loadProvisionTarget,
  saveLink,
  saveProvisionTarget,
  settleItem,
} from './provision-store.ts';
import { provisionWorkflow, wantedAt } from './provision-workflow.ts';
import {
  type PeopleSource,
  type ProvisionTarget,
  targetChange,
  type TargetChange,
  targetInput,
  type TargetInput,
} from './target.ts';

const NOTE_CHARS_MAX = 1_000;
const REASON_CHARS_MAX = 500;

interface RunInput {
  readonly targetId: string;
  readonly mode: 'preview' | 'push';
  readonly reason: string;
  /** How many accounts this push may take away, where it is more than the target's own limit. */
  readonly leaversAllowed?: number;
}

export interface ProvisionCommands {
  addTarget(actor: Actor, input: TargetInput): Promise<ProvisionTarget>;
  changeTarget(actor: Actor, id: string, change: TargetChange): Promise<ProvisionTarget>;
  /** Forgets the target and its evidence of runs; changes nothing at the tool. */
  removeTarget(actor: Actor, id: string): Promise<void>;
  /** A preview sends nothing that changes; a push follows its plan. */
  start(actor: Actor, input: RunInput): Promise<{ readonly runId: string }>;
  /** A person did what only a person can; says how. */
  closeTask(actor: Actor, runId: string, personId: string, note: string): Promise<void>;
}

function parse<Schema extends z.ZodType>(schema: Schema, raw: unknown): z.output<Schema> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ProvisionInvalid(issue?.message ?? 'The target is not valid.', { field: issue?.path.join('.') ?? '' });
}

interface Deps {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly workflows: WorkflowClient;
}

async function begin(deps: Deps, tx: Transaction, actor: Actor, input: RunInput): Promise<string> {
  const at = deps.clock.now();
  const target = await loadProvisionTarget(tx, input.targetId, true);
  if (input.mode === 'push' && (await hasPushUnderWay(tx, target.id))) {
    throw new PushUnderWay('A push to this target is under way.', { target: target.id });
  }
  const runId = uuidv7(at);
  const startedBy = describeActor(actor).name;
  const reason = input.reason.trim().slice(0, REASON_CHARS_MAX);
  const leaversAllowed = input.leaversAllowed ?? null;
  await insertProvisionRun(tx, {
    id: runId,
    targetId: target.id,
    mode: input.mode,
    reason,
    startedBy,
    startedAt: at,
    leaversAllowed,
  });
  await deps.workflows.enqueue(tx, provisionWorkflow, `provision:${runId}`, { runId });
  await appendAudit(tx, {
    actor,
    action: input.mode === 'push' ? 'provision.push_started' : 'provision.preview_started',
    target: { type: 'provision-target', id: target.id, name: target.name },
    detail: { run: runId, reason, ...(leaversAllowed === null ? {} : { leaversAllowed }) },
    at,
  });
  return runId;
}

export function createProvisionCommands(deps: Deps): ProvisionCommands {
  const { db, clock, envelope } = deps;
  const audit = (
    tx: Transaction,
    actor: Actor,
    action: string,
    target: ProvisionTarget,
    detail: object,
  ): Promise<unknown> =>
    appendAudit(tx, {
      actor,
      action,
      target: { type: 'provision-target', id: target.id, name: target.name },
      detail: { ...detail },
      at: clock.now(),
    });
  return {
    async addTarget(actor, raw) {
      authorize(actor, 'person.write');
      const input = parse(targetInput, raw);
      const at = clock.now();
      const { name, kind, mapping, groups, onLeave, requestsPerS, leaversMax } = input;
      const isScim = input.kind === 'scim';
      const target: ProvisionTarget = {
        id: uuidv7(at),
        name,
        kind,
        mapping,
        groups,
        onLeave,
        requestsPerS,
        leaversMax,
        baseUrl: isScim ? input.baseUrl : null,
        privateAddresses: isScim ? input.privateAddresses : [],
        pushGroups: isScim ? input.pushGroups : [],
        paused: false,
        fingerprint: null,
        checkedAt: null,
        createdAt: at,
        updatedAt: at,
      };
      await db.transaction(async (tx) => {
        if (await isTargetNameTaken(tx, name)) throw new ProvisionInvalid('There is a target of this name.', { name });
        await saveProvisionTarget(tx, target, { envelope, token: isScim ? input.token : undefined });
        await audit(tx, actor, 'provision.target_added', target, { kind, baseUrl: target.baseUrl, groups });
      });
      return target;
    },

    async changeTarget(actor, id, raw) {
      authorize(actor, 'person.write');
      const { token, ...change } = parse(targetChange, raw);
      return db.transaction(async (tx) => {
        const before = await loadProvisionTarget(tx, id, true);
        if (token !== undefined && before.kind !== 'scim') {
          throw new ProvisionInvalid('A tool without an interface has no token.', { field: 'token' });
        }
        if ((change.pushGroups ?? []).length > 0 && before.kind !== 'scim') {
          throw new ProvisionInvalid('Groups are pushed over SCIM only.', { field: 'pushGroups' });
        }
        const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
        // The next look finds that something changed here, and pushes.
        const fingerprint = before.fingerprint === null ? null : '';
        const target: ProvisionTarget = { ...before, ...given, fingerprint, updatedAt: clock.now() };
        await saveProvisionTarget(tx, target, { envelope, token });
        const detail = { ...given, ...(token === undefined ? {} : { token: 'replaced' }) };
        await audit(tx, actor, 'provision.target_changed', target, detail);
        return target;
      });
    },

    async removeTarget(actor, id) {
      authorize(actor, 'person.write');
      await db.transaction(async (tx) => {
        const target = await loadProvisionTarget(tx, id, true);
        if (await hasPushUnderWay(tx, id))
          throw new PushUnderWay('A push to this target is under way.', { target: id });
        await deleteProvisionTarget(tx, id);
        await audit(tx, actor, 'provision.target_removed', target, {});
      });
    },

    async start(actor, input) {
      authorize(actor, 'person.write');
      return { runId: await db.transaction((tx) => begin(deps, tx, actor, input)) };
    },

    async closeTask(actor, runId, personId, note) {
      authorize(actor, 'person.suspend');
      const text = note.trim();
      if (text.length < 3 || text.length > NOTE_CHARS_MAX) {
        throw new NoteNeeded(`Say in 3 to ${NOTE_CHARS_MAX} characters what was done: it is the evidence.`);
      }
      const at = clock.now();
      await db.transaction(async (tx) => {
        const run = await loadProvisionRun(tx, runId);
        const target = await loadProvisionTarget(tx, run.targetId, true);
        const [item] = await listItems(tx, runId, { personId });
        const by = describeActor(actor).name;
        const which = { runId, personId, from: ['task'] as const };
        if (!item || !(await settleItem(tx, which, { state: 'done', detail: text, at, by }))) {
          throw new TaskNotOpen('There is no open task for this person.', { run: runId, person: personId });
        }
        if (target.kind === 'task') {
          const state = item.act === 'deactivate' || item.act === 'delete' ? 'ended' : 'live';
          const { personName, wanted: pushed } = item;
          await saveLink(tx, { targetId: target.id, personId, personName, remoteId: null, pushed, state, at });
        }
        const isGain = item.act !== 'deactivate' && item.act !== 'delete';
        const end = { state: 'done' as const, detail: `${text} (run ${runId})`, at };
        await settleMoves(tx, { targetId: target.id, personId, isGain }, end);
        await appendAudit(tx, {
          actor,
          action: 'provision.task_done',
          target: { type: 'person', id: personId, name: item.personName },
          detail: { run: runId, target: target.name, act: item.act, note: text },
          at,
        });
      });
    },
  };
}

const SYSTEM: Actor = { kind: 'system', name: 'provisioning' };

/**
 * Begins a push wherever somebody who should be there changed, came or went since the last one ended well, and a preview
 * where nobody looked for drift for a while. Returns what it began.
 */
export async function startDue(
  deps: Deps & { readonly people: PeopleSource },
  driftEveryMs: number,
): Promise<{ readonly pushes: number; readonly previews: number }> {
  const { db, clock } = deps;
  const began = { pushes: 0, previews: 0 };
  for (const target of await listProvisionTargets(db)) {
    // The first push is a person's, after a preview.
    if (target.paused || target.fingerprint === null || (await hasPushUnderWay(db, target.id))) continue;
    const [last] = await listProvisionRuns(db, { targetId: target.id, limit: 1 });
    const isStale = clock.now() - (last?.startedAt ?? 0) >= driftEveryMs;
    const hadTrouble = last !== undefined && (last.error !== null || last.counts.failed > 0);
    const { fingerprint } = await wantedAt(deps, target);
    const isChanged = fingerprint !== target.fingerprint;
    // What failed is tried again at the pace of drift: a target that refuses isn't asked every minute.
    const mode = isChanged && (isStale || !hadTrouble) ? 'push' : isStale && target.kind === 'scim' ? 'preview' : null;
    if (mode === null) continue;
    const reason = mode === 'push' ? 'Somebody changed, came or went.' : 'Looks for drift.';
    await db.transaction((tx) => begin(deps, tx, SYSTEM, { targetId: target.id, mode, reason }));
    began[mode === 'push' ? 'pushes' : 'previews'] += 1;
  }
  return began;
}
