import { fileURLToPath } from 'node:url';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { expect, test } from 'vitest';
import { loadRules } from './load-rules.ts';
import { createMatcher } from './matcher.ts';
import { loadParsers } from './parser/load-parsers.ts';
import { parseRuleFile } from './sigma/parse.ts';
import { demands } from './sigma/rule-index.ts';
import { type DetectionEvent } from './signal.ts';

const content = fileURLToPath(new URL('../../../content/', import.meta.url));

function event(raw: object, more: Partial<DetectionEvent> = {}): DetectionEvent {
  return { id: 'e', time: 1, product: 'acme', service: 'audit', raw, ocsf: { class_name: 'Account Change' }, ...more };
}

const rule = (id: string, logsource: string, search: string): string =>
  `title: ${id}\nid: ${id}\nlogsource: ${logsource}\ndetection: { s: ${search}, condition: s }`;

const matcher = createMatcher(
  parseRuleFile(
    [
      rule('product', '{ product: acme }', '{ op: a }'),
      rule('service', '{ product: acme, service: audit }', '{ op: [a, b] }'),
      rule('other service', '{ product: acme, service: web }', '{ op: a }'),
      rule('class', '{ category: account_change }', '{ op: a }'),
      rule('other class', '{ category: authentication }', '{ op: a }'),
      rule('every class', '{ category: any }', '{ op|contains: a }'),
    ].join('\n---\n'),
  ).rules,
);

test.each([
  ['A', {}, ['product', 'service', 'class', 'every class']],
  ['b', {}, ['service']],
  ['a', { service: 'web' }, ['product', 'other service', 'class', 'every class']],
  ['a', { product: 'other' }, ['class', 'every class']],
  ['a', { ocsf: undefined }, ['product', 'service', 'every class']],
])('operation %s of %j meets %j', (op, more, expected) => {
  const found = matcher.match(event({ op }, more)).map((signal) => signal.ruleId);
  expect(found.toSorted()).toEqual(expected.toSorted());
});

test('an operation that is a list meets the rules of each', () => {
  const found = matcher.match(event({ op: ['b', 'a'] })).map((signal) => signal.ruleId);
  expect(found).toEqual(['product', 'service', 'class', 'every class']);
});

test.each([
  ['{ a: x }', { a: ['x'] }],
  ['{ a: [x, Y] }', { a: ['x', 'y'] }],
  ['{ a: x, b: y }', { a: ['x'], b: ['y'] }],
  ['[{ a: x, b: y }, { a: z }]', { a: ['x', 'z'] }],
  ['{ a|contains: x }', {}],
  ['{ a|neq: x }', {}],
  ['{ a|cased: X }', { a: ['x'] }],
])('search %s demands %j', (search, expected) => {
  const [parsed] = parseRuleFile(rule('r', '{ product: acme }', search)).rules;
  const found = parsed ? demands(parsed.expression) : new Map();
  expect(Object.fromEntries([...found.values()].map(({ field, values }) => [field.name, [...values]]))).toEqual(
    expected,
  );
});

// The index may only leave out rules that can't fire: each rule alone, never indexed, must say the same.
test('the index changes nothing for all rules and samples', { timeout: 60_000 }, async () => {
  const parsers = await loadParsers(join(content, 'parsers'));
  const { rules } = await loadRules(join(content, 'detections'), { alias: parsers.alias });
  const indexed = createMatcher(rules);
  const alone = rules.map((one) => createMatcher([one]));
  const files = (await readdir(join(content, 'detections'), { recursive: true })).filter((name) =>
    name.endsWith('.samples.yaml'),
  );
  let compared = 0;
  for (const file of files.filter((_file, at) => at % 7 === 0)) {
    const { product, fires } = parse(await readFile(join(content, 'detections', file), 'utf8')) as {
      product: string;
      fires: object[];
    };
    for (const one of fires.flatMap((record) => parsers.normalise(product, record))) {
      const expected = alone.flatMap((single) => single.match(one).map((signal) => signal.ruleId));
      expect(indexed.match(one).map((signal) => signal.ruleId)).toEqual(expected);
      compared += expected.length;
    }
  }
  expect(compared).toBeGreaterThan(50);
});
