import { describe, expect, test } from 'vitest';
import { createCatalogue } from './catalogue.ts';
import type { Result, Severity } from './check.ts';
import { compare, since } from './drift.ts';
import type { PostureResult } from './evaluate.ts';
import { applyExceptions, exceptionProblem } from './exception.ts';
import { toCsv } from './export-csv.ts';
import { toComplianceFinding } from './export-ocsf.ts';
import { toAssessmentResults } from './export-oscal.ts';
import { score } from './score.ts';

const NOW = Date.parse('2026-01-15T00:00:00Z');
const DAY = 86_400_000;
const empty = createCatalogue([]);

function result(check: string, outcome: Result, severity: Severity = 'high', reason = 'because'): PostureResult {
  return {
    check,
    title: `Title of ${check}`,
    product: 'p',
    severity,
    result: outcome,
    reason,
    evidence: [{ path: 'a.b', value: 'true' }],
    evaluatedAt: NOW,
  };
}

describe('compare', () => {
  test.each<[Result | null, Result | null, string | null]>([
    ['pass', 'pass', null],
    ['pass', 'fail', 'worse'],
    ['not_visible', 'fail', 'worse'],
    ['fail', 'pass', 'better'],
    ['fail', 'not_applicable', 'better'],
    ['fail', 'not_visible', 'lost'],
    ['pass', 'not_visible', 'lost'],
    ['not_visible', 'pass', 'seen'],
    ['pass', 'not_applicable', 'changed'],
    ['not_visible', 'error', 'changed'],
    [null, 'fail', 'added'],
    ['fail', null, 'removed'],
  ])('%s to %s is %s', (before, after, kind) => {
    const states = [before, after].map((outcome) => (outcome === null ? [] : [result('a', outcome)]));
    const drifts = compare(states[0] ?? [], states[1] ?? []);
    expect(drifts.map((drift) => drift.kind)).toEqual(kind === null ? [] : [kind]);
  });

  test('a result keeps its date while it stays the same', () => {
    const dates = since(
      [
        { check: 'a', result: 'fail', since: 5 },
        { check: 'b', result: 'pass', since: 5 },
      ],
      [result('a', 'fail'), result('b', 'fail'), result('c', 'pass')],
    );
    expect([...dates]).toEqual([
      ['a', 5],
      ['b', NOW],
      ['c', NOW],
    ]);
  });
});

describe('exceptions', () => {
  const exception = {
    check: 'a',
    reason: 'Partner migrates in March',
    approvedBy: 'grace',
    approvedAt: NOW - DAY,
    expiresAt: NOW + DAY,
  };

  test('cover a failing check until they expire', () => {
    const states = [NOW, NOW + 2 * DAY].map(
      (now) => applyExceptions([result('a', 'fail')], [exception], now)[0]?.exception?.state,
    );
    expect(states).toEqual(['active', 'expired']);
  });

  test.each<[string, Result, number]>([
    ['a check that passes', 'pass', NOW],
    ['a check that cannot be seen', 'not_visible', NOW],
    ['a time before their approval', 'fail', NOW - 2 * DAY],
  ])('do not cover %s', (_, outcome, now) => {
    expect(applyExceptions([result('a', outcome)], [exception], now)[0]?.exception).toBeNull();
  });

  test.each([
    ['fine', {}, null],
    ['no reason', { reason: 'ok' }, 'reason'],
    ['no end', { expiresAt: NOW + 900 * DAY }, 'at most'],
    ['ends before it begins', { expiresAt: NOW - 3 * DAY }, 'after'],
  ])('are accepted or not: %s', (_, over, problem) => {
    const found = exceptionProblem({ ...exception, ...over });
    expect(found === null ? null : found.includes(problem ?? 'nothing')).toBe(problem === null ? null : true);
  });
});

describe('score', () => {
  const of = (...results: PostureResult[]) => score(applyExceptions(results, [], NOW));

  test('weighs by severity', () => {
    expect(of(result('a', 'pass', 'critical'), result('b', 'fail', 'high'), result('c', 'fail', 'low')).score).toBe(59);
  });

  test('counts an active exception half', () => {
    const excepted = applyExceptions(
      [result('a', 'pass'), result('b', 'fail')],
      [{ check: 'b', reason: 'x', approvedBy: 'y', approvedAt: 0, expiresAt: NOW + 1 }],
      NOW,
    );
    expect(score(excepted)).toMatchObject({ score: 67, excepted: 1, failed: 0 });
  });

  test('is null when nothing could be seen', () => {
    expect(of(result('a', 'not_visible'), result('b', 'error'))).toMatchObject({
      score: null,
      visibility: 0,
      notVisible: 1,
      errors: 1,
    });
  });

  test('tells how much was seen', () => {
    expect(of(result('a', 'pass'), result('b', 'not_visible'), result('c', 'not_applicable'))).toMatchObject({
      score: 100,
      visibility: 0.5,
      notApplicable: 1,
    });
  });
});

describe('exports', () => {
  const results = applyExceptions(
    [result('a', 'fail', 'critical', '=SUM(A1), "quoted"'), result('b', 'not_visible')],
    [],
    NOW,
  );

  test('CSV quotes, and defuses formulas', () => {
    const lines = toCsv('Example', results, empty).split('\r\n');
    expect(lines).toHaveLength(4);
    expect(lines[1]).toContain(`"'=SUM(A1), ""quoted"""`);
    expect(lines[1]).toContain('a.b=true');
  });

  test('OCSF events are Compliance Findings', () => {
    const [failed] = results;
    if (failed === undefined) throw new Error('no result');
    expect(toComplianceFinding({ uid: 'app1', name: 'Example', type: 'SaaS' }, failed, empty)).toMatchObject({
      class_uid: 2003,
      type_uid: 200301,
      severity_id: 5,
      finding_info: { uid: 'app1:a' },
      compliance: { control: 'a', status_id: 3, status: 'Fail' },
    });
  });

  test('OSCAL results refer to what they name', () => {
    let count = 0;
    const newUuid = () => `00000000-0000-4000-8000-${String((count += 1)).padStart(12, '0')}`;
    const document = JSON.stringify(
      toAssessmentResults(results, empty, { app: { id: newUuid(), name: 'Example' }, now: NOW, newUuid }),
    );
    expect(document).toContain('"oscal-version":"1.1.3"');
    for (const key of ['observation-uuid', 'risk-uuid']) {
      const [, uuid] = new RegExp(`"${key}":"([^"]+)"`, 'u').exec(document) ?? [];
      expect(document).toContain(`"uuid":"${uuid}"`);
    }
    expect(document.match(/"state":"not-satisfied"/gu)).toHaveLength(1);
  });

  test('OSCAL lists are left out rather than empty', () => {
    const nothing = applyExceptions([{ ...result('a', 'not_visible'), evidence: [] }], [], NOW);
    const document = JSON.stringify(
      toAssessmentResults(nothing, empty, { app: { id: 'app', name: 'Example' }, now: NOW, newUuid: () => 'id' }),
    );
    expect(document).not.toMatch(/\[\]/u);
    expect(document).toContain('"include-all"');
  });
});
