import type { PlaybookProblem } from './check-playbook.ts';
import { branchSteps, type CacaoStep, nextSteps, type Playbook } from './playbook.ts';
import { parseCondition } from './condition.ts';
import { declareVariables } from './variables.ts';

export const STEPS_MAX = 500;

const error = (code: string, step: string | null, message: string): PlaybookProblem => ({
  level: 'error',
  code,
  step,
  message,
});
const warning = (code: string, step: string | null, message: string): PlaybookProblem => ({
  level: 'warning',
  code,
  step,
  message,
});

/** References that lead nowhere, and step ids that don't say their type. */
function checkReferences({ workflow, workflow_start, workflow_exception }: Playbook): PlaybookProblem[] {
  const problems: PlaybookProblem[] = [];
  if (Object.keys(workflow).length > STEPS_MAX)
    problems.push(error('too_large', null, `More than ${STEPS_MAX} steps.`));
  if (workflow[workflow_start]?.type !== 'start') {
    problems.push(error('start_missing', null, `workflow_start ${workflow_start} is no start step of the workflow.`));
  }
  if (workflow_exception !== undefined && !workflow[workflow_exception]) {
    problems.push(error('step_missing', null, `workflow_exception ${workflow_exception} is not in the workflow.`));
  }
  for (const [id, step] of Object.entries(workflow)) {
    if (!id.startsWith(`${step.type}--`))
      problems.push(error('step_type', id, `A step of the type ${step.type} needs an id that says so.`));
    for (const next of [...nextSteps(step), ...branchSteps(step)]) {
      if (!workflow[next])
        problems.push(error('step_missing', id, `It leads to ${next}, which is not in the workflow.`));
    }
    if (step.type !== 'end' && nextSteps(step).length === 0) {
      problems.push(
        error('no_way_on', id, 'Nothing follows: a step that is no end needs on_completion or on_success.'),
      );
    }
  }
  return problems;
}

type Edges = (step: CacaoStep) => string[];
const allEdges: Edges = (step) => [...nextSteps(step), ...branchSteps(step)];

function reachable(playbook: Playbook, from: readonly string[], edges: Edges): Set<string> {
  const seen = new Set<string>();
  const open = [...from];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const step = playbook.workflow[id];
    if (!step || seen.has(id)) continue;
    seen.add(id);
    open.push(...edges(step));
  }
  return seen;
}

/** Each cycle once, at the step that closes it. Depth-first without recursion: a playbook may be deep. */
function cycles(playbook: Playbook): { at: string; to: string }[] {
  const state = new Map<string, 'open' | 'done'>();
  const found: { at: string; to: string }[] = [];
  for (const root of Object.keys(playbook.workflow)) {
    if (state.has(root)) continue;
    const stack = [{ id: root, rest: allEdges(playbook.workflow[root] ?? { type: 'end' }) }];
    state.set(root, 'open');
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const next = top.rest.pop();
      if (next === undefined) {
        state.set(top.id, 'done');
        stack.pop();
      } else if (state.get(next) === 'open') {
        found.push({ at: top.id, to: next });
      } else if (!state.has(next) && playbook.workflow[next]) {
        state.set(next, 'open');
        stack.push({ id: next, rest: allEdges(playbook.workflow[next]) });
      }
    }
  }
  return found;
}

function checkCycles(playbook: Playbook): PlaybookProblem[] {
  return cycles(playbook).map(({ at, to }) => {
    const type = playbook.workflow[to]?.type;
    const inBranch = type !== undefined && branchSteps(playbook.workflow[to] ?? { type: 'end' }).length > 0;
    const hint = inBranch
      ? `a branch of ${to} leads back to it. A branch ends at an end step; ${type} goes on by itself.`
      : 'the way leads back: an endless loop. Write a loop as a while-condition.';
    return error(inBranch ? 'branch_returns' : 'endless_loop', at, `From here ${hint}`);
  });
}

/** Every way through a branch must be able to come to an end step. */
function checkEnds(playbook: Playbook): PlaybookProblem[] {
  const { workflow, workflow_start, workflow_exception } = playbook;
  const problems: PlaybookProblem[] = [];
  const endsFrom = (id: string): boolean =>
    [...reachable(playbook, [id], nextSteps)].some((one) => workflow[one]?.type === 'end');
  if (workflow[workflow_start] && !endsFrom(workflow_start))
    problems.push(error('end_unreachable', workflow_start, 'No end can be reached from the start.'));
  for (const [id, step] of Object.entries(workflow)) {
    for (const first of branchSteps(step)) {
      if (workflow[first] && !endsFrom(first))
        problems.push(error('end_unreachable', id, `The branch at ${first} comes to no end step.`));
    }
  }
  const roots = [workflow_start, ...(workflow_exception === undefined ? [] : [workflow_exception])];
  const seen = reachable(playbook, roots, allEdges);
  for (const id of Object.keys(workflow)) {
    if (!seen.has(id)) problems.push(warning('unreachable', id, 'No way leads to this step.'));
  }
  return problems;
}

/** Parallel branches that share a step run it once each, which is seldom meant. */
function checkParallel(playbook: Playbook): PlaybookProblem[] {
  return Object.entries(playbook.workflow).flatMap(([id, step]) => {
    if (step.type !== 'parallel') return [];
    const seen = new Set<string>();
    return (step.next_steps ?? []).flatMap((first) => {
      const ids = [...reachable(playbook, [first], allEdges)];
      const shared = ids.filter((one) => seen.has(one) && playbook.workflow[one]?.type !== 'end');
      for (const one of ids) seen.add(one);
      return shared.map((one) => warning('branches_share', id, `Two of its branches run ${one}: it happens twice.`));
    });
  });
}

/** A while whose body can't change what its condition looks at never ends by itself. */
function checkWhiles(playbook: Playbook): PlaybookProblem[] {
  return Object.entries(playbook.workflow).flatMap(([id, step]) => {
    if (step.type !== 'while-condition' || step.condition === undefined) return [];
    const body = [...reachable(playbook, step.on_true === undefined ? [] : [step.on_true], allEdges)];
    const written = new Set(body.flatMap((one) => playbook.workflow[one]?.out_args ?? []));
    try {
      const declared = { ...declareVariables(playbook.playbook_variables), ...declareVariables(step.step_variables) };
      const { names } = parseCondition(step.condition, declared);
      if (names.some((name) => written.has(name))) return [];
    } catch {
      return []; // an unreadable condition is reported as such
    }
    return [
      warning(
        'loop_never_ends',
        id,
        'Nothing in the loop changes what its condition looks at: once in, it runs until its limit.',
      ),
    ];
  });
}

export function checkGraph(playbook: Playbook): PlaybookProblem[] {
  const broken = checkReferences(playbook);
  return [
    ...broken,
    ...checkCycles(playbook),
    ...checkEnds(playbook),
    ...checkParallel(playbook),
    ...checkWhiles(playbook),
  ];
}
