import type { Severity } from './check.ts';
import type { ExceptedResult } from './exception.ts';

/** What a failing check of each severity costs, relative to the others. */
export const SEVERITY_WEIGHTS: Record<Severity, number> = { critical: 10, high: 6, medium: 3, low: 1, info: 0 };

export interface PostureScore {
  /** 0 to 100, or null when nothing that counts could be seen. */
  score: number | null;
  /** The part of the weight that could be seen, 0 to 1: a good score on little visibility is no good score. */
  visibility: number;
  passed: number;
  failed: number;
  excepted: number;
  notVisible: number;
  notApplicable: number;
  errors: number;
}

/**
 * The score of one app:
 *
 *     score = 100 × Σ weight(passed) ÷ (Σ weight(passed) + Σ weight(failed) + Σ weight(excepted) ÷ 2)
 *
 * An active exception counts half: someone answers for it, but the risk is there. What is not applicable counts
 * nowhere; what is not visible or in error is left out of the score and lowers `visibility`.
 */
export function score(results: readonly ExceptedResult[]): PostureScore {
  const count = { passed: 0, failed: 0, excepted: 0, notVisible: 0, notApplicable: 0, errors: 0 };
  const weight = { ...count };
  for (const result of results) {
    const bucket = bucketOf(result);
    count[bucket] += 1;
    weight[bucket] += SEVERITY_WEIGHTS[result.severity];
  }
  const seen = weight.passed + weight.failed + weight.excepted;
  const judged = weight.passed + weight.failed + weight.excepted / 2;
  const whole = seen + weight.notVisible + weight.errors;
  return {
    score: judged === 0 ? null : Math.round((100 * weight.passed) / judged),
    visibility: whole === 0 ? 0 : Math.round((100 * seen) / whole) / 100,
    ...count,
  };
}

function bucketOf({ result, exception }: ExceptedResult) {
  if (result === 'fail') return exception?.state === 'active' ? 'excepted' : 'failed';
  if (result === 'pass') return 'passed';
  if (result === 'not_visible') return 'notVisible';
  return result === 'not_applicable' ? 'notApplicable' : 'errors';
}
