import { afterAll, beforeAll, expect, test } from 'vitest';
import { judgeBacktest, ruleCondition } from './backtest.ts';
import { createMatcher } from './matcher.ts';
import { ChdbEngine } from './sigma/chdb-engine.ts';
import { parseRuleFile } from './sigma/parse.ts';
import { CLASS_NAMES } from './lake-mapping.ts';

const DAY = 86_400_000;
const COLUMNS =
  'event_id String, source String, operation String, actor_email String, method String, user_agent String, class_uid UInt32, activity_id UInt16, raw String';

let engine: ChdbEngine;
beforeAll(() => {
  engine = new ChdbEngine();
});
afterAll(() => {
  engine.close();
});

const rule = (logsource: string, detection: string) => {
  const text = `title: t\nid: 3c1f4a52-7f0e-4d2f-9a0b-0c4f1f0a0001\nstatus: test\nlevel: low\ndescription: d\nlogsource:\n  ${logsource}\ndetection:\n  one:\n    ${detection}\n  condition: one\n`;
  const [parsed] = parseRuleFile(text, { placeholders: {}, file: 't.yaml' }).rules;
  if (!parsed) throw new TypeError('the rule was not read');
  return parsed;
};

/** Cordon's own events as the worker shows them to rules, and as the lake stores them. */
const stored = [
  { id: 'refused', class_uid: 6003, operation: 'notes.get', decision: 'deny', source: 'cordon.gateway' },
  { id: 'allowed', class_uid: 6003, operation: 'notes.get', decision: 'allow', source: 'cordon.gateway' },
  { id: 'signin', class_uid: 3002, operation: '', decision: 'deny', source: 'cordon.control' },
  { id: 'vendor', class_uid: 6003, operation: 'notes.get', decision: 'deny', source: 'okta' },
].map(({ id, class_uid, operation, decision, source }) => ({
  row: { event_id: id, source, operation, actor_email: '', method: '', user_agent: '', class_uid, activity_id: 1 },
  event: { class_uid, api: { operation }, unmapped: { cordon: { decision } } },
}));

test.each([
  ['product: cordon', 'ocsf.unmapped.cordon.decision: deny', ['refused', 'signin']],
  ['product: cordon\n  category: api_activity', 'ocsf.unmapped.cordon.decision: deny', ['refused']],
  ['product: cordon\n  service: events', 'ocsf.api.operation: notes.get', ['allowed', 'refused']],
  ['product: cordon', 'ocsf.class_name: API Activity', ['allowed', 'refused']],
  ['product: cordon', 'unmapped.cordon.decision|startswith: al', ['allowed']],
])('%s, %s: the lake gives what the stream gave', async (logsource, detection, expected) => {
  const one = rule(logsource, detection);
  await engine.load(
    COLUMNS,
    stored.map(({ row, event }) => ({ ...row, raw: JSON.stringify(event) })),
  );
  const found = await engine.idsWhere(ruleCondition(one), 'event_id');
  const matcher = createMatcher([one]);
  const streamed = stored
    .filter(({ row }) => row.source.startsWith('cordon.'))
    .filter(({ row, event }) => {
      const ocsf = { ...event, class_name: CLASS_NAMES[event.class_uid] };
      const seen = { id: row.event_id, time: 1, product: 'cordon', service: 'events', raw: event, ocsf };
      return matcher.match(seen).length > 0;
    })
    .map(({ row }) => row.event_id);
  expect(found).toEqual(expected);
  expect(streamed.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(expected);
});

test.each([
  ['never', [], 30, { hits: 0, alerts: 0, tooOften: false }],
  ['now and then', [{ day: 0, hits: 3, actors: 2 }], 30, { hits: 3, alerts: 2, tooOften: false }],
  ['all the time', [{ day: 0, hits: 400, actors: 400 }], 30, { alerts: 400, tooOften: true }],
  ['one cause, over and over', [{ day: 0, hits: 90_000, actors: 1 }], 30, { alerts: 1, tooOften: true }],
])('%s', (_what, days, span, expected) => {
  expect(judgeBacktest(days, span * DAY)).toMatchObject(expected);
});
