import { anyAt, splitPath } from '../field-path.ts';
import type { Level } from '../sigma/ast.ts';
import { stableId } from '../stable-id.ts';

export const LEVELS: readonly Level[] = ['informational', 'low', 'medium', 'high', 'critical'];
export const ALERT_STATUSES = ['open', 'acknowledged', 'closed'] as const;
export type AlertStatus = (typeof ALERT_STATUSES)[number];
export const CLOSE_REASONS = ['resolved', 'false-positive', 'expected', 'duplicate', 'test', 'withdrawn'] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

/** Signals below this are kept in the lake and feed correlations, but ask for nobody's attention. */
const ALERT_LEVEL_MIN: Level = 'low';

export function isAtLeast(level: Level, least: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}

export function raisesAlert(level: Level): boolean {
  return isAtLeast(level, ALERT_LEVEL_MIN);
}

/** Whom or what an alert is about: the signals of one rule about one entity are one alert. */
export interface Entity {
  readonly type: 'integration' | 'person' | 'resource' | 'address' | 'product' | 'group';
  readonly id: string;
  readonly name: string;
}

export function entityKey({ type, id }: Entity): string {
  return `${type}:${id.toLowerCase()}`;
}

const ENTITY_CHARS_MAX = 512;
/** OCSF's `user.type_id` for a system. */
const USER_TYPE_SYSTEM = '3';

function textAt(root: unknown, ...paths: readonly string[]): string | undefined {
  for (const path of paths) {
    let found: string | undefined;
    anyAt(root, splitPath(path), (value) => {
      if ((typeof value !== 'string' && typeof value !== 'number') || value === '') return false;
      found = String(value).slice(0, ENTITY_CHARS_MAX);
      return true;
    });
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Who acted, as exactly as the event says: the integration, the person, the address, at last the product. */
export function entityOf(ocsf: unknown, product: string): Entity {
  const integration = product === 'cordon' ? textAt(ocsf, 'actor.app_uid') : undefined;
  if (integration !== undefined) {
    return { type: 'integration', id: integration, name: textAt(ocsf, 'actor.app_name') ?? integration };
  }
  // What the system did by itself is about whom it did it to.
  const users = textAt(ocsf, 'actor.user.type_id') === USER_TYPE_SYSTEM ? ['user'] : ['actor.user', 'user'];
  const person = textAt(ocsf, ...['email_addr', 'uid', 'name'].flatMap((key) => users.map((user) => `${user}.${key}`)));
  if (person !== undefined) {
    return { type: 'person', id: person, name: textAt(ocsf, ...users.map((user) => `${user}.name`)) ?? person };
  }
  const address = textAt(ocsf, 'src_endpoint.ip');
  if (address !== undefined) return { type: 'address', id: address, name: address };
  const resource = textAt(ocsf, 'entity.uid', 'resources.uid');
  if (resource !== undefined) {
    return { type: 'resource', id: resource, name: textAt(ocsf, 'entity.name', 'resources.name') ?? resource };
  }
  return { type: 'product', id: product, name: product };
}

/** Whom a correlation is about: the values that it groups by. */
export function entityOfGroup(group: Readonly<Record<string, string>>): Entity {
  const values = Object.values(group);
  const text = values.join(', ').slice(0, ENTITY_CHARS_MAX);
  if (values.length === 0) return { type: 'group', id: 'all', name: 'everything' };
  const only = values.length === 1 ? Object.keys(group)[0] : undefined;
  const type =
    only === 'ocsf.src_endpoint.ip'
      ? 'address'
      : only?.endsWith('actor.app_uid') === true
        ? 'integration'
        : only?.includes('user') === true
          ? 'person'
          : 'group';
  return { type, id: text, name: text };
}

/** The same for the same rule, entity and number of alerts that were closed before. */
export function alertId(ruleId: string, entity: string, generation: number): string {
  return stableId('alert', ruleId, entity, generation);
}

/** The same for the same rule and event, however often it is delivered. */
export function signalId(ruleId: string, eventId: string): string {
  return stableId('signal', ruleId, eventId);
}

export interface Alert {
  readonly id: string;
  readonly ruleId: string;
  readonly ruleKind: 'rule' | 'correlation';
  readonly title: string;
  readonly level: Level;
  readonly entity: Entity;
  readonly product: string;
  readonly status: AlertStatus;
  readonly statusReason: string | null;
  readonly statusAt: number;
  readonly statusBy: string;
  readonly assignee: string | null;
  readonly signals: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Milliseconds from the moment Cordon had the event to the moment the alert was there. */
  readonly delayMs: number;
  /** The exercise that made it; null: it is real. */
  readonly drill: string | null;
}

export interface AlertComment {
  readonly id: string;
  readonly at: number;
  readonly author: string;
  readonly text: string;
}
