import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  requireStepUp,
  type Transaction,
  uuidv7,
  type WorkflowClient,
} from '@cordon/kernel';
import { z } from 'zod';
import type { ActionTable } from '../actions/action.ts';
import { type Playbook, readPlaybook, writePlaybook } from '../cacao/playbook.ts';
import { givenVariables, neededInputs, startVariables, VARIABLE_CHARS_MAX } from '../cacao/variables.ts';
import { ApproverWrong, PlaybookInvalid, PlaybookNotRunnable, RunStateConflict, VariableWrong } from '../errors.ts';
import type { IncidentTables } from '../tables.ts';
import { refusals } from './command-plan.ts';
import { digestOf, type PlaybookLibrary } from './playbook-library.ts';
import { insertRun, listActs, loadRun, lockRun, setRun, toAct, writeAct } from './run-store.ts';
import { wakeRun } from './run-workflow.ts';
import type { Act, Decision, Run, RunMode } from './run.ts';
import { undoable } from './undo.ts';

const reason = z.string().trim().min(3, 'say why').max(2_000);
export const runInput = z.strictObject({
  /** Id, name, or the name under which detections ask for it. */
  playbook: z.string().min(1).max(300),
  inputs: z.record(z.string(), z.string().max(VARIABLE_CHARS_MAX)).default({}),
  caseId: z.uuid().optional(),
  mode: z.enum(['live', 'simulate']).default('live'),
});
export type RunInput = z.input<typeof runInput>;

export const decisionInput = z.strictObject({
  /** The act; absent: the run as a whole, and with it every act of it that needs approval. */
  act: z.string().max(2_000).optional(),
  approve: z.boolean(),
  reason,
  /** Of a proposed run: what its alert could not say, such as the integration. */
  inputs: z.record(z.string(), z.string().min(1).max(VARIABLE_CHARS_MAX)).default({}),
});
export const answerInput = z.strictObject({
  act: z.string().max(2_000),
  /** Whether it was done; of a doubtful act, whether it had happened. */
  done: z.boolean(),
  values: z.record(z.string(), z.string().max(VARIABLE_CHARS_MAX)).default({}),
  note: z.string().max(2_000).default(''),
});

export interface RunContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly workflows: Pick<WorkflowClient, 'enqueue'>;
  readonly library: PlaybookLibrary;
  readonly actions: ActionTable;
}

interface NewRun {
  readonly playbook: Playbook;
  readonly inputs: Readonly<Record<string, string>>;
  readonly mode: RunMode;
  readonly caseId: string | null;
  readonly alertId: string | null;
}

