import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type Transaction,
  uuidv7,
  type WorkflowClient,
} from '@cordon/kernel';
import { z } from 'zod';
import { endIfSettled, insertRun, listRunsOf, settleAct } from './act-store.ts';
import { actWorkflow } from './act-workflow.ts';
import {
  insertDecision,
  listFoundApps,
  loadFoundApp,
  lockFoundApp,
  takeExpired,
  takeUntold,
  updateApp,
} from './app-store.ts';
import type { Catalogue } from './catalogue.ts';
import { DecisionRefused, DiscoveryInputInvalid, FoundAppUnknown } from './errors.ts';
import { type AppState, askInput, type Decision, decideInput, type FoundApp, TOLERATED_MS_MAX } from './found-app.ts';

const BATCH_MAX = 50;
const REVIEW_MS = 14 * 86_400_000;
const SYSTEM = { kind: 'system', name: 'discovery' } as const;

/** What decisions reach outside of this package; the composition root wires it. */
export interface DiscoveryPorts {
  /** Hosts that the forward proxy refuses from the commit on; all of them, each time. */
  block(tx: Transaction, hosts: readonly string[], at: number): Promise<void>;
  /** Tells somebody that they are asked about an app, in the transaction that asks. */
  tellAsked(tx: Transaction, app: FoundApp, note: string): Promise<void>;
}

export interface AppCommandDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  readonly workflows: Pick<WorkflowClient, 'enqueue'>;
  readonly ports: DiscoveryPorts;
}

const parse = <T extends z.ZodType>(schema: T, raw: unknown): z.output<T> => {
  const result = schema.safeParse(raw);
  if (result.success) return result.data;
  throw new DiscoveryInputInvalid(z.prettifyError(result.error));
};

const targetOf = ({ key, name }: FoundApp) => ({ type: 'found-app', id: key, name });

