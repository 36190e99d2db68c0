import type { CedarValueJson, Context, EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import type { GrantEntry, IntegrationEntry } from './access-entry.ts';
import type { AppEntry, Assurance } from './app-entry.ts';
import type { CallContext } from './decision.ts';
import type { OperationFacts } from './grant-selector.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** 1970-01-01 was a Thursday, the fourth day of an ISO week. */
const EPOCH_WEEKDAY_OFFSET = 3;

const assuranceLevel: Record<Assurance, number> = { m0: 0, m1: 1, m2: 2 };

export function uid(type: string, id: string): TypeAndId {
  return { type, id };
}

export function operationUid(app: AppEntry, operation: OperationFacts): TypeAndId {
  return uid('Operation', `${app.id}/${operation.id}`);
}

/** Status as policies see it: an active integration past its date is `expired`. */
export function statusAt(integration: IntegrationEntry, time: number): string {
  const expired = integration.expiresAt !== null && integration.expiresAt <= time;
  return integration.status === 'active' && expired ? 'expired' : integration.status;
}

/** The entities of one call, as content/policies/schema.cedarschema declares them. */
export function entitiesFor(facts: {
  integration: IntegrationEntry;
  app: AppEntry;
  operation: OperationFacts;
  grants: readonly GrantEntry[];
  context: CallContext;
}): EntityJson[] {
  const { integration, app, operation, context } = facts;
  const grants = facts.grants.map((grant): CedarValueJson => ({ __entity: uid('Grant', grant.id) }));
  const appUid = uid('App', app.id);
  const call = uid('Action', 'call');
  return [
    {
      uid: uid('Integration', integration.id),
      attrs: {
        name: integration.name,
        kind: integration.kind,
        status: statusAt(integration, context.time),
        owner: integration.ownerId,
        assurance: assuranceLevel[integration.assurance],
        grants,
      },
      parents: [],
    },
    {
      uid: appUid,
      attrs: {
        name: app.name,
        title: app.title,
        assurance: assuranceLevel[app.assurance],
        ...(app.classification === null ? {} : { classification: app.classification }),
      },
      parents: [],
    },
    {
      uid: operationUid(app, operation),
      attrs: {
        app: { __entity: appUid },
        id: operation.id,
        method: operation.method,
        path: operation.path ?? '',
        tags: [...operation.tags],
        deprecated: operation.deprecated,
        described: operation.path !== null,
        grants,
      },
      parents: [appUid],
      tags: { ...context.parameters },
    },
    ...facts.grants.map((grant): EntityJson => ({ uid: uid('Grant', grant.id), attrs: {}, parents: [] })),
    { uid: uid('Action', 'read'), attrs: {}, parents: [call] },
    { uid: uid('Action', 'write'), attrs: {}, parents: [call] },
    { uid: call, attrs: {}, parents: [] },
  ];
}

export function cedarContext(context: CallContext): Context {
  return {
    time: { __extn: { fn: 'datetime', arg: new Date(context.time).toISOString() } },
    hour: hourOf(context.time),
    weekday: weekdayOf(context.time),
    sourceAddress: { __extn: { fn: 'ip', arg: plainAddress(context.sourceAddress) } },
    assurance: assuranceLevel[context.assurance],
    listener: context.listener,
  };
}

/** The part of the context that a fact names, for remembering decisions by it; null when it can't be remembered. */
export function factValue(fact: string, context: CallContext): string | null {
  switch (fact) {
    case 'hour':
      return String(hourOf(context.time));
    case 'weekday':
      return String(weekdayOf(context.time));
    case 'sourceAddress':
      return context.sourceAddress;
    case 'assurance':
      return context.assurance;
    case 'listener':
      return context.listener;
    default:
      return fact.startsWith('parameter:') ? parameterValue(fact.slice('parameter:'.length), context) : null;
  }
}

/** Cedar knows neither IPv4-mapped addresses, which dual-stack sockets report, nor zone ids. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}

function parameterValue(name: string, context: CallContext): string {
  return Object.hasOwn(context.parameters, name) ? `=${context.parameters[name]}` : 'absent';
}

function hourOf(time: number): number {
  return Math.floor((time % DAY_MS) / HOUR_MS);
}

function weekdayOf(time: number): number {
  return ((Math.floor(time / DAY_MS) + EPOCH_WEEKDAY_OFFSET) % 7) + 1;
}
