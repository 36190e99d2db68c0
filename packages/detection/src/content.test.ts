import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createCorrelator } from './correlation/correlator.ts';
import { loadRules } from './load-rules.ts';
import { createMatcher } from './matcher.ts';
import { loadParsers } from './parser/load-parsers.ts';
import { type RuleGuidance } from './sigma/ast.ts';

const content = fileURLToPath(new URL('../../../content/', import.meta.url));
const parsers = await loadParsers(`${content}parsers`);
const ruleSet = await loadRules(`${content}detections`, parsers);
const matcher = createMatcher(ruleSet.rules, ruleSet.correlations);

const samples = z.strictObject({
  product: z.string(),
  fires: z.array(z.record(z.string(), z.unknown())).min(1),
  quiet: z.array(z.record(z.string(), z.unknown())).min(1),
});

const everything = [...ruleSet.rules, ...ruleSet.correlations];

function fires(product: string, record: unknown, ruleId: string): boolean {
  return parsers
    .normalise(product, record)
    .flatMap((event) => matcher.match(event))
    .some((signal) => signal.ruleId === ruleId);
}

test('every file is read', () => {
  expect(ruleSet.problems).toEqual([]);
  expect(ruleSet.rules.length).toBeGreaterThan(400);
});

test('a description is covered by one rule only', () => {
  const covers = everything.flatMap((rule) => rule.covers);
  expect(covers.filter((id, at) => covers.indexOf(id) !== at)).toEqual([]);
});

test('ids and names are unique', () => {
  const ids = everything.map((rule) => rule.id);
  const names = everything.map((rule) => rule.name);
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(names).size).toBe(names.length);
});

const blanks = (guidance: RuleGuidance): string[] =>
  [
    guidance.description === '' && 'description',
    guidance.why === '' && 'why',
    guidance.falsePositives.length === 0 && 'falsepositives',
    guidance.questions.length === 0 && 'questions',
  ].filter((blank) => blank !== false);

test.each(everything)('$id says what it means and what to do', (rule) => {
  expect(blanks(rule.guidance)).toEqual([]);
  expect(rule.tags.some((tag) => /^attack\.t\d{4}/.test(tag))).toBe(true);
  expect(rule.title.length).toBeLessThanOrEqual(100);
});

test.each(ruleSet.rules)('$id fires and stays quiet on its samples', async (rule) => {
  const file = `${content}detections/${rule.file.replace(/\.yaml$/, '.samples.yaml')}`;
  const beside = samples.parse(parse(await readFile(file, 'utf8')));
  expect(beside.fires.map((record) => fires(beside.product, record, rule.id))).toEqual(beside.fires.map(() => true));
  expect(beside.quiet.map((record) => fires(beside.product, record, rule.id))).toEqual(beside.quiet.map(() => false));
});

test('a rule for a product names one that a parser reads', () => {
  const products = new Set(parsers.products.map((product) => product.product));
  const services = new Set(parsers.streams.map((stream) => `${stream.product}/${stream.service}`));
  const strangers = ruleSet.rules.filter(({ logsource: { product, service } }) =>
    product === undefined
      ? false
      : service === undefined
        ? !products.has(product)
        : !services.has(`${product}/${service}`),
  );
  expect(strangers.map((rule) => rule.id)).toEqual([]);
});

test('every correlation is built on rules that exist', () => {
  const known = new Set(everything.flatMap((rule) => [rule.id, rule.name]));
  expect(ruleSet.correlations.flatMap((one) => one.rules.filter((name) => !known.has(name)))).toEqual([]);
  expect(ruleSet.correlations.length).toBeGreaterThan(40);
  expect(() => createCorrelator({ correlations: ruleSet.correlations, latenessMs: 1_000 })).not.toThrow();
});

// The fields that a correlation groups by must be there in what its rules fire on, else it could never come true.
test.each(ruleSet.correlations)('$id finds its fields in the samples of its rules', async (correlation) => {
  for (const rule of ruleSet.rules.filter(({ id, name }) =>
    correlation.rules.some((one) => one === id || one === name),
  )) {
    const file = `${content}detections/${rule.file.replace(/\.yaml$/, '.samples.yaml')}`;
    const beside = samples.parse(parse(await readFile(file, 'utf8')));
    const [signal] = parsers
      .normalise(beside.product, beside.fires[0])
      .flatMap((event) => matcher.match(event))
      .filter(({ ruleId }) => ruleId === rule.id);
    const empty = Object.entries(signal?.keys ?? {}).filter(([, values]) => values.length === 0);
    expect(empty.map(([field]) => `${rule.id}: ${field}`)).toEqual([]);
  }
});
