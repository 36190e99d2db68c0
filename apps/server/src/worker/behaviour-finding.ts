import { BEHAVIOUR_RULE, type Entity, type Judged, type RaisedSignal, stableId } from '@cordon/detection';
import { detectionFinding, type OcsfEvent } from '@cordon/lake';

const EVENTS_MAX = 100;
const ENTITY_KINDS = {
  person: 'person',
  account: 'person',
  integration: 'integration',
  'oauth-app': 'product',
  edge: 'group',
  network: 'address',
  resource: 'resource',
} as const satisfies Record<Judged['facts']['type'], Entity['type']>;

function entityOfFacts({ facts }: Judged): Entity {
  return { type: ENTITY_KINDS[facts.type], id: facts.id, name: facts.name };
}

function titleOf({ facts, terms }: Judged): string {
  const reasons = terms.slice(0, 3).map(({ feature }) => feature.replace('-', ' '));
  return `Unusual behaviour of ${facts.name}: ${reasons.join(', ')}`.slice(0, 300);
}

const eventsOf = ({ terms }: Judged): string[] =>
  [...new Set(terms.flatMap(({ eventIds }) => eventIds))].slice(0, EVENTS_MAX);

/** A high score as a Detection Finding (2004). Its id follows from entity, day and level: the same again is no second. */
export function behaviourFinding(
  judged: Judged,
  { day, running, level }: { readonly day: number; readonly running: number; readonly level: RaisedSignal['level'] },
): OcsfEvent {
  const entity = entityOfFacts(judged);
  const { facts } = judged;
  const id = stableId('behaviour', facts.type, facts.id, day, level);
  return detectionFinding({
    id,
    time: Math.max(day, ...facts.hours),
    role: 'behaviour',
    activity: 'create',
    severity: level,
    findingId: id,
    title: titleOf(judged),
    message: titleOf(judged),
    description: `Score ${running.toFixed(1)}; ${judged.terms.map(({ feature, value }) => `${feature}: ${value}`).join('; ')}`,
    rule: { id: BEHAVIOUR_RULE, name: 'Unusual behaviour', kind: 'statistical' },
    eventIds: eventsOf(judged),
    ...(entity.type === 'integration' && { integration: { id: entity.id, name: entity.name } }),
    ...(entity.type === 'person' && { person: { id: entity.id, name: entity.name } }),
  });
}

export function behaviourSignal(
  judged: Judged,
  { day, level, now }: { readonly day: number; readonly level: RaisedSignal['level']; readonly now: number },
): RaisedSignal {
  return {
    id: stableId('behaviour-signal', judged.facts.type, judged.facts.id, day, level),
    ruleId: BEHAVIOUR_RULE,
    ruleKind: 'rule',
    title: titleOf(judged),
    level,
    entity: entityOfFacts(judged),
    product: 'cordon',
    at: Math.max(day, ...judged.facts.hours),
    eventIds: eventsOf(judged),
    receivedAt: now,
  };
}
