import {
  type Actor,
  appendAudit,
  authorize,
  describeActor,
  PersonId,
  type Role,
  type Transaction,
  uuidv7,
} from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { GroupKeptElsewhere, GroupNotFound, InputInvalid, PersonNotFound, RoleBeyondOwn } from '../errors.ts';
import { entityManagementEvent } from '../events.ts';
import { findPerson } from '../people/person-store.ts';
import type { Directory } from '../scim/scim-directory.ts';
import { ScimRefused } from '../scim/scim-error.ts';
import type { Report } from '../scim/scim-person.ts';
import { deleteResource, insertGroup, updateGroup } from '../scim/scim-store.ts';
import { listApps } from '../sso/sso-app-store.ts';
import { entitlementsOf, withAccess } from './access-change.ts';
import type { AccessChange, Entitlement, Group, GroupPerson, Move } from './group.ts';
import { type GroupMember, groupsWithMembers, type GroupWithMembers, membersOf } from './group-members.ts';
import {
  addByHand,
  GROUP_PEOPLE_MAX,
  GROUPS_PAGE_MAX,
  isGroupNameTaken,
  listGroupPeople,
  listGroups,
  listGroupsOf,
  listPeopleIds,
  lockGroup,
  removeByHand,
  saveGroupFacts,
} from './group-store.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const CHANGED_MAX = 500;

export interface MemberChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

export interface GroupFacts {
  readonly displayName?: string;
  readonly description?: string;
  readonly ownerId?: string | null;
}

/** Groups of people, what being in one gives, and what a change of members means for each of them. */
export interface Groups {
  /** In the order they were made; page on with `after`. */
  list(actor: Actor, after?: string): Promise<{ groups: Group[]; next: string | null }>;
  get(actor: Actor, id: string): Promise<Group>;
  people(actor: Actor, id: string, after?: string): Promise<{ people: GroupPerson[]; next: string | null }>;
  /** What being in it gives. */
  gives(actor: Actor, id: string): Promise<Entitlement[]>;
  /** The groups of these people. */
  of(actor: Actor, personIds: readonly string[]): ReturnType<typeof listGroupsOf>;
  /** Everything that somebody may use, whatever it follows from. */
  access(actor: Actor, personId: string): Promise<Entitlement[]>;
  /** A group that people here keep. */
  create(actor: Actor, input: { displayName: string; description: string; ownerId: string | null }): Promise<Group>;
  /** Name and description of a group kept here; the owner of any. */
  change(actor: Actor, id: string, facts: GroupFacts): Promise<Group>;
  remove(actor: Actor, id: string): Promise<AccessChange[]>;
  /** What a change of members would give and take, without doing it: the change itself, rolled back. */
  preview(actor: Actor, id: string, change: MemberChange | 'removed'): Promise<AccessChange[]>;
  /** Puts people in and out of a group kept here; gives what it meant for each. */
  setMembers(actor: Actor, id: string, change: MemberChange): Promise<AccessChange[]>;
  setRoles(actor: Actor, id: string, roles: readonly Role[]): Promise<void>;
  /** Members of any of these groups who are not disabled, each once. */
  membersOf(actor: Actor, groups: readonly string[]): Promise<GroupMember[]>;
  withMembers(actor: Actor, groups: readonly string[]): Promise<GroupWithMembers[]>;
}

/** Thrown inside a preview's transaction to take back what was only tried. */
class RolledBack extends Error {
  readonly moves: readonly Move[];
  constructor(moves: readonly Move[]) {
    super('rolled back');
    this.moves = moves;
  }
}

const shown = ({ person, gained, lost }: Move): AccessChange => ({ person, gained, lost });

