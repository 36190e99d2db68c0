import { type CorrelationAlert, type Entity, entityOf, entityOfGroup, type Signal, stableId } from '@cordon/detection';
import { detectionFinding, type OcsfEvent } from '@cordon/lake';
import { z } from 'zod';
import type { Observed } from './observed-event.ts';

/** A signal with whom it is about, as the lake keeps it: enough to rebuild correlations after a restart. */
export interface StoredSignal {
  readonly signal: Signal;
  readonly entity: Entity;
  readonly receivedAt: number;
  readonly drill?: string | undefined;
}

/** What an event of an exercise carries in the lake: `metadata.labels`. */
export function drillLabel(drill: string): string {
  return `drill:${drill}`;
}

function actorFacts(entity: Entity) {
  if (entity.type === 'integration') return { integration: { id: entity.id, name: entity.name } };
  if (entity.type === 'person') return { person: { id: entity.id, name: entity.name } };
  return {};
}

/** A signal as a Detection Finding (2004). Its id follows from rule and event. */
export function signalFinding(
  signal: Signal,
  { seen, receivedAt, drill }: Observed,
): { event: OcsfEvent; kept: StoredSignal } {
  const entity = entityOf(seen.ocsf, seen.product);
  const kept: StoredSignal = { signal, entity, receivedAt, ...(drill !== undefined && { drill }) };
  const event = detectionFinding({
    id: stableId('finding', signal.ruleId, signal.eventId),
    time: signal.time,
    role: 'detection',
    activity: 'create',
    severity: signal.level,
    findingId: stableId('finding', signal.ruleId, signal.eventId),
    title: signal.title,
    message: signal.title,
    rule: { id: signal.ruleId, name: signal.title, kind: 'rule' },
    eventIds: [signal.eventId],
    app: { id: seen.product, name: seen.product },
    isAlert: false,
    ...(drill !== undefined && { labels: [drillLabel(drill)] }),
    ...actorFacts(entity),
  });
  return { event: { ...event, unmapped: { cordon: { signal: kept } } }, kept };
}

/** A correlation that came true, as a Detection Finding; updates of it change its alert, not what happened then. */
export function correlationFinding(alert: CorrelationAlert, drill?: string): OcsfEvent {
  const entity = entityOfGroup(alert.group);
  const id = stableId('correlation', alert.id);
  return detectionFinding({
    id,
    time: alert.to,
    role: 'correlation',
    activity: 'create',
    severity: alert.level,
    findingId: id,
    title: alert.title,
    message: alert.title,
    rule: { id: alert.correlationId, name: alert.title, kind: 'behavioral' },
    eventIds: alert.eventIds.slice(0, RELATED_MAX),
    isAlert: true,
    ...(drill !== undefined && { labels: [drillLabel(drill)] }),
    ...actorFacts(entity),
  });
}

const RELATED_MAX = 1_000;

const storedSignal = z.object({
  signal: z.object({
    ruleId: z.string(),
    ruleName: z.string().optional(),
    title: z.string(),
    level: z.enum(['informational', 'low', 'medium', 'high', 'critical']),
    covers: z.array(z.string()),
    eventId: z.string(),
    time: z.number(),
    product: z.string(),
    keys: z.record(z.string(), z.array(z.string())),
  }),
  entity: z.object({
    type: z.enum(['integration', 'person', 'resource', 'address', 'product', 'group']),
    id: z.string(),
    name: z.string(),
  }),
  receivedAt: z.number(),
  drill: z.string().optional(),
});

/** The signal that a stored finding holds; null for a finding of something else. */
export function readSignal(event: OcsfEvent): StoredSignal | null {
  const parsed = storedSignal.safeParse(event.unmapped?.cordon?.['signal']);
  return parsed.success ? parsed.data : null;
}
