import { describe, expect, test } from 'vitest';
import { createCatalogue, parseCheck } from './catalogue.ts';
import { CheckDuplicate, CheckInvalid } from './errors.ts';

const NOW = Date.parse('2026-01-15T00:00:00Z');

function checkText(over: Record<string, unknown> = {}): string {
  return JSON.stringify({
    id: 'example.mfa',
    title: 'Multi-factor authentication is required of everyone',
    product: 'example',
    severity: 'high',
    rationale: 'A password alone is phished, guessed or bought; a second factor makes that worth little.',
    remediation: { steps: ['Open the settings and require it.'] },
    mapping: { nist_csf: ['PR.AA-03'] },
    needs: ['org.mfa', 'org.members'],
    define: { lacking: 'settings.org.members.filter(m, at(m, "mfa") != true).map(m, m.login)' },
    pass: 'settings.org.mfa == true && size(lacking) == 0',
    reason: { pass: 'All {{ size(settings.org.members) }} members have it.', fail: 'Lacking: {{ lacking }}.' },
    samples: [
      { name: 'on', expect: 'pass', settings: {} },
      { name: 'off', expect: 'fail', settings: {} },
    ],
    ...over,
  });
}

function compile(over: Record<string, unknown> = {}) {
  const compiled = createCatalogue([{ path: 'example.yaml', text: checkText(over) }]).all()[0];
  if (compiled === undefined) throw new Error('no check');
  return compiled;
}

const good = { org: { mfa: true, members: [{ login: 'ada', mfa: true }] } };

describe('evaluate', () => {
  test.each([
    ['passes', {}, good, {}, 'pass', 'All 1 members have it.'],
    ['fails', {}, { org: { mfa: true, members: [{ login: 'ada' }] } }, {}, 'fail', 'Lacking: ada.'],
    ['sees nothing', {}, {}, {}, 'not_visible', 'Nothing recorded under org.'],
    ['sees null', {}, null, {}, 'not_visible', 'Nothing recorded under org.'],
    [
      'misses a setting',
      {},
      { org: { mfa: true } },
      {},
      'not_visible',
      'Not in the settings that were read: org.members',
    ],
    [
      'takes null for missing',
      {},
      { org: { mfa: null, members: [] } },
      {},
      'not_visible',
      'Not in the settings that were read: org.mfa',
    ],
    [
      'counts a missing setting as not met',
      { absent: 'fail' },
      { org: { mfa: true } },
      {},
      'fail',
      'Not in the settings that were read, which this check counts as not met: org.members',
    ],
    [
      'is told what could not be read',
      {},
      good,
      { unread: ['org.members'] },
      'not_visible',
      'The connector could not read org.members.',
    ],
    [
      'is told that a section could not be read',
      { absent: 'fail' },
      good,
      { unread: ['org'] },
      'not_visible',
      'The connector could not read org.mfa.',
    ],
    [
      'counts nothing recorded as not met when that is all there is',
      { absent: 'fail' },
      {},
      { complete: true },
      'fail',
      'Not in the settings that were read, which this check counts as not met: org.mfa',
    ],
    ['sees nothing in a complete record', {}, {}, { complete: true }, 'not_visible', 'Nothing recorded under org.'],
    [
      'does not apply',
      {
        applies: 'size(settings.org.members) > 5',
        reason: { pass: 'yes', fail: 'no', not_applicable: 'Too few members.' },
      },
      good,
      {},
      'not_applicable',
      'Too few members.',
    ],
    [
      'cannot tell whether it applies',
      { applies: 'settings.plan == "x"' },
      good,
      {},
      'not_visible',
      'Whether the check applies could not be seen: No such key: plan.',
    ],
    [
      'lacks a licence',
      { requires: [{ is: 'at(settings, "plan") == "enterprise"', otherwise: 'Needs the enterprise plan.' }] },
      good,
      {},
      'fail',
      'Needs the enterprise plan.',
    ],
    ['notes a hole and does not pass', { pass: 'unseen("org.other")' }, good, {}, 'not_visible', 'Not seen: org.other'],
    [
      'counts a hole as not met when there is no more to see',
      { absent: 'fail', pass: 'unseen("org.other")' },
      good,
      { complete: true },
      'fail',
      'Not in the settings that were read, which this check counts as not met: org.other',
    ],
    ['fails in spite of a hole', { pass: '!unseen("org.other")' }, good, {}, 'fail', 'Lacking: none.'],
    [
      'reaches for a setting that is not there',
      { pass: 'settings.org.other == 1' },
      good,
      {},
      'not_visible',
      'Not in the settings that were read: No such key: other',
    ],
    [
      'is broken',
      { pass: 'settings.org.mfa + 1 == 2' },
      good,
      {},
      'error',
      'The check could not be evaluated: no such overload: dyn<bool> + int',
    ],
    [
      'answers something else than true or false',
      { pass: 'dyn(1)' },
      good,
      {},
      'error',
      'The check could not be evaluated: the expression is not true or false',
    ],
  ])('%s', (_, over, settings, options, result, reason) => {
    const verdict = compile(over).evaluate(settings, { now: NOW, ...options });
    expect({ result: verdict.result, reason: verdict.reason }).toEqual({ result, reason });
  });

  test('gives up on a check that takes too long', () => {
    const times = [0, 5000];
    const verdict = compile().evaluate(good, { now: NOW, elapsed: () => times.shift() ?? 5000 });
    expect(verdict.result).toBe('error');
  });

  test('shows the settings it looked at, without secrets', () => {
    const { evidence } = compile({ needs: ['org.mfa', 'org.members.*.login', 'org.api_token', 'org.gone'] }).evaluate(
      { org: { ...good.org, api_token: 'abc' } },
      { now: NOW },
    );
    expect(evidence).toEqual([
      { path: 'org.mfa', value: 'true' },
      { path: 'org.members.0.login', value: '"ada"' },
      { path: 'org.api_token', value: 'hidden' },
      { path: 'org.gone' },
    ]);
  });
});

