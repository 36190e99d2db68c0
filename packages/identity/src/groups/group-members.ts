import { sql } from 'kysely';
import { z } from 'zod';
import { type IdentityContext, tablesOf } from '../context.ts';

const MEMBERS_MAX = 50_000;
const documentSchema = z.record(z.string(), z.unknown());

/** Somebody that a group holds, with the directory's own document of them; empty when no directory knows them. */
export interface GroupMember {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly login: string;
  readonly directory: Readonly<Record<string, unknown>>;
}

/** A group with the ids of everybody in it now. */
export interface GroupWithMembers {
  readonly id: string;
  readonly name: string;
  readonly memberIds: readonly string[];
}

const idList = (ids: readonly string[]) => sql.join(ids.map((id) => sql`${id}::uuid`));

/** Members of any of these groups who are not disabled, each once; for those who push people on to tools. */
export async function membersOf(context: IdentityContext, groups: readonly string[]): Promise<GroupMember[]> {
  if (groups.length === 0) return [];
  const now = new Date(context.clock.now());
  const found = await sql<Omit<GroupMember, 'directory'> & { directory: unknown }>`
    select p.id, p.name, p.email, p.login, coalesce(u.attributes, '{}'::jsonb) as directory
    from people p left join scim_users u on u.id = p.id
    where p.status <> 'disabled'
      and exists (select 1 from group_people m where m.person_id = p.id and m.group_id in (${idList(groups)})
        and (m.ends_at is null or m.ends_at > ${now}))
    order by p.id limit ${MEMBERS_MAX}`.execute(tablesOf(context.db));
  return found.rows.map((row) => ({ ...row, directory: documentSchema.parse(row.directory) }));
}

/** These groups as they are pushed on to tools; one that is gone is left out. */
export async function groupsWithMembers(context: IdentityContext, groups: readonly string[]) {
  if (groups.length === 0) return [];
  const now = new Date(context.clock.now());
  const found = await sql<{ id: string; name: string; members: string[] }>`
    select g.id, coalesce(g.attributes ->> 'displayName', '') as name, coalesce((
      select array_agg(distinct p.id::text) from group_people m join people p on p.id = m.person_id
      where m.group_id = g.id and p.status <> 'disabled' and (m.ends_at is null or m.ends_at > ${now})), '{}') as members
    from scim_groups g where g.id in (${idList(groups)}) order by g.id`.execute(tablesOf(context.db));
  return found.rows.map(({ id, name, members }): GroupWithMembers => ({ id, name, memberIds: members.toSorted() }));
}
