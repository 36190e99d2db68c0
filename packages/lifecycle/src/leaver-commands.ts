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
import { NoteNeeded, TaskNotOpen } from './errors.ts';
import type { Leaver } from './leaver.ts';
import { closeMovesOf } from './moves.ts';
import { endIfClosed, insertRun, loadRun, retryFailed, settle } from './leaver-store.ts';
import { leaverWorkflow } from './leaver-workflow.ts';

const NOTE_CHARS_MAX = 1_000;

export interface LeaverCommands {
  /** In the transaction that disables the person: the rest begins if and only if that commits. */
  begin(tx: Transaction, actor: Actor, person: Leaver, reason: string): Promise<{ readonly runId: string }>;
  /** A person did what only a person can; says how. */
  closeTask(actor: Actor, runId: string, key: string, note: string): Promise<void>;
  /** Tries again what failed; returns how many. */
  retry(actor: Actor, runId: string): Promise<number>;
}

export function createLeaverCommands(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly workflows: WorkflowClient;
}): LeaverCommands {
  const { db, clock, workflows } = deps;
  return {
    async begin(tx, actor, person, reason) {
      const at = clock.now();
      const runId = uuidv7(at);
      await insertRun(tx, { id: runId, kind: 'leaver', person, reason, startedBy: describeActor(actor).name, at });
      await closeMovesOf(tx, person.id, at);
      await workflows.enqueue(tx, leaverWorkflow, `leaver:${runId}`, { runId });
      return { runId };
    },

    async closeTask(actor, runId, key, note) {
      authorize(actor, 'person.suspend');
      const text = note.trim();
      if (text.length < 3 || text.length > NOTE_CHARS_MAX) {
        throw new NoteNeeded(`Say in 3 to ${NOTE_CHARS_MAX} characters what was done: it is the evidence.`);
      }
      const at = clock.now();
      await db.transaction(async (tx) => {
        const run = await loadRun(tx, runId);
        const by = describeActor(actor).name;
        const closed = await settle(tx, runId, key, { state: 'done', detail: text, at, from: ['task', 'failed'], by });
        if (!closed) throw new TaskNotOpen('There is no open task of this name.', { run: runId, key });
        const target = { type: 'person', id: run.person.id, name: run.person.name };
        const detail = { run: runId, task: key, note: text };
        await appendAudit(tx, { actor, action: 'leaver.task_done', target, detail, at });
        await endIfClosed(tx, runId, at);
      });
    },

    async retry(actor, runId) {
      authorize(actor, 'person.suspend');
      const at = clock.now();
      return db.transaction(async (tx) => {
        const run = await loadRun(tx, runId);
        const count = await retryFailed(tx, runId);
        if (count === 0) return 0;
        await workflows.enqueue(tx, leaverWorkflow, `leaver:${runId}:${uuidv7(at)}`, { runId });
        const target = { type: 'person', id: run.person.id, name: run.person.name };
        await appendAudit(tx, { actor, action: 'leaver.retried', target, detail: { run: runId, targets: count }, at });
        return count;
      });
    },
  };
}
