import type { ActionTable } from '../actions/action.ts';
import { commandKind, commandName } from '../engine/command-plan.ts';
import { type CacaoStep, type Playbook, stepTitle } from './playbook.ts';
import { parseCondition } from './condition.ts';
import { checkGraph } from './graph-check.ts';
import { parseHttpLine } from './http-command.ts';
import { declareVariables, isVariableName, referencesIn, type Variables } from './variables.ts';

export interface PlaybookProblem {
  /** An error keeps a playbook from being stored and run; a warning says what an author should look at. */
  readonly level: 'error' | 'warning';
  readonly code: string;
  /** The step that it is about; null: the playbook. */
  readonly step: string | null;
  readonly message: string;
}

export type SchemaCheck = (document: unknown) => { path: string; message: string }[];

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function stepVariables(playbook: Playbook, step: CacaoStep): Variables {
  return { ...declareVariables(playbook.playbook_variables), ...declareVariables(step.step_variables) };
}

/** Every text of a step in which variables are put. */
function textsOf(step: CacaoStep): string[] {
  const ofCommands = (step.commands ?? []).flatMap((command) => [
    command.command ?? '',
    command.content ?? '',
    ...Object.values(command.headers ?? {}).flat(),
    ...Object.values(command.arguments ?? {}),
    command.cordon?.verify ?? '',
    command.cordon?.undo ?? '',
  ]);
  return [...ofCommands, step.switch ?? ''];
}

function checkVariables(playbook: Playbook, id: string, step: CacaoStep): PlaybookProblem[] {
  const known = stepVariables(playbook, step);
  const unknown = [...textsOf(step).flatMap(referencesIn), ...(step.in_args ?? []), ...(step.out_args ?? [])].filter(
    (name) => !known[name],
  );
  const problems: PlaybookProblem[] = [...new Set(unknown)].map((name) => ({
    level: 'error',
    code: 'variable_undefined',
    step: id,
    message: `The variable ${name} is defined neither in the playbook nor in this step.`,
  }));
  for (const name of Object.keys(step.step_variables ?? {}).filter((one) => !isVariableName(one))) {
    problems.push({
      level: 'error',
      code: 'variable_name',
      step: id,
      message: `${name} is no variable name (__name__).`,
    });
  }
  for (const name of (step.out_args ?? []).filter((one) => known[one]?.constant)) {
    problems.push({
      level: 'error',
      code: 'variable_constant',
      step: id,
      message: `${name} is a constant and can't be written.`,
    });
  }
  return problems;
}

function checkCondition(playbook: Playbook, id: string, step: CacaoStep): PlaybookProblem[] {
  if (step.condition === undefined) return [];
  const known = stepVariables(playbook, step);
  try {
    const unknown = parseCondition(step.condition, known).names.filter((name) => !known[name]);
    return unknown.map((name) => ({
      level: 'error',
      code: 'variable_undefined',
      step: id,
      message: `The condition looks at ${name}, which is not defined.`,
    }));
  } catch (error) {
    return [{ level: 'error', code: 'condition_invalid', step: id, message: messageOf(error) }];
  }
}

function checkCommands(playbook: Playbook, id: string, step: CacaoStep, actions: ActionTable): PlaybookProblem[] {
  return (step.commands ?? []).flatMap((command): PlaybookProblem[] => {
    const plan = commandKind(command, actions);
    if (plan.kind === 'refused') {
      const isOurs = command.type === 'cordon';
      const code = isOurs ? 'action_unknown' : 'not_runnable';
      return [
        { level: isOurs ? 'error' : 'warning', code, step: id, message: `${commandName(command)}: ${plan.reason}` },
      ];
    }
    if (plan.kind === 'http') {
      try {
        if (!referencesIn(command.command ?? '').length) parseHttpLine(command.command ?? '');
        return [];
      } catch (error) {
        return [{ level: 'error', code: 'http_command', step: id, message: messageOf(error) }];
      }
    }
    if (plan.kind === 'manual') return [];
    return checkArguments(id, command.arguments ?? {}, plan.action, step);
  });
}

