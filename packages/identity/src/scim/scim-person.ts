import { type Actor, appendAudit, PersonId, type Role, type Transaction } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { accountChangeEvent } from '../events.ts';
import { hasFactors } from '../factors/factor-store.ts';
import { assertOwnerRemains, disablePerson, lockPersonAmongOwners } from '../people/disable-person.ts';
import type { Person } from '../people/person.ts';
import { findPersonByLogin, insertPerson, updatePerson } from '../people/person-store.ts';
import { notFound, ScimRefused } from './scim-error.ts';
import { isRecord, type Resource } from './scim-read.ts';

/** What is told after the commit. */
export type Report = () => void;

const WEBAUTHN_HANDLE_BYTES = 32;
const NAME_CHARS_MAX = 200;

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

function emailOf(user: Resource): string | undefined {
  const list: readonly unknown[] = Array.isArray(user['emails']) ? user['emails'] : [];
  const emails = list.filter((item) => isRecord(item));
  const best =
    emails.find((item) => item['primary'] === true) ?? emails.find((item) => item['type'] === 'work') ?? emails[0];
  return textOf(best?.['value']);
}

/** What Cordon itself keeps of a SCIM user. */
export function personFieldsOf(user: Resource): { login: string; name: string; email: string } {
  const login = textOf(user['userName']) ?? '';
  const name = isRecord(user['name']) ? user['name'] : {};
  const parts = [textOf(name['givenName']), textOf(name['familyName'])].filter((part) => part !== undefined);
  const shown =
    textOf(user['displayName']) ?? textOf(name['formatted']) ?? (parts.length > 0 ? parts.join(' ') : login);
  return { login, name: shown.slice(0, NAME_CHARS_MAX), email: (emailOf(user) ?? login).slice(0, 320) };
}

export function isActive(user: Resource): boolean {
  return user['active'] !== false;
}

function taken(): ScimRefused {
  return new ScimRefused(409, 'Somebody has this userName already.', 'uniqueness');
}

/** Makes the person of a new SCIM user. */
export async function createPerson(
  context: IdentityContext,
  tx: Transaction,
  actor: Actor,
  user: Resource,
): Promise<{ id: PersonId; report: Report }> {
  const at = context.clock.now();
  const id = PersonId.create(at);
  const fields = personFieldsOf(user);
  const status = isActive(user) ? 'invited' : 'disabled';
  const webauthnHandle = context.random(WEBAUTHN_HANDLE_BYTES);
  const made = { id, ...fields, status, roles: [], source: 'scim', webauthnHandle, at } as const;
  if (!(await insertPerson(tablesOf(tx), made))) throw taken();
  const target = { type: 'person', id, name: fields.name };
  await appendAudit(tx, { actor, action: 'person.provisioned', target, detail: { login: fields.login, status }, at });
  const user_ = { id, ...fields };
  const report = (): void =>
    context.emit(
      accountChangeEvent('create', { at, outcome: 'success', actor, user: user_, activityName: 'Person provisioned' }),
    );
  return { id, report };
}

async function loadPerson(tx: Transaction, id: PersonId): Promise<Person> {
  const person = await lockPersonAmongOwners(tx, id);
  if (!person) throw notFound('user');
  return person;
}

/** Carries a change of a SCIM user over to the person; a deactivation is a leaver, in this same transaction. */
export async function changePerson(
  context: IdentityContext,
  tx: Transaction,
  actor: Actor,
  id: PersonId,
  change: { readonly before: Resource; readonly after: Resource },
): Promise<Report> {
  const at = context.clock.now();
  const tables = tablesOf(tx);
  const person = await loadPerson(tx, id);
  const fields = personFieldsOf(change.after);
  const holder = await findPersonByLogin(tables, fields.login);
  if (holder && holder.id !== id) throw taken();
  await updatePerson(tables, id, fields, at);
  const target = { type: 'person', id, name: fields.name };
  const event = { at, outcome: 'success', actor, user: { id, ...fields } } as const;

  if (!isActive(change.after) && person.status !== 'disabled') {
    await disablePerson(context, tx, actor, person, 'The directory deactivated this person.');
    return () =>
      context.emit(accountChangeEvent('disable', { ...event, activityName: 'Person deactivated by the directory' }));
  }
  // Only the directory's own change back enables: who was disabled in Cordon stays so through other changes.
  if (isActive(change.after) && !isActive(change.before) && person.status === 'disabled') {
    const status = (await hasFactors(tables, id)) ? 'active' : 'invited';
    await updatePerson(tables, id, { status }, at);
    await appendAudit(tx, { actor, action: 'person.enabled', target, at });
    return () =>
      context.emit(accountChangeEvent('enable', { ...event, activityName: 'Person activated by the directory' }));
  }
  await appendAudit(tx, { actor, action: 'person.changed', target, detail: { by: 'scim' }, at });
  return () => context.emit(accountChangeEvent('other', { ...event, activityName: 'Person changed by the directory' }));
}

/** A SCIM user is gone: the person is a leaver and gives the login free, but stays in the trail. */
export async function removePerson(
  context: IdentityContext,
  tx: Transaction,
  actor: Actor,
  id: PersonId,
): Promise<Report> {
  const at = context.clock.now();
  const person = await loadPerson(tx, id);
  if (person.status !== 'disabled')
    await disablePerson(context, tx, actor, person, 'The directory removed this person.');
  await updatePerson(tablesOf(tx), id, { login: `removed:${id}`, roles: [] }, at);
  const target = { type: 'person', id, name: person.name };
  await appendAudit(tx, { actor, action: 'person.deprovisioned', target, at });
  return () =>
    context.emit(
      accountChangeEvent('delete', {
        at,
        outcome: 'success',
        actor,
        user: person,
        activityName: 'Person removed by the directory',
      }),
    );
}

/**
 * A mover: takes away the roles that groups gave before, gives those that they give now, leaves what an owner gave by
 * hand. A role that came both ways goes with the group: better asked for again than kept by accident.
 */
export async function changeGroupRoles(
  context: IdentityContext,
  tx: Transaction,
  actor: Actor,
  id: PersonId,
  roles: { readonly before: readonly Role[]; readonly after: readonly Role[] },
): Promise<Report | null> {
  const person = await loadPerson(tx, id);
  const kept = person.roles.filter((role) => !roles.before.includes(role));
  const next = [...new Set([...kept, ...roles.after])];
  if (next.length === person.roles.length && next.every((role) => person.roles.includes(role))) return null;
  if (person.roles.includes('owner') && !next.includes('owner')) await assertOwnerRemains(tx, id);
  const at = context.clock.now();
  await updatePerson(tablesOf(tx), id, { roles: next }, at);
  const target = { type: 'person', id, name: person.name };
  const detail = { before: person.roles, after: next, by: 'groups' };
  await appendAudit(tx, { actor, action: 'person.roles_changed', target, detail, at });
  const reason = `Roles by groups: ${next.join(', ') || 'none'}`;
  return () =>
    context.emit(
      accountChangeEvent('attachPolicy', {
        at,
        outcome: 'success',
        actor,
        user: person,
        activityName: 'Roles changed',
        reason,
      }),
    );
}
