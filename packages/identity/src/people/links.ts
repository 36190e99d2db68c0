import { type Actor, appendAudit, authorize, describeActor, PersonId, type Transaction } from '@cordon/kernel';
import { type IdentityContext, type RequestOrigin, tablesOf } from '../context.ts';
import { InputInvalid, LinkInvalid, OwnerExists, PersonExists, PersonNotFound } from '../errors.ts';
import { accountChangeEvent, authenticationEvent } from '../events.ts';
import type { SignedIn } from '../sessions/sign-in.ts';
import { actorOf, startSession } from '../sessions/sessions.ts';
import { mintSecret } from '../token-secret.ts';
import { deleteLinks, findLink, insertLink, type Link, type LinkKind, takeLink } from './link-store.ts';
import type { Person } from './person.ts';
import { findPerson, findPersonByLogin, insertPerson, lockActiveOwners } from './person-store.ts';

const LIFETIME_MS: Readonly<Record<LinkKind, number>> = {
  'first-owner': 60 * 60_000,
  invite: 72 * 60 * 60_000,
  recover: 60 * 60_000,
};
const WEBAUTHN_HANDLE_BYTES = 32;
const SYSTEM: Actor = { kind: 'system', name: 'cordon' };

/** A one-time link. The token is in the fragment, which browsers don't send: it reaches no log. */
export interface MadeLink {
  readonly url: string;
  readonly token: string;
  readonly expiresAt: number;
}

export interface Links {
  /** For the first start. Throws `OwnerExists` once somebody holds the role with a factor. Replaces earlier links. */
  createFirstOwnerLink(): Promise<MadeLink>;
  /** For someone who lost every factor. Needs `person.write`; the system itself may, so that the CLI can. */
  createRecoveryLink(actor: Actor, personId: PersonId): Promise<MadeLink>;
  /** What a link is for, without using it up. */
  inspect(token: string): Promise<{ kind: LinkKind; person: Person | null; expiresAt: number }>;
  /** Uses a link up and starts an enrolment session. A first owner brings name and e-mail address. */
  redeem(input: { token: string; name?: string; email?: string }, origin: RequestOrigin): Promise<SignedIn>;
}

/** Makes a link inside the transaction of what it is for. */
export async function makeLink(
  context: IdentityContext,
  tx: Transaction,
  input: { readonly kind: LinkKind; readonly personId: PersonId | null; readonly actor: Actor },
): Promise<MadeLink> {
  const now = context.clock.now();
  const { value, hash } = mintSecret(context.random, 'cordon_lnk_');
  const expiresAt = now + LIFETIME_MS[input.kind];
  await deleteLinks(tablesOf(tx), input.kind, input.personId);
  await insertLink(tablesOf(tx), {
    kind: input.kind,
    personId: input.personId,
    expiresAt,
    hash,
    createdBy: describeActor(input.actor).name,
    createdAt: now,
  });
  return { url: `${context.config.publicUrl}/welcome#token=${value}`, token: value, expiresAt };
}

export function createLinks(context: IdentityContext): Links {
  const { db, clock, emit } = context;
  const invalid = (): LinkInvalid => new LinkInvalid('This link has expired or was already used. Ask for a new one.');

  const redeemFirstOwner = async (tx: Transaction, name?: string, email?: string): Promise<Person> => {
    const tables = tablesOf(tx);
    if ((await lockActiveOwners(tables)).length > 0) throw invalid();
    if (!name || !email) throw new InputInvalid('The first owner needs a name and an e-mail address.');
    const known = await findPersonByLogin(tables, email);
    // An earlier try that stopped half-way left an invited owner: go on with it.
    if (known?.status === 'invited') return known;
    if (known) throw new PersonExists('Somebody has this e-mail address already.');
    const id = PersonId.create(clock.now());
    const webauthnHandle = context.random(WEBAUTHN_HANDLE_BYTES);
    const person = { id, name, email, login: email, status: 'invited', roles: ['owner'], source: 'local' } as const;
    await insertPerson(tables, { ...person, webauthnHandle, at: clock.now() });
    const target = { type: 'person', id, name };
    await appendAudit(tx, {
      actor: SYSTEM,
      action: 'person.invited',
      target,
      detail: { roles: ['owner'] },
      at: clock.now(),
    });
    return (await findPerson(tables, id)) as Person; // inserted above, in this transaction
  };

  const personOfLink = async (tx: Transaction, link: Link): Promise<Person> => {
    const person = link.personId && (await findPerson(tablesOf(tx), link.personId));
    if (!person || person.status === 'disabled') throw invalid();
    return person;
  };

  return {
    async createFirstOwnerLink() {
      return db.transaction(async (tx) => {
        if ((await lockActiveOwners(tablesOf(tx))).length > 0) {
          throw new OwnerExists('Cordon has an owner already. Sign in, or make a recovery link for that person.');
        }
        const made = await makeLink(context, tx, { kind: 'first-owner', personId: null, actor: SYSTEM });
        const target = { type: 'link', name: 'first-owner' };
        await appendAudit(tx, { actor: SYSTEM, action: 'link.made', target, at: clock.now() });
        return made;
      });
    },

    async createRecoveryLink(actor, personId) {
      authorize(actor, 'person.write');
      const { made, person } = await db.transaction(async (tx) => {
        const found = await findPerson(tablesOf(tx), personId);
        if (!found || found.status === 'disabled') throw new PersonNotFound('There is no such active person.');
        const link = await makeLink(context, tx, { kind: 'recover', personId, actor });
        const target = { type: 'person', id: personId, name: found.name };
        await appendAudit(tx, { actor, action: 'person.recovery_link_made', target, at: clock.now() });
        return { made: link, person: found };
      });
      const event = { at: clock.now(), outcome: 'success', severity: 'medium', actor, user: person } as const;
      emit(accountChangeEvent('other', { ...event, activityName: 'Recovery link made' }));
      return made;
    },

    async inspect(token) {
      const link = await findLink(tablesOf(db), token, clock.now());
      if (!link) throw invalid();
      const person = link.personId ? ((await findPerson(tablesOf(db), link.personId)) ?? null) : null;
      return { kind: link.kind, person, expiresAt: link.expiresAt };
    },

    async redeem({ token, name, email }, origin) {
      const signedIn = await db.transaction(async (tx) => {
        const link = await takeLink(tablesOf(tx), token, clock.now());
        if (!link) throw invalid();
        const person =
          link.kind === 'first-owner' ? await redeemFirstOwner(tx, name, email) : await personOfLink(tx, link);
        const actor = actorOf(person, null);
        const target = { type: 'person', id: person.id, name: person.name };
        await appendAudit(tx, { actor, action: 'link.redeemed', target, detail: { kind: link.kind }, at: clock.now() });
        return { person, ...(await startSession(context, tx, { person, stage: 'enrol', amr: ['link'], origin })) };
      });
      emit(
        authenticationEvent('logon', {
          at: clock.now(),
          outcome: 'success',
          user: signedIn.person,
          methods: ['link'],
          sessionId: signedIn.session.id,
          ...origin,
        }),
      );
      return signedIn;
    },
  };
}