function checkArguments(
  id: string,
  given: Readonly<Record<string, string>>,
  action: {
    readonly name: string;
    readonly input: { safeParse(value: unknown): { error?: unknown } };
    readonly outputs: readonly string[];
  },
  step: CacaoStep,
): PlaybookProblem[] {
  const problems: PlaybookProblem[] = [];
  // With a variable in it, only the run knows the value; names and what is missing are known now.
  const isOpen = Object.values(given).some((text) => referencesIn(text).length > 0);
  const parsed = action.input.safeParse(given) as {
    error?: { issues: { code: string; path: PropertyKey[]; message: string }[] };
  }; // zod's own shape
  for (const issue of parsed.error?.issues ?? []) {
    const at = String(issue.path[0] ?? '');
    if (isOpen && referencesIn(given[at] ?? '').length > 0) continue;
    problems.push({
      level: 'error',
      code: 'action_input',
      step: id,
      message: `${action.name} ${at}: ${issue.message}`,
    });
  }
  const outputs = new Set(action.outputs);
  for (const name of step.out_args ?? []) {
    if (
      action.outputs.length > 0 &&
      (step.commands?.length ?? 0) === 1 &&
      !outputs.has(name.replaceAll(/^__|__$/g, ''))
    ) {
      const known = action.outputs.map((one) => `__${one}__`).join(', ');
      problems.push({
        level: 'warning',
        code: 'output_unknown',
        step: id,
        message: `${action.name} gives ${known}; ${name} stays as it is.`,
      });
    }
  }
  return problems;
}

function checkParties(playbook: Playbook, id: string, step: CacaoStep): PlaybookProblem[] {
  const agents = { ...playbook.agent_definitions, ...playbook.target_definitions };
  const missing = [step.agent, ...(step.targets ?? [])].filter((one) => one !== undefined && !agents[one]);
  return missing.map((one) => ({
    level: 'error',
    code: 'party_missing',
    step: id,
    message: `${one} is neither in agent_definitions nor in target_definitions.`,
  }));
}

/**
 * Everything that can be said against a playbook before it runs: the schemas of OASIS, the graph, variables, conditions,
 * commands. `knows`: whether another playbook that it calls is there.
 */
export function checkPlaybook(
  playbook: Playbook,
  given: {
    readonly schema: SchemaCheck;
    readonly actions: ActionTable;
    readonly knows?: (playbookId: string) => boolean;
  },
): PlaybookProblem[] {
  const ofSchema = given.schema(playbook).map(({ path, message }): PlaybookProblem => ({
    level: 'error',
    code: 'schema',
    step: /^\/workflow\/([^/]+)/.exec(path)?.[1] ?? null,
    message: `${path || '/'} ${message}`,
  }));
  const ofSteps = Object.entries(playbook.workflow).flatMap(([id, step]) => [
    ...checkVariables(playbook, id, step),
    ...checkCondition(playbook, id, step),
    ...checkCommands(playbook, id, step, given.actions),
    ...checkParties(playbook, id, step),
    ...checkCall(id, step, given.knows),
  ]);
  const order = (problem: PlaybookProblem): number => (problem.level === 'error' ? 0 : 1);
  return [...ofSchema, ...checkGraph(playbook), ...ofSteps].sort((a, b) => order(a) - order(b));
}

function checkCall(
  id: string,
  step: CacaoStep,
  knows: ((playbookId: string) => boolean) | undefined,
): PlaybookProblem[] {
  if (step.type !== 'playbook-action' || !knows || knows(step.playbook_id ?? '')) return [];
  return [
    {
      level: 'warning',
      code: 'playbook_missing',
      step: id,
      message: `There is no playbook ${step.playbook_id ?? ''} here.`,
    },
  ];
}

/** For people: `error  Cut it off: …`. */
export function problemText(playbook: Playbook, { level, step, message }: PlaybookProblem): string {
  return `${level.padEnd(7)} ${step === null ? 'playbook' : stepTitle(step, playbook.workflow[step])}: ${message}`;
}
