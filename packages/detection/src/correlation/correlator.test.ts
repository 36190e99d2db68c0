import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRuleFile } from '../sigma/parse.ts';
import { type Signal } from '../signal.ts';
import { createCorrelator, type CorrelationOutput, type Correlator } from './correlator.ts';

const MINUTE_MS = 60_000;

function correlator(yaml: string, latenessMs = 10 * MINUTE_MS): Correlator {
  return createCorrelator({ correlations: parseRuleFile(yaml).correlations, latenessMs, keepMs: 30 * MINUTE_MS });
}

let serial = 0;
function signal(ruleId: string, minute: number, keys: Record<string, string> = {}): Signal {
  return {
    ruleId,
    title: ruleId,
    level: 'low',
    covers: [],
    eventId: `e${serial++}`,
    time: minute * MINUTE_MS,
    product: 'acme',
    keys: Object.fromEntries(Object.entries(keys).map(([name, value]) => [name, [value]])),
  };
}

const rule = (type: string, condition: string, rules = '[r]'): string =>
  `title: ${type}\nid: c\ncorrelation: { type: ${type}, rules: ${rules}, group-by: [user], timespan: 10m, condition: ${condition} }`;

type Row = [type: string, yaml: string, firing: [string, number, string?][], quiet: [string, number, string?][]];

/** rule, minute, value */
const rows: Row[] = [
  [
    'event_count',
    rule('event_count', '{ gte: 3 }'),
    [
      ['r', 1],
      ['r', 2],
      ['r', 10],
    ],
    [
      ['r', 1],
      ['r', 2],
      ['r', 11],
    ],
  ],
  [
    'event_count with a range',
    rule('event_count', '{ gt: 1, lte: 2 }'),
    [
      ['r', 1],
      ['r', 2],
    ],
    [['r', 1]],
  ],
  [
    'value_count',
    rule('value_count', '{ gte: 2, field: v }'),
    [
      ['r', 1, 'a'],
      ['r', 2, 'b'],
    ],
    [
      ['r', 1, 'a'],
      ['r', 2, 'a'],
    ],
  ],
  [
    'value_sum',
    rule('value_sum', '{ gt: 9, field: v }'),
    [
      ['r', 1, '5'],
      ['r', 2, '5'],
    ],
    [
      ['r', 1, '5'],
      ['r', 2, '4'],
    ],
  ],
  [
    'value_avg',
    rule('value_avg', '{ gt: 9, field: v }'),
    [
      ['r', 1, '5'],
      ['r', 2, '15'],
    ],
    [
      ['r', 1, '5'],
      ['r', 2, '6'],
    ],
  ],
  [
    'value_percentile',
    rule('value_percentile', '{ gte: 9, field: v, percentile: 90 }'),
    [
      ['r', 1, '1'],
      ['r', 2, '10'],
    ],
    [
      ['r', 1, '1'],
      ['r', 2, '2'],
    ],
  ],
  [
    'value_median',
    rule('value_median', '{ gte: 5, field: v }'),
    [
      ['r', 1, '1'],
      ['r', 2, '9'],
    ],
    [
      ['r', 1, '1'],
      ['r', 2, '2'],
    ],
  ],
  [
    'temporal',
    rule('temporal', '{ gte: 2 }', '[r, q]'),
    [
      ['q', 1],
      ['r', 2],
    ],
    [
      ['r', 1],
      ['r', 2],
    ],
  ],
  [
    'temporal_ordered',
    `title: o\nid: c\ncorrelation: { type: temporal_ordered, rules: [r, q], group-by: [user], timespan: 10m }`,
    [
      ['r', 1],
      ['q', 2],
    ],
    [
      ['q', 1],
      ['r', 2],
    ],
  ],
];

function run(yaml: string, signals: [string, number, string?][]): CorrelationOutput[] {
  const one = correlator(yaml);
  const outputs = signals.flatMap(([ruleId, minute, v]) =>
    one.add(signal(ruleId, minute, { user: 'ada', ...(v ? { v } : {}) })),
  );
  return [...outputs, ...one.advance('acme', 100 * MINUTE_MS)];
}

test.each(rows)('%s', (_type, yaml, firing, quiet) => {
  expect(run(yaml, firing).filter((output) => output.kind === 'raised')).toHaveLength(1);
  expect(run(yaml, quiet).filter((output) => output.kind === 'raised')).toHaveLength(0);
});

test('groups are counted apart', () => {
  const one = correlator(rule('event_count', '{ gte: 2 }'));
  expect(one.add(signal('r', 1, { user: 'ada' }))).toEqual([]);
  expect(one.add(signal('r', 1, { user: 'bob' }))).toEqual([]);
  expect(one.add(signal('r', 2, { user: 'ada' }))).toMatchObject([{ kind: 'raised', group: { user: 'ada' } }]);
});

test('a late event makes the window it touches true', () => {
  const one = correlator(rule('event_count', '{ gte: 3 }'));
  one.add(signal('r', 1, { user: 'ada' }));
  one.add(signal('r', 9, { user: 'ada' }));
  expect(one.add(signal('r', 5, { user: 'ada' }))).toMatchObject([
    { kind: 'raised', from: MINUTE_MS, to: 9 * MINUTE_MS },
  ]);
});

