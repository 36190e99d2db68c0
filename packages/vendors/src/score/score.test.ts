import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ContentInvalid, InputInvalid } from '../errors.ts';
import { NO_FACTS, type ScoreFacts } from './facts.ts';
import { scoreOf } from './score.ts';
import { simulate } from './simulate.ts';
import { ANSWER_STATES, DATA_LABELS, loadWeights, parseWeights, SEVERITIES } from './weights.ts';

const weights = loadWeights(fileURLToPath(new URL('../../../../content/', import.meta.url)));

const severity = fc.constantFrom(...SEVERITIES);
const list = <Fact>(name: string, fact: fc.Arbitrary<Fact>, maxLength = 8) =>
  fc
    .array(fact, { maxLength })
    .map((all) => all.map((one, at) => ({ ...one, key: `${name}:${at}`, title: `${name} ${at}`, link: null })));
const facts: fc.Arbitrary<ScoreFacts> = fc.record({
  data: list('data', fc.record({ label: fc.constantFrom(...DATA_LABELS), values: fc.nat(1e8) })),
  scopes: list('scope', fc.record({ reach: fc.constantFrom('all' as const, 'write' as const, 'read' as const) })),
  calls: fc.record({ count: fc.nat(1e9), link: fc.constant(null) }),
  questionnaires: list(
    'questionnaire',
    fc.record({
      answers: fc.array(fc.record({ id: fc.constant('q'), state: fc.constantFrom(...ANSWER_STATES) }), {
        maxLength: 30,
      }),
    }),
    3,
  ),
  attestations: list(
    'attestation',
    fc.record({
      strength: fc.constantFrom('strong' as const, 'medium' as const, 'weak' as const),
      isValid: fc.boolean(),
    }),
  ),
  clauses: list(
    'clause',
    fc.record({
      severity: fc.constantFrom('high' as const, 'medium' as const, 'low' as const),
      state: fc.constantFrom('present' as const, 'weaker' as const, 'missing' as const),
    }),
    20,
  ),
  findings: list('finding', fc.record({ severity, isOverdue: fc.boolean() })),
  breaches: list('breach', fc.record({ severity, ageMs: fc.nat(2e11) })),
  transport: list('transport', fc.record({ severity })),
  posture: list('posture', fc.record({ severity })),
  contradictions: list('contradiction', fc.record({ severity })),
});

/** The next better of a list that goes from the worst to the best. */
const better = <Value>(order: readonly Value[], value: Value): Value =>
  order[Math.min(order.length - 1, order.indexOf(value) + 1)] ?? value;
const milder = <Fact extends { readonly severity: (typeof SEVERITIES)[number] }>(one: Fact): Fact => ({
  ...one,
  severity: better(SEVERITIES, one.severity),
});

/** Every way in which one input can be better: picks one element of one list and betters it. */
const IMPROVEMENTS: Readonly<Record<string, (all: ScoreFacts, at: number) => ScoreFacts>> = {
  'a class of data is less sensitive': (all, at) => ({
    ...all,
    data: all.data.map((one, index) => (index === at ? { ...one, label: better(DATA_LABELS, one.label) } : one)),
  }),
  'fewer values are seen': (all, at) => ({
    ...all,
    data: all.data.map((one, index) => (index === at ? { ...one, values: Math.floor(one.values / 10) } : one)),
  }),
  'a class of data is no longer seen': (all, at) => ({ ...all, data: all.data.toSpliced(at, 1) }),
  'a grant is narrower': (all, at) => ({
    ...all,
    scopes: all.scopes.map((one, index) =>
      index === at ? { ...one, reach: better(['all', 'write', 'read'] as const, one.reach) } : one,
    ),
  }),
  'a grant is gone': (all, at) => ({ ...all, scopes: all.scopes.toSpliced(at, 1) }),
  'fewer calls': (all) => ({ ...all, calls: { ...all.calls, count: Math.floor(all.calls.count / 7) } }),
  'an answer is better': (all, at) => ({
    ...all,
    questionnaires: all.questionnaires.map((one) => ({
      ...one,
      answers: one.answers.map((answer, index) =>
        index === at ? { ...answer, state: better([...ANSWER_STATES].toReversed(), answer.state) } : answer,
      ),
    })),
  }),
  'an attestation is in force': (all, at) => ({
    ...all,
    attestations: all.attestations.map((one, index) => (index === at ? { ...one, isValid: true } : one)),
  }),
  'an attestation is added': (all) => ({
    ...all,
    attestations: [...all.attestations, { key: 'new', title: 'new', link: null, strength: 'weak', isValid: true }],
  }),
  'a clause is better': (all, at) => ({
    ...all,
    clauses: all.clauses.map((one, index) =>
      index === at ? { ...one, state: better(['missing', 'weaker', 'present'] as const, one.state) } : one,
    ),
  }),
  'a finding is closed': (all, at) => ({ ...all, findings: all.findings.toSpliced(at, 1) }),
  'a finding is milder': (all, at) => ({
    ...all,
    findings: all.findings.map((one, index) => (index === at ? milder(one) : one)),
  }),
  'a finding is in time': (all, at) => ({
    ...all,
    findings: all.findings.map((one, index) => (index === at ? { ...one, isOverdue: false } : one)),
  }),
  'a breach is longer ago': (all, at) => ({
    ...all,
    breaches: all.breaches.map((one, index) => (index === at ? { ...one, ageMs: one.ageMs + 4e10 } : one)),
  }),
  'transport is mended': (all, at) => ({ ...all, transport: all.transport.toSpliced(at, 1) }),
  'a setting is mended': (all, at) => ({ ...all, posture: all.posture.toSpliced(at, 1) }),
  'a contradiction is gone': (all, at) => ({ ...all, contradictions: all.contradictions.toSpliced(at, 1) }),
};

