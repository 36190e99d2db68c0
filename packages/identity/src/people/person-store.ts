import { PersonId, type Role } from '@cordon/kernel';
import { type Selectable, sql } from 'kysely';
import type { IdentityDb } from '../context.ts';
import type { IdentityTables } from '../tables.ts';
import { type Person, type PersonStatus, loginKey } from './person.ts';

export const PEOPLE_PAGE_MAX = 200;

export function personOf(row: Selectable<IdentityTables['people']>): Person {
  return {
    id: PersonId.parse(row.id),
    name: row.name,
    email: row.email,
    login: row.login,
    status: row.status,
    roles: row.roles,
    source: row.source,
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
    lastSignInAt: row.last_sign_in_at?.getTime() ?? null,
  };
}

export async function findPerson(db: IdentityDb, id: PersonId): Promise<Person | undefined> {
  const row = await db.selectFrom('people').selectAll().where('id', '=', id).executeTakeFirst();
  return row && personOf(row);
}

/** Takes the row lock, so that two changes of one person follow each other. */
export async function lockPerson(db: IdentityDb, id: PersonId): Promise<Person | undefined> {
  const row = await db.selectFrom('people').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  return row && personOf(row);
}

export async function findPersonByLogin(db: IdentityDb, login: string): Promise<Person | undefined> {
  const row = await db.selectFrom('people').selectAll().where('login_key', '=', loginKey(login)).executeTakeFirst();
  return row && personOf(row);
}

export interface NewPerson {
  readonly id: PersonId;
  readonly name: string;
  readonly email: string;
  readonly login: string;
  readonly status: PersonStatus;
  readonly roles: readonly Role[];
  readonly source: 'local' | 'scim' | 'upstream';
  readonly webauthnHandle: Buffer;
  readonly at: number;
}

/** False when the login is taken. */
export async function insertPerson(db: IdentityDb, person: NewPerson): Promise<boolean> {
  const at = new Date(person.at);
  const result = await db
    .insertInto('people')
    .values({
      id: person.id,
      name: person.name,
      email: person.email,
      login: person.login,
      login_key: loginKey(person.login),
      status: person.status,
      roles: [...person.roles],
      webauthn_handle: person.webauthnHandle,
      source: person.source,
      created_at: at,
      updated_at: at,
      last_sign_in_at: null,
    })
    .onConflict((conflict) => conflict.column('login_key').doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

export interface PersonChange {
  readonly name?: string;
  readonly email?: string;
  readonly login?: string;
  readonly status?: PersonStatus;
  readonly roles?: readonly Role[];
  readonly lastSignInAt?: number;
}

export async function updatePerson(db: IdentityDb, id: PersonId, change: PersonChange, at: number): Promise<void> {
  await db
    .updateTable('people')
    .set({
      updated_at: new Date(at),
      ...(change.name === undefined ? {} : { name: change.name }),
      ...(change.email === undefined ? {} : { email: change.email }),
      ...(change.login === undefined ? {} : { login: change.login, login_key: loginKey(change.login) }),
      ...(change.status === undefined ? {} : { status: change.status }),
      ...(change.roles === undefined ? {} : { roles: [...change.roles] }),
      ...(change.lastSignInAt === undefined ? {} : { last_sign_in_at: new Date(change.lastSignInAt) }),
    })
    .where('id', '=', id)
    .execute();
}

/** In the order people were made; page on with `after`. */
export async function listPeople(
  db: IdentityDb,
  page: { readonly after?: PersonId | undefined; readonly limit: number },
): Promise<Person[]> {
  let query = db.selectFrom('people').selectAll().orderBy('id').limit(Math.min(page.limit, PEOPLE_PAGE_MAX));
  if (page.after !== undefined) query = query.where('id', '>', page.after);
  return (await query.execute()).map(personOf);
}

/** Active owners, locked: whoever demotes or disables one waits for whoever does the same to another. */
export async function lockActiveOwners(db: IdentityDb): Promise<PersonId[]> {
  const rows = await db
    .selectFrom('people')
    .select('id')
    .where('status', '=', 'active')
    .where(sql<boolean>`'owner' = any(roles)`)
    .orderBy('id')
    .forUpdate()
    .execute();
  return rows.map((row) => PersonId.parse(row.id));
}

export async function findWebauthnHandle(db: IdentityDb, id: PersonId): Promise<Buffer> {
  const row = await db.selectFrom('people').select('webauthn_handle').where('id', '=', id).executeTakeFirstOrThrow();
  return row.webauthn_handle;
}
