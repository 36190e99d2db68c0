import type { Catalogue } from './catalogue.ts';
import type { ExceptedResult } from './exception.ts';

const COLUMNS = [
  'app',
  'check',
  'title',
  'severity',
  'result',
  'reason',
  'exception',
  'exception_expires',
  'evidence',
  'evaluated_at',
  'sscf',
  'ccm',
  'nist_csf',
  'iso27001',
  'cis',
  'owasp_nhi',
  'remediation',
] as const;

/**
 * Results as CSV (RFC 4180): a header, CRLF, quotes where needed. Cells that a spreadsheet would take for a formula
 * begin with an apostrophe.
 */
export function toCsv(
  app: string,
  results: readonly ExceptedResult[],
  catalogue: Catalogue,
  withHeader = true,
): string {
  const rows = results.map((result) => {
    const check = catalogue.find(result.check)?.check;
    const mapping = check?.mapping;
    const { exception } = result;
    return [
      app,
      result.check,
      result.title,
      result.severity,
      result.result,
      result.reason,
      exception === null ? '' : `${exception.state}: ${exception.reason} (${exception.approvedBy})`,
      exception === null ? '' : new Date(exception.expiresAt).toISOString(),
      result.evidence.map(({ path, value }) => (value === undefined ? path : `${path}=${value}`)).join('; '),
      new Date(result.evaluatedAt).toISOString(),
      ...[mapping?.sscf, mapping?.ccm, mapping?.nist_csf, mapping?.iso27001, mapping?.cis, mapping?.owasp_nhi].map(
        (ids) => (ids ?? []).join(' '),
      ),
      (check?.remediation.steps ?? []).map((step, index) => `${index + 1}. ${step}`).join(' '),
    ];
  });
  return [...(withHeader ? [COLUMNS] : []), ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function cell(value: string): string {
  const safe = /^[=+\-@\t\r]/u.test(value) ? `'${value}` : value;
  return /[",\r\n]/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
