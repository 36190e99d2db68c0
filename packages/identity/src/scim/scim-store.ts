import { type Role, ROLES } from '@cordon/kernel';
import { type RawBuilder, sql } from 'kysely';
import { z } from 'zod';
import type { IdentityDb } from '../context.ts';
import { loginKey } from '../people/person.ts';
import type { CursorPosition } from './scim-cursor.ts';
import type { Resource } from './scim-read.ts';

/** A user or group as stored; `attributes` is canonical, without id, meta, groups and members. */
export interface StoredResource {
  readonly id: string;
  readonly attributes: Resource;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

const attributesSchema = z.record(z.string(), z.unknown());

interface Row {
  id: string;
  attributes: unknown;
  version: number;
  created_at: Date;
  updated_at: Date;
}

function resourceOf(row: Row): StoredResource {
  return {
    id: row.id,
    attributes: attributesSchema.parse(row.attributes),
    version: row.version,
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
  };
}

export type Kind = 'User' | 'Group';
const TABLE = { User: sql`scim_users`, Group: sql`scim_groups` } as const;

function externalIdOf(attributes: Resource): string | null {
  const { externalId } = attributes;
  return typeof externalId === 'string' ? externalId : null;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** False when the userName is taken. */
export async function insertUser(db: IdentityDb, id: string, attributes: Resource, at: number): Promise<boolean> {
  const result = await db
    .insertInto('scim_users')
    .values({
      id,
      user_name_key: loginKey(textOf(attributes['userName'])),
      external_id: externalIdOf(attributes),
      attributes: JSON.stringify(attributes),
      created_at: new Date(at),
      updated_at: new Date(at),
    })
    .onConflict((conflict) => conflict.column('user_name_key').doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

export async function updateUser(db: IdentityDb, id: string, attributes: Resource, at: number): Promise<void> {
  await db
    .updateTable('scim_users')
    .set({
      user_name_key: loginKey(textOf(attributes['userName'])),
      external_id: externalIdOf(attributes),
      attributes: JSON.stringify(attributes),
      version: sql<number>`version + 1`,
      updated_at: new Date(at),
    })
    .where('id', '=', id)
    .execute();
}

export async function isUserNameTaken(db: IdentityDb, userName: string, except: string): Promise<boolean> {
  const row = await db
    .selectFrom('scim_users')
    .select('id')
    .where('user_name_key', '=', loginKey(userName))
    .where('id', '!=', except)
    .executeTakeFirst();
  return row !== undefined;
}

export async function insertGroup(db: IdentityDb, id: string, attributes: Resource, at: number): Promise<void> {
  await db
    .insertInto('scim_groups')
    .values({
      id,
      display_key: loginKey(textOf(attributes['displayName'])),
      external_id: externalIdOf(attributes),
      attributes: JSON.stringify(attributes),
      roles: [],
      created_at: new Date(at),
      updated_at: new Date(at),
    })
    .execute();
}

export async function updateGroup(db: IdentityDb, id: string, attributes: Resource, at: number): Promise<void> {
  await db
    .updateTable('scim_groups')
    .set({
      display_key: loginKey(textOf(attributes['displayName'])),
      external_id: externalIdOf(attributes),
      attributes: JSON.stringify(attributes),
      version: sql<number>`version + 1`,
      updated_at: new Date(at),
    })
    .where('id', '=', id)
    .execute();
}

export async function findResource(db: IdentityDb, kind: Kind, id: string): Promise<StoredResource | undefined> {
  const found = await sql<Row>`select id, attributes, version, created_at, updated_at from ${TABLE[kind]}
    where id = ${id}::uuid`.execute(db);
  return found.rows[0] && resourceOf(found.rows[0]);
}

export async function lockResource(db: IdentityDb, kind: Kind, id: string): Promise<StoredResource | undefined> {
  const found = await sql<Row>`select id, attributes, version, created_at, updated_at from ${TABLE[kind]}
    where id = ${id}::uuid for update`.execute(db);
  return found.rows[0] && resourceOf(found.rows[0]);
}

export async function deleteResource(db: IdentityDb, kind: Kind, id: string): Promise<void> {
  await sql`delete from ${TABLE[kind]} where id = ${id}::uuid`.execute(db);
}

export interface PageQuery {
  readonly where: RawBuilder<boolean>;
  readonly sort: RawBuilder<string>;
  readonly descending: boolean;
  readonly limit: number;
  readonly offset: number;
  readonly after: CursorPosition | null;
}

export async function countResources(db: IdentityDb, kind: Kind, where: RawBuilder<boolean>): Promise<number> {
  const found = await sql<{ count: number }>`select count(*) as count from ${TABLE[kind]} r where ${where}`.execute(db);
  return found.rows[0]?.count ?? 0;
}

/** One page with each row's sort key, in the order of the key and then the id. */
export async function listResources(
  db: IdentityDb,
  kind: Kind,
  query: PageQuery,
): Promise<{ resource: StoredResource; key: string }[]> {
  const direction = query.descending ? sql`desc` : sql`asc`;
  const beyond = query.descending ? sql`<` : sql`>`;
  const after = query.after
    ? sql<boolean>`(${query.sort} collate "C", r.id) ${beyond} (${query.after.key} collate "C", ${query.after.id}::uuid)`
    : sql<boolean>`true`;
  const found = await sql<Row & { key: string }>`
    select r.id, r.attributes, r.version, r.created_at, r.updated_at, ${query.sort} as key
    from ${TABLE[kind]} r where ${query.where} and ${after}
    order by ${query.sort} collate "C" ${direction}, r.id ${direction}
    limit ${query.limit} offset ${query.offset}`.execute(db);
  return found.rows.map((row) => ({ resource: resourceOf(row), key: row.key }));
}

export interface Membership {
  readonly groupId: string;
  readonly userId: string;
  readonly groupName: string;
  readonly userName: string;
}

/** Who is in which group, for users or for groups. */
export async function listMemberships(
  db: IdentityDb,
  by: 'user_id' | 'group_id',
  ids: readonly string[],
): Promise<Membership[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('scim_group_members as member')
    .innerJoin('scim_groups as group', 'group.id', 'member.group_id')
    .innerJoin('people as person', 'person.id', 'member.user_id')
    .select(['member.group_id', 'member.user_id', 'person.name', 'group.attributes'])
    .where(by === 'user_id' ? 'member.user_id' : 'member.group_id', 'in', [...ids])
    .orderBy('member.group_id')
    .orderBy('member.user_id')
    .execute();
  return rows.map((row) => ({
    groupId: row.group_id,
    userId: row.user_id,
    userName: row.name,
    groupName: textOf(attributesSchema.parse(row.attributes)['displayName']),
  }));
}

export async function listMemberIds(db: IdentityDb, groupId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('scim_members')
    .select('user_id')
    .where('group_id', '=', groupId)
    .orderBy('user_id')
    .execute();
  return rows.map((row) => row.user_id);
}

/** Which of these ids are users. */
export async function filterUserIds(db: IdentityDb, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db
    .selectFrom('scim_users')
    .select('id')
    .where('id', 'in', [...ids])
    .execute();
  return new Set(rows.map((row) => row.id));
}

export async function addMembers(db: IdentityDb, groupId: string, userIds: readonly string[]): Promise<void> {
  if (userIds.length === 0) return;
  const rows = userIds.map((userId) => ({ group_id: groupId, user_id: userId }));
  await db
    .insertInto('scim_members')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['group_id', 'user_id']).doNothing())
    .execute();
}

export async function removeMembers(db: IdentityDb, groupId: string, userIds: readonly string[]): Promise<void> {
  if (userIds.length === 0) return;
  await db
    .deleteFrom('scim_members')
    .where('group_id', '=', groupId)
    .where('user_id', 'in', [...userIds])
    .execute();
}

/** The roles that a person has through groups, however they came in; what is theirs for a while only isn't stored. */
export async function findGroupRoles(db: IdentityDb, personId: string): Promise<Role[]> {
  const rows = await db
    .selectFrom('group_people as member')
    .innerJoin('scim_groups as group', 'group.id', 'member.group_id')
    .select('group.roles')
    .where('member.person_id', '=', personId)
    .where('member.by', '!=', 'elevation')
    .execute();
  const held = new Set(rows.flatMap((row) => row.roles));
  return ROLES.filter((role) => held.has(role));
}

export async function setRolesOfGroup(
  db: IdentityDb,
  groupId: string,
  roles: readonly Role[],
  at: number,
): Promise<void> {
  await db
    .updateTable('scim_groups')
    .set({ roles: [...roles], updated_at: new Date(at) })
    .where('id', '=', groupId)
    .execute();
}
