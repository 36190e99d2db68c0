import { type Actor, PersonId, type Role, type Transaction } from '@cordon/kernel';
import { sql } from 'kysely';
import { type IdentityContext, type IdentityDb, tablesOf } from '../context.ts';
import { changeGroupRoles, type Report } from '../scim/scim-person.ts';
import { findGroupRoles } from '../scim/scim-store.ts';
import { mayUse, SsoAppId } from '../sso/sso-app.ts';
import { listApps, loadSubscriber } from '../sso/sso-app-store.ts';
import { endLogins } from '../sso/sso-login-store.ts';
import { difference, type Entitlement, type Move } from './group.ts';

/** Whether anything follows from being in one of these groups; if not, a change of members costs nothing more. */
async function givesAnything(context: IdentityContext, tx: Transaction, groups: readonly string[]): Promise<boolean> {
  if (groups.length === 0) return true;
  const ids = sql.join(groups.map((id) => sql`${id}::uuid`));
  const { rows } = await sql<{ gives: boolean }>`select
    exists (select 1 from scim_groups g where g.id in (${ids}) and cardinality(g.roles) > 0)
    or exists (select 1 from sso_apps a where a.groups && array[${ids}] and a.removed_at is null)
    or exists (select 1 from sso_apps a where cardinality(a.roles) > 0 and a.removed_at is null
      and exists (select 1 from scim_groups g where g.id in (${ids}) and g.roles && a.roles)) as gives`.execute(
    tablesOf(tx),
  );
  if (rows[0]?.gives === true) return true;
  return ((await context.groupTargets?.(tx, groups)) ?? []).length > 0;
}

/** Everything that follows from who somebody is: roles by groups, apps to sign on to, tools with an account. */
export async function entitlementsOf(
  context: IdentityContext,
  source: Pick<Transaction, 'tables'>,
  personId: string,
  at = context.clock.now(),
): Promise<Entitlement[]> {
  const db: IdentityDb = tablesOf(source);
  const who = await loadSubscriber(db, personId, at);
  if (!who || who.person.status === 'disabled') return [];
  // Somebody who is invited will be able to use them: that is what joining gives.
  const joined = { ...who, person: { ...who.person, status: 'active' as const } };
  const roles = new Set<Role>([...who.person.roles, ...(await findGroupRoles(db, personId))]);
  const apps = (await listApps(db)).filter((app) => mayUse(app, joined));
  const targets =
    (await context.groupTargets?.(
      source,
      who.groups.map(({ id }) => id),
    )) ?? [];
  return [
    ...[...roles].map((role) => ({ kind: 'role' as const, id: role, name: role })),
    ...apps.map(({ id, name }) => ({ kind: 'app' as const, id, name })),
    ...targets.map(({ id, name }) => ({ kind: 'target' as const, id, name })),
  ];
}

/**
 * Runs a change of groups and carries it through to everybody whom it touches, in the same transaction: roles given and
 * taken, sign-ons ended at apps that no longer follow, and the move told to whoever keeps the evidence.
 */
export async function withAccess(
  context: IdentityContext,
  tx: Transaction,
  input: {
    readonly actor: Actor;
    readonly cause: string;
    /** The groups that change; none: something else that access follows from. */
    readonly groups: readonly string[];
    readonly people: readonly string[];
    /** What they had is looked at as of then: what the clock took can't be seen any more. */
    readonly beforeAt?: number;
  },
  change: () => Promise<unknown>,
): Promise<{ readonly reports: readonly (Report | null)[]; readonly moves: readonly Move[] }> {
  const { actor, cause, people } = input;
  if (people.length === 0 || !(await givesAnything(context, tx, input.groups))) {
    await change();
    return { reports: [], moves: [] };
  }
  const tables = tablesOf(tx);
  const before = new Map<string, { readonly roles: Role[]; readonly has: Entitlement[] }>();
  for (const id of people) {
    before.set(id, {
      roles: await findGroupRoles(tables, id),
      has: await entitlementsOf(context, tx, id, input.beforeAt),
    });
  }
  await change();
  const reports: (Report | null)[] = [];
  const moves: Move[] = [];
  for (const [id, { roles, has }] of before) {
    const after = await findGroupRoles(tables, id);
    reports.push(await changeGroupRoles(context, tx, actor, PersonId.parse(id), { before: roles, after }));
    const { gained, lost } = difference(has, await entitlementsOf(context, tx, id));
    if (gained.length === 0 && lost.length === 0) continue;
    const who = await loadSubscriber(tables, id, context.clock.now());
    if (!who) continue;
    const endedSignOns: Record<string, number> = {};
    for (const one of lost) {
      if (one.kind !== 'app') continue;
      const which = { appId: SsoAppId.parse(one.id), personId: id };
      endedSignOns[one.id] = await endLogins(tables, which, context.clock.now());
    }
    const person = { id, name: who.person.name };
    const isJoiner = who.person.status === 'invited' && has.every(({ kind }) => kind === 'role');
    const move: Move = { person, gained, lost, isJoiner, cause, endedSignOns };
    await context.onMoved?.(tx, { actor, move });
    moves.push(move);
  }
  return { reports, moves };
}
