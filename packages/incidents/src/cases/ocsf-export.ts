import { type IncidentCase, metricsOf } from './case.ts';
import type { CaseParts } from './stix-export.ts';

const OCSF_VERSION = '1.8.0';
const SEVERITY_ID = { low: 2, medium: 3, high: 4, critical: 5 } as const;
const PRIORITY_ID = { low: 1, medium: 2, high: 3, critical: 4 } as const;
/** OCSF 2005: 1 new, 2 in progress, 3 on hold, 4 resolved, 5 closed. */
const STATUS_ID = { open: 1, contained: 2, recovered: 4, closed: 5 } as const;
const STATUS_NAME = { 1: 'New', 2: 'In Progress', 4: 'Resolved', 5: 'Closed' } as const;
/** Activities: 1 create, 2 update, 3 close. */
function activityOf(of: IncidentCase): 1 | 2 | 3 {
  if (of.status === 'closed') return 3;
  return of.updatedAt === of.createdAt ? 1 : 2;
}

/** A case as an OCSF Incident Finding (class 2005). */
export function ocsfIncident({ of, links, evidence }: CaseParts): Record<string, unknown> {
  const activity = activityOf(of);
  const statusId = of.status === 'open' && of.acknowledgedAt !== null ? 2 : STATUS_ID[of.status];
  const findings = links.filter(({ kind }) => kind === 'alert' || kind === 'finding');
  return {
    activity_id: activity,
    activity_name: { 1: 'Create', 2: 'Update', 3: 'Close' }[activity],
    category_uid: 2,
    category_name: 'Findings',
    class_uid: 2005,
    class_name: 'Incident Finding',
    type_uid: 200_500 + activity,
    type_name: `Incident Finding: ${{ 1: 'Create', 2: 'Update', 3: 'Close' }[activity]}`,
    time: of.updatedAt,
    start_time: of.occurredAt,
    ...(of.closedAt !== null && { end_time: of.closedAt }),
    severity_id: SEVERITY_ID[of.severity],
    severity: of.severity,
    priority_id: PRIORITY_ID[of.severity],
    status_id: statusId,
    status: STATUS_NAME[statusId],
    message: of.title,
    desc: of.summary === '' ? of.title : of.summary,
    metadata: {
      version: OCSF_VERSION,
      uid: of.id,
      product: { name: 'Cordon', vendor_name: 'Cordon' },
      labels: [`tlp:${of.tlp}`],
    },
    finding_info_list: (findings.length > 0 ? findings : [{ ref: of.id, name: of.title, kind: 'case' }]).map(
      ({ ref, name }) => ({
        uid: ref,
        title: name,
        created_time: of.detectedAt,
      }),
    ),
    ticket: { uid: String(of.number), title: of.title },
    observables: links
      .filter(({ kind }) => kind === 'person' || kind === 'app' || kind === 'integration')
      .map(({ kind, ref, name }) => ({
        name: kind,
        value: name,
        type_id: kind === 'person' ? 21 : 99,
        ...(kind !== 'person' && { type: ref }),
      })),
    unmapped: {
      cordon: {
        number: of.number,
        tlp: of.tlp,
        metrics: metricsOf(of),
        evidence: evidence.map(({ name, sha256 }) => ({ name, sha256 })),
      },
    },
  };
}
