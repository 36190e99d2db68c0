import type { StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import type { Incident, IncidentStatus } from './dlp-queries.ts';

export const STATUS_TEXT: Readonly<Record<IncidentStatus, string>> = {
  open: 'Open',
  waiting: 'Asked for a reason',
  justified: 'Justified',
  accepted: 'Accepted',
  dismissed: 'Dismissed',
  remediating: 'Under way',
  remediated: 'Remediated',
  failed: 'Failed',
  gone: 'No longer there',
};

export const STATUS_KIND: Readonly<Record<IncidentStatus, StatusIndicatorProps.Type>> = {
  open: 'warning',
  waiting: 'pending',
  justified: 'info',
  accepted: 'info',
  dismissed: 'stopped',
  remediating: 'in-progress',
  remediated: 'success',
  failed: 'error',
  gone: 'success',
};

export function classesText({ classes }: Pick<Incident, 'classes'>): string {
  return classes.map(({ class: name, count }) => `${count} × ${name}`).join(', ');
}

/** Where it was found, as a person would say it. */
export function placeText(incident: Incident): string {
  if (incident.source === 'motion')
    return `${incident.integrationName ?? 'An integration'}: ${incident.direction ?? 'call'} of ${incident.recordId}`;
  return incident.title ?? incident.recordId;
}
