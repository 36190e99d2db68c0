import type { ActionTable } from '../actions/action.ts';
import { httpAction } from '../actions/outside-actions.ts';
import { messageOf } from '../cacao/check-playbook.ts';
import { httpRequest } from '../cacao/http-command.ts';
import { type Playbook, readPlaybook } from '../cacao/playbook.ts';
import { startVariables } from '../cacao/variables.ts';
import { ACT_MS_MAX, contextOf, freshAct, idempotencyKey, Parked } from './perform-act.ts';
import { openJournal } from './run-store.ts';
import type { RunEngine } from './run-workflow.ts';
import type { Act, Run } from './run.ts';

/** What can be taken back, last done first. */
export function undoable(acts: readonly Act[]): Act[] {
  return acts
    .filter(({ kind, status, undoTitle }) => kind === 'act' && status === 'done' && undoTitle !== null)
    .map((act, place) => ({ act, place }))
    .sort((a, b) => (b.act.finishedAt ?? 0) - (a.act.finishedAt ?? 0) || b.place - a.place)
    .map(({ act }) => act);
}

/** Which command of its step an act was, and on which target: the end of its key says so. */
function placeOf(key: string, targets: number): { readonly command: number; readonly target: number } {
  const found = (targets > 1 ? /\.(\d+)\.(\d+)$/ : /\.(\d+)$/).exec(key);
  return { command: Number(found?.[1] ?? 0), target: Number(found?.[2] ?? 0) };
}

function actionOf(actions: ActionTable, playbook: Playbook, run: Run, act: Act) {
  if (act.command !== 'http-api') return actions.get(act.command) ?? null;
  const step = playbook.workflow[act.stepId];
  const place = placeOf(act.key, step?.targets?.length ?? 1);
  const command = step?.commands?.[place.command];
  const target = playbook.target_definitions?.[step?.targets?.[place.target] ?? ''];
  if (!command?.cordon?.undo || !target) return null;
  const variables = { ...startVariables(playbook, run.inputs), ...run.variables };
  const undo = httpRequest({ line: command.cordon.undo }, target, playbook, variables);
  return httpAction({ request: undo, verify: null, undo });
}

/**
 * Runs the compensations of a run backwards. Each converges, so one that a crash cut short is simply run again; one that
 * fails stops the rest, since what was built on it still stands.
 */
export async function undoRun(engine: RunEngine, run: Run) {
  const playbook = readPlaybook(run.document);
  const journal = await openJournal(engine, run.id);
  const now = () => engine.clock.now();
  for (const act of undoable(journal.all())) {
    const key = `undo/${act.key}`;
    const found = journal.find(key);
    if (found?.status === 'done') continue;
    const action = actionOf(engine.actions, playbook, run, act);
    const title = `${act.undoTitle ?? 'Undo'}: ${act.title}`;
    const draft =
      found ??
      freshAct(
        { key, stepId: act.stepId, kind: 'undo', title, command: act.command, effect: 'change', input: act.input },
        now(),
      );
    await journal.write({
      ...draft,
      status: 'started',
      attempts: draft.attempts + 1,
      startedAt: draft.startedAt ?? now(),
    });
    try {
      if (!action?.compensation) throw new Error('This version of Cordon no longer knows how.');
      const parsed: unknown = action.input.parse(act.input);
      const context = contextOf(
        { run, journal, transport: engine.transport, now },
        act,
        AbortSignal.timeout(ACT_MS_MAX),
      );
      const result = await action.compensation.run(parsed, act.result ?? {}, {
        ...context,
        key: idempotencyKey(run.id, key),
        undoes: idempotencyKey(run.id, act.key),
      });
      await journal.write({
        ...draft,
        status: 'done',
        result,
        finishedAt: now(),
        error: null,
        attempts: draft.attempts + 1,
      });
    } catch (error) {
      if (error instanceof Parked) throw error;
      await journal.write({
        ...draft,
        status: 'failed',
        error: messageOf(error),
        finishedAt: now(),
        attempts: draft.attempts + 1,
      });
      return { state: 'ended' as const, ok: false, error: `${title}: ${messageOf(error)}`, variables: run.variables };
    }
  }
  return { state: 'ended' as const, ok: true, error: null, variables: run.variables };
}
