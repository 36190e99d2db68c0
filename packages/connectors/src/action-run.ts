import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  requireStepUp,
  uuidv7,
  type WorkflowClient,
  type WorkflowDefinition,
} from '@cordon/kernel';
import { type ActionRun, endRun, holdRun, loadRun, markAttempt, openRun, saveCaptured } from './action-journal.ts';
import { reach, type ReachDeps } from './connection-client.ts';
import { findManifest } from './connection-commands.ts';
import { loadConnection } from './connection-store.ts';
import { ConnectorBusy, ConnectorInputInvalid, ConnectorsError, UndoUnavailable } from './errors.ts';
import type { Manifests } from './load-manifest.ts';
import { type ActionMode, checkInput, findAction, performAction } from './perform-action.ts';

const KEY_CHARS_MAX = 200;

/** What commands enqueue; the worker runs `createActionWorkflow`. */
const actionWorkflow = { name: 'connectors.action' } as const;

export interface RunActionInput {
  readonly connectionId: string;
  /** Of undo: left out, with `undoOf`. */
  readonly action: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly mode: ActionMode;
  /** The same key gives the same run, whatever happens in between. */
  readonly idempotencyKey: string;
  /** The bytes that the action uploads; kept nowhere, so give them again after a crash. */
  readonly file?: Uint8Array;
  /** The run to take back. */
  readonly undoOf?: string;
}

const secretContext = (runId: string): string => `connector-action:${runId}`;

export interface ActionCommandDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly manifests: Manifests;
  readonly workflows: WorkflowClient;
}

/** Keeps the wish in the journal, judged: permission, input, and for undo that there is something to take back. */
async function open(
  deps: Omit<ActionCommandDeps, 'workflows'>,
  actor: Actor,
  request: RunActionInput,
  enqueue?: (tx: Parameters<WorkflowClient['enqueue']>[0], run: ActionRun) => Promise<void>,
): Promise<ActionRun> {
  const { db, clock, manifests } = deps;
  const at = clock.now();
  const isChange = request.mode === 'run' || request.mode === 'undo';
  authorize(actor, isChange ? 'connector.act' : 'connector.read');
  if (isChange) requireStepUp(actor, 'connector.act', at);
  const key = request.idempotencyKey;
  if (key === '' || key.length > KEY_CHARS_MAX)
    throw new ConnectorInputInvalid(`A key has 1 to ${KEY_CHARS_MAX} characters.`);
  const connection = await loadConnection(db, request.connectionId);
  const loaded = findManifest(manifests, connection.app);
  const spec = findAction(loaded, request.action);
  const input = checkInput(spec, request.input);
  const before = request.undoOf === undefined ? null : await loadRun(db, request.undoOf);
  if (request.mode === 'undo') {
    if (spec.undo.length === 0)
      throw new UndoUnavailable(`${loaded.manifest.title} has no way back from ${spec.title}.`);
    const isMine = before?.run.connectionId === connection.id && before.run.action === request.action;
    if (!isMine || before.run.mode !== 'run' || before.run.status !== 'ended') {
      throw new UndoUnavailable('Name the finished run of this action that is to be taken back.', {
        undoOf: request.undoOf,
      });
    }
  }
  const id = uuidv7(at);
  return db.transaction(async (tx) => {
    const run = await openRun(tx, {
      id,
      connectionId: connection.id,
      action: request.action,
      mode: request.mode,
      input: request.mode === 'undo' && before ? before.run.input : input,
      idempotencyKey: key,
      undoOf: before?.run.id ?? null,
      captured: before?.captured ?? {},
      actor,
      at: new Date(at),
    });
    if (run.action !== request.action || run.mode !== request.mode) {
      throw new ConnectorInputInvalid('This idempotency key belongs to another run.', { run: run.id });
    }
    if (run.id === id && isChange) {
      const target = { type: 'connection', id: connection.id, name: connection.name };
      const detail = { run: run.id, action: run.action, mode: run.mode, input: run.input };
      await appendAudit(tx, { actor, action: 'connection.action_requested', target, detail, at });
    }
    await enqueue?.(tx, run);
    return run;
  });
}

