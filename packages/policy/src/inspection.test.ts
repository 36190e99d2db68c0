import { describe, expect, test } from 'vitest';
import type { EntryInputOf, EntryOf } from './entry.ts';
import { compileInspection, resolveInspection } from './inspection.ts';
import { inspectionEntry, inspectionProblem } from './rule-entry.ts';
import { sampleEntry, sampleSnapshot } from './testing.ts';

type Rule = Partial<EntryInputOf<'inspection'>>;

const rulesOf = (rules: Rule[]): EntryOf<'inspection'>[] =>
  rules.map((rule, n) => inspectionEntry.parse(sampleEntry('inspection', { id: `r${n}`, ...rule })));
const call = { appId: 'app-1', integrationId: 'int-1', direction: 'request' as const };

describe('the most specific rule wins', () => {
  test.each<[string, Rule[], string, string, string]>([
    ['default for cards', [], 'payment.card', 'redact', 'default:payment.card'],
    ['default for credentials', [], 'credential.aws.secret', 'redact', 'default:credential.*'],
    ['default for personal data', [], 'contact.email', 'log', 'default:contact.*'],
    ['default for the rest', [], 'source.code', 'log', 'default:*'],
    [
      'a rule over the default of the same class',
      [{ class: 'payment.card', action: 'allow' }],
      'payment.card',
      'allow',
      'r0',
    ],
    [
      'a rule for everything loosens no default',
      [{ class: '*', action: 'allow', appId: 'app-1' }],
      'payment.card',
      'redact',
      'default:payment.card',
    ],
    ['a rule for everything over the last default', [{ class: '*', action: 'allow' }], 'source.code', 'allow', 'r0'],
    [
      'exact class over prefix',
      [
        { class: 'personal.*', action: 'block' },
        { class: 'personal.email', action: 'log' },
      ],
      'personal.email',
      'log',
      'r1',
    ],
    [
      'longer prefix',
      [
        { class: 'personal.*', action: 'block' },
        { class: 'personal.id.*', action: 'log' },
      ],
      'personal.id.ssn',
      'log',
      'r1',
    ],
    ['prefix stops at a dot', [{ class: 'pay.*', action: 'block' }], 'payment.card', 'redact', 'default:payment.card'],
    [
      'app over all',
      [
        { class: 'payment.card', action: 'block' },
        { class: 'payment.card', action: 'log', appId: 'app-1' },
      ],
      'payment.card',
      'log',
      'r1',
    ],
    [
      'integration over app',
      [
        { class: 'payment.card', action: 'block', appId: 'app-1' },
        { class: 'payment.card', action: 'log', integrationId: 'int-1' },
      ],
      'payment.card',
      'log',
      'r1',
    ],
    [
      'both over integration',
      [
        { class: 'payment.card', action: 'block', integrationId: 'int-1' },
        { class: 'payment.card', action: 'log', integrationId: 'int-1', appId: 'app-1' },
      ],
      'payment.card',
      'log',
      'r1',
    ],
    [
      'direction over any',
      [
        { class: 'payment.card', action: 'block' },
        { class: 'payment.card', action: 'log', direction: 'request' },
      ],
      'payment.card',
      'log',
      'r1',
    ],
    [
      'another app',
      [{ class: 'payment.card', action: 'allow', appId: 'app-2' }],
      'payment.card',
      'redact',
      'default:payment.card',
    ],
    [
      'another direction',
      [{ class: 'payment.card', action: 'allow', direction: 'response' }],
      'payment.card',
      'redact',
      'default:payment.card',
    ],
    [
      'a tie goes to the stricter',
      [
        { class: 'payment.card', action: 'log' },
        { class: 'payment.card', action: 'block' },
        { class: 'payment.card', action: 'redact' },
      ],
      'payment.card',
      'block',
      'r1',
    ],
  ])('%s', (_name, rules, dataClass, action, id) => {
    expect(resolveInspection(rulesOf(rules), call)(dataClass)).toMatchObject({ action, rule: { id } });
  });
});

test('the order of rules makes no difference', () => {
  const rules = rulesOf([
    { class: 'payment.card', action: 'log' },
    { class: 'payment.card', action: 'block' },
    { class: '*', action: 'allow', appId: 'app-1' },
  ]);
  const forward = resolveInspection(rules, call);
  const backward = resolveInspection(rules.toReversed(), call);
  for (const name of ['payment.card', 'payment.iban', 'x']) expect(backward(name)).toEqual(forward(name));
});

test('a snapshot gives one resolver for each app, integration and direction', () => {
  const { entries } = sampleSnapshot({
    'inspection:rule-1': sampleEntry('inspection', { action: 'block', direction: 'response' }),
  });
  const resolverFor = compileInspection(entries);
  expect(resolverFor({ ...call, direction: 'response' })('payment.card').action).toBe('block');
  expect(resolverFor(call)('payment.card').action).toBe('redact');
  expect(resolverFor(call)).toBe(resolverFor({ ...call }));
});

