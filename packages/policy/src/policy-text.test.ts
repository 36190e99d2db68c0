import { describe, expect, test } from 'vitest';
import { readBuiltIn } from './built-in.ts';
import { parseStatements, validatePolicyText } from './policy-text.ts';

const { schema, policies } = readBuiltIn();

test.each(policies.map(({ name, text }) => [name, text]))(
  'built-in policy %s fits the schema and is named for its file',
  (name, text) => {
    expect(validatePolicyText(text, schema)).toMatchObject({ valid: true, problems: [], statements: [{ name }] });
  },
);

describe('problems say where and what to do', () => {
  test.each([
    [
      'unknown attribute',
      'permit (principal, action, resource)\nwhen { principal.nme == "x" };',
      {
        line: 2,
        column: 8,
        message: 'attribute `nme` on entity type `Integration` not found',
        help: 'did you mean `name`?',
      },
    ],
    [
      'after a wide character',
      '// été 😀\npermit (principal, action, resource) when { principal.nme == "x" };',
      { line: 2, column: 45 },
    ],
    [
      'wrong operator',
      'permit (principal, action, resource) when {\n  principal.name = "x" };',
      { line: 2, help: "try using '==' instead" },
    ],
    ['unknown entity type', 'permit (principal is Robot, action, resource);', { severity: 'error' }],
    ['unknown action', 'permit (principal, action == Action::"fly", resource);', { severity: 'error' }],
    ['wrong type', 'permit (principal, action, resource) when { context.hour < "8" };', { line: 1 }],
    [
      'tag read unguarded',
      'permit (principal, action, resource) when { resource.getTag("owner") == "a" };',
      { severity: 'error' },
    ],
    ['never applies', 'permit (principal is App, action, resource);', { severity: 'warning' }],
    ['no statement', '// nothing', { severity: 'error' }],
    ['template', 'permit (principal == ?principal, action, resource);', { severity: 'error' }],
    ['not Cedar', 'allow everything', { line: 1 }],
  ])('%s', (_name, text, problem) => {
    expect(validatePolicyText(text, schema).problems).toContainEqual(expect.objectContaining(problem));
  });
});

describe('text that would break the parser for good is not given to it', () => {
  const condition = (text: string) => `permit (principal, action, resource) when { ${text} };`;
  test.each([
    ['brackets', condition(`${'('.repeat(5_000)}true${')'.repeat(5_000)}`)],
    ['lists', condition(`${'['.repeat(5_000)}${']'.repeat(5_000)} == []`)],
    ['records', condition(`${'{a: '.repeat(5_000)}1${'}'.repeat(5_000)} == {}`)],
    ['negations', condition(`${'!'.repeat(50_000)}true`)],
    ['minus signs', condition(`${'- '.repeat(50_000)}1 == 1`)],
    ['conditionals', condition(`${'if true then true else '.repeat(5_000)}true`)],
    ['alternatives', condition(Array.from({ length: 50_000 }, () => 'true').join(' || '))],
    ['sums', condition(`${Array.from({ length: 50_000 }, () => '1').join(' + ')} == 1`)],
    ['attributes', condition(`principal${'.name'.repeat(50_000)} == "x"`)],
    ['indexes', condition(`principal${'["name"]'.repeat(50_000)} == "x"`)],
    ['brackets after a quote in a comment', `// "\n${condition(`${'('.repeat(5_000)}true${')'.repeat(5_000)}`)}`],
  ])('%s', (_name, text) => {
    expect(validatePolicyText(text, schema).valid).toBe(false);
    expect(() => parseStatements(text, { id: 'p', name: 'p' })).toThrow('at most');
    expect(validatePolicyText(condition('context.hour < 8'), schema)).toMatchObject({ valid: true });
  });

  test.each([
    ['brackets', condition(`${'('.repeat(90)}true${')'.repeat(90)}`)],
    [
      'brackets around alternatives',
      condition(`${'('.repeat(90)}${Array.from({ length: 390 }, () => 'true').join(' || ')}${')'.repeat(90)}`),
    ],
    ['brackets in a string', condition(`principal.name == "${'('.repeat(5_000)}"`)],
    ['alternatives', condition(Array.from({ length: 190 }, () => 'principal.name == "x"').join(' || '))],
    ['many statements', Array.from({ length: 99 }, () => condition('principal.name == "x" || true')).join('\n')],
  ])('an ordinary number of %s is read', (_name, text) => {
    expect(validatePolicyText(text, schema)).toMatchObject({ valid: true });
  });
});

test.each([
  ['nothing of the call', 'principal.status == "active"', []],
  ['an hour', 'context.hour < 8', ['hour']],
  ['two things', 'context.hour < 8 && context.listener == "mcp"', ['hour', 'listener']],
  ['a parameter', 'resource.hasTag("owner") && resource.getTag("owner") == "a"', ['parameter:owner']],
  ['a parameter named by another value', 'resource.hasTag(principal.name)', ['*']],
])('tells that a condition depends on %s', (_name, condition, facts) => {
  const text = `permit (principal, action, resource) when { ${condition} };`;
  expect(validatePolicyText(text, schema)).toMatchObject({ valid: true, statements: [{ facts }] });
});

test('numbers statements from the top', () => {
  const text = Array.from(
    { length: 12 },
    (_, n) => `@id("s${n + 1}") permit (principal, action, resource) when { context.hour == ${n} };`,
  ).join('\n');
  const statements = parseStatements(text, { id: 'policy:p', name: 'P' });
  expect(statements.map(({ id, name }) => [id, name])).toEqual(
    Array.from({ length: 12 }, (_, n) => [`policy:p#${n + 1}`, `P: s${n + 1}`]),
  );
});

test('refuses more statements than a policy may hold', () => {
  const text = 'permit (principal, action, resource);\n'.repeat(101);
  expect(() => parseStatements(text, { id: 'p', name: 'P' })).toThrow(
    expect.objectContaining({ code: 'policy.text_invalid' }),
  );
});
