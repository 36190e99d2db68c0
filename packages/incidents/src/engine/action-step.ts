import type { ActResult } from '../actions/action.ts';
import { messageOf } from '../cacao/check-playbook.ts';
import { type CacaoCommand, type CacaoStep, stepTitle } from '../cacao/playbook.ts';
import { assign, type Variables } from '../cacao/variables.ts';
import { commandKind, commandName, manualText, planAct } from './command-plan.ts';
import type { Frame, Outcome } from './interpreter.ts';
import { ACT_MS_MAX, freshAct, Parked, performAct } from './perform-act.ts';
import { type Act, isOver, isSuccess } from './run.ts';

/** All commands of an action step in their order, each on every target; the first that fails fails the step. */
export async function runCommands(
  frame: Frame,
  id: string,
  step: CacaoStep,
  key: string,
  given: Variables,
): Promise<Outcome> {
  let variables = given;
  for (const [index, command] of (step.commands ?? []).entries()) {
    const isHttp = command.type === 'http-api';
    const targets = isHttp ? (step.targets ?? [step.agent]) : [step.targets?.[0] ?? step.agent];
    for (const [place, target] of targets.entries()) {
      const at = `${key}.${index}${targets.length > 1 ? `.${place}` : ''}`;
      const act = await runCommand(frame, { id, step, key: at, command, target, variables });
      if (!isSuccess(act)) return { ok: false, error: act.error ?? `${act.title} failed.`, variables };
      try {
        variables = takeOutputs(step, variables, act.result ?? {});
      } catch (error) {
        return { ok: false, error: messageOf(error), variables };
      }
    }
  }
  return { ok: true, error: null, variables };
}

interface Place {
  readonly id: string;
  readonly step: CacaoStep;
  readonly key: string;
  readonly command: CacaoCommand;
  readonly target: string | undefined;
  readonly variables: Variables;
}

async function runCommand(frame: Frame, place: Place): Promise<Act> {
  const { id, step, key, command } = place;
  const { journal, now, run } = frame;
  const plan = commandKind(command, frame.actions);
  const name = commandName(command);
  const draft = freshAct(
    { key, stepId: id, kind: 'act', title: stepTitle(id, step), command: name, effect: 'read' },
    now(),
  );
  const end = async (change: Partial<Act>): Promise<Act> => {
    const act = { ...draft, startedAt: now(), finishedAt: now(), ...change };
    await journal.write(act);
    return act;
  };
  if (plan.kind === 'manual') return askPerson(frame, place, draft);
  if (plan.kind === 'refused') {
    if (run.mode === 'live') return end({ status: 'refused', error: plan.reason });
    return end({ status: 'simulated', proof: { would: `nothing: ${plan.reason}` }, result: {} });
  }
  const found = journal.find(key);
  if (found && isOver(found)) return found;
  let planned;
  try {
    planned = planAct(command, { ...place, playbook: frame.playbook }, plan.kind === 'action' ? plan.action : null);
  } catch (error) {
    return end({ status: 'failed', error: messageOf(error) });
  }
  const { action, input, shown, needsApproval } = planned;
  const timeoutMs = Math.min(step.timeout ?? ACT_MS_MAX, ACT_MS_MAX);
  const started: Act = { ...draft, effect: action.effect, input: shown };
  return performAct(frame, started, { action, input, needsApproval, timeoutMs });
}

/** A manual command: a person reads the text, does it, and fills in the step's out_args. */
async function askPerson(frame: Frame, { id, step, key, command, variables }: Place, draft: Act): Promise<Act> {
  const { journal, now, run } = frame;
  const found = journal.find(key);
  if (found && isOver(found)) return found;
  const text = manualText(command, variables);
  const fields = (step.out_args ?? []).map((name) => ({
    name,
    type: variables[name]?.type ?? 'string',
    value: variables[name]?.value ?? '',
  }));
  const asked: Act = { ...draft, kind: 'manual', stepId: id, input: { text, fields }, effect: 'change' };
  if (run.mode === 'simulate') {
    const act: Act = {
      ...asked,
      status: 'simulated',
      proof: { would: `ask a person: ${text}` },
      result: {},
      finishedAt: now(),
    };
    await journal.write(act);
    return act;
  }
  const dueAt = found?.dueAt ?? (step.timeout === undefined ? null : now() + step.timeout);
  if (dueAt !== null && now() >= dueAt) {
    const act: Act = {
      ...(found ?? asked),
      status: 'failed',
      error: 'ACTION_TIMEOUT: nobody answered in time.',
      finishedAt: now(),
    };
    await journal.write(act);
    return act;
  }
  if (!found) await journal.write({ ...asked, status: 'waiting-person', dueAt });
  throw new Parked(dueAt);
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `__count__` takes the result's `count`, a manual step's answer comes under the variable's own name. */
function takeOutputs(step: CacaoStep, given: Variables, result: ActResult): Variables {
  let variables = given;
  const names = step.out_args ?? [];
  for (const name of names) {
    const key = name.replaceAll(/^__|__$/g, '');
    const value = result[name] ?? result[key] ?? (names.length === 1 ? result['http_body'] : undefined);
    if (value !== undefined && value !== null) variables = assign(variables, name, asText(value));
  }
  return variables;
}
