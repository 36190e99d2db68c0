import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadCatalogue } from './catalogue-folder.ts';

const contentFolder = fileURLToPath(new URL('../../../content', import.meta.url));
const catalogue = await loadCatalogue(contentFolder);
const SAMPLE_NOW = Date.parse('2026-01-15T00:00:00Z');
const CHECKS_MIN = 600;

test('there are enough checks', () => {
  expect(catalogue.all().length).toBeGreaterThanOrEqual(CHECKS_MIN);
});

/** The settings without what a path names; `*` is every element. */
function without(settings: unknown, [key = '', ...rest]: string[]): unknown {
  if (settings === null || typeof settings !== 'object') return settings;
  const kept = Object.entries(settings)
    .filter(([name]) => rest.length > 0 || (key !== '*' && name !== key))
    .map(([name, value]) => [name, key === '*' || name === key ? without(value, rest) : value] as const);
  return Array.isArray(settings) ? kept.map(([, value]) => value) : Object.fromEntries(kept);
}

/** The settings with each of their parts, down to the leaves, put in place of something odd in turn. */
function* withOddities(settings: unknown): Generator {
  yield null;
  yield 7;
  yield {};
  if (settings === null || typeof settings !== 'object') return;
  for (const [name, value] of Object.entries(settings)) {
    for (const odd of withOddities(value)) {
      const changed = { ...settings, [name]: odd };
      yield Array.isArray(settings) ? Object.values(changed) : changed;
    }
  }
}

describe.each(catalogue.all().map((compiled) => [compiled.check.id, compiled] as const))(
  '%s',
  (_, { check, evaluate }) => {
    test('says what it is about', () => {
      expect(check.rationale.length).toBeGreaterThan(60);
      expect(check.title + check.rationale + check.remediation.steps.join(' ')).not.toMatch(/TODO|undefined|\[object/u);
      expect(check.mapping.nist_csf).toBeDefined();
      expect(check.mapping.iso27001).toBeDefined();
      expect(check.reason.fail).not.toBe(check.reason.pass);
    });

    test('has a sample that passes and one that fails', () => {
      const expected = check.samples.map((sample) => sample.expect);
      expect(expected).toContain('pass');
      expect(expected).toContain('fail');
    });

    test('judges its samples as they say', () => {
      const outcomes = check.samples.map(({ name, settings, now, unread, reason }) => {
        const at = now === undefined ? SAMPLE_NOW : Date.parse(now);
        const judged = evaluate(settings, { now: at, ...(unread === undefined ? {} : { unread }) });
        const isTold = !/\{\{|unknown$/u.test(judged.reason) && judged.reason.includes(reason ?? '');
        return { name, result: judged.result, reason: isTold ? 'as told' : judged.reason };
      });
      expect(outcomes).toEqual(check.samples.map(({ name, expect: result }) => ({ name, result, reason: 'as told' })));
    });

    test.each([[{}], [null], [[]], ['nothing']])('claims nothing when %j was recorded', (settings) => {
      expect(evaluate(settings, { now: SAMPLE_NOW }).result).toBe('not_visible');
    });

    test('does not pass when something it needs is taken away', () => {
      const passing = check.samples.filter((sample) => sample.expect === 'pass');
      const still = passing.flatMap(({ settings, now }) =>
        check.needs.filter((need) => {
          const rest = need.split(' | ').reduce((left, path) => without(left, path.split('.')), settings);
          return evaluate(rest, { now: now === undefined ? SAMPLE_NOW : Date.parse(now) }).result === 'pass';
        }),
      );
      expect(still).toEqual([]);
    });

    test('is not broken by odd settings', () => {
      const broken = check.samples
        .slice(0, 2)
        .flatMap(({ settings }) =>
          [...withOddities(settings)]
            .filter((odd) => evaluate(odd, { now: SAMPLE_NOW }).result === 'error')
            .slice(0, 1),
        );
      expect(broken).toEqual([]);
    });
  },
);
