import { type Actor, appendAudit, PersonId, type Role, type Transaction, uuidv7 } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { entityManagementEvent } from '../events.ts';
import { notFound, ScimRefused } from './scim-error.ts';
import { listPage, type ListQuery, loadMemberships } from './scim-list.ts';
import { applyPatch, type Operation } from './scim-patch.ts';
import { changeGroupRoles, changePerson, createPerson, removePerson, type Report } from './scim-person.ts';
import { project, type Projection } from './scim-projection.ts';
import { isRecord, readResource, type Resource } from './scim-read.ts';
import { checkIfMatch, etagOf, renderResource } from './scim-render.ts';
import type { ResourceType } from './scim-schema.ts';
import { resourceTypes } from './scim-schema.ts';
import {
  addMembers,
  deleteResource,
  filterUserIds,
  findGroupRoles,
  findResource,
  findRolesOfGroup,
  insertGroup,
  insertUser,
  type Kind,
  listMemberIds,
  lockResource,
  removeMembers,
  setRolesOfGroup,
  type StoredResource,
  updateGroup,
  updateUser,
} from './scim-store.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const EVERYTHING: Projection = { attributes: null, excluded: [], extensions: new Set() };

/** A resource and its ETag. */
export interface Answer {
  readonly resource: Resource;
  readonly etag: string;
}

export interface Directory {
  readonly types: { readonly User: ResourceType; readonly Group: ResourceType };
  list(kind: Kind, query: ListQuery): Promise<Record<string, unknown>>;
  get(kind: Kind, id: string, projection?: Projection): Promise<Answer>;
  create(actor: Actor, kind: Kind, body: unknown): Promise<Answer>;
  replace(actor: Actor, kind: Kind, id: string, body: unknown, ifMatch?: string): Promise<Answer>;
  patch(actor: Actor, kind: Kind, id: string, operations: readonly Operation[], ifMatch?: string): Promise<Answer>;
  remove(actor: Actor, kind: Kind, id: string, ifMatch?: string): Promise<void>;
  /** What members of a group may do in Cordon; takes effect on all of them at once. */
  setGroupRoles(actor: Actor, id: string, roles: readonly Role[]): Promise<void>;
}

/** Splits members off a group's attributes; checks that each is a user that exists. */
async function splitMembers(tx: Transaction, group: Resource): Promise<{ attributes: Resource; members: string[] }> {
  const { members: given, ...attributes } = group;
  const list: readonly unknown[] = Array.isArray(given) ? given : [];
  const ids = new Set<string>();
  for (const item of list) {
    const value = isRecord(item) ? item['value'] : undefined;
    if (typeof value !== 'string' || !UUID.test(value)) {
      throw new ScimRefused(400, 'A member names the id of a user as its value.', 'invalidValue');
    }
    ids.add(value);
  }
  const known = await filterUserIds(tablesOf(tx), [...ids]);
  const unknown = [...ids].find((id) => !known.has(id));
  if (unknown) throw new ScimRefused(400, `There is no user ${unknown}.`, 'invalidValue');
  return { attributes, members: [...ids] };
}

