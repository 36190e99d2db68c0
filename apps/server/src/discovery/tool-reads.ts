import { ENTITIES_PAGE_MAX, type Manifests, listConnections, listEntities, type StoredRow } from '@cordon/connectors';
import type { GrantFact, KeyFact, ServedApp } from '@cordon/discovery';
import { actionFor, listApps } from '@cordon/estate';
import type { Database } from '@cordon/kernel';
import { readToolActions } from '../roles/graph-parts.ts';

const PAGES_MAX = 2_000;

/** All entities of one kind in one connected tool, page by page. */
export async function* entitiesOf(
  db: Database,
  connectionId: string,
  kind: StoredRow['kind'],
): AsyncGenerator<StoredRow> {
  let after: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const found = await listEntities(db, { connectionId, kind, limit: ENTITIES_PAGE_MAX, ...(after ? { after } : {}) });
    yield* found.items;
    if (found.next === null) return;
    after = found.next;
  }
}

/** Apps that Cordon serves, and tools that it is connected to: known, and no shadow. */
export async function readServed(db: Database, manifests: Manifests): Promise<ServedApp[]> {
  const [apps, connections] = await Promise.all([listApps(db), listConnections(db)]);
  const served = apps.map(({ title, settings }) => ({ title, hosts: [new URL(settings.upstream).hostname] }));
  const tools = connections.map(({ app }) => ({ title: manifests.find(app)?.manifest.title ?? app, hosts: [] }));
  return [...served, ...tools];
}

/** Names of accounts by their id in the tool: a mail address, else what they sign in with. */
export async function readPeople(db: Database, connectionId: string): Promise<Map<string, string>> {
  const people = new Map<string, string>();
  for await (const { id, entity } of entitiesOf(db, connectionId, 'account')) {
    if (entity.type === 'account') people.set(id, entity.email ?? entity.login ?? entity.name ?? id);
  }
  return people;
}

export async function readGrants(db: Database, connectionId: string): Promise<GrantFact[]> {
  const grants: GrantFact[] = [];
  for await (const { entity } of entitiesOf(db, connectionId, 'grant'))
    if (entity.type === 'grant') grants.push(entity);
  return grants;
}

/** Which of these OAuth clients a grant is of, by the client that holds it or the app that it is given to. */
export function clientOf(entity: StoredRow['entity'], clientIds: ReadonlySet<string>): string | null {
  if (entity.type !== 'grant') return null;
  const found = [entity.client?.id, entity.subject.id].find((one) => typeof one === 'string' && clientIds.has(one));
  return found ?? null;
}

const momentOf = (text: string | null | undefined): number | null => (text ? Date.parse(text) : null);

export const REMOVE_KINDS = ['revoke_key'] as const;
export const ROTATE_KINDS = ['rotate_key'] as const;

/** Credentials of all connected tools, with what their connectors can do about each. */
export async function readKeys(db: Database, manifests: Manifests): Promise<KeyFact[]> {
  const actions = await readToolActions(db, manifests);
  const keys: KeyFact[] = [];
  for (const { id: connectionId, app } of await listConnections(db)) {
    const people = await readPeople(db, connectionId);
    for await (const row of entitiesOf(db, connectionId, 'credential')) {
      const { entity } = row;
      if (entity.type !== 'credential') continue;
      const can = (kinds: readonly string[]): boolean =>
        actionFor(entity, actions.get(connectionId) ?? [], kinds) !== null;
      keys.push({
        ref: `${connectionId}/${row.id}`,
        connectionId,
        tool: app,
        toolTitle: manifests.find(app)?.manifest.title ?? app,
        externalId: row.id,
        kind: entity.kind,
        status: entity.status,
        name: entity.name ?? null,
        owner: entity.ownerId ? (people.get(entity.ownerId) ?? entity.ownerId) : null,
        scopes: entity.scopes ?? [],
        createdAt: momentOf(entity.createdAt),
        lastUsedAt: momentOf(entity.lastUsedAt),
        expiresAt: momentOf(entity.expiresAt),
        firstSeenAt: row.firstSeen,
        canRotate: can(ROTATE_KINDS),
        canRemove: can(REMOVE_KINDS),
      });
    }
  }
  return keys;
}
