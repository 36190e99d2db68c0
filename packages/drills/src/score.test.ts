import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Drill, Entry } from './drill.ts';
import { type Facts, NO_FACTS } from './facts.ts';
import { loadScenarios, scenarioNamed } from './load-scenarios.ts';
import { reportOf, showMs } from './report.ts';
import { scoreDrill } from './score.ts';
import { quarterOf, trendOf } from './trend.ts';

const scenarios = await loadScenarios(join(fileURLToPath(new URL('../../../content/', import.meta.url)), 'scenarios'));
const document = scenarioNamed(scenarios, 'stolen-oauth-token');
const T = 1_000_000;

const drill: Drill = {
  id: 'd',
  number: 1,
  scenario: document.name,
  title: document.title,
  document,
  digest: 'x',
  mode: 'live-fire',
  status: 'running',
  target: null,
  decide: 'person',
  pace: 'facilitator',
  stretch: 1,
  participants: [
    { role: 'commander', name: 'Ada', personId: 'p1' },
    { role: 'technical', name: 'Bob', personId: 'p2' },
  ],
  facilitator: { kind: 'person', id: 'p0', name: 'Eve' },
  sealedKey: '',
  scheduleId: null,
  createdAt: T,
  startedAt: T,
  pausedAt: null,
  pausedMs: 0,
  endedAt: null,
  stopReason: null,
  error: null,
  score: null,
  lessons: '',
};
const entry = (kind: Entry['kind'], at: number, detail: Record<string, unknown>): Entry => ({
  key: `${kind}:${at}`,
  kind,
  at: T + at,
  author: 'a',
  text: 'a | b',
  detail,
});
const calls = [entry('call', 100, { inject: 'first-use' }), entry('call', 1_000, { inject: 'probing' })];
const facts: Facts = {
  ...NO_FACTS,
  alerts: [{ id: 'a1', ruleId: 'cordon.scope-probing', title: 'Probes', level: 'high', createdAt: T + 3_100 }],
  runs: [
    {
      id: 'r1',
      playbook: 'Stolen OAuth token',
      triggers: ['contain-integration'],
      status: 'running',
      missing: [],
      caseId: 'c1',
      proposed: { at: T + 4_000, seq: 15 },
      approved: { at: T + 9_000, seq: 16, by: 'Ada' },
    },
  ],
  cutOffs: [
    {
      integrationId: 'i',
      decided: { at: T + 9_400, seq: 17 },
      reached: { at: T + 10_000, seq: 18 },
      gateways: [
        { id: 'g1', pid: 1, delayMs: 80 },
        { id: 'g2', pid: 2, delayMs: 300 },
      ],
    },
  ],
  messages: [{ id: 'm', channel: 'incidents', at: T + 11_000, status: 'held' }],
  acts: [{ personId: 'p1', at: T + 9_000, action: 'playbook_run.approved' }],
};
const check = (of: Facts, key: string, entries: readonly Entry[] = calls) =>
  scoreDrill(drill, entries, of).checks.find((one) => one.key === key);

