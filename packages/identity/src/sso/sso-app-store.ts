import { PersonId } from '@cordon/kernel';
import { type Selectable, sql } from 'kysely';
import type { IdentityDb } from '../context.ts';
import { findPerson } from '../people/person-store.ts';
import { findElevated, rolesWith } from '../groups/elevated.ts';
import type { IdentityTables } from '../tables.ts';
import { type SsoApp, SsoAppId, ssoSettings, type Subscriber } from './sso-app.ts';

const APPS_MAX = 1_000;
const GROUPS_MAX = 500;

function appOf(row: Selectable<IdentityTables['sso_apps']>): SsoApp {
  return {
    id: SsoAppId.parse(row.id),
    name: row.name,
    catalogue: row.catalogue,
    settings: ssoSettings.parse(row.settings),
    access: { everyone: row.everyone, roles: row.roles, groups: row.groups },
    launchUrl: row.launch_url,
    status: row.status,
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
  };
}

function valuesOf(app: SsoApp) {
  return {
    name: app.name,
    protocol: app.settings.protocol,
    catalogue: app.catalogue,
    settings: JSON.stringify(app.settings),
    entity_id: app.settings.protocol === 'saml' ? app.settings.entityId : null,
    everyone: app.access.everyone,
    roles: [...app.access.roles],
    groups: [...app.access.groups],
    launch_url: app.launchUrl,
    status: app.status,
    updated_at: new Date(app.updatedAt),
  };
}

export async function findApp(db: IdentityDb, id: SsoAppId): Promise<SsoApp | undefined> {
  const row = await db
    .selectFrom('sso_apps')
    .selectAll()
    .where('id', '=', id)
    .where('removed_at', 'is', null)
    .executeTakeFirst();
  return row && appOf(row);
}

/** Also one that was removed: it is still to be told that its sessions are over. */
export async function findAppToTell(db: IdentityDb, id: SsoAppId): Promise<SsoApp | undefined> {
  const row = await db.selectFrom('sso_apps').selectAll().where('id', '=', id).executeTakeFirst();
  return row && appOf(row);
}

export async function findAppByEntity(db: IdentityDb, entityId: string): Promise<SsoApp | undefined> {
  const row = await db.selectFrom('sso_apps').selectAll().where('entity_id', '=', entityId).executeTakeFirst();
  return row && appOf(row);
}

/** By name; there are at most a thousand. */
export async function listApps(db: IdentityDb): Promise<SsoApp[]> {
  const rows = await db
    .selectFrom('sso_apps')
    .selectAll()
    .where('removed_at', 'is', null)
    .orderBy('name')
    .limit(APPS_MAX)
    .execute();
  return rows.map(appOf);
}

/** False when the name or the entity id is taken. */
export async function insertApp(db: IdentityDb, app: SsoApp): Promise<boolean> {
  const result = await db
    .insertInto('sso_apps')
    .values({ id: app.id, created_at: new Date(app.createdAt), removed_at: null, ...valuesOf(app) })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

/** Whether another app has this name or entity id. */
export async function isTaken(db: IdentityDb, app: SsoApp): Promise<boolean> {
  const { name, entity_id } = valuesOf(app);
  const row = await db
    .selectFrom('sso_apps')
    .select('id')
    .where('id', '!=', app.id)
    .where((or) => or.or([or('name', '=', name), or('entity_id', '=', entity_id)]))
    .executeTakeFirst();
  return row !== undefined;
}

export async function updateApp(db: IdentityDb, app: SsoApp): Promise<void> {
  await db.updateTable('sso_apps').set(valuesOf(app)).where('id', '=', app.id).execute();
}

/** Gives its name and entity id free; the row goes when every login of it was told (`deleteRemovedApps`). */
export async function removeApp(db: IdentityDb, id: SsoAppId, at: number): Promise<void> {
  await db
    .updateTable('sso_apps')
    .set({ removed_at: new Date(at), status: 'disabled', name: `removed:${id}`, entity_id: null })
    .where('id', '=', id)
    .execute();
  await db.deleteFrom('sso_app_secrets').where('app_id', '=', id).execute();
}

export async function deleteRemovedApps(db: IdentityDb): Promise<void> {
  await db
    .deleteFrom('sso_apps')
    .where('removed_at', 'is not', null)
    .where('id', 'not in', (eb) => eb.selectFrom('sso_logins').select('app_id').where('notice', '=', 'waiting'))
    .execute();
}

export interface AppSecret {
  readonly hash: Buffer;
  readonly expiresAt: number | null;
}

export async function listAppSecrets(db: IdentityDb, id: SsoAppId, now: number): Promise<AppSecret[]> {
  const rows = await db
    .selectFrom('sso_app_secrets')
    .select(['hash', 'expires_at'])
    .where('app_id', '=', id)
    .where((or) => or.or([or('expires_at', 'is', null), or('expires_at', '>', new Date(now))]))
    .execute();
  return rows.map(({ hash, expires_at }) => ({ hash, expiresAt: expires_at?.getTime() ?? null }));
}

/** The new secret is the one that stays; what was there works until `graceEnds`. */
export async function replaceSecret(
  db: IdentityDb,
  appId: SsoAppId,
  secret: { readonly id: string; readonly hash: Buffer; readonly now: number; readonly graceEnds: number },
): Promise<void> {
  await db
    .updateTable('sso_app_secrets')
    .set({ expires_at: new Date(secret.graceEnds) })
    .where('app_id', '=', appId)
    .where('expires_at', 'is', null)
    .execute();
  await db
    .insertInto('sso_app_secrets')
    .values({ id: secret.id, app_id: appId, hash: secret.hash, created_at: new Date(secret.now), expires_at: null })
    .execute();
}

/** The person as apps see them, with what they have for a while; undefined when there is no such person. */
export async function loadSubscriber(db: IdentityDb, id: string, now: number): Promise<Subscriber | undefined> {
  const person = /^[0-9a-f-]{36}$/.test(id) ? await findPerson(db, PersonId.parse(id)) : undefined;
  if (!person) return undefined;
  const { rows } = await sql<{ id: string; name: string }>`
    select g.id, coalesce(g.attributes ->> 'displayName', '') as name
    from scim_groups g where g.id in (
      select m.group_id from group_people m where m.person_id = ${person.id}::uuid
        and (m.ends_at is null or m.ends_at > ${new Date(now)}))
    order by name limit ${GROUPS_MAX}`.execute(db);
  const elevated = await findElevated(db, person.id, now);
  return {
    person: { ...person, roles: rolesWith(person.roles, elevated.roles) },
    groups: rows,
    elevatedApps: elevated.apps,
  };
}
