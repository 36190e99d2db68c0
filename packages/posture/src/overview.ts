import type { Catalogue } from './catalogue.ts';
import type { Result, Severity } from './check.ts';
import type { ExceptedResult } from './exception.ts';

/** Frameworks by which results are looked at. */
export const FRAMEWORKS = ['sscf', 'ccm', 'nist_csf', 'iso27001', 'cis', 'owasp_nhi'] as const;
export type Framework = (typeof FRAMEWORKS)[number];

export interface ResultFilter {
  readonly framework?: Framework | undefined;
  /** An id of the framework: `NHI1`, `IAM-SaaS-19`. */
  readonly control?: string | undefined;
  readonly severity?: Severity | undefined;
  readonly result?: Result | undefined;
  readonly product?: string | undefined;
}

const idsOf = (catalogue: Catalogue, check: string, framework: Framework): readonly string[] =>
  catalogue.find(check)?.check.mapping[framework] ?? [];

/** Those that the filter lets through: with a framework only what is mapped to it. */
export function resultsWhere<One extends ExceptedResult>(
  results: readonly One[],
  catalogue: Catalogue,
  { framework, control, severity, result, product }: ResultFilter,
): One[] {
  return results.filter((one) => {
    if (severity !== undefined && one.severity !== severity) return false;
    if (result !== undefined && one.result !== result) return false;
    if (product !== undefined && one.product !== product) return false;
    if (framework === undefined) return true;
    const ids = idsOf(catalogue, one.check, framework);
    return control === undefined ? ids.length > 0 : ids.includes(control);
  });
}

export interface ControlStanding {
  readonly id: string;
  readonly passed: number;
  readonly failed: number;
  readonly excepted: number;
  /** Not visible, not applicable or in error: nothing is claimed. */
  readonly unjudged: number;
}

/** How each control of a framework stands over all results, by its id in natural order. */
export function controlsOf(
  results: readonly ExceptedResult[],
  catalogue: Catalogue,
  framework: Framework,
): ControlStanding[] {
  const standing = new Map<string, { passed: number; failed: number; excepted: number; unjudged: number }>();
  for (const one of results) {
    for (const id of idsOf(catalogue, one.check, framework)) {
      const counts = standing.get(id) ?? { passed: 0, failed: 0, excepted: 0, unjudged: 0 };
      standing.set(id, counts);
      if (one.result === 'pass') counts.passed += 1;
      else if (one.result !== 'fail') counts.unjudged += 1;
      else if (one.exception?.state === 'active') counts.excepted += 1;
      else counts.failed += 1;
    }
  }
  return [...standing]
    .map(([id, counts]) => ({ id, ...counts }))
    .toSorted((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
}
