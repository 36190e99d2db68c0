import { afterEach, describe, expect, test } from 'vitest';
import { loadSignInContent, loadSignInTemplates } from './sign-in-content.ts';
import { checkSignInPolicy, createSignInDecider, type SignInDecider, signInPolicySet } from './sign-in-decision.ts';
import { createNetworkLookup, hourOf, type SignInFacts, signInNetwork, weekdayOf } from './sign-in-facts.ts';

const content = await loadSignInContent();
const templates = await loadSignInTemplates();
// Monday, 23 November 2026, 22:30 UTC.
const AT = Date.UTC(2026, 10, 23, 22, 30);
const FACTS: SignInFacts = {
  login: 'ada@example.com',
  roles: ['developer'],
  groups: [{ id: 'g1', name: 'finance' }],
  address: '192.0.2.7',
  agent: 'Browser',
  country: 'CH',
  methods: ['pwd', 'otp'],
  strength: 'mfa',
  authAgeS: 0,
  device: 'known',
  compliance: 'unknown',
  risk: 0,
  alerts: 0,
  missing: [],
};
const CORDON = { kind: 'cordon', id: 'cordon', name: 'Cordon' } as const;
const PAYROLL = { kind: 'saml', id: 'app-1', name: 'Payroll' } as const;

let decider: SignInDecider | undefined;
afterEach(() => decider?.close());

function decide(text: string, facts: Partial<SignInFacts> = {}, service: typeof CORDON | typeof PAYROLL = CORDON) {
  const policies = text === '' ? [] : [{ name: 'mine', text }];
  const networks = [{ name: 'office', cidrs: ['198.51.100.0/24', '2001:db8:1::/48'] }];
  decider = createSignInDecider(signInPolicySet.parse({ policies, networks }), content);
  return decider.decide({ personId: 'p1', service, at: AT, facts: { ...FACTS, ...facts } });
}
const template = (name: string): string => templates.find((one) => one.name === name)?.text ?? '';