/** Everything that people decide about runs; each decision is one audit record. */
export function createRunCommands(context: RunContext) {
  const { db, clock, workflows, library, actions } = context;

  const make = (actor: Actor, given: NewRun, status: Run['status']): Run => {
    const { playbook, inputs, mode } = given;
    const problems = library.check(playbook).filter(({ level }) => level === 'error');
    if (problems.length > 0)
      throw new PlaybookInvalid(`The playbook has errors: ${problems[0]?.message ?? ''}`, { problems });
    const refused = mode === 'live' ? refusals(playbook, actions) : [];
    if (refused[0])
      throw new PlaybookNotRunnable(`Cordon can only simulate this playbook. ${refused[0].reason}`, { refused });
    checkValidity(playbook, clock.now());
    const document = writePlaybook(playbook);
    const at = clock.now();
    return {
      id: uuidv7(at),
      playbookId: playbook.id,
      playbookName: playbook.name,
      document,
      digest: digestOf(document),
      mode,
      status,
      caseId: given.caseId,
      alertId: given.alertId,
      startedBy: describeActor(actor),
      approval: null,
      inputs,
      variables: status === 'proposed' ? givenVariables(playbook, inputs) : startVariables(playbook, inputs),
      error: null,
      wakeAt: null,
      createdAt: at,
      finishedAt: null,
    };
  };
  const record = (
    tx: Transaction,
    actor: Actor,
    action: string,
    run: Pick<Run, 'id' | 'playbookName'>,
    detail: Record<string, unknown>,
  ) =>
    appendAudit(tx, {
      actor,
      action,
      target: { type: 'playbook-run', id: run.id, name: run.playbookName },
      detail,
      at: clock.now(),
    });

  return {
    async start(actor: Actor, raw: RunInput): Promise<Run> {
      authorize(actor, 'playbook.run');
      const input = runInput.parse(raw);
      const playbook = await library.resolve(input.playbook);
      const run = make(actor, { ...input, playbook, caseId: input.caseId ?? null, alertId: null }, 'running');
      await db.transaction(async (tx) => {
        await insertRun(tx, run, null);
        await record(tx, actor, 'playbook_run.started', run, {
          mode: run.mode,
          playbook: run.playbookId,
          digest: run.digest,
          inputs: Object.keys(run.inputs),
        });
        await wakeRun(tx, workflows, run.id);
      });
      return run;
    },

    /**
     * A run that an alert asks for: nothing happens until a person approves it, and says what the alert didn't know.
     * The same trigger proposes once.
     */
    async propose(tx: Transaction, given: Omit<NewRun, 'mode'> & { readonly triggerKey: string }): Promise<Run | null> {
      const actor: Actor = { kind: 'system', name: 'detection' };
      const run = make(actor, { ...given, mode: 'live' }, 'proposed');
      if (!(await insertRun(tx, run, given.triggerKey))) return null;
      await record(tx, actor, 'playbook_run.proposed', run, {
        playbook: run.playbookId,
        digest: run.digest,
        alert: given.alertId,
      });
      return run;
    },

    /** Says yes or no to a run or to one act of it: another person than the one who started it, with a fresh factor. */
    async decide(actor: Actor, runId: string, raw: z.input<typeof decisionInput>): Promise<Run> {
      authorize(actor, 'playbook.approve');
      const input = decisionInput.parse(raw);
      requireStepUp(actor, 'playbook.approve', clock.now());
      if (actor.kind === 'client') throw new ApproverWrong('A person approves, not an API token.');
      const decision: Decision = {
        by: describeActor(actor),
        at: clock.now(),
        approved: input.approve,
        reason: input.reason,
      };
      await db.transaction(async (tx) => {
        const row = await lockRun(tx, runId);
        if (row.started_by.kind === 'person' && row.started_by.id === decision.by.id) {
          throw new ApproverWrong('You started this run: somebody else approves it.');
        }
        if (!['proposed', 'running', 'waiting'].includes(row.status))
          throw new RunStateConflict(`The run is ${row.status}.`);
        if (input.act === undefined) {
          if (!input.approve)
            await setRun(tx, runId, {
              status: 'cancelled',
              approval: JSON.stringify(decision),
              error: `Refused: ${input.reason}`,
              finished_at: clock.now(),
            });
          else {
            const completed = completeRun(row, input.inputs);
            await setRun(tx, runId, { ...completed, approval: JSON.stringify(decision), status: 'running' });
          }
        } else {
          const act = await lockAct(tx, runId, input.act);
          if (act.status !== 'waiting-approval') throw new RunStateConflict('This act waits for no approval.');
          await writeAct(tx, runId, { ...act, approval: decision });
        }
        const verb = input.approve ? 'approved' : 'refused';
        await record(
          tx,
          actor,
          `playbook_run.${verb}`,
          { id: runId, playbookName: row.playbook_name },
          { act: input.act ?? null, reason: input.reason, digest: row.digest, inputs: Object.keys(input.inputs) },
        );
        await wakeRun(tx, workflows, runId);
      });
      return loadRun(db, runId);
    },

    /** The answer to a manual step, or what a person found out about a doubtful act. */
    async answer(actor: Actor, runId: string, raw: z.input<typeof answerInput>): Promise<Run> {
      authorize(actor, 'playbook.run');
      const input = answerInput.parse(raw);
      const by = describeActor(actor);
      await db.transaction(async (tx) => {
        const row = await lockRun(tx, runId);
        if (!['running', 'waiting'].includes(row.status)) throw new RunStateConflict(`The run is ${row.status}.`);
        const act = await lockAct(tx, runId, input.act);
        await writeAct(tx, runId, answered(act, input, by.name, clock.now()));
        await record(
          tx,
          actor,
          'playbook_run.answered',
          { id: runId, playbookName: row.playbook_name },
          { act: act.title, done: input.done, note: input.note },
        );
        await wakeRun(tx, workflows, runId);
      });
      return loadRun(db, runId);
    },

    /** Stops a run before its next act. What was done stays; `undo` takes it back. */
    async cancel(actor: Actor, runId: string, why: string): Promise<Run> {
      authorize(actor, 'playbook.run');
      await db.transaction(async (tx) => {
        const row = await lockRun(tx, runId);
        if (!['proposed', 'running', 'waiting'].includes(row.status))
          throw new RunStateConflict(`The run is ${row.status}.`);
        await setRun(tx, runId, {
          status: 'cancelled',
          error: reason.parse(why),
          finished_at: clock.now(),
          wake_at: null,
        });
        await record(
          tx,
          actor,
          'playbook_run.cancelled',
          { id: runId, playbookName: row.playbook_name },
          { reason: why },
        );
      });
      return loadRun(db, runId);
    },

    /** Takes back what the run did, last act first. */
    async undo(actor: Actor, runId: string, why: string): Promise<Run> {
      authorize(actor, 'playbook.approve');
      requireStepUp(actor, 'playbook.approve', clock.now());
      await db.transaction(async (tx) => {
        const row = await lockRun(tx, runId);
        if (!['succeeded', 'failed', 'cancelled', 'undo-failed'].includes(row.status) || row.mode !== 'live') {
          throw new RunStateConflict(`A ${row.mode} run that is ${row.status} can't be undone.`);
        }
        const acts = undoable(await listActs(tx, runId));
        if (acts.length === 0) throw new RunStateConflict('This run did nothing that can be taken back.');
        await setRun(tx, runId, { status: 'undoing', finished_at: null, error: null });
        await record(
          tx,
          actor,
          'playbook_run.undo_started',
          { id: runId, playbookName: row.playbook_name },
          { reason: reason.parse(why), acts: acts.map(({ title }) => title) },
        );
        await wakeRun(tx, workflows, runId);
      });
      return loadRun(db, runId);
    },
  };
}

