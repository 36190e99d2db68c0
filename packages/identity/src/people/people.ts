import { type Actor, appendAudit, authorize, PersonId, type Role, type Transaction } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { checkBreakGlassRemains } from '../break-glass/break-glass-use.ts';
import { PersonExists, PersonNotFound, RoleBeyondOwn } from '../errors.ts';
import { accountChangeEvent } from '../events.ts';
import { withAccess } from '../groups/access-change.ts';
import { deleteFactors, hasFactors } from '../factors/factor-store.ts';
import { deleteSessionsOf } from '../sessions/session-store.ts';
import { assertOwnerRemains, disablePerson, type Leaving, lockPersonAmongOwners } from './disable-person.ts';
import { type MadeLink, makeLink } from './links.ts';
import type { Person } from './person.ts';
import { findPerson, insertPerson, listPeople, updatePerson } from './person-store.ts';

const WEBAUTHN_HANDLE_BYTES = 32;

export interface People {
  list(actor: Actor, page: { after?: PersonId | undefined; limit: number }): Promise<Person[]>;
  get(actor: Actor, id: PersonId): Promise<Person>;
  invite(
    actor: Actor,
    input: { name: string; email: string; roles: readonly Role[] },
  ): Promise<{ person: Person; link: MadeLink }>;
  /** A new invitation link for someone who hasn't used theirs. */
  inviteAgain(actor: Actor, id: PersonId): Promise<MadeLink>;
  change(actor: Actor, id: PersonId, change: { name?: string; roles?: readonly Role[] }): Promise<Person>;
  /**
   * Disables, ends sessions, deletes API tokens and links, moves the epoch: all in one transaction. Of the last two
   * break-glass accounts only with `acknowledge`.
   */
  disable(actor: Actor, id: PersonId, reason: string, acknowledge?: boolean): Promise<Leaving>;
  enable(actor: Actor, id: PersonId): Promise<void>;
  /** Deletes every factor and session; the person then needs a recovery link. */
  resetFactors(actor: Actor, id: PersonId): Promise<void>;
}

async function loadLocked(tx: Transaction, id: PersonId): Promise<Person> {
  const person = await lockPersonAmongOwners(tx, id);
  if (!person) throw new PersonNotFound('There is no such person.');
  return person;
}

/** Who has a role only for a while can't make it last. */
function checkOwnRoles(actor: Actor, person: Person, roles: readonly Role[]): void {
  if (actor.kind !== 'person' || actor.id !== person.id) return;
  if (roles.every((role) => person.roles.includes(role)) || person.roles.includes('owner')) return;
  throw new RoleBeyondOwn('Nobody gives themselves a role.', { roles: [...roles] });
}