/** Review of found apps: ask the owner, decide with a reason, act on what is forbidden. */
export function createAppCommands({ db, clock, catalogue, workflows, ports }: AppCommandDeps) {
  const forbiddenHosts = async (tx: Transaction): Promise<string[]> => {
    const apps = await listFoundApps(tx, { state: 'forbidden' });
    return [...new Set(apps.flatMap(({ key }) => catalogue.find(key)?.domains ?? []))].toSorted();
  };

  const note = (tx: Transaction, app: FoundApp, to: AppState, by: string, reason: string, expiresAt: number | null) => {
    const at = clock.now();
    const decision: Decision = { id: uuidv7(at), from: app.state, to, by, reason, expiresAt, at };
    return insertDecision(tx, app.key, decision);
  };

  return {
    /** Asks somebody what an app is for, by a day. */
    async ask(actor: Actor, key: string, raw: z.input<typeof askInput>): Promise<FoundApp> {
      authorize(actor, 'discovery.write');
      const input = parse(askInput, raw);
      const at = clock.now();
      if (input.dueAt <= at) throw new DiscoveryInputInvalid('The day by which an answer is due has passed.');
      return db.transaction(async (tx) => {
        const app = await lockFoundApp(tx, key);
        await updateApp(tx, key, {
          state: 'under_review',
          owner_id: input.owner.id,
          owner_name: input.owner.name,
          due_at: new Date(input.dueAt),
          told_at: new Date(at),
        });
        const by = describeActor(actor).name;
        await note(tx, app, 'under_review', by, input.note || `${input.owner.name} is asked`, null);
        const asked = await loadFoundApp(tx, key);
        await ports.tellAsked(tx, asked, input.note);
        const detail = { owner: input.owner.name, due: new Date(input.dueAt).toISOString() };
        await appendAudit(tx, { actor, action: 'found-app.asked', target: targetOf(app), detail, at });
        return asked;
      });
    },

    /** What the person who was asked says. Anybody else is told that there is no such app. */
    async answer(actor: Actor, key: string, text: string): Promise<void> {
      authorize(actor, 'discovery.answer');
      const reason = parse(z.string().trim().min(3).max(1_000), text);
      const at = clock.now();
      await db.transaction(async (tx) => {
        const app = await lockFoundApp(tx, key);
        const isAsked = actor.kind === 'person' && app.owner?.id === actor.id && app.state === 'under_review';
        if (!isAsked) throw new FoundAppUnknown('You are not asked about such an app.', { app: key });
        await note(tx, app, app.state, describeActor(actor).name, reason, null);
        await appendAudit(tx, {
          actor,
          action: 'found-app.answered',
          target: targetOf(app),
          detail: { text: reason },
          at,
        });
      });
    },

    /**
     * Decides. Forbidden: refused at the forward proxy from the commit on, its grants revoked by a durable workflow.
     * Given up on a decision: the proxy lets it through again; grants don't come back by themselves.
     */
    async decide(
      actor: Actor,
      key: string,
      raw: z.input<typeof decideInput>,
    ): Promise<{ app: FoundApp; runId: string | null }> {
      authorize(actor, 'discovery.decide');
      const input = parse(decideInput, raw);
      const at = clock.now();
      if (input.expiresAt !== null && input.expiresAt <= at)
        throw new DiscoveryInputInvalid('The decision would have expired already.');
      if (input.state === 'tolerated' && (input.expiresAt === null || input.expiresAt > at + TOLERATED_MS_MAX)) {
        throw new DiscoveryInputInvalid(
          'What is tolerated needs a day on which it is looked at again, a year ahead at most.',
        );
      }
      return db.transaction(async (tx) => {
        const app = await lockFoundApp(tx, key);
        if (app.state === input.state && app.expiresAt === input.expiresAt) {
          throw new DecisionRefused(`${app.name} is ${input.state} already.`, { app: key });
        }
        const by = describeActor(actor).name;
        await updateApp(tx, key, {
          state: input.state,
          decided_by: by,
          decided_at: new Date(at),
          reason: input.reason,
          expires_at: input.expiresAt === null ? null : new Date(input.expiresAt),
          due_at: null,
          told_at: new Date(at),
        });
        await note(tx, app, input.state, by, input.reason, input.expiresAt);
        if (input.state === 'forbidden' || app.state === 'forbidden')
          await ports.block(tx, await forbiddenHosts(tx), at);
        const runId = input.state === 'forbidden' ? uuidv7(at) : null;
        if (runId !== null) {
          const subject = { type: 'app', id: key, name: app.name } as const;
          await insertRun(tx, { id: runId, subject, reason: input.reason, startedBy: by, startedAt: at });
          await workflows.enqueue(tx, actWorkflow, `discovery:${runId}`, { runId });
        }
        const detail = { from: app.state, reason: input.reason, expires: input.expiresAt, run: runId };
        await appendAudit(tx, { actor, action: `found-app.${input.state}`, target: targetOf(app), detail, at });
        return { app: await loadFoundApp(tx, key), runId };
      });
    },

    /** A person did what only a person can; says how. */
    async closeTask(actor: Actor, runId: string, actKey: string, text: string): Promise<void> {
      authorize(actor, 'discovery.rotate');
      const detail = parse(z.string().trim().min(3).max(1_000), text);
      const at = clock.now();
      await db.transaction(async (tx) => {
        const by = describeActor(actor).name;
        const closed = await settleAct(tx, runId, actKey, { state: 'done', detail, at, from: ['task', 'failed'], by });
        if (!closed) throw new DecisionRefused('There is no open task of this name.', { run: runId });
        const target = { type: 'found-task', id: runId, name: actKey };
        await appendAudit(tx, { actor, action: 'discovery.task_done', target, detail: { text: detail }, at });
        await endIfSettled(tx, runId, at);
      });
    },

    runs: (key: string) => listRunsOf(db, { type: 'app', id: key }),

    /** Hands each app that is new to `tell` once, in the transaction that notes it. Returns how many. */
    async tellNew(tell: (tx: Transaction, app: FoundApp) => Promise<void>): Promise<number> {
      const at = clock.now();
      return db.transaction(async (tx) => {
        const apps = await takeUntold(tx, BATCH_MAX);
        for (const app of apps) {
          await tell(tx, app);
          await updateApp(tx, app.key, { told_at: new Date(at) });
          const detail = { users: app.users, category: app.category };
          await appendAudit(tx, { actor: SYSTEM, action: 'found-app.found', target: targetOf(app), detail, at });
        }
        return apps.length;
      });
    },

    /** Decisions that have run out: the app is reviewed again. What was forbidden stays refused until then. */
    async expire(): Promise<number> {
      const at = clock.now();
      return db.transaction(async (tx) => {
        const apps = await takeExpired(tx, at, BATCH_MAX);
        for (const app of apps) {
          const isForbidden = app.state === 'forbidden';
          const dueAt = new Date(at + REVIEW_MS);
          // Access that a person took away isn't given back because a date has passed.
          const state = isForbidden ? 'forbidden' : 'under_review';
          await updateApp(tx, app.key, { state, due_at: dueAt, expires_at: null });
          await note(tx, app, state, 'Cordon', 'The decision has run out: look at it again', null);
          await appendAudit(tx, { actor: SYSTEM, action: 'found-app.expired', target: targetOf(app), detail: {}, at });
        }
        return apps.length;
      });
    },
  };
}
export type AppCommands = ReturnType<typeof createAppCommands>;