describe('every fact decides', () => {
  test.each<[string, string, Partial<SignInFacts>, string]>([
    ['nothing written: the base lets in', '', {}, 'allow'],
    ['factor strength', template('passkey-for-owners'), { roles: ['owner'] }, 'stronger'],
    ['factor strength, met', template('passkey-for-owners'), { roles: ['owner'], strength: 'passkey' }, 'allow'],
    ['network, outside with one factor', template('two-factors-outside'), { strength: 'any' }, 'stronger'],
    [
      'network, inside with one factor',
      template('two-factors-outside'),
      { strength: 'any', address: '198.51.100.9' },
      'allow',
    ],
    [
      'network, IPv4 in IPv6',
      template('two-factors-outside'),
      { strength: 'any', address: '::ffff:198.51.100.9' },
      'allow',
    ],
    ['network, IPv6', template('two-factors-outside'), { strength: 'any', address: '2001:db8:1::5' }, 'allow'],
    ['country, allowed', template('allowed-countries'), {}, 'allow'],
    ['country, another', template('allowed-countries'), { country: 'KP' }, 'refuse'],
    ['country, unknown is refused', template('allowed-countries'), { country: 'unknown' }, 'refuse'],
    ['device, new', template('passkey-on-new-device'), { device: 'new' }, 'stronger'],
    ['device, compliant', template('compliant-device'), { compliance: 'compliant' }, 'allow'],
    ['device, nobody knows', template('compliant-device'), {}, 'refuse'],
    ['risk, raised', template('high-risk'), { risk: 60 }, 'stronger'],
    ['risk, high', template('high-risk'), { risk: 85, strength: 'passkey' }, 'refuse'],
    ['an open alert', template('high-risk'), { alerts: 1, strength: 'passkey' }, 'refuse'],
    ['group', 'forbid (principal, action, resource) unless { principal in Group::"g1" };', {}, 'allow'],
    ['group, not in it', 'forbid (principal, action, resource) unless { principal in Group::"g2" };', {}, 'refuse'],
    ['hour', 'forbid (principal, action, resource) when { context.hour >= 22 };', {}, 'refuse'],
    ['weekday', 'forbid (principal, action, resource) when { context.weekday == 1 };', {}, 'refuse'],
    ['an address that is none', template('two-factors-outside'), { strength: 'any', address: '' }, 'stronger'],
  ])('%s', (_name, text, facts, outcome) => {
    expect(decide(text, facts).outcome).toBe(outcome);
  });

  test('asks for what is enough and no more, and says which statement and what to do', () => {
    expect(decide(template('passkey-for-owners'), { roles: ['security'] })).toEqual({
      outcome: 'stronger',
      needs: { strength: 'passkey', fresh: false },
      reasons: [
        {
          policy: 'mine',
          statement: 'passkey-for-owners',
          effect: 'forbid',
          advice: 'People with your role sign in with a passkey.',
        },
      ],
    });
    expect(decide(template('two-factors-outside'), { strength: 'any' }).needs).toEqual({
      strength: 'mfa',
      fresh: false,
    });
  });

  test('one app alone, and how long ago the factor was shown', () => {
    const text = template('one-app-one-group');
    const old = { strength: 'passkey', authAgeS: 7_200 } as const;
    expect(decide(text, old).outcome).toBe('allow');
    expect(decide(text, old, PAYROLL).needs).toEqual({ strength: 'passkey', fresh: true });
    expect(decide(text, { ...old, groups: [] }, PAYROLL).outcome).toBe('refuse');
    expect(decide(text, { ...old, authAgeS: 60 }, PAYROLL).outcome).toBe('allow');
  });

  test('without the base nothing is allowed but what is permitted', () => {
    decider = createSignInDecider(signInPolicySet.parse({ base: false }), content);
    const request = { personId: 'p1', service: CORDON, at: AT, facts: FACTS };
    expect(decider.decide(request)).toEqual({ outcome: 'refuse', needs: null, reasons: [] });
  });

  test('a forbid that can not be evaluated refuses', () => {
    const text = 'forbid (principal, action, resource) when { context.risk * 9223372036854775807 > 1 };';
    expect(decide(text, { risk: 50 }).outcome).toBe('refuse');
  });

  test('a watched policy decides nothing, and says what it would have done', () => {
    const policies = [{ name: 'mine', text: template('compliant-device'), mode: 'watch' }];
    decider = createSignInDecider(signInPolicySet.parse({ policies }), content);
    const request = { personId: 'p1', service: CORDON, at: AT, facts: FACTS };
    expect([decider.decide(request).outcome, decider.watch(request)?.outcome]).toEqual(['allow', 'refuse']);
  });
});

test.each(templates.map((one) => [one.name, one] as const))('the template %s is valid', (_name, { text }) => {
  expect(checkSignInPolicy(text, content)).toEqual([]);
});

test.each([
  ['what is no Cedar', 'permit (', 1],
  ['a fact that there is none of', 'forbid (principal, action, resource) when { context.mood == "bad" };', 1],
  ['the language of the gateway', 'permit (principal is Integration, action, resource);', 1],
])('%s is refused with its place', (_name, text, line) => {
  expect(checkSignInPolicy(text, content)[0]).toMatchObject({ line, severity: 'error' });
});

test.each(['10.0.0.0', '10.0.0.0/33', 'office/8', '::/129', ''])('%j is no network', (cidr) => {
  expect(signInNetwork.safeParse({ name: 'n', cidrs: [cidr] }).success).toBe(false);
});

test('hours, weekdays and networks are told as people tell them', () => {
  expect([hourOf(AT), weekdayOf(AT), weekdayOf(0)]).toEqual([22, 1, 4]);
  const lookup = createNetworkLookup([
    { name: 'a', cidrs: ['10.0.0.0/8'] },
    { name: 'b', cidrs: ['10.1.0.0/16'] },
  ]);
  expect([lookup('10.1.2.3'), lookup('10.2.0.1'), lookup('not an address')]).toEqual([['a', 'b'], ['a'], []]);
});
