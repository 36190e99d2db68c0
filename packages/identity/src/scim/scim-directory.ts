import { type Actor, appendAudit, PersonId, type Role, type Transaction, uuidv7 } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { entityManagementEvent } from '../events.ts';
import { withAccess } from '../groups/access-change.ts';
import { keptBy, listPeopleIds } from '../groups/group-store.ts';
import { notFound, ScimRefused } from './scim-error.ts';
import { listPage, type ListQuery, loadMemberships } from './scim-list.ts';
import { applyPatch, type Operation } from './scim-patch.ts';
import { changePerson, createPerson, removePerson, type Report } from './scim-person.ts';
import { project, type Projection } from './scim-projection.ts';
import { isRecord, readResource, type Resource } from './scim-read.ts';
import { checkIfMatch, etagOf, renderResource } from './scim-render.ts';
import type { ResourceType } from './scim-schema.ts';
import { resourceTypes } from './scim-schema.ts';
import {
  addMembers,
  deleteResource,
  filterUserIds,
  findResource,
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

  /** Runs a change of memberships or roles and carries it over to everybody whom it touches. */
  const withRoles = async (
    tx: Transaction,
    actor: Actor,
    group: { readonly id: string; readonly cause: string; readonly people: readonly string[] },
    change: () => Promise<unknown>,
  ): Promise<readonly (Report | null)[]> => {
    const { id, cause, people } = group;
    return (await withAccess(context, tx, { actor, cause, groups: [id], people }, change)).reports;
  };

  /** A group that people here keep is read-only for directories. */
  const checkKept = async (tx: Transaction, id: string): Promise<void> => {
    if ((await keptBy(tablesOf(tx), id)) !== 'cordon') return;
    throw new ScimRefused(403, 'This group is kept in Cordon: its name and members are changed there.');
  };
  const nameOf = ({ displayName: name }: Resource): string => (typeof name === 'string' ? name : 'without a name');

  const saveGroup = async (
    tx: Transaction,
    actor: Actor,
    stored: StoredResource,
    group: Resource,
  ): Promise<(Report | null)[]> => {
    await checkKept(tx, stored.id);
    const { attributes, members } = await splitMembers(tx, group);
    const tables = tablesOf(tx);
    const had = await listMemberIds(tables, stored.id);
    const added = members.filter((id) => !had.includes(id));
    const removed = had.filter((id) => !members.includes(id));
    await updateGroup(tables, stored.id, attributes, clock.now());
    const people = [...added, ...removed];
    const cause = `The directory changed the members of ${nameOf(attributes)}.`;
    const done = await withRoles(tx, actor, { id: stored.id, cause, people }, async () => {
      await addMembers(tables, stored.id, added);
      await removeMembers(tables, stored.id, removed);
    });
    const reports = [...done];
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
        await checkKept(tx, id);
        const people = await listPeopleIds(tables, id);
        const cause = `The directory removed the group ${nameOf(stored.attributes)}.`;
        const done = await withRoles(tx, actor, { id, cause, people }, () => deleteResource(tables, 'Group', id));
        return [
          ...done,
          await auditGroup(tx, actor, 'group.removed', id, stored.attributes, { members: people.length }),
        ];
      });
      report(reports);
    },

    async setGroupRoles(actor, id, roles) {
      const reports = await db.transaction(async (tx) => {
        const stored = await loadLocked(tx, 'Group', id);
        const tables = tablesOf(tx);
        const people = await listPeopleIds(tables, id);
        const cause = `What ${nameOf(stored.attributes)} gives changed.`;
        const change = () => setRolesOfGroup(tables, id, roles, clock.now());
        // Whoever looks at what a group gives must not find nothing because it gave nothing before.
        const { reports: done } = await withAccess(context, tx, { actor, cause, groups: [], people }, change);
        return [...done, await auditGroup(tx, actor, 'group.roles_set', id, stored.attributes, { roles })];
      });
      report(reports);
    },
  };
}
