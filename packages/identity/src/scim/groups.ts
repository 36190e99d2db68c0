import { type Actor, authorize, type Role } from '@cordon/kernel';
import { sql } from 'kysely';
import { type IdentityContext, tablesOf } from '../context.ts';
import { GroupNotFound } from '../errors.ts';
import { type GroupMember, membersOf } from './group-members.ts';
import type { Directory } from './scim-directory.ts';
import { ScimRefused } from './scim-error.ts';

const GROUPS_PAGE_MAX = 200;

export interface ProvisionedGroup {
  readonly id: string;
  readonly displayName: string;
  readonly members: number;
  readonly roles: Role[];
}

/** Groups as an owner sees them: the directory says who is in, the owner what that gives. */
export interface Groups {
  /** In the order they were made; page on with `after`. */
  list(actor: Actor, after?: string): Promise<{ groups: ProvisionedGroup[]; next: string | null }>;
  setRoles(actor: Actor, id: string, roles: readonly Role[]): Promise<void>;
  /** Members of any of these groups who are not disabled, each once. */
  membersOf(actor: Actor, groups: readonly string[]): Promise<GroupMember[]>;
}

export function createGroups(context: IdentityContext, directory: Directory): Groups {
  return {
    async membersOf(actor, groups) {
      authorize(actor, 'person.read');
      return membersOf(context, groups);
    },
    async list(actor, after) {
      authorize(actor, 'person.read');
      const found = await sql<{ id: string; display: string; members: number; roles: Role[] }>`
        select g.id, coalesce(g.attributes ->> 'displayName', '') as display, g.roles,
          (select count(*)::int from scim_members m where m.group_id = g.id) as members
        from scim_groups g where ${after === undefined ? sql`true` : sql`g.id > ${after}::uuid`}
        order by g.id limit ${GROUPS_PAGE_MAX}`.execute(tablesOf(context.db));
      const groups = found.rows.map(({ id, display, members, roles }) => ({
        id,
        displayName: display,
        members,
        roles,
      }));
      return { groups, next: groups.length === GROUPS_PAGE_MAX ? (groups.at(-1)?.id ?? null) : null };
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
  };
}