export function createDirectory(context: IdentityContext): Directory {
  const { db, clock, config } = context;
  const types = resourceTypes(config.scimExtension);

  const report = (reports: readonly (Report | null)[]): void => {
    for (const one of reports) one?.();
  };

  const answer = async (kind: Kind, stored: StoredResource, projection = EVERYTHING): Promise<Answer> => {
    const type = types[kind];
    const memberships = await loadMemberships(tablesOf(db), type, [stored], projection);
    const resource = renderResource(config.publicUrl, type, stored, memberships.get(stored.id) ?? []);
    return { resource: project(type, resource, projection), etag: etagOf(stored) };
  };

  const load = async (kind: Kind, id: string): Promise<StoredResource> => {
    const stored = UUID.test(id) ? await findResource(tablesOf(db), kind, id) : undefined;
    if (!stored) throw notFound(kind.toLowerCase());
    return stored;
  };

  const loadLocked = async (tx: Transaction, kind: Kind, id: string, ifMatch?: string): Promise<StoredResource> => {
    const stored = UUID.test(id) ? await lockResource(tablesOf(tx), kind, id) : undefined;
    if (!stored) throw notFound(kind.toLowerCase());
    checkIfMatch(ifMatch, stored);
    return stored;
  };

  const auditGroup = async (
    tx: Transaction,
    actor: Actor,
    action: string,
    id: string,
    group: Resource,
    detail = {},
  ): Promise<Report> => {
    const name = typeof group['displayName'] === 'string' ? group['displayName'] : id;
    const at = clock.now();
    await appendAudit(tx, { actor, action, target: { type: 'group', id, name }, detail, at });
    const activity = action === 'group.created' ? 'create' : action === 'group.removed' ? 'delete' : 'update';
    const entity = { type: 'group', id, name };
    return () => context.emit(entityManagementEvent(activity, { at, outcome: 'success', actor, entity }));
  };

  /** Runs a change of memberships or roles and carries it over to the roles of everybody whom it touches. */
  const withRoles = async (
    tx: Transaction,
    actor: Actor,
    userIds: readonly string[],
    change: () => Promise<void>,
  ): Promise<(Report | null)[]> => {
    const tables = tablesOf(tx);
    const before = new Map<string, Role[]>();
    for (const id of userIds) before.set(id, await findGroupRoles(tables, id));
    await change();
    const reports: (Report | null)[] = [];
    for (const [id, roles] of before) {
      const after = await findGroupRoles(tables, id);
      reports.push(await changeGroupRoles(context, tx, actor, PersonId.parse(id), { before: roles, after }));
    }
    return reports;
  };

  const saveGroup = async (
    tx: Transaction,
    actor: Actor,
    stored: StoredResource,
    group: Resource,
  ): Promise<(Report | null)[]> => {
    const { attributes, members } = await splitMembers(tx, group);
    const tables = tablesOf(tx);
    const had = await listMemberIds(tables, stored.id);
    const added = members.filter((id) => !had.includes(id));
    const removed = had.filter((id) => !members.includes(id));
    await updateGroup(tables, stored.id, attributes, clock.now());
    // A group without roles changes nobody's: the usual case costs no query for each member.
    const touched = (await findRolesOfGroup(tables, stored.id)).length > 0 ? [...added, ...removed] : [];
    const reports = await withRoles(tx, actor, touched, async () => {
      await addMembers(tables, stored.id, added);
      await removeMembers(tables, stored.id, removed);
    });
    reports.push(await auditGroup(tx, actor, 'group.changed', stored.id, attributes, { added, removed }));
    return reports;
  };

  const saveUser = async (tx: Transaction, actor: Actor, stored: StoredResource, user: Resource): Promise<Report[]> => {
    const change = { before: stored.attributes, after: user };
    const done = await changePerson(context, tx, actor, PersonId.parse(stored.id), change);
    await updateUser(tablesOf(tx), stored.id, user, clock.now());
    return [done];
  };

  const save = async (
    actor: Actor,
    kind: Kind,
    id: string,
    ifMatch: string | undefined,
    make: (tx: Transaction, stored: StoredResource) => Promise<Resource>,
  ): Promise<Answer> => {
    const reports = await db.transaction(async (tx) => {
      const stored = await loadLocked(tx, kind, id, ifMatch);
      const next = await make(tx, stored);
      return kind === 'User' ? saveUser(tx, actor, stored, next) : saveGroup(tx, actor, stored, next);
    });
    report(reports);
    return answer(kind, await load(kind, id));
  };

  const createUser = async (
    tx: Transaction,
    actor: Actor,
    user: Resource,
  ): Promise<{ id: string; reports: Report[] }> => {
    const made = await createPerson(context, tx, actor, user);
    const inserted = await insertUser(tablesOf(tx), made.id, user, clock.now());
    if (!inserted) throw new ScimRefused(409, 'Somebody has this userName already.', 'uniqueness');
    return { id: made.id, reports: [made.report] };
  };

  const createGroup = async (
    tx: Transaction,
    actor: Actor,
    group: Resource,
  ): Promise<{ id: string; reports: Report[] }> => {
    const { attributes, members } = await splitMembers(tx, group);
    const id = uuidv7(clock.now());
    await insertGroup(tablesOf(tx), id, attributes, clock.now());
    await addMembers(tablesOf(tx), id, members);
    return { id, reports: [await auditGroup(tx, actor, 'group.created', id, attributes, { members: members.length })] };
  };

  return {
    types,
    list: (kind, query) => listPage(tablesOf(db), config.publicUrl, types[kind], query),
    get: async (kind, id, projection) => answer(kind, await load(kind, id), projection),

    async create(actor, kind, body) {
      const resource = readResource(types[kind], body);
      const { id, reports } = await db.transaction((tx) =>
        kind === 'User' ? createUser(tx, actor, resource) : createGroup(tx, actor, resource),
      );
      report(reports);
      return answer(kind, await load(kind, id));
    },

    replace: (actor, kind, id, body, ifMatch) =>
      save(actor, kind, id, ifMatch, async () => readResource(types[kind], body)),

    patch: (actor, kind, id, operations, ifMatch) =>
      save(actor, kind, id, ifMatch, async (tx, stored) => {
        if (kind === 'User') return applyPatch(types.User, stored.attributes, operations);
        const members = (await listMemberIds(tablesOf(tx), id)).map((value) => ({ value }));
        return applyPatch(types.Group, { ...stored.attributes, members }, operations);
      }),

    async remove(actor, kind, id, ifMatch) {
      const reports = await db.transaction(async (tx) => {
        const stored = await loadLocked(tx, kind, id, ifMatch);
        const tables = tablesOf(tx);
        if (kind === 'User') {
          const done = await removePerson(context, tx, actor, PersonId.parse(id));
          await deleteResource(tables, 'User', id);
          return [done];
        }
        const members = await listMemberIds(tables, id);
        const done = await withRoles(tx, actor, members, () => deleteResource(tables, 'Group', id));
        return [
          ...done,
          await auditGroup(tx, actor, 'group.removed', id, stored.attributes, { members: members.length }),
        ];
      });
      report(reports);
    },

    async setGroupRoles(actor, id, roles) {
      const reports = await db.transaction(async (tx) => {
        const stored = await loadLocked(tx, 'Group', id);
        const tables = tablesOf(tx);
        const members = await listMemberIds(tables, id);
        const done = await withRoles(tx, actor, members, () => setRolesOfGroup(tables, id, roles, clock.now()));
        return [...done, await auditGroup(tx, actor, 'group.roles_set', id, stored.attributes, { roles })];
      });
      report(reports);
    },
  };
}