/** Does what the journal says, once: a run that ended is given as it is, one that died is looked at before it acts. */
async function execute(deps: ReachDeps, runId: string, file?: Uint8Array): Promise<ActionRun> {
  const { db, clock, envelope } = deps;
  return db.transaction(async (lock) => {
    if (!(await holdRun(lock, runId))) throw new ConnectorBusy('This run is under way.', { run: runId });
    const { run, captured } = await loadRun(db, runId);
    if (run.status === 'ended' || run.status === 'failed') return run;
    const attempt = await markAttempt(db, runId, new Date(clock.now()));
    const connection = await loadConnection(db, run.connectionId);
    try {
      const tool = await reach(deps, connection);
      const outcome = await performAction(
        {
          loaded: tool.loaded,
          reader: tool.client('read'),
          writer: () => tool.client('write'),
          config: connection.config,
          plan: connection.plan,
          pause: deps.pause,
          onCaptured: (found) => saveCaptured(db, runId, found),
        },
        { action: run.action, input: run.input, mode: run.mode, file, captured, resumed: attempt > 1 },
      );
      const sealedSecret = outcome.secret === undefined ? null : envelope.seal(outcome.secret, secretContext(runId));
      await finish(deps, run, connection.name, { outcome, sealedSecret });
    } catch (error) {
      // A tool's refusal is an end; anything else (the network, this program) leaves the run open for another attempt.
      if (!(error instanceof ConnectorsError)) throw error;
      await finish(deps, run, connection.name, { error: error.message });
    }
    return (await loadRun(db, runId)).run;
  });
}

async function finish(
  deps: ReachDeps,
  run: ActionRun,
  connectionName: string,
  end: Parameters<typeof endRun>[2],
): Promise<void> {
  const at = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    await endRun(tx, run.id, end, new Date(at));
    if (run.mode === 'dry-run' || run.mode === 'verify') return;
    const told = 'error' in end ? { error: end.error } : { outcome: end.outcome.outcome, summary: end.outcome.summary };
    await appendAudit(tx, {
      actor: { kind: 'system', name: `connectors, for ${run.actor.name}` },
      action: 'error' in end ? 'connection.action_failed' : 'connection.action_ended',
      target: { type: 'connection', id: run.connectionId, name: connectionName },
      detail: { run: run.id, action: run.action, mode: run.mode, input: run.input, ...told },
      at,
    });
  });
}

/** For control: keeps the wish and leaves the deed to the worker. */
export function createActionCommands(deps: ActionCommandDeps) {
  return {
    /** Asks for a run; `find` shows how it goes. */
    request: (actor: Actor, request: RunActionInput): Promise<ActionRun> =>
      open(deps, actor, request, (tx, run) => deps.workflows.enqueue(tx, actionWorkflow, run.id, { runId: run.id })),
  };
}
export type ActionCommands = ReturnType<typeof createActionCommands>;

/** For the worker: runs here and now, inside a step of the caller's own workflow. */
export function createActionRunner(deps: ReachDeps) {
  return {
    /**
     * Does it and gives how it ended. Call it again with the same key after a crash: it looks before it acts again.
     * Throws `ConnectorBusy` while another worker is at it.
     */
    async run(actor: Actor, request: RunActionInput): Promise<ActionRun> {
      const run = await open(deps, actor, request);
      return execute(deps, run.id, request.file);
    },
    execute: (runId: string) => execute(deps, runId),
    /** A secret that a run made, for who stores it in a vault. */
    async takeSecret(runId: string): Promise<string | null> {
      const { sealedSecret } = await loadRun(deps.db, runId);
      return sealedSecret === null ? null : deps.envelope.open(sealedSecret, secretContext(runId)).toString('utf8');
    },
  };
}
export type ActionRunner = ReturnType<typeof createActionRunner>;

export function createActionWorkflow(runner: ActionRunner): WorkflowDefinition<{ readonly runId: string }> {
  return {
    name: actionWorkflow.name,
    async run({ runId }, steps) {
      const ended = await steps.step('act', () => runner.execute(runId), { attemptsMax: 5 });
      return { outcome: ended.outcome, error: ended.error };
    },
  };
}