describe('a catalogue', () => {
  test.each([
    ['no YAML', '{'],
    ['an unknown key', checkText({ colour: 'red' })],
    ['an id of no form', checkText({ id: 'a b' })],
    ['a framework id of no form', checkText({ mapping: { iso27001: ['8.5'] } })],
    ['aliases', 'a: &a [1]\nb: *a\n'],
  ])('refuses %s', (_, text) => {
    expect(() => parseCheck({ path: 'x.yaml', text })).toThrow(CheckInvalid);
  });

  test.each([
    ['an expression that does not parse', { pass: 'settings.(' }],
    ['an unknown function', { pass: 'fetch("https://example.org") == 1' }],
    ['matches(), whose patterns can take exponential time', { pass: '"a".matches("(a+)+$")' }],
    ['comprehensions nested too deep', { pass: '[1].all(a, [1].all(b, [1].all(c, [1].all(d, a == d))))' }],
    ['too many characters', { pass: `"${'x'.repeat(4000)}" == ""` }],
  ])('refuses %s', (_, over) => {
    expect(() => compile(over)).toThrow(CheckInvalid);
  });

  test('refuses two checks of one id', () => {
    const file = { path: 'a.yaml', text: checkText() };
    expect(() => createCatalogue([file, { ...file, path: 'b.yaml' }])).toThrow(CheckDuplicate);
  });

  test('finds a policy with and without the version of its wording', () => {
    const catalogue = createCatalogue([{ path: 'a.yaml', text: checkText({ id: 'MS.AAD.1.1v1' }) }]);
    expect(catalogue.find('MS.AAD.1.1')?.check.id).toBe('MS.AAD.1.1v1');
    expect(catalogue.find('MS.AAD.1.1v2')?.check.id).toBe('MS.AAD.1.1v1');
    expect(catalogue.find('MS.AAD.1.2v1')).toBeUndefined();
  });
});