export function createPeople(context: IdentityContext): People {
  const { db, clock, emit } = context;
  const report = (
    activity: 'create' | 'enable' | 'disable' | 'attachPolicy' | 'mfaDisable' | 'other',
    actor: Actor,
    user: Person,
    activityName: string,
    reason?: string,
  ): void => {
    const because = reason === undefined ? {} : { reason };
    emit(accountChangeEvent(activity, { at: clock.now(), outcome: 'success', actor, user, activityName, ...because }));
  };
  const targetOf = (person: Person): { type: string; id: string; name: string } => ({
    type: 'person',
    id: person.id,
    name: person.name,
  });

  return {
    async list(actor, page) {
      authorize(actor, 'person.read');
      return listPeople(tablesOf(db), page);
    },

    async get(actor, id) {
      if (!(actor.kind === 'person' && actor.id === id)) authorize(actor, 'person.read');
      const person = await findPerson(tablesOf(db), id);
      if (!person) throw new PersonNotFound('There is no such person.');
      return person;
    },

    async invite(actor, { name, email, roles }) {
      authorize(actor, 'person.write');
      const made = await db.transaction(async (tx) => {
        const id = PersonId.create(clock.now());
        const person = { id, name, email, login: email, status: 'invited', roles, source: 'local' } as const;
        const webauthnHandle = context.random(WEBAUTHN_HANDLE_BYTES);
        if (!(await insertPerson(tablesOf(tx), { ...person, webauthnHandle, at: clock.now() }))) {
          throw new PersonExists('Somebody has this e-mail address already.');
        }
        const link = await makeLink(context, tx, { kind: 'invite', personId: id, actor });
        const target = { type: 'person', id, name };
        await appendAudit(tx, { actor, action: 'person.invited', target, detail: { roles }, at: clock.now() });
        const times = { createdAt: clock.now(), updatedAt: clock.now(), lastSignInAt: null };
        return { person: { ...person, ...times }, link };
      });
      report('create', actor, made.person, 'Person invited');
      return made;
    },

    async inviteAgain(actor, id) {
      authorize(actor, 'person.write');
      return db.transaction(async (tx) => {
        const person = await loadLocked(tx, id);
        if (person.status !== 'invited') throw new PersonExists('This person has signed in already.');
        const link = await makeLink(context, tx, { kind: 'invite', personId: id, actor });
        await appendAudit(tx, { actor, action: 'person.invited_again', target: targetOf(person), at: clock.now() });
        return link;
      });
    },

    async change(actor, id, change) {
      authorize(actor, 'person.write');
      const after = await db.transaction(async (tx) => {
        const before = await loadLocked(tx, id);
        if (change.roles && before.roles.includes('owner') && !change.roles.includes('owner')) {
          await assertOwnerRemains(tx, id);
          await checkBreakGlassRemains(tx, id, false);
        }
        checkOwnRoles(actor, before, change.roles ?? []);
        const move = { actor, cause: 'Roles were changed by hand.', groups: [], people: change.roles ? [id] : [] };
        await withAccess(context, tx, move, () => updatePerson(tablesOf(tx), id, change, clock.now()));
        const detail = { before: { name: before.name, roles: before.roles }, after: change };
        await appendAudit(tx, { actor, action: 'person.changed', target: targetOf(before), detail, at: clock.now() });
        return loadLocked(tx, id);
      });
      if (change.roles) report('attachPolicy', actor, after, 'Roles changed', `Roles: ${after.roles.join(', ')}`);
      return after;
    },

    async disable(actor, id, reason, acknowledge = false) {
      authorize(actor, 'person.suspend');
      const { person, leaving } = await db.transaction(async (tx) => {
        const found = await loadLocked(tx, id);
        // Who may suspend but not give roles can't shut out an owner.
        if (found.roles.includes('owner')) authorize(actor, 'person.write');
        await checkBreakGlassRemains(tx, id, acknowledge);
        return { person: found, leaving: await disablePerson(context, tx, actor, found, reason) };
      });
      report('disable', actor, person, 'Person disabled', reason);
      return leaving;
    },

    async enable(actor, id) {
      authorize(actor, 'person.write');
      const person = await db.transaction(async (tx) => {
        const found = await loadLocked(tx, id);
        const status = (await hasFactors(tablesOf(tx), id)) ? 'active' : 'invited';
        await updatePerson(tablesOf(tx), id, { status }, clock.now());
        await appendAudit(tx, { actor, action: 'person.enabled', target: targetOf(found), at: clock.now() });
        return found;
      });
      report('enable', actor, person, 'Person enabled');
    },

    async resetFactors(actor, id) {
      authorize(actor, 'person.write');
      const person = await db.transaction(async (tx) => {
        const found = await loadLocked(tx, id);
        await checkBreakGlassRemains(tx, id, false);
        await deleteFactors(tablesOf(tx), id);
        await deleteSessionsOf(tablesOf(tx), id);
        await appendAudit(tx, { actor, action: 'person.factors_reset', target: targetOf(found), at: clock.now() });
        return found;
      });
      report('mfaDisable', actor, person, 'All factors removed');
    },
  };
}
