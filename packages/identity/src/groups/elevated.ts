import { type Role, ROLES } from '@cordon/kernel';
import { sql } from 'kysely';
import type { IdentityDb } from '../context.ts';

/** What somebody has for a while, now. The clock ends it: nothing needs to have been deleted. */
export interface Elevated {
  readonly roles: readonly Role[];
  /** Ids of apps to sign on to. */
  readonly apps: readonly string[];
}

const NOTHING: Elevated = { roles: [], apps: [] };

/** Runs on every request of a session, so it is one look into two small indexes. */
export async function findElevated(db: IdentityDb, personId: string, now: number): Promise<Elevated> {
  const at = new Date(now);
  const { rows } = await sql<{ kind: 'role' | 'app'; ref: string }>`
    select e.kind, e.ref from elevations e
      where e.person_id = ${personId}::uuid and e.state = 'live' and e.kind in ('role', 'app') and e.ends_at > ${at}
    union
    select 'role', unnest(g.roles) from group_members m join scim_groups g on g.id = m.group_id
      where m.person_id = ${personId}::uuid and m.by = 'elevation' and m.ends_at > ${at}`.execute(db);
  if (rows.length === 0) return NOTHING;
  const roles = new Set(rows.flatMap(({ kind, ref }) => (kind === 'role' ? [ref] : [])));
  return {
    roles: ROLES.filter((role) => roles.has(role)),
    apps: rows.flatMap(({ kind, ref }) => (kind === 'app' ? [ref] : [])),
  };
}

/** A person's own roles with those that they have for a while. */
export function rolesWith(roles: readonly Role[], elevated: readonly Role[]): readonly Role[] {
  return elevated.length === 0 ? roles : [...new Set([...roles, ...elevated])];
}
