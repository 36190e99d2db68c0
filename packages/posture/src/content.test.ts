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
  },
);
