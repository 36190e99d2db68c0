import { expect, test } from 'vitest';
import { checkGraph } from './graph-check.ts';
import { parsePlaybook } from './playbook.ts';

const U = '00000000-0000-4000-8000-00000000000';
const [S, A, B, E1, E2, P, W] = [
  `start--${U}1`,
  `action--${U}2`,
  `action--${U}3`,
  `end--${U}4`,
  `end--${U}5`,
  `parallel--${U}6`,
  `while-condition--${U}7`,
];
const act = (more: object) => ({ type: 'action', commands: [{ type: 'manual' }], ...more });
const END = { type: 'end' };

function problems(workflow: Record<string, object>, start = S): string[] {
  const playbook = parsePlaybook({
    type: 'playbook',
    spec_version: 'cacao-2.0',
    id: 'playbook--1',
    name: 'n',
    created: '',
    modified: '',
    workflow_start: start,
    workflow,
    playbook_variables: { __n__: { type: 'integer', value: '0' } },
  });
  return checkGraph(playbook).map(({ level, code }) => `${level} ${code}`);
}
const start = { type: 'start', on_completion: A };

test.each<[string, Record<string, object>, string[]]>([
  ['a straight line', { [S]: start, [A]: act({ on_completion: E1 }), [E1]: END }, []],
  [
    'a step that is not there',
    { [S]: start, [A]: act({ on_completion: B }), [E1]: END },
    ['error step_missing', 'error end_unreachable', 'warning unreachable'],
  ],
  [
    'no way on',
    { [S]: start, [A]: act({}), [E1]: END },
    ['error no_way_on', 'error end_unreachable', 'warning unreachable'],
  ],
  [
    'a circle',
    { [S]: start, [A]: act({ on_success: E1, on_failure: B }), [B]: act({ on_completion: A }), [E1]: END },
    ['error endless_loop'],
  ],
  [
    'a circle without an end',
    { [S]: start, [A]: act({ on_completion: B }), [B]: act({ on_completion: A }) },
    ['error endless_loop', 'error end_unreachable'],
  ],
  [
    'a parallel branch that leads back into its parallel step',
    {
      [S]: { type: 'start', on_completion: P },
      [P]: { type: 'parallel', next_steps: [A, B], on_completion: E1 },
      [A]: act({ on_completion: P }),
      [B]: act({ on_completion: E2 }),
      [E1]: END,
      [E2]: END,
    },
    ['error branch_returns', 'warning branches_share'],
  ],
  [
    'two branches that share a step',
    {
      [S]: { type: 'start', on_completion: P },
      [P]: { type: 'parallel', next_steps: [A, B], on_completion: E1 },
      [A]: act({ on_completion: B }),
      [B]: act({ on_completion: E2 }),
      [E1]: END,
      [E2]: END,
    },
    ['warning branches_share'],
  ],
  [
    'a loop that nothing ends',
    {
      [S]: { type: 'start', on_completion: W },
      [W]: { type: 'while-condition', condition: '__n__ < 3', on_true: A, on_completion: E1 },
      [A]: act({ on_completion: E2 }),
      [E1]: END,
      [E2]: END,
    },
    ['warning loop_never_ends'],
  ],
  [
    'a loop whose body writes what it looks at',
    {
      [S]: { type: 'start', on_completion: W },
      [W]: { type: 'while-condition', condition: '__n__ < 3', on_true: A, on_completion: E1 },
      [A]: act({ on_completion: E2, out_args: ['__n__'] }),
      [E1]: END,
      [E2]: END,
    },
    [],
  ],
  [
    'a step that no way leads to',
    { [S]: start, [A]: act({ on_completion: E1 }), [B]: act({ on_completion: E1 }), [E1]: END },
    ['warning unreachable'],
  ],
  ['an id that says another type', { [S]: start, [A]: { type: 'end' } }, ['error step_type']],
])('%s', (_name, workflow, found) => {
  expect(problems(workflow)).toEqual(found);
});

test('a start that is none', () => {
  expect(problems({ [A]: act({ on_completion: E1 }), [E1]: END }, A)).toEqual(['error start_missing']);
});
