import fc from 'fast-check';
import { stringify } from 'yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChdbEngine } from './chdb-engine.ts';
import { compileExpression } from './closure.ts';
import { parseRuleFile } from './parse.ts';
import { compileToSql, type SqlMapping } from './sql.ts';

let engine: ChdbEngine;

beforeAll(() => {
  engine = new ChdbEngine();
});

afterAll(() => {
  engine.close();
});

const mapping: SqlMapping = {
  table: 'events',
  rawColumn: 'raw',
  ocsfColumn: 'ocsf',
  productColumn: "'acme'",
  serviceColumn: "'audit'",
  timeColumn: 'time',
  idColumn: 'id',
  column: (field) => (field.name === 'action' ? { column: 'action', kind: 'text' } : undefined),
};

const words = [
  'alpha',
  'Beta',
  'alphabet',
  'x*y',
  'a\\b',
  'é Ü',
  '10.1.2.3',
  '10.200.0.1',
  '2001:db8::1',
  'say "hi"',
  '-q',
  '7',
  '7.5',
  '',
];
const times = ['2026-03-01T10:20:30Z', '2024-12-30 23:59:00', '2026-02-30', 'not a time'];
const word = fc.constantFrom(...words);
const scalar = fc.oneof(
  word,
  fc.integer({ min: -3, max: 12 }),
  fc.constantFrom(0.5, 7.5),
  fc.boolean(),
  fc.constant(null),
);
const leaf = fc.oneof({ weight: 4, arbitrary: scalar }, { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) });
const person = fc.record(
  { name: leaf, kind: fc.constantFrom('User', 'Bot'), n: fc.integer({ max: 9, min: 0 }) },
  { requiredKeys: [] },
);
const event = fc.record(
  {
    a: leaf,
    b: fc.oneof(
      leaf,
      fc.record({ c: leaf }, { requiredKeys: [] }),
      fc.array(fc.record({ c: leaf }, { requiredKeys: [] }), { maxLength: 3 }),
    ),
    people: fc.oneof(
      fc.array(person, { maxLength: 3 }),
      person,
      fc.array(fc.array(person, { maxLength: 2 }), { maxLength: 2 }),
    ),
    t: fc.constantFrom(...times),
    action: fc.constantFrom('create', 'Delete', 'update'),
    'd.e': scalar,
  },
  { requiredKeys: ['action'] },
);

const field = fc.constantFrom(
  'a',
  'b',
  'b.c',
  'b.*',
  '*.c',
  'people.*',
  'people.name',
  'people',
  'd\\.e',
  'action',
  'ocsf.a',
  'ocsf.people.kind',
  'nowhere',
);
const pattern = fc.oneof(
  word,
  fc.constantFrom('al*', '*bet', 'a?pha', '*a*', '?', 'x\\*y', '*', 'create', 'dele*', 'cre??e'),
);
const textModifier = fc.constantFrom(
  '',
  '|contains',
  '|startswith',
  '|endswith',
  '|cased',
  '|contains|cased',
  '|windash|contains',
  '|neq',
  '|base64',
  '|wide|base64offset|contains',
);
const valuesOf = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | T[]> =>
  fc.oneof(one, fc.array(one, { minLength: 2, maxLength: 3 }));
const all = fc.constantFrom('', '|all');

