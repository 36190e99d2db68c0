import { type RaisedSignal, raiseAlerts } from '@cordon/detection';
import type { Incident } from '@cordon/dlp';
import type { Transaction } from '@cordon/kernel';

/** What rules only keep in the queue; everything else is told. */
const QUIET: ReadonlySet<string> = new Set(['allow', 'log']);

/** Raises an alert for an incident: it goes the ways that alerts go, with their quiet hours and exceptions. */
export async function tellOfIncident(tx: Transaction, incident: Incident, now: number): Promise<void> {
  if (QUIET.has(incident.action)) return;
  const classes = incident.classes.map(({ class: name, count }) => `${count} × ${name}`).join(', ');
  const where = incident.source === 'rest' ? `${incident.app} ${incident.object}` : `a call to ${incident.app}`;
  const entity: RaisedSignal['entity'] =
    incident.integrationId === null
      ? { type: 'resource', id: `${incident.app}/${incident.recordId}`, name: incident.title ?? incident.recordId }
      : { type: 'integration', id: incident.integrationId, name: incident.integrationName ?? incident.integrationId };
  const signal: RaisedSignal = {
    id: `dlp-${incident.id}-${incident.times}`,
    ruleId: `dlp-${incident.rule.id.replaceAll(/[^\w-]/g, '-')}`,
    ruleKind: 'rule',
    title: `Data loss prevention: ${classes} in ${where} (${incident.rule.name})`,
    level: incident.label === 'restricted' ? 'high' : 'medium',
    entity,
    product: 'cordon',
    at: now,
    eventIds: [],
    receivedAt: now,
  };
  await raiseAlerts(tx, [signal], now);
}
