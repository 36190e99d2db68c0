import type { Role } from '@cordon/kernel';
import { sql } from 'kysely';
import type { IdentityDb } from '../context.ts';
import { loginKey } from '../people/person.ts';
import type { GroupBy } from './access-tables.ts';
import type { Group, GroupPerson } from './group.ts';

export const GROUPS_PAGE_MAX = 200;
export const GROUP_PEOPLE_MAX = 500;

interface Row {
  id: string;
  display: string;
  description: string;
  kept_by: 'directory' | 'cordon';
  owner_id: string | null;
  owner_name: string | null;
  members: number;
  roles: Role[];
}

function groupOf(row: Row): Group {
  const { id, display, description, kept_by: keptBy, owner_id, owner_name, members, roles } = row;
  const owner = owner_id === null ? null : { id: owner_id, name: owner_name ?? owner_id };
  return { id, displayName: display, description, keptBy, owner, members, roles };
}

/** In the order they were made; one alone by its id. */
export async function listGroups(
  db: IdentityDb,
  which: { readonly id?: string; readonly after?: string | undefined; readonly now: number },
): Promise<Group[]> {
  const { id, after, now } = which;
  const found = await sql<Row>`
    select g.id, coalesce(g.attributes ->> 'displayName', '') as display, g.description, g.kept_by, g.roles, g.owner_id,
      (select p.name from people p where p.id = g.owner_id) as owner_name,
      (select count(distinct m.person_id)::int from group_people m
        where m.group_id = g.id and (m.ends_at is null or m.ends_at > ${new Date(now)})) as members
    from scim_groups g
    where ${id === undefined ? sql`true` : sql`g.id = ${id}::uuid`}
      and ${after === undefined ? sql`true` : sql`g.id > ${after}::uuid`}
    order by g.id limit ${GROUPS_PAGE_MAX}`.execute(db);
  return found.rows.map(groupOf);
}

/** By name; page on with the last one's id. */
export async function listGroupPeople(
  db: IdentityDb,
  groupId: string,
  page: { readonly after?: string | undefined; readonly now: number },
): Promise<GroupPerson[]> {
  const { after, now } = page;
  const found = await sql<{
    id: string;
    name: string;
    login: string;
    status: GroupPerson['status'];
    by: GroupBy[];
    ends_at: Date | null;
  }>`
    select p.id, p.name, p.login, p.status, array_agg(distinct m.by) as by,
      case when bool_or(m.ends_at is null) then null else max(m.ends_at) end as ends_at
    from group_people m join people p on p.id = m.person_id
    where m.group_id = ${groupId}::uuid and (m.ends_at is null or m.ends_at > ${new Date(now)})
      and ${after === undefined ? sql`true` : sql`p.id > ${after}::uuid`}
    group by p.id order by p.id limit ${GROUP_PEOPLE_MAX}`.execute(db);
  return found.rows.map(({ ends_at, ...row }) => ({ ...row, endsAt: ends_at?.getTime() ?? null }));
}

/** The groups of each of these people, with how they came in. */
export async function listGroupsOf(
  db: IdentityDb,
  personIds: readonly string[],
  now: number,
): Promise<{ personId: string; id: string; displayName: string; by: GroupBy; endsAt: number | null }[]> {
  if (personIds.length === 0) return [];
  const ids = sql.join(personIds.map((id) => sql`${id}::uuid`));
  const found = await sql<{ person_id: string; id: string; display: string; by: GroupBy; ends_at: Date | null }>`
    select m.person_id, g.id, coalesce(g.attributes ->> 'displayName', '') as display, m.by, m.ends_at
    from group_people m join scim_groups g on g.id = m.group_id
    where m.person_id in (${ids}) and (m.ends_at is null or m.ends_at > ${new Date(now)})
    order by display, g.id`.execute(db);
  return found.rows.map((row) => ({
    personId: row.person_id,
    id: row.id,
    displayName: row.display,
    by: row.by,
    endsAt: row.ends_at?.getTime() ?? null,
  }));
}

/** Takes the row lock, so that two changes of one group follow each other. */
export async function lockGroup(db: IdentityDb, id: string): Promise<boolean> {
  const row = await db.selectFrom('scim_groups').select('id').where('id', '=', id).forUpdate().executeTakeFirst();
  return row !== undefined;
}

export async function isGroupNameTaken(db: IdentityDb, name: string, except: string): Promise<boolean> {
  const row = await db
    .selectFrom('scim_groups')
    .select('id')
    .where('display_key', '=', loginKey(name))
    .where('id', '!=', except)
    .executeTakeFirst();
  return row !== undefined;
}

export async function saveGroupFacts(
  db: IdentityDb,
  id: string,
  facts: { readonly description?: string; readonly ownerId?: string | null; readonly keptBy?: 'cordon' },
  at: number,
): Promise<void> {
  await db
    .updateTable('scim_groups')
    .set({
      updated_at: new Date(at),
      ...(facts.description === undefined ? {} : { description: facts.description }),
      ...(facts.ownerId === undefined ? {} : { owner_id: facts.ownerId }),
      ...(facts.keptBy === undefined ? {} : { kept_by: facts.keptBy }),
    })
    .where('id', '=', id)
    .execute();
}

export async function addByHand(
  db: IdentityDb,
  groupId: string,
  people: readonly string[],
  by: { readonly name: string; readonly at: number },
): Promise<void> {
  if (people.length === 0) return;
  const common = {
    group_id: groupId,
    by: 'hand' as const,
    added_by: by.name,
    added_at: new Date(by.at),
    ends_at: null,
  };
  await db
    .insertInto('group_members')
    .values(people.map((id) => ({ ...common, person_id: id })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function removeByHand(db: IdentityDb, groupId: string, people: readonly string[]): Promise<void> {
  if (people.length === 0) return;
  await db
    .deleteFrom('group_members')
    .where('group_id', '=', groupId)
    .where('by', '=', 'hand')
    .where('person_id', 'in', [...people])
    .execute();
}

/** A leaver: nothing that was given here by hand or for a while comes back should they be enabled again. */
export async function removeFromOwnGroups(db: IdentityDb, personId: string): Promise<number> {
  const done = await db.deleteFrom('group_members').where('person_id', '=', personId).executeTakeFirst();
  return Number(done.numDeletedRows);
}

export async function keptBy(db: IdentityDb, id: string): Promise<'directory' | 'cordon' | undefined> {
  const row = await db.selectFrom('scim_groups').select('kept_by').where('id', '=', id).executeTakeFirst();
  return row?.kept_by;
}

/** Everybody in a group now or for a while. */
export async function listPeopleIds(db: IdentityDb, groupId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('group_people')
    .select('person_id')
    .distinct()
    .where('group_id', '=', groupId)
    .orderBy('person_id')
    .execute();
  return rows.map((row) => row.person_id);
}