test('an event that comes too late is reported, not lost', () => {
  const one = correlator(rule('event_count', '{ gte: 1 }'), MINUTE_MS);
  one.add(signal('r', 100, { user: 'ada' }));
  expect(one.add(signal('r', 50, { user: 'ada' }))).toMatchObject([
    { kind: 'skipped', reason: 'too_late', from: 50 * MINUTE_MS },
  ]);
});

test('an upper bound waits for the watermark', () => {
  const one = correlator(rule('event_count', '{ eq: 2 }'));
  expect([...one.add(signal('r', 1, { user: 'ada' })), ...one.add(signal('r', 2, { user: 'ada' }))]).toEqual([]);
  expect(one.advance('acme', 5 * MINUTE_MS)).toMatchObject([{ kind: 'raised' }]);
});

test('a late event withdraws an alert that it disproves', () => {
  const one = correlator(rule('value_avg', '{ gt: 9, field: v }'));
  one.add(signal('r', 2, { user: 'ada', v: '10' }));
  const [raised] = one.advance('acme', 5 * MINUTE_MS);
  expect(raised).toMatchObject({ kind: 'raised' });
  const [withdrawn] = one.add(signal('r', 1, { user: 'ada', v: '0' }));
  expect(withdrawn).toMatchObject({ kind: 'withdrawn', id: raised?.kind === 'raised' ? raised.id : '' });
});

test('the watermark is the slowest source', () => {
  const one = correlator(rule('event_count', '{ gte: 9 }'), MINUTE_MS);
  one.add(signal('r', 10, { user: 'ada' }));
  one.advance('slow', 3 * MINUTE_MS);
  expect(one.watermark()).toBe(3 * MINUTE_MS);
});

test('a correlation can be built on another, and its alert moves when the inner one grows', () => {
  const one = correlator(
    [
      'title: many\nid: c1\nname: many\ncorrelation: { type: event_count, rules: [fail], group-by: [user, host], timespan: 10m, condition: { gte: 2 } }',
      'title: then in\nid: c2\ncorrelation: { type: temporal_ordered, rules: [many, ok], group-by: [user], timespan: 1h }',
    ].join('\n---\n'),
  );
  const who = { user: 'ada', host: 'h' };
  one.add(signal('fail', 61, who));
  one.add(signal('fail', 62, who));
  one.add(signal('fail', 63, who));
  expect(one.add(signal('ok', 65, who))).toMatchObject([
    { kind: 'raised', correlationId: 'c2', group: { user: 'ada' } },
  ]);
});

test('a correlation on itself is refused', () => {
  const yaml =
    'title: a\nid: a\ncorrelation: { type: event_count, rules: [a], group-by: [u], timespan: 1m, condition: { gte: 1 } }';
  expect(() => correlator(yaml)).toThrow('built on itself');
});

test('aliases let two rules name the same thing differently', () => {
  const one = correlator(
    'title: a\nid: a\ncorrelation: { type: temporal, rules: [r, q], aliases: { who: { r: actor, q: target } }, group-by: [who], timespan: 10m }',
  );
  one.add(signal('r', 1, { actor: 'ada', target: 'bob' }));
  expect(one.add(signal('q', 2, { actor: 'bob', target: 'ada' }))).toMatchObject([
    { kind: 'raised', group: { who: 'ada' } },
  ]);
});

// Alerts depend on what happened, not on the order in which it was told.
test('any order of arrival ends in the same alerts', () => {
  const yaml = [
    rule('event_count', '{ gte: 3 }'),
    rule('value_count', '{ eq: 2, field: v }').replace('id: c', 'id: d'),
  ].join('\n---\n');
  const arbitrary = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 60 }), fc.constantFrom('ada', 'bob'), fc.constantFrom('x', 'y', 'z')),
    {
      maxLength: 25,
    },
  );
  const standing = (signals: readonly Signal[]): unknown => {
    const one = correlator(yaml, 1_000 * MINUTE_MS);
    const alerts = new Map<string, unknown>();
    for (const output of [...signals.flatMap((s) => one.add(s)), ...one.advance('acme', 2_000 * MINUTE_MS)]) {
      if (output.kind === 'skipped') throw new Error('skipped');
      if (output.kind === 'withdrawn') alerts.delete(output.id);
      else alerts.set(output.id, { ...output, kind: 'standing' });
    }
    return [...alerts].sort(([a], [b]) => (a < b ? -1 : 1));
  };
  fc.assert(
    fc.property(
      arbitrary.chain((list) => {
        const signals = list.map(([minute, user, v]) => signal('r', minute, { user, v }));
        return fc.tuple(fc.constant(signals), fc.shuffledSubarray(signals, { minLength: signals.length }));
      }),
      ([signals, shuffled]) => {
        expect(standing([...shuffled, ...shuffled])).toEqual(standing(signals));
      },
    ),
  );
});
