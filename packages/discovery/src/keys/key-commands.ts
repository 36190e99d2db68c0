import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  uuidv7,
  type WorkflowClient,
} from '@cordon/kernel';
import type { ActRun } from '../act.ts';
import { insertRun, listRunsOf } from '../act-store.ts';
import { actWorkflow } from '../act-workflow.ts';
import { DecisionRefused, FoundKeyUnknown } from '../errors.ts';
import { type FoundKey, judgeKey, KEY_AGES, type KeyFact } from './key.ts';

/** `rotate`: replaced by a successor. `remove`: taken away. */
export const KEY_MODES = ['rotate', 'remove'] as const;
export type KeyMode = (typeof KEY_MODES)[number];

/** Subjects of key runs say what is to be done, so that a run needs no second table. */
export const keySubject = (mode: KeyMode, ref: string): string => `${mode}:${ref}`;
export function readKeySubject(subject: string): { mode: KeyMode; ref: string } {
  const at = subject.indexOf(':');
  return { mode: subject.startsWith('remove:') ? 'remove' : 'rotate', ref: subject.slice(at + 1) };
}

export function createKeyCommands(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly workflows: Pick<WorkflowClient, 'enqueue'>;
  /** Credentials of all connected tools. */
  readonly keys: () => Promise<readonly KeyFact[]>;
}) {
  const { db, clock, workflows } = deps;
  const listKeys = async (): Promise<FoundKey[]> => {
    const now = clock.now();
    const found = (await deps.keys()).map((fact) => judgeKey(fact, now)).filter((key) => key !== null);
    return found.toSorted(
      (a, b) =>
        KEY_AGES.indexOf(a.age) - KEY_AGES.indexOf(b.age) || b.ageDays - a.ageDays || a.ref.localeCompare(b.ref),
    );
  };
  return {
    /** The oldest first. */
    async list(actor: Actor): Promise<FoundKey[]> {
      authorize(actor, 'discovery.read');
      return listKeys();
    },

    /** Replaces or takes away a key: by the tool's own action where there is one, else as a task with exact steps. */
    async act(actor: Actor, ref: string, mode: KeyMode, reason: string): Promise<{ runId: string }> {
      authorize(actor, 'discovery.rotate');
      const key = (await listKeys()).find((one) => one.ref === ref);
      if (!key) throw new FoundKeyUnknown('There is no such key (any more).', { key: ref });
      if (mode === 'remove' && !key.canRemove) {
        throw new DecisionRefused(
          `The connector of ${key.toolTitle} has no action that removes it: choose to replace it.`,
        );
      }
      const at = clock.now();
      const runId = uuidv7(at);
      const name = `${key.name ?? key.externalId} in ${key.toolTitle}`;
      await db.transaction(async (tx) => {
        const subject = { type: 'key', id: keySubject(mode, ref), name } as const;
        await insertRun(tx, { id: runId, subject, reason, startedBy: describeActor(actor).name, startedAt: at });
        await workflows.enqueue(tx, actWorkflow, `discovery:${runId}`, { runId });
        const target = { type: 'found-key', id: ref, name };
        await appendAudit(tx, {
          actor,
          action: `found-key.${mode}`,
          target,
          detail: { reason, age_days: key.ageDays },
          at,
        });
      });
      return { runId };
    },

    /** What was done about keys, newest first. */
    runs: (): Promise<ActRun[]> => listRunsOf(db, { type: 'key' }),
  };
}
export type KeyCommands = ReturnType<typeof createKeyCommands>;
