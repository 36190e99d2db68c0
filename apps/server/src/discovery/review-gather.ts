import { listConnections, type Manifests } from '@cordon/connectors';
import { judgeKey } from '@cordon/discovery';
import {
  type AccessCommands,
  actionFor,
  type EntityFact,
  listApps,
  listGrants,
  listIntegrations,
} from '@cordon/estate';
import type { Actor, Clock, Database } from '@cordon/kernel';
import type { Candidate, ItemEvidence, Reviewer } from '@cordon/review';
import { readToolActions } from '../roles/graph-parts.ts';
import { entitiesOf, readKeys, readPeople, REMOVE_KINDS } from './tool-reads.ts';

const ACTOR: Actor = { kind: 'system', name: 'review' };
const DAYS = 90;
const DAY_MS = 86_400_000;
const LIST_MAX = 500;
/** Scopes that let their holder change or administer. */
const BROAD = /(?:admin|write|manage|delete|all|\*)/i;

export interface GatherDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly manifests: Manifests;
  readonly access: Pick<AccessCommands, 'used'>;
  readonly people: (actor: Actor) => Promise<readonly { id: string; email: string; name: string }[]>;
}

type OwnerOf = (id: string) => Reviewer | null;

const clip = (list: readonly string[]): string[] => list.slice(0, LIST_MAX);
const momentOf = (text: string | null | undefined): number | null => (text ? Date.parse(text) : null);

/** Grants of integrations at the gateway: what is granted is set against the calls of the last 90 days. */
async function gatewayGrants({ db, access }: GatherDeps, owner: OwnerOf): Promise<Candidate[]> {
  const [apps, grants, integrations] = await Promise.all([listApps(db), listGrants(db), listIntegrations(db)]);
  const found: Candidate[] = [];
  for (const integration of integrations) {
    const theirs = grants.filter(({ integrationId }) => integrationId === integration.id);
    if (integration.status !== 'active' || theirs.length === 0) continue;
    const { operations, observedSince } = await access.used(ACTOR, integration.id);
    for (const grant of theirs) {
      const app = apps.find(({ id }) => id === grant.appId);
      const covered = operations.filter((one) => one.appId === grant.appId && one.grants.includes(grant.name));
      const used = covered.filter(({ calls }) => (calls.d90 ?? calls.d30 ?? 0) > 0);
      const unused = covered.filter((one) => !used.includes(one));
      const canWrite = unused.filter(({ access: kind }) => kind === 'write').length;
      const share = covered.length === 0 ? 0 : unused.length / covered.length;
      const why = [
        ...(observedSince !== null && used.length === 0 ? ['nothing of it was used'] : []),
        ...(unused.length > 0 && used.length > 0
          ? [`${unused.length} of ${covered.length} operations were not used`]
          : []),
        ...(canWrite > 0 ? [`${canWrite} of them change data`] : []),
      ];
      const evidence: ItemEvidence = {
        granted: clip(covered.map(({ operation }) => operation)),
        used: observedSince === null ? null : clip(used.map(({ operation }) => operation)),
        unused: observedSince === null ? [] : clip(unused.map(({ operation }) => operation)),
        days: DAYS,
        calls: used.reduce((sum, { calls }) => sum + (calls.d90 ?? calls.d30 ?? 0), 0),
        lastUsedAt: used.reduce<number | null>((last, { lastAt }) => Math.max(last ?? 0, lastAt ?? 0) || last, null),
        since: grant.createdAt,
        why,
        risk: Math.min(100, Math.round(share * 60) + Math.min(40, canWrite * 4)),
      };
      const title = app?.title ?? grant.appId;
      found.push({
        key: `grant/${grant.id}`,
        kind: 'grant',
        name: `${integration.name}: ${grant.name} on ${title}`,
        app: title,
        holder: integration.name,
        owner: owner(integration.owner.id),
        evidence,
        act: { act: 'remove_grant', grantId: grant.id, integrationId: integration.id },
        task: null,
      });
    }
  }
  return found;
}