describe('the score', () => {
  test('is exactly the sum of its rows, in whole numbers from 0 to 100, and each row has its own key', () => {
    fc.assert(
      fc.property(facts, (all) => {
        const { inherent, residual, rows } = scoreOf(all, weights);
        const sum = (part?: string): number =>
          rows.filter((row) => part === undefined || row.part === part).reduce((total, row) => total + row.points, 0);
        expect([sum('inherent'), sum()]).toEqual([inherent, residual]);
        expect(rows.every(({ points }) => Number.isInteger(points) && !Object.is(points, -0))).toBe(true);
        for (const value of [inherent, residual]) expect(value >= 0 && value <= 100).toBe(true);
        expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
      }),
    );
  });

  test.each(Object.keys(IMPROVEMENTS))('never gets worse when %s', (name) => {
    fc.assert(
      fc.property(facts, fc.nat(8), (all, at) => {
        const before = scoreOf(all, weights);
        const after = scoreOf(IMPROVEMENTS[name]?.(all, at) ?? all, weights);
        expect(after.residual).toBeLessThanOrEqual(before.residual);
        expect(after.inherent).toBeLessThanOrEqual(before.inherent);
      }),
      { numRuns: 200 },
    );
  });

  test('a simulation mends what was chosen, never makes it worse, and leaves the facts alone', () => {
    fc.assert(
      fc.property(facts, fc.array(fc.nat(60), { maxLength: 6 }), (all, picks) => {
        const copy = structuredClone(all);
        const rows = scoreOf(all, weights).rows.filter(({ isFixable }) => isFixable);
        const keys = [...new Set(picks.flatMap((pick) => rows[pick]?.key ?? []))];
        const { before, after, fixed } = simulate(all, weights, keys);
        expect(after.residual).toBeLessThanOrEqual(before.residual);
        expect(fixed).toHaveLength(keys.length);
        expect(all).toEqual(copy);
      }),
    );
  });

  test('what happened can not be simulated away, nor what does not exist', () => {
    const breach = { key: 'breach:1', title: 'Leak', link: null, severity: 'high' as const, ageMs: 0 };
    const all = { ...NO_FACTS, breaches: [breach] };
    expect(() => simulate(all, weights, ['breach:1'])).toThrow(InputInvalid);
    expect(() => simulate(all, weights, ['breach:2'])).toThrow(InputInvalid);
  });
});

test.each([
  ['a worse level with fewer points', 'restricted: 18', 'restricted: 1'],
  ['a step that falls', 'from: 1000, points: 5', 'from: 1000, points: 1'],
  ['a fraction', 'overdue: 4', 'overdue: 4.5'],
  ['an unknown name', 'overdue: 4', 'overdo: 4'],
])('weights with %s are refused', (_, from, to) => {
  const text = readFileSync(new URL('../../../../content/vendors/score.yaml', import.meta.url), 'utf8');
  expect(() => parseWeights(text.replace(from, to))).toThrow(ContentInvalid);
});