export function createGroups(context: IdentityContext, directory: Directory): Groups {
  const { db, clock, emit } = context;

  const load = async (source: Pick<Transaction, 'tables'>, id: string): Promise<Group> => {
    const [group] = UUID.test(id) ? await listGroups(tablesOf(source), { id, now: clock.now() }) : [];
    if (!group) throw new GroupNotFound('There is no such group.', { group: id });
    return group;
  };
  const loadOwn = async (tx: Transaction, id: string): Promise<Group> => {
    if (UUID.test(id)) await lockGroup(tablesOf(tx), id);
    const group = await load(tx, id);
    if (group.keptBy === 'cordon') return group;
    throw new GroupKeptElsewhere(`${group.displayName} is kept by the directory: change it there.`, { group: id });
  };
  const checkPerson = async (tx: Transaction, id: string) => {
    const person = UUID.test(id) ? await findPerson(tablesOf(tx), PersonId.parse(id)) : undefined;
    if (!person) throw new PersonNotFound('There is no such person.', { person: id });
    return person;
  };
  /** Who is an owner only for a while can't make it last. */
  const checkSelf = async (tx: Transaction, actor: Actor, people: readonly string[]): Promise<void> => {
    if (actor.kind !== 'person' || !people.includes(actor.id)) return;
    const { roles } = await checkPerson(tx, actor.id);
    if (roles.includes('owner')) return;
    throw new RoleBeyondOwn('Nobody puts themselves into a group: ask an owner, or ask for it for a while.');
  };
  const audit = async (
    tx: Transaction,
    actor: Actor,
    action: string,
    group: Pick<Group, 'id' | 'displayName'>,
    detail = {},
  ) => {
    const target = { type: 'group', id: group.id, name: group.displayName };
    await appendAudit(tx, { actor, action, target, detail, at: clock.now() });
  };
  const report = (
    activity: 'create' | 'update' | 'delete',
    actor: Actor,
    group: Pick<Group, 'id' | 'displayName'>,
  ): void =>
    emit(
      entityManagementEvent(activity, {
        at: clock.now(),
        outcome: 'success',
        actor,
        entity: { type: 'group', id: group.id, name: group.displayName },
      }),
    );

  const changeMembers = async (tx: Transaction, actor: Actor, id: string, { add, remove }: MemberChange) => {
    if (add.length + remove.length > CHANGED_MAX) {
      throw new InputInvalid(`At most ${CHANGED_MAX} people at once.`, { field: 'add' });
    }
    const group = await loadOwn(tx, id);
    await checkSelf(tx, actor, add);
    for (const person of add) {
      const { status, name } = await checkPerson(tx, person);
      if (status === 'disabled') throw new InputInvalid(`${name} is disabled.`, { field: 'add' });
    }
    const tables = tablesOf(tx);
    const by = { name: describeActor(actor).name, at: clock.now() };
    const cause = `Members of ${group.displayName} changed.`;
    const input = { actor, cause, groups: [id], people: [...new Set([...add, ...remove])] };
    const done = await withAccess(context, tx, input, async () => {
      await addByHand(tables, id, add, by);
      await removeByHand(tables, id, remove);
    });
    await audit(tx, actor, 'group.members_changed', group, { added: add, removed: remove });
    return { group, ...done };
  };
  const removeGroup = async (tx: Transaction, actor: Actor, id: string) => {
    const group = await loadOwn(tx, id);
    const tables = tablesOf(tx);
    const people = await listPeopleIds(tables, id);
    const input = { actor, cause: `The group ${group.displayName} was removed.`, groups: [id], people };
    const done = await withAccess(context, tx, input, () => deleteResource(tables, 'Group', id));
    await audit(tx, actor, 'group.removed', group, { members: people.length });
    return { group, ...done };
  };
  const tell = (reports: readonly (Report | null)[]): void => {
    for (const one of reports) one?.();
  };

  return {
    async list(actor, after) {
      authorize(actor, 'person.read');
      const groups = await listGroups(tablesOf(db), { after, now: clock.now() });
      return { groups, next: groups.length === GROUPS_PAGE_MAX ? (groups.at(-1)?.id ?? null) : null };
    },
    async get(actor, id) {
      authorize(actor, 'person.read');
      return load(db, id);
    },
    async people(actor, id, after) {
      authorize(actor, 'person.read');
      await load(db, id);
      const people = await listGroupPeople(tablesOf(db), id, { after, now: clock.now() });
      return { people, next: people.length === GROUP_PEOPLE_MAX ? (people.at(-1)?.id ?? null) : null };
    },
    async gives(actor, id) {
      authorize(actor, 'person.read');
      const { roles } = await load(db, id);
      const apps = (await listApps(tablesOf(db))).filter(
        ({ access }) => access.groups.includes(id) || access.roles.some((role) => roles.includes(role)),
      );
      const targets = (await context.groupTargets?.(db, [id])) ?? [];
      return [
        ...roles.map((role) => ({ kind: 'role' as const, id: role, name: role })),
        ...apps.map(({ id: app, name }) => ({ kind: 'app' as const, id: app, name })),
        ...targets.map(({ id: target, name }) => ({ kind: 'target' as const, id: target, name })),
      ];
    },
    async of(actor, personIds) {
      const isSelf = actor.kind === 'person' && personIds.every((id) => id === actor.id);
      authorize(actor, isSelf ? 'session.self' : 'person.read');
      return listGroupsOf(tablesOf(db), personIds, clock.now());
    },
    async access(actor, personId) {
      authorize(actor, actor.kind === 'person' && actor.id === personId ? 'session.self' : 'person.read');
      return entitlementsOf(context, db, personId);
    },
    async create(actor, { displayName, description, ownerId }) {
      authorize(actor, 'person.write');
      const at = clock.now();
      const id = uuidv7(at);
      await db.transaction(async (tx) => {
        const tables = tablesOf(tx);
        if (await isGroupNameTaken(tables, displayName, id)) {
          throw new InputInvalid('There is a group of this name.', { field: 'displayName' });
        }
        if (ownerId !== null) await checkPerson(tx, ownerId);
        await insertGroup(tables, id, { displayName }, at);
        await saveGroupFacts(tables, id, { description, ownerId, keptBy: 'cordon' }, at);
        await audit(tx, actor, 'group.created', { id, displayName }, { description, owner: ownerId });
      });
      report('create', actor, { id, displayName });
      return load(db, id);
    },
    async change(actor, id, { displayName, description, ownerId }) {
      authorize(actor, 'person.write');
      const at = clock.now();
      await db.transaction(async (tx) => {
        const tables = tablesOf(tx);
        const isOwnerOnly = displayName === undefined && description === undefined;
        const group = isOwnerOnly ? await load(tx, id) : await loadOwn(tx, id);
        if (ownerId !== undefined && ownerId !== null) await checkPerson(tx, ownerId);
        if (displayName !== undefined) {
          if (await isGroupNameTaken(tables, displayName, id)) {
            throw new InputInvalid('There is a group of this name.', { field: 'displayName' });
          }
          await updateGroup(tables, id, { displayName }, at);
        }
        const facts = {
          ...(description === undefined ? {} : { description }),
          ...(ownerId === undefined ? {} : { ownerId }),
        };
        await saveGroupFacts(tables, id, facts, at);
        await audit(tx, actor, 'group.changed', group, { displayName, ...facts });
      });
      const group = await load(db, id);
      report('update', actor, group);
      return group;
    },
    async remove(actor, id) {
      authorize(actor, 'person.write');
      const { group, reports, moves } = await db.transaction((tx) => removeGroup(tx, actor, id));
      tell(reports);
      report('delete', actor, group);
      return moves.map(shown);
    },
    async preview(actor, id, change) {
      authorize(actor, 'person.write');
      try {
        await db.transaction(async (tx) => {
          const { moves } =
            change === 'removed' ? await removeGroup(tx, actor, id) : await changeMembers(tx, actor, id, change);
          throw new RolledBack(moves);
        });
      } catch (error) {
        if (error instanceof RolledBack) return error.moves.map(shown);
        throw error;
      }
      return [];
    },
    async setMembers(actor, id, change) {
      authorize(actor, 'person.write');
      const { group, reports, moves } = await db.transaction((tx) => changeMembers(tx, actor, id, change));
      tell(reports);
      report('update', actor, group);
      return moves.map(shown);
    },
    async setRoles(actor, id, roles) {
      authorize(actor, 'person.write');
      try {
        await directory.setGroupRoles(actor, id, roles);
      } catch (error) {
        if (error instanceof ScimRefused && error.status === 404) throw new GroupNotFound(error.message);
        throw error;
      }
    },
    async membersOf(actor, groups) {
      authorize(actor, 'person.read');
      return membersOf(context, groups);
    },
    async withMembers(actor, groups) {
      authorize(actor, 'person.read');
      return groupsWithMembers(context, groups);
    },
  };
}