describe('rules by label', () => {
  const rules = rulesOf([{ class: '*', label: 'restricted', action: 'block' }]);
  test.each<[string, 'internal' | 'restricted' | undefined, 'confidential' | 'restricted', string, string]>([
    ['the label of the class is enough', undefined, 'restricted', 'source.code', 'block'],
    ['a lower one is not', undefined, 'confidential', 'source.code', 'log'],
    ['the label of the data set is enough', 'restricted', 'confidential', 'source.code', 'block'],
    ['a lower one is not either', 'internal', 'confidential', 'source.code', 'log'],
    ['it tightens a default that names the class', 'restricted', 'confidential', 'contact.email', 'block'],
    ['and cards', undefined, 'restricted', 'payment.card', 'block'],
  ])('%s', (_name, dataLabel, own, dataClass, action) => {
    expect(resolveInspection(rules, { ...call, dataLabel })(dataClass, own).action).toBe(action);
  });

  test('loosens no default', () => {
    const loose = rulesOf([{ class: '*', label: 'restricted', action: 'log' }]);
    expect(resolveInspection(loose, { ...call, dataLabel: 'restricted' })('payment.card', 'restricted').action).toBe(
      'redact',
    );
  });
});

describe('category, count and person', () => {
  const rules = rulesOf([
    { class: '*', category: 'user.financial', action: 'justify' },
    { class: 'contact.email', countMin: 50, action: 'quarantine' },
    { class: 'contact.phone', personId: 'person-1', action: 'tokenise' },
  ]);
  test.each<[string, string, { category?: string; count?: number }, string | undefined, string]>([
    ['a category tightens a default', 'payment.card', { category: 'user.financial.credit_card' }, undefined, 'justify'],
    ['a neighbour of its name is none', 'source.code', { category: 'user.financials' }, undefined, 'log'],
    ['below the count', 'contact.email', { count: 49 }, undefined, 'log'],
    ['from the count on', 'contact.email', { count: 50 }, undefined, 'quarantine'],
    ['the owner of the integration', 'contact.phone', {}, 'person-1', 'tokenise'],
    ['another owner', 'contact.phone', {}, 'person-2', 'log'],
  ])('%s', (_name, dataClass, facts, personId, action) => {
    expect(resolveInspection(rules, { ...call, personId })(dataClass, undefined, facts).action).toBe(action);
  });

  test('counts are judged anew at each threshold', () => {
    const resolve = resolveInspection(rules, call);
    const actions = [1, 50, 49, 51].map((count) => resolve('contact.email', undefined, { count }).action);
    expect(actions).toEqual(['log', 'quarantine', 'log', 'quarantine']);
  });
});

describe('data at rest', () => {
  const rules = rulesOf([
    { class: 'payment.card', action: 'block' },
    { class: 'payment.card', direction: 'at-rest', connector: 'slack', action: 'redact' },
    { class: 'payment.card', direction: 'at-rest', destination: 'external', action: 'unshare' },
    { class: 'identifier.*', direction: 'at-rest', connector: 'slack', action: 'delete' },
  ]);
  const at = (connector: string, sharing: 'private' | 'public' = 'private') =>
    resolveInspection(rules, { direction: 'at-rest', connector, sharing });
  test.each<[string, string, string, 'private' | 'public', string]>([
    ['a rule for calls is none for what lies there', 'google', 'payment.card', 'private', 'notify'],
    ['the connector', 'slack', 'payment.card', 'private', 'redact'],
    ['shared widely', 'google', 'payment.card', 'public', 'unshare'],
    ['a prefix', 'slack', 'identifier.us.ssn', 'private', 'delete'],
    ['nothing said: only counted', 'slack', 'contact.email', 'private', 'allow'],
    ['credentials are told', 'github', 'credential.aws', 'private', 'notify'],
  ])('%s', (_name, connector, dataClass, sharing, action) => {
    expect(at(connector, sharing)(dataClass).action).toBe(action);
  });

  test('and never touches a call', () => {
    expect(resolveInspection(rules, call)('identifier.us.ssn').action).toBe('log');
  });
});

test.each([
  [{ action: 'delete' as const }, /at rest/],
  [{ action: 'block' as const, direction: 'at-rest' as const }, /blocked/],
  [{ action: 'log' as const, connector: 'slack' }, /connector/],
  [{ action: 'log' as const, destination: 'public' as const }, /shared/],
  [{ action: 'log' as const, direction: 'at-rest' as const, integrationId: 'int-1' }, /integration/],
])('%j could never do what it says', (rule, why) => {
  expect(inspectionProblem(rule)).toMatch(why);
});