/** Integrations that hold no grant, or are not used at all: the identity itself is reviewed. */
async function idleIntegrations({ db, clock, access }: GatherDeps, owner: OwnerOf): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const integration of await listIntegrations(db)) {
    if (integration.status !== 'active') continue;
    const { operations, observedSince } = await access.used(ACTOR, integration.id);
    const calls = operations.reduce((sum, one) => sum + (one.calls.d90 ?? one.calls.d30 ?? 0), 0);
    const days = Math.floor((clock.now() - integration.createdAt) / DAY_MS);
    const isOrphan = integration.orphanedUntil !== null;
    const why = [
      ...(observedSince !== null && calls === 0 ? [`no call in ${DAYS} days, made ${days} days ago`] : []),
      ...(isOrphan ? ['its owner has left'] : []),
      ...(integration.assurance === 'm0' ? ['proves itself with a shared secret only'] : []),
    ];
    const granted = [
      ...new Set(operations.filter(({ grants }) => grants.length > 0).map(({ operation }) => operation)),
    ];
    found.push({
      key: `integration/${integration.id}`,
      kind: 'integration',
      name: integration.name,
      app: 'Cordon',
      holder: integration.name,
      owner: owner(integration.owner.id),
      evidence: {
        granted: clip(granted),
        used:
          observedSince === null
            ? null
            : clip(operations.filter(({ calls: at }) => (at.d90 ?? at.d30 ?? 0) > 0).map(({ operation }) => operation)),
        unused: [],
        days: DAYS,
        calls,
        lastUsedAt: null,
        since: integration.createdAt,
        why,
        risk: (calls === 0 ? 40 : 5) + (isOrphan ? 40 : 0) + (integration.assurance === 'm0' ? 15 : 0),
      },
      act: { act: 'revoke_integration', integrationId: integration.id },
      task: null,
    });
  }
  return found;
}

const unseen = (
  granted: readonly string[],
  why: string[],
  risk: number,
  at: { since: number | null; lastUsedAt: number | null },
): ItemEvidence => ({
  granted: clip(granted),
  used: null,
  unused: [],
  days: DAYS,
  calls: 0,
  ...at,
  why,
  risk: Math.min(100, risk),
});

