import { randomBytes } from 'node:crypto';
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
import {
  actionInput,
  type Drill,
  type DrillInput,
  drillInput,
  elapsedMs,
  isOver,
  lessonsInput,
  noteInput,
  responseInput,
} from './drill.ts';
import { addEntry, insertDrill, listEntries, loadDrill, lockDrill, setDrill } from './drill-store.ts';
import { DrillBusy, DrillInputInvalid, DrillStateConflict } from './errors.ts';
import { NO_FACTS } from './facts.ts';
import { keyContext } from './firing.ts';
import { drillWorkflow } from './live-fire.ts';
import { digestOf, scenarioNamed } from './load-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { scoreDrill } from './score.ts';
import { releaseDue, releaseInject } from './tabletop.ts';
import { markedTarget } from './target.ts';

const KEY_BYTES = 32;
const REASON_CHARS_MAX = 2_000;

export interface DrillContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly workflows: Pick<WorkflowClient, 'enqueue'>;
  readonly scenarios: ReadonlyMap<string, Scenario>;
}

function parseInput<Schema extends z.ZodType>(schema: Schema, raw: unknown): z.output<Schema> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new DrillInputInvalid(`${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'not valid'}`);
}

/** Everything that people decide about drills; each decision is one audit record. */
export function createDrillCommands({ db, clock, envelope, workflows, scenarios }: DrillContext) {
  const record = (tx: Transaction, actor: Actor, action: string, drill: Pick<Drill, 'id' | 'title'>, detail = {}) =>
    appendAudit(tx, {
      actor,
      action,
      target: { type: 'drill', id: drill.id, name: drill.title },
      detail,
      at: clock.now(),
    });
  const write = (tx: Transaction, drillId: string, entry: Omit<Parameters<typeof addEntry>[2], 'key' | 'at'>) =>
    addEntry(tx, drillId, { key: `${entry.kind}:${uuidv7(clock.now())}`, at: clock.now(), ...entry });
  const running = async (tx: Transaction, id: string, mode?: Drill['mode']): Promise<Drill> => {
    const drill = await lockDrill(tx, id);
    if (drill.status !== 'running') throw new DrillStateConflict(`The drill is ${drill.status}.`);
    if (mode !== undefined && drill.mode !== mode) throw new DrillStateConflict(`This is a ${drill.mode} drill.`);
    return drill;
  };
  const nameOf = (actor: Actor): string => describeActor(actor).name;

  const begin = async (tx: Transaction, drill: Omit<Drill, 'number'>): Promise<void> => {
    if (drill.mode === 'tabletop') {
      await setDrill(tx, drill.id, { status: 'running', started_at: clock.now() });
      await write(tx, drill.id, {
        kind: 'status',
        author: drill.facilitator.name,
        text: 'The tabletop begins.',
        detail: {},
      });
      return;
    }
    try {
      await setDrill(tx, drill.id, { status: 'running' });
    } catch (error) {
      throw new DrillBusy(
        'Another live fire runs: two would measure each other. Wait for its end or stop it.',
        {},
        error,
      );
    }
    await workflows.enqueue(tx, drillWorkflow, `drill:${drill.id}`, { drillId: drill.id });
  };

  /** Plans a drill in the caller's transaction. */
  const plan = async (tx: Transaction, actor: Actor, raw: DrillInput, scheduleId: string | null): Promise<string> => {
    const input = parseInput(drillInput, raw);
    const scenario = scenarioNamed(scenarios, input.scenario);
    if (!scenario.modes.includes(input.mode))
      throw new DrillInputInvalid(`"${scenario.title}" can be played as ${scenario.modes.join(' or ')} only.`);
    if (input.target !== null && (input.mode !== 'live-fire' || !scenario.target))
      throw new DrillInputInvalid(`"${scenario.title}" as ${input.mode} uses no token at an app.`);
    const target = input.target === null ? null : await markedTarget(tx, input.target);
    const at = clock.now();
    const id = uuidv7(at);
    const drill: Omit<Drill, 'number'> = {
      id,
      scenario: scenario.name,
      title: scenario.title,
      document: scenario,
      digest: digestOf(scenario),
      mode: input.mode,
      status: 'planned',
      target,
      decide: input.decide,
      pace: input.pace,
      // Nothing waits for people in the machine's part: its clock is the scenario's.
      stretch: input.stretch,
      participants: input.participants,
      facilitator: describeActor(actor),
      sealedKey: envelope.seal(randomBytes(KEY_BYTES), keyContext(id)),
      scheduleId,
      createdAt: at,
      startedAt: null,
      pausedAt: null,
      pausedMs: 0,
      endedAt: null,
      stopReason: null,
      error: null,
      score: null,
      lessons: '',
    };
    await insertDrill(tx, drill);
    const { mode, decide, participants } = input;
    const detail = {
      scenario: scenario.name,
      digest: drill.digest,
      mode,
      decide,
      participants: participants.length,
      target,
    };
    await record(tx, actor, 'drill.planned', drill, detail);
    return id;
  };

  return {
    plan,
    async create(actor: Actor, raw: DrillInput): Promise<Drill> {
      authorize(actor, 'drill.run');
      const id = await db.transaction((tx) => plan(tx, actor, raw, null));
      return loadDrill(db, id);
    },

    /** Begins a planned drill: the workflow of a live fire, the clock of a tabletop. */
    async start(actor: Actor, id: string): Promise<Drill> {
      authorize(actor, 'drill.run');
      await db.transaction(async (tx) => {
        const drill = await lockDrill(tx, id);
        if (drill.status !== 'planned') throw new DrillStateConflict(`The drill is ${drill.status}.`);
        await begin(tx, drill);
        await record(tx, actor, 'drill.started', drill, { mode: drill.mode });
      });
      return loadDrill(db, id);
    },

    /** Ends a drill before its time. `abort`: it doesn't count; else it is scored as it stands. */
    async stop(actor: Actor, id: string, given: { readonly abort: boolean; readonly reason: string }): Promise<Drill> {
      authorize(actor, given.abort ? 'drill.abort' : 'drill.run');
      const reason = given.reason.trim();
      if (reason.length < 3 || reason.length > REASON_CHARS_MAX)
        throw new DrillInputInvalid('Say why, in 3 to 2000 characters.');
      await db.transaction(async (tx) => {
        const drill = await lockDrill(tx, id);
        if (isOver(drill) || drill.status === 'stopping') throw new DrillStateConflict(`The drill is ${drill.status}.`);
        if (!given.abort && drill.status === 'planned') throw new DrillStateConflict('The drill has not begun.');
        const at = clock.now();
        await write(tx, id, { kind: 'status', author: nameOf(actor), text: reason, detail: { abort: given.abort } });
        await record(tx, actor, given.abort ? 'drill.abort_asked' : 'drill.finish_asked', drill, { reason });
        if (drill.mode === 'live-fire' && drill.status === 'running') {
          await setDrill(tx, id, { status: 'stopping', ...(given.abort && { stop_reason: reason }) });
          return;
        }
        const status = given.abort ? 'aborted' : 'ended';
        const score = scoreDrill({ ...drill, endedAt: at }, await listEntries(tx, id), NO_FACTS);
        await setDrill(tx, id, {
          status,
          ended_at: at,
          ...(given.abort ? { stop_reason: reason } : { score }),
        });
        const { met, total } = score;
        await record(tx, { kind: 'system', name: 'drill' }, `drill.${status}`, drill, {
          met,
          total,
          digest: drill.digest,
        });
      });
      return loadDrill(db, id);
    },

    /** Stops and starts the clock of a tabletop. */
    async pause(actor: Actor, id: string, isPaused: boolean): Promise<Drill> {
      authorize(actor, 'drill.run');
      await db.transaction(async (tx) => {
        const drill = await running(tx, id, 'tabletop');
        if ((drill.pausedAt !== null) === isPaused) return;
        const at = clock.now();
        const pausedMs = drill.pausedAt === null ? drill.pausedMs : drill.pausedMs + at - drill.pausedAt;
        await setDrill(tx, id, { paused_at: isPaused ? at : null, paused_ms: pausedMs });
        const text = isPaused ? 'The clock stands.' : 'The clock runs again.';
        await write(tx, id, {
          kind: 'status',
          author: nameOf(actor),
          text,
          detail: { elapsedMs: elapsedMs(drill, at) },
        });
      });
      return loadDrill(db, id);
    },

    /** Tells the table the next inject, before its time if need be. */
    async release(actor: Actor, id: string, injectId: string): Promise<Drill> {
      authorize(actor, 'drill.run');
      await db.transaction(async (tx) => {
        const drill = await running(tx, id, 'tabletop');
        const inject = drill.document.injects.find((one) => one.id === injectId);
        if (!inject) throw new DrillInputInvalid('There is no such inject.');
        await releaseInject(tx, drill, inject, clock.now());
        await record(tx, actor, 'drill.inject_released', drill, { inject: injectId });
      });
      return loadDrill(db, id);
    },

    /** What a participant says to an inject. */
    async respond(actor: Actor, id: string, raw: unknown): Promise<void> {
      authorize(actor, 'drill.join');
      const input = parseInput(responseInput, raw);
      await db.transaction(async (tx) => {
        const drill = await running(tx, id);
        const told = (await listEntries(tx, id)).some(
          ({ detail, kind }) => kind === 'inject' && detail['inject'] === input.inject,
        );
        if (!told) throw new DrillInputInvalid('This inject has not been told yet.');
        const personId = actor.kind === 'person' ? actor.id : null;
        const own = drill.participants.filter((one) => one.personId !== undefined && one.personId === personId);
        const role = input.role ?? own[0]?.role ?? null;
        // Whoever isn't on the list speaks for no role that somebody else has.
        const taken = drill.participants.some((one) => one.role === role && one.personId !== undefined);
        if (role !== null && taken && !own.some((one) => one.role === role))
          throw new DrillInputInvalid(`Somebody else has the role ${role}.`);
        await write(tx, id, {
          kind: 'response',
          author: nameOf(actor),
          text: input.text,
          detail: { inject: input.inject, role, ...(personId !== null && { personId }) },
        });
        await record(tx, actor, 'drill.responded', drill, { inject: input.inject, role });
      });
    },

    /** The facilitator saw, or did not see, what was expected. */
    async judge(actor: Actor, id: string, raw: unknown): Promise<void> {
      authorize(actor, 'drill.run');
      const input = parseInput(actionInput, raw);
      await db.transaction(async (tx) => {
        const drill = await running(tx, id);
        const action = drill.document.actions.find((one) => one.id === input.action);
        if (!action) throw new DrillInputInvalid('There is no such expected action.');
        await write(tx, id, {
          kind: 'action',
          author: nameOf(actor),
          text: input.note === '' ? action.title : input.note,
          detail: { action: action.id, met: input.met },
        });
        await record(tx, actor, 'drill.judged', drill, { action: action.id, met: input.met });
      });
    },

    async note(actor: Actor, id: string, raw: unknown): Promise<void> {
      authorize(actor, 'drill.run');
      const { text } = parseInput(noteInput, raw);
      await db.transaction(async (tx) => {
        await lockDrill(tx, id);
        await write(tx, id, { kind: 'note', author: nameOf(actor), text, detail: {} });
      });
    },

    /** What is to be done better; may be written after the end. */
    async learn(actor: Actor, id: string, raw: unknown): Promise<Drill> {
      authorize(actor, 'drill.run');
      const { text } = parseInput(lessonsInput, raw);
      await db.transaction(async (tx) => {
        const drill = await lockDrill(tx, id);
        await setDrill(tx, id, { lessons: text });
        await record(tx, actor, 'drill.lessons_written', drill);
      });
      return loadDrill(db, id);
    },

    /** Tells what is due in tabletops that go by the clock, and ends those whose time is over. A repeating duty. */
    advance: () => releaseDue(db, clock),
  };
}

export type DrillCommands = ReturnType<typeof createDrillCommands>;
