import { describe, expect, test } from 'vitest';
import { ConditionInvalid } from '../errors.ts';
import { parseCondition } from './condition.ts';
import { assign, fillIn, startVariables, type Variables } from './variables.ts';
import { readPlaybook } from './playbook.ts';

const of = (type: string, value: string | null) => ({ type, value, constant: false, external: false });
const VARIABLES: Variables = {
  __n__: of('integer', '4'),
  __name__: of('string', 'open'),
  __ok__: of('bool', 'true'),
  __list__: of('list', '["a","b"]'),
  __dict__: of('dictionary', '{"level":"high"}'),
  __none__: of('string', null),
};

test.each([
  ['__n__ > 3', true],
  ['__n__ > 3 && __name__ == "closed"', false],
  ['__ok__', true],
  ['!__ok__ || "b" in __list__', true],
  ['__dict__.level == "high"', true],
  ['__none__ == ""', true],
  ['size(__list__) == 2', true],
  ['__n__:value > 3', true],
  ["[__n__:value >= 5 OR __name__:value = 'open']", true],
  ["__name__:value IN ('new', 'open')", true],
  ["__name__:value NOT IN ('new', 'open')", false],
  ["__name__:value LIKE 'op%' AND (__n__:value != 4 OR __ok__:value)", true],
  ["__name__:value MATCHES '^o.*n$'", true],
  ["__name__:value = 'it\\'s'", false],
  ['__ok__:value', true],
  ["__n__:value == '4.0'", true],
])('%s is %s', (text, holds) => {
  expect(parseCondition(text, VARIABLES).holds(VARIABLES)).toBe(holds);
});

test.each([
  ["[ipv4-addr:value = '1.2.3.4']", /observes no "ipv4-addr:value"/],
  ['[__n__:value = 1] FOLLOWEDBY [__n__:value = 2]', /FOLLOWEDBY speaks of several observations/],
  ['[__n__:value = 1] REPEATS 5 TIMES', /REPEATS/],
  ['__n__ + 1', /gives int, not true or false/],
  ['__n__ >', /not valid/],
  ['__name__.matches("(a+)+$")', /MATCHES/],
  ['__n__ == "four"', /not valid/],
  ['', /empty/],
  ["__n__:value ISSUBSET '10.0.0.0/8'", /ISSUBSET/],
])('%s is refused with the reason', (text, why) => {
  const read = () => parseCondition(text, VARIABLES);
  expect(read).toThrow(ConditionInvalid);
  expect(read).toThrow(why);
});

describe('variables', () => {
  const playbook = readPlaybook(
    JSON.stringify({
      type: 'playbook',
      spec_version: 'cacao-2.0',
      id: 'playbook--1',
      name: 'n',
      created: '',
      modified: '',
      workflow_start: 's',
      workflow: {},
      playbook_variables: {
        __in__: { type: 'ipv4-addr', external: true },
        __own__: { type: 'string', value: 'x' },
        __fix__: { type: 'string', value: 'y', constant: true },
      },
    }),
  );

  test.each([
    [{}, /needs a value for __in__/],
    [{ __in__: 'ten' }, /of type ipv4-addr/],
    [{ __in__: '10.0.0.1', __own__: 'z' }, /not external/],
    [{ __in__: '10.0.0.1', __other__: 'z' }, /no variable __other__/],
  ])('start with %j is refused', (inputs, why) => {
    expect(() => startVariables(playbook, inputs as Record<string, string>)).toThrow(why);
  });

  test('constants stay, and references are filled in', () => {
    const variables = startVariables(playbook, { __in__: '10.0.0.1' });
    expect(() => assign(variables, '__fix__', 'z')).toThrow(/constant/);
    expect(fillIn('block __in__:value for __own__:value', variables)).toBe('block 10.0.0.1 for x');
    expect(() => fillIn('__gone__:value', variables)).toThrow(/no variable __gone__/);
  });
});
