import { type Actor, appendAudit, type PersonId, type Transaction } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { endElevationsOf } from '../elevation/elevation-store.ts';
import { OwnerNeeded } from '../errors.ts';
import { removeFromOwnGroups } from '../groups/group-store.ts';
import { deleteSessionsOf } from '../sessions/session-store.ts';
import { deleteApiTokensOf } from './api-token-store.ts';
import { deleteLinks } from './link-store.ts';
import type { Person } from './person.ts';
import { lockActiveOwners, lockPerson, updatePerson } from './person-store.ts';

/** What a disabled person lost, counted for the evidence. */
export interface Leaving {
  readonly sessions: number;
  readonly apiTokens: number;
}

/** Owners first, then the person: two changes of two owners then wait for each other instead of blocking each other. */
export async function lockPersonAmongOwners(tx: Transaction, id: PersonId): Promise<Person | undefined> {
  await lockActiveOwners(tablesOf(tx));
  return lockPerson(tablesOf(tx), id);
}

/** Somebody must always be able to give roles. */
export async function assertOwnerRemains(tx: Transaction, losing: PersonId): Promise<void> {
  const owners = await lockActiveOwners(tablesOf(tx));
  if (owners.some((id) => id !== losing) || !owners.includes(losing)) return;
  throw new OwnerNeeded('This is the only active owner. Make somebody else an owner first.');
}

/**
 * The part of a leaver that must not be torn apart: disabled, no sessions, no tokens, no links, epoch moved. Used by the
 * command and by SCIM inside their own transactions.
 */
export async function disablePerson(
  context: IdentityContext,
  tx: Transaction,
  actor: Actor,
  person: Person,
  reason: string,
): Promise<Leaving> {
  await assertOwnerRemains(tx, person.id);
  const tables = tablesOf(tx);
  await updatePerson(tables, person.id, { status: 'disabled' }, context.clock.now());
  const leaving = {
    sessions: await deleteSessionsOf(tables, person.id),
    apiTokens: await deleteApiTokensOf(tables, person.id),
  };
  await deleteLinks(tables, null, person.id);
  await removeFromOwnGroups(tables, person.id);
  await endElevationsOf(tables, person.id, context.clock.now());
  await context.onRevoked(tx, { reason, actor, tokens: [], personId: person.id });
  await appendAudit(tx, {
    actor,
    action: 'person.disabled',
    target: { type: 'person', id: person.id, name: person.name },
    detail: { reason, ...leaving },
    at: context.clock.now(),
  });
  await context.onDisabled?.(tx, { person: { id: person.id, name: person.name }, actor, reason });
  return leaving;
}
