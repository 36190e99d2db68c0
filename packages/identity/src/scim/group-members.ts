import { sql } from 'kysely';
import { z } from 'zod';
import { type IdentityContext, tablesOf } from '../context.ts';

const MEMBERS_MAX = 50_000;
const documentSchema = z.record(z.string(), z.unknown());

/** Somebody that a group holds, with the directory's own document of them. */
export interface GroupMember {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly login: string;
  readonly directory: Readonly<Record<string, unknown>>;
}

/** Members of any of these groups who are not disabled, each once; for those who push people on to tools. */
export async function membersOf(context: IdentityContext, groups: readonly string[]): Promise<GroupMember[]> {
  if (groups.length === 0) return [];
  const ids = sql.join(groups.map((id) => sql`${id}::uuid`));
  const found = await sql<Omit<GroupMember, 'directory'> & { directory: unknown }>`
    select p.id, p.name, p.email, p.login, u.attributes as directory
    from people p join scim_users u on u.id = p.id
    where p.status <> 'disabled'
      and exists (select 1 from scim_members m where m.user_id = p.id and m.group_id in (${ids}))
    order by p.id limit ${MEMBERS_MAX}`.execute(tablesOf(context.db));
  return found.rows.map((row) => ({ ...row, directory: documentSchema.parse(row.directory) }));
}