const item: fc.Arbitrary<[string, unknown]> = fc.oneof(
  fc
    .tuple(field, textModifier, all, fc.array(pattern, { minLength: 2, maxLength: 3 }))
    .map(([f, m, a, v]): [string, unknown] => [f + m + a, v]),
  fc.tuple(field, valuesOf(fc.oneof(pattern, fc.integer({ min: -3, max: 12 }), fc.boolean()))),
  fc.tuple(field, fc.constant(null)),
  fc.tuple(
    field.map((f) => `${f}|exists`),
    fc.boolean(),
  ),
  fc.tuple(
    fc.tuple(field, fc.constantFrom('lt', 'lte', 'gt', 'gte')).map(([f, op]) => `${f}|${op}`),
    fc.constantFrom(0, 5, 7.5),
  ),
  fc.tuple(
    fc.tuple(field, fc.constantFrom('|re', '|re|i')).map(([f, op]) => f + op),
    fc.constantFrom('^al', 'a.*a', '[0-9]{2}', '(x|B)', 'bet$'),
  ),
  fc.tuple(
    field.map((f) => `${f}|cidr`),
    fc.constantFrom('10.0.0.0/9', '2001:db8::/32', '0.0.0.0/0'),
  ),
  fc.tuple(
    field.map((f) => `${f}|fieldref`),
    fc.constantFrom('a', 'b.c', 'ocsf.a'),
  ),
  fc.tuple(
    field.map((f) => `${f}|fieldref|startswith`),
    fc.constantFrom('a', 'people.name'),
  ),
  fc.tuple(
    fc
      .tuple(fc.constantFrom('t', 'ocsf.t'), fc.constantFrom('minute', 'hour', 'day', 'week', 'month', 'year'))
      .map(([f, u]) => `${f}|${u}`),
    fc.constantFrom(1, 9, 10, 12, 20, 23, 2024, 2026),
  ),
  fc.tuple(fc.constantFrom('t|hour|gte', 't|week|lt'), fc.constantFrom(5, 20)),
  fc.tuple(
    fc.constantFrom('people|any', 'b|any', 'ocsf.people|any'),
    fc
      .record(
        {
          'name|contains': pattern,
          kind: fc.constantFrom('User', 'bot'),
          'n|gte': fc.integer({ max: 9, min: 0 }),
          'name|exists': fc.boolean(),
          'name|fieldref': fc.constant('kind'),
        },
        { requiredKeys: [] },
      )
      .filter((map) => Object.keys(map).length > 0),
  ),
);

const search = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.array(item, { minLength: 1, maxLength: 3 }).map((items): unknown => Object.fromEntries(items)),
  },
  {
    weight: 1,
    arbitrary: fc.array(
      pattern.filter((text) => text !== ''),
      { minLength: 1, maxLength: 2 },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.array(
      item.map(([key, value]) => ({ [key]: value })),
      { minLength: 1, maxLength: 2 },
    ),
  },
);

const detection = fc.record({
  one: search,
  two: search,
  _three: search,
  condition: fc.constantFrom(
    'one',
    'not one',
    'one and not two',
    'one or two',
    '1 of them',
    'all of them',
    'not (one or _three) and two',
    '1 of *o*',
  ),
});

const ROUNDS = 12;
let fired = 0;
let quiet = 0;
const RULES_A_ROUND = 25;

// What holds streaming and retro-hunt together: a rule means the same in both. The SQL runs on a real engine.
test('closures and ClickHouse SQL agree on every event', { timeout: 240_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(event, event), { minLength: 20, maxLength: 20 }),
      fc.array(detection, { minLength: RULES_A_ROUND, maxLength: RULES_A_ROUND }),
      async (events, detections) => {
        const rows = events.map(([raw, ocsf], id) => ({
          id: String(id).padStart(3, '0'),
          raw: JSON.stringify(raw),
          ocsf: JSON.stringify(ocsf),
          action: raw.action,
        }));
        await engine.load('id String, raw String, ocsf String, action String', rows);
        for (const one of detections) {
          const text = stringify({
            title: 'generated',
            logsource: { product: 'acme', service: 'audit' },
            detection: one,
          });
          const rule = parseRuleFile(text).rules[0];
          if (!rule) throw new Error('no rule');
          const holds = compileExpression(rule.expression);
          const byClosure = rows
            .filter((row) =>
              holds(JSON.parse(row.raw), { raw: JSON.parse(row.raw), ocsf: JSON.parse(row.ocsf), text: () => row.raw }),
            )
            .map((row) => row.id);
          fired += byClosure.length;
          quiet += rows.length - byClosure.length;
          expect({ rule: text, fires: await engine.idsWhere(compileToSql(rule, mapping)) }).toEqual({
            rule: text,
            fires: byClosure,
          });
        }
      },
    ),
    { numRuns: ROUNDS, endOnFailure: true },
  );
  // The generator must produce both, else agreement says nothing.
  expect(fired).toBeGreaterThan(100);
  expect(quiet).toBeGreaterThan(100);
});
