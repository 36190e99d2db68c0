import type { Severity } from './check.ts';
import type { Catalogue } from './catalogue.ts';
import type { ExceptedResult } from './exception.ts';

/** OCSF 1.6: class Compliance Finding (2003) of the category Findings (2). */
const CLASS_UID = 2003;
const CATEGORY_UID = 2;
const OCSF_VERSION = '1.6.0';

const severityIds: Record<Severity, number> = { info: 1, low: 2, medium: 3, high: 4, critical: 5 };
const severityNames = ['Unknown', 'Informational', 'Low', 'Medium', 'High', 'Critical'];
const statusIds = { pass: 1, not_visible: 0, fail: 3, not_applicable: 99, error: 99 } as const;
const statusNames = {
  pass: 'Pass',
  fail: 'Fail',
  not_visible: 'Unknown',
  not_applicable: 'Not applicable',
  error: 'Error',
} as const;

const frameworks = {
  sscf: 'CSA SaaS Security Capability Framework',
  ccm: 'CSA Cloud Controls Matrix 4',
  nist_csf: 'NIST CSF 2.0',
  iso27001: 'ISO/IEC 27001:2022 Annex A',
  cis: 'CIS Controls 8',
  owasp_nhi: 'OWASP Non-Human Identities Top 10 (2025)',
  nist_800_53: 'NIST SP 800-53 Rev. 5',
} as const;

/** The app a finding is about. */
export interface FindingResource {
  uid: string;
  name: string;
  type: string;
}

/** A result as an OCSF Compliance Finding event; activity is Create, Update or Close as the caller knows. */
export function toComplianceFinding(
  resource: FindingResource,
  result: ExceptedResult,
  catalogue: Catalogue,
  activity: 'create' | 'update' | 'close' = 'create',
): Record<string, unknown> {
  const check = catalogue.find(result.check)?.check;
  const activityId = { create: 1, update: 2, close: 3 }[activity];
  const standards = Object.entries(frameworks).filter(([key]) => check?.mapping[key as keyof typeof frameworks]);
  const isSuppressed = result.exception?.state === 'active';
  return {
    class_uid: CLASS_UID,
    class_name: 'Compliance Finding',
    category_uid: CATEGORY_UID,
    category_name: 'Findings',
    activity_id: activityId,
    activity_name: ['', 'Create', 'Update', 'Close'][activityId],
    type_uid: CLASS_UID * 100 + activityId,
    time: result.evaluatedAt,
    severity_id: severityIds[result.severity],
    severity: severityNames[severityIds[result.severity]],
    status_id: isSuppressed ? 3 : result.result === 'pass' ? 4 : 1,
    status: isSuppressed ? 'Suppressed' : result.result === 'pass' ? 'Resolved' : 'New',
    message: `${result.title} ${result.reason}`,
    metadata: { version: OCSF_VERSION, product: { name: 'Cordon', vendor_name: 'Cordon' }, profiles: [] },
    finding_info: {
      uid: `${resource.uid}:${result.check}`,
      title: result.title,
      desc: check?.rationale ?? '',
      types: ['posture'],
      ...(check?.source?.url === undefined ? {} : { src_url: check.source.url }),
    },
    compliance: {
      control: result.check,
      requirements: Object.keys(frameworks).flatMap((key) => check?.mapping[key as keyof typeof frameworks] ?? []),
      standards: standards.map(([, name]) => name),
      status_id: statusIds[result.result],
      status: statusNames[result.result],
      status_details: [result.reason],
    },
    remediation: { desc: (check?.remediation.steps ?? []).join('\n') },
    resources: [{ uid: resource.uid, name: resource.name, type: resource.type }],
    evidences: result.evidence.map(({ path, value }) => ({
      data: { path, ...(value === undefined ? {} : { value }) },
    })),
  };
}