/** What a proposed run still needs before it can be approved. */
export function missingInputs(run: Pick<Run, 'status' | 'document' | 'inputs'>): string[] {
  if (run.status !== 'proposed') return [];
  return neededInputs(readPlaybook(run.document)).filter((name) => run.inputs[name] === undefined);
}

/** Adds what was missing. What the proposal said already stays: it is what was proposed. */
function completeRun(
  row: Pick<Run, 'status' | 'document' | 'inputs'>,
  given: Readonly<Record<string, string>>,
): { inputs?: string; variables?: string } {
  const missing = missingInputs(row);
  const other = Object.keys(given).find((name) => !missing.includes(name));
  if (other !== undefined) throw new VariableWrong(`${other} isn't missing in this run.`);
  if (missing.length === 0) return {};
  const inputs = { ...row.inputs, ...given };
  const variables = startVariables(readPlaybook(row.document), inputs);
  return { inputs: JSON.stringify(inputs), variables: JSON.stringify(variables) };
}

export type RunCommands = ReturnType<typeof createRunCommands>;

function checkValidity({ revoked, valid_from, valid_until }: Playbook, now: number): void {
  if (revoked === true) throw new PlaybookNotRunnable('This playbook was revoked by its author.');
  if (valid_from !== undefined && Date.parse(valid_from) > now)
    throw new PlaybookNotRunnable(`This playbook is valid from ${valid_from}.`);
  if (valid_until !== undefined && Date.parse(valid_until) <= now)
    throw new PlaybookNotRunnable(`This playbook was valid until ${valid_until}.`);
}

async function lockAct(tx: Transaction, runId: string, key: string): Promise<Act> {
  const row = await tx
    .tables<IncidentTables>()
    .selectFrom('playbook_act')
    .selectAll()
    .where('run_id', '=', runId)
    .where('key', '=', key)
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw new RunStateConflict('There is no such act in this run.');
  return toAct(row);
}

function answered(act: Act, input: z.output<typeof answerInput>, name: string, at: number): Act {
  const proof = { by: name, note: input.note };
  if (act.status === 'doubtful') {
    // A person looked: it happened, so it is over; or it didn't, so it is tried again as if for the first time.
    return input.done
      ? { ...act, status: 'done', result: input.values, proof, finishedAt: at }
      : {
          ...act,
          status: 'waiting-approval',
          attempts: 0,
          approval: { by: { kind: 'person', id: null, name }, at, approved: true, reason: 'it had not happened' },
        };
  }
  if (act.status !== 'waiting-person') throw new RunStateConflict('This step waits for no answer.');
  if (!input.done)
    return { ...act, status: 'failed', error: input.note || 'It could not be done.', proof, finishedAt: at };
  return { ...act, status: 'done', result: input.values, proof, startedAt: act.createdAt, finishedAt: at };
}