/** Software, administrators and keys in connected tools, as their connectors show them. */
async function inTools({ db, clock, manifests }: GatherDeps): Promise<Candidate[]> {
  const actions = await readToolActions(db, manifests);
  const found: Candidate[] = [];
  for (const { id: connectionId, app, name } of await listConnections(db)) {
    const title = manifests.find(app)?.manifest.title ?? app;
    const people = await readPeople(db, connectionId);
    for await (const row of entitiesOf(db, connectionId, 'grant')) {
      const { entity } = row;
      if (entity.type !== 'grant' || ['membership', 'share'].includes(entity.kind) || entity.status === 'revoked')
        continue;
      const act = actionFor(entity, actions.get(connectionId) ?? []);
      const holder = entity.client?.name ?? entity.subject.name ?? entity.subject.id;
      const scopes = entity.scopes ?? [];
      const broad = scopes.filter((scope) => BROAD.test(scope));
      const lastUsedAt = momentOf(entity.lastUsedAt);
      const isIdle = lastUsedAt !== null && clock.now() - lastUsedAt > DAYS * DAY_MS;
      const why = [
        ...(broad.length > 0 ? [`broad: ${broad.slice(0, 5).join(', ')}`] : []),
        ...(isIdle ? [`not used for ${Math.floor((clock.now() - lastUsedAt) / DAY_MS)} days`] : []),
        ...(entity.client?.verified === false ? ['its publisher is not verified'] : []),
      ];
      found.push({
        key: `${connectionId}/grant/${row.id}`,
        kind: 'tool_grant',
        name: `${holder} in ${name}: ${entity.kind === 'role' ? (entity.object.name ?? entity.object.id) : entity.kind.replace('_', ' ')}`,
        app: title,
        holder: people.get(entity.subject.id) ?? holder,
        owner: null,
        evidence: unseen(scopes, why, 15 + broad.length * 20 + (isIdle ? 20 : 0), {
          since: momentOf(entity.createdAt),
          lastUsedAt,
        }),
        act: act ? { act: 'connector_action', connectionId, action: act.action.name, values: act.input } : null,
        task: act
          ? null
          : `The connector of ${title} has no action for it: take ${row.id} away in ${title}, then say so here.`,
      });
    }
    for await (const row of entitiesOf(db, connectionId, 'account')) {
      const { entity } = row;
      const isPlain =
        entity.type === 'account' &&
        entity.admin !== true &&
        !['external', 'guest', 'service', 'bot'].includes(entity.kind);
      if (entity.type !== 'account' || isPlain || entity.status !== 'active') continue;
      const act = actionFor(entity, actions.get(connectionId) ?? []);
      const why = [
        ...(entity.admin === true ? ['administers the tool'] : []),
        ...(entity.kind === 'person' ? [] : [`is ${entity.kind}`]),
        ...(entity.mfa === false ? ['has no second factor'] : []),
      ];
      const lastUsedAt = momentOf(entity.lastActiveAt);
      found.push({
        key: `${connectionId}/account/${row.id}`,
        kind: 'account',
        name: `${people.get(row.id) ?? row.id} in ${name}`,
        app: title,
        holder: entity.name ?? people.get(row.id) ?? row.id,
        owner: null,
        evidence: unseen(entity.roles ?? [], why, 10 + why.length * 20, {
          since: momentOf(entity.createdAt),
          lastUsedAt,
        }),
        act: act ? { act: 'connector_action', connectionId, action: act.action.name, values: act.input } : null,
        task: act
          ? null
          : `The connector of ${title} has no action for it: suspend ${row.id} in ${title}, then say so here.`,
      });
    }
  }
  const names = new Map((await listConnections(db)).map(({ id, name }) => [id, name]));
  for (const fact of await readKeys(db, manifests)) {
    const key = judgeKey(fact, clock.now());
    if (!key) continue;
    const values = await keyAction(db, actions, fact);
    found.push({
      key: `${key.connectionId}/credential/${key.externalId}`,
      kind: 'tool_grant',
      name: `${key.name ?? key.externalId} in ${names.get(key.connectionId) ?? key.tool}: ${key.kind.replaceAll('_', ' ')}`,
      app: key.toolTitle,
      holder: key.owner ?? key.name ?? key.externalId,
      owner: null,
      evidence: unseen(key.scopes, [...key.why], 10 + key.why.length * 20, {
        since: key.createdAt ?? key.firstSeenAt,
        lastUsedAt: key.lastUsedAt,
      }),
      act: values,
      task: values
        ? null
        : `The connector of ${key.toolTitle} has no action for it: remove ${key.externalId} there, then say so here.`,
    });
  }
  return found;
}

async function keyAction(
  db: Database,
  actions: Awaited<ReturnType<typeof readToolActions>>,
  key: { connectionId: string; externalId: string },
) {
  for await (const { id, entity } of entitiesOf(db, key.connectionId, 'credential')) {
    if (id !== key.externalId) continue;
    const found = actionFor(entity as EntityFact, actions.get(key.connectionId) ?? [], REMOVE_KINDS); // a credential
    return found
      ? { act: 'connector_action', connectionId: key.connectionId, action: found.action.name, values: found.input }
      : null;
  }
  return null;
}

/** Everything that can be reviewed, with what is known of its use. */
export async function gatherCandidates(deps: GatherDeps): Promise<Candidate[]> {
  const people = new Map((await deps.people(ACTOR)).map(({ id, email, name }) => [id, { id, email, name }]));
  // A service or somebody who is gone can't review: then it is the fallback's.
  const owner: OwnerOf = (id) => people.get(id) ?? null;
  const parts = [await gatewayGrants(deps, owner), await idleIntegrations(deps, owner), await inTools(deps)];
  return parts.flat();
}