describe('a live fire', () => {
  test('is measured from the first use, the decision and the slowest gateway', () => {
    expect(scoreDrill(drill, calls, facts).measures).toMatchObject({
      detectMs: 3_000,
      proposeMs: 900,
      decideMs: 5_000,
      cutOffMs: 300,
      containMs: 700,
      notifyMs: 10_900,
      gateways: 2,
    });
  });

  test('meets all that came in time; who did nothing is missing', () => {
    const score = scoreDrill(drill, calls, facts);
    expect(score.checks.filter(({ met }) => !met).map(({ key }) => key)).toEqual(['role:technical:Bob']);
    expect(score.missing).toEqual(['Bob (technical) did not take part', 'nobody had the role communications']);
  });

  test.each<[what: string, change: Partial<Facts>, key: string, tookMs: number | null]>([
    ['no alert', { alerts: [] }, 'detect:cordon.scope-probing', null],
    [
      'a cut-off that a gateway has not reported',
      { cutOffs: facts.cutOffs.map((one) => ({ ...one, reached: null })) },
      'contain',
      null,
    ],
    ['nobody told', { messages: [] }, 'notice:channel', null],
    [
      'a gateway that took too long',
      { cutOffs: facts.cutOffs.map((one) => ({ ...one, gateways: [{ id: 'g', pid: 1, delayMs: 1_001 }] })) },
      'contain',
      1_001,
    ],
  ])('with %s does not meet it', (_what, change, key, tookMs) => {
    expect(check({ ...facts, ...change }, key)).toMatchObject({ met: false, tookMs });
  });

  test('from which a message left is told so', () => {
    const sent = { ...facts, messages: facts.messages.map((one) => ({ ...one, status: 'sent' as const })) };
    expect(check(sent, 'held')).toMatchObject({ met: false, evidence: '1 were sent' });
  });

  test('that was cut off by hand counts from that', () => {
    const byHand = { ...facts, runs: [] };
    expect(scoreDrill(drill, calls, byHand).measures.containMs).toBe(300);
  });

  test('whose attacker still gets through somewhere has no time of refusal', () => {
    const probes = [
      entry('probe', 1, { refusedAt: T + 9_800, lastOkAt: T + 9_600 }),
      entry('probe', 2, { refusedAt: null, lastOkAt: T + 9_900 }),
    ];
    expect(scoreDrill(drill, [...calls, ...probes], facts).measures).toMatchObject({
      refusedMs: null,
      lastThroughMs: 900,
    });
  });
});

describe('a tabletop', () => {
  const table: Drill = { ...drill, mode: 'tabletop' };
  const told = entry('inject', 0, { inject: 'first-use' });

  test.each<[what: string, entries: Entry[], met: boolean]>([
    ['seen in time', [told, entry('action', 200_000, { action: 'owner', met: true })], true],
    ['seen too late', [told, entry('action', 400_000, { action: 'owner', met: true })], false],
    [
      'judged the other way later',
      [told, entry('action', 1, { action: 'owner', met: true }), entry('action', 2, { action: 'owner', met: false })],
      false,
    ],
    ['not seen', [told], false],
  ])('an action %s is met: %#', (_what, entries, met) => {
    expect(scoreDrill(table, entries, NO_FACTS).checks.find(({ key }) => key === 'action:owner')?.met).toBe(met);
  });

  test('somebody who answered took part', () => {
    const answer = entry('response', 5_000, { inject: 'first-use', role: 'commander' });
    const score = scoreDrill(table, [told, answer], NO_FACTS);
    expect(score.checks.find(({ key }) => key === 'role:commander:Ada')).toMatchObject({ met: true, tookMs: 5_000 });
  });
});

test('the report holds checks, measures, what happened and what is missing, and no broken table', () => {
  const text = reportOf(drill, calls, scoreDrill(drill, calls, facts));
  expect(text).toContain('# Drill 1: Stolen OAuth token');
  expect(text).toContain('| met | Detected: Probes | 3.0 s | 10.0 s | alert a1 |');
  expect(text).toContain('- nobody had the role communications');
  expect(text).toContain('call: a \\| b');
});

test.each([
  [null, 'never'],
  [999, '999 ms'],
  [59_900, '59.9 s'],
  [725_000, '12 min 5 s'],
  [11_160_000, '3.1 h'],
])('%o is shown as %s', (ms, text) => {
  expect(showMs(ms)).toBe(text);
});

test('the trend sums drills by quarter and takes the middle', () => {
  const score = scoreDrill(drill, calls, facts);
  const late = { ...score, measures: { ...score.measures, detectMs: 5_000 } };
  const at = Date.UTC(2026, 10, 1);
  const trend = trendOf([
    { endedAt: at, mode: 'live-fire', score: late },
    { endedAt: Date.UTC(2026, 6, 1), mode: 'tabletop', score },
    { endedAt: at, mode: 'live-fire', score },
  ]);
  expect(trend.map(({ quarter, drills, liveFires, detectMs }) => [quarter, drills, liveFires, detectMs])).toEqual([
    ['2026-Q3', 1, 0, 3_000],
    ['2026-Q4', 2, 2, 4_000],
  ]);
  expect(quarterOf(Date.UTC(2027, 0, 1))).toBe('2027-Q1');
});
