import { detectorCatalogue } from '@cordon/classifier';
import { type StoppedCall, takeStoppedCall } from '@cordon/dlp';
import { listRules } from '@cordon/estate';
import type { Clock, Database } from '@cordon/kernel';
import type { OcsfEvent } from '@cordon/lake';
import { z } from 'zod';
import { tellOfIncident } from './dlp-alert.ts';

/** Findings of a call that name a rule: the gateway names one for what people are to know of. */
const telling = z.object({
  class: z.string(),
  direction: z.enum(['request', 'response']),
  count: z.int(),
  action: z.enum(['notify', 'justify', 'quarantine', 'block']),
  rule: z.string(),
});
const callFacts = z.object({
  metadata: z.object({ uid: z.string() }),
  time: z.number(),
  api: z.object({ operation: z.string(), service: z.object({ name: z.string() }) }),
  actor: z.object({ app_uid: z.string(), app_name: z.string().optional() }),
  unmapped: z.object({ cordon: z.object({ findings: z.array(z.unknown()) }) }),
});

const knownClasses = new Map<
  string,
  { readonly category: string; readonly label: StoppedCall['classes'][number]['label'] }
>();

/** What the detectors' catalogue says of a class; read at the first call that a rule stops. */
function classFacts(name: string) {
  if (knownClasses.size === 0)
    for (const { class: known, category, label } of detectorCatalogue()) knownClasses.set(known, { category, label });
  return knownClasses.get(name) ?? { category: 'user', label: 'confidential' as const };
}

/** The calls among some events that a rule stopped or tells, one for each rule and direction. */
export function stoppedCallsOf(event: unknown, ruleNames: ReadonlyMap<string, string>): StoppedCall[] {
  const parsed = callFacts.safeParse(event);
  if (!parsed.success) return [];
  const { metadata, time, api, actor, unmapped } = parsed.data;
  const findings = unmapped.cordon.findings.flatMap((one) => {
    const found = telling.safeParse(one);
    return found.success ? [found.data] : [];
  });
  const groups = Map.groupBy(findings, ({ rule, direction }) => `${rule} ${direction}`);
  return [...groups.values()].flatMap((group): StoppedCall[] => {
    const [first] = group;
    if (!first) return [];
    return [
      {
        eventId: metadata.uid,
        at: new Date(time),
        app: api.service.name,
        operation: api.operation,
        integration: { id: actor.app_uid, name: actor.app_name ?? actor.app_uid },
        direction: first.direction,
        rule: { id: first.rule, name: ruleNames.get(first.rule) ?? first.rule },
        action: first.action,
        classes: group.map(({ class: name, count }) => ({ class: name, count, ...classFacts(name) })),
      },
    ];
  });
}

/** Puts calls that rules stopped or tell into the queue, and tells people of what is new. */
export async function takeStoppedCalls(
  deps: { readonly db: Database; readonly clock: Clock },
  events: readonly OcsfEvent[],
): Promise<void> {
  const candidates = events.filter((event) => JSON.stringify(event.unmapped ?? null).includes('"rule":'));
  if (candidates.length === 0) return;
  const names = new Map((await listRules(deps.db, 'inspection')).map(({ id, name }) => [id, name]));
  for (const event of candidates) {
    for (const call of stoppedCallsOf(event, names)) {
      const incident = await takeStoppedCall(deps.db, call);
      if (incident) await deps.db.transaction((tx) => tellOfIncident(tx, incident, deps.clock.now()));
    }
  }
}
