import { randomUUID } from 'node:crypto';
import type { PublicKeyCredentialCreationOptionsJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { appendAudit, type PersonId, StepUpRequired, STEP_UP_AGE_MS_MAX, type Transaction } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import {
  ChallengeInvalid,
  FactorCodeWrong,
  FactorNeeded,
  FactorNotFound,
  PasskeyInvalid,
  SessionRequired,
} from '../errors.ts';
import { accountChangeEvent } from '../events.ts';
import type { Person } from '../people/person.ts';
import { findPerson, findWebauthnHandle, lockPerson, updatePerson } from '../people/person-store.ts';
import type { AuthMethod, Principal, Session } from '../sessions/session.ts';
import { CORDON } from '../policy/sign-in-facts.ts';
import { actorOf, promoteSession, type StartedSession } from '../sessions/sessions.ts';
import { totpContext } from '../sessions/sign-in.ts';
import { keepChallenge, takeChallenge } from './challenge-store.ts';
import {
  confirmTotp,
  countRecoveryCodes,
  deletePasskey,
  deletePassword,
  deleteTotp,
  findPasswordHash,
  findTotp,
  hasFactors,
  insertPasskey,
  insertTotp,
  listPasskeys,
  PASSKEYS_MAX,
  putPassword,
  putRecoveryCodes,
} from './factor-store.ts';
import { checkRegistration, makeRegistrationOptions } from './passkey.ts';
import { checkPasswordStrength, hashPassword } from './password.ts';
import { makeRecoveryCodes } from './recovery-code.ts';
import { describeTotp, makeTotpSecret, matchTotp } from './totp.ts';

/** What a person has to sign in with; no secret among it. */
export interface FactorList {
  readonly passkeys: readonly {
    readonly id: string;
    readonly name: string;
    readonly aaguid: string;
    readonly attestation: string;
    readonly backedUp: boolean;
    readonly createdAt: number;
    readonly lastUsedAt: number | null;
  }[];
  readonly password: boolean;
  readonly totp: boolean;
  readonly recoveryCodesLeft: number;
}

/** After a factor was set up: fresh recovery codes when there were none, a new cookie when the session became full. */
export interface Enrolled {
  readonly recoveryCodes: readonly string[] | null;
  readonly started: StartedSession | null;
}

export interface Enrolment {
  factors(personId: PersonId): Promise<FactorList>;
  passkeyOptions(
    principal: Principal,
  ): Promise<{ challengeId: string; options: PublicKeyCredentialCreationOptionsJSON }>;
  passkey(
    principal: Principal,
    input: { challengeId: string; response: RegistrationResponseJSON; name: string },
  ): Promise<Enrolled>;
  password(principal: Principal, password: string): Promise<void>;
  totpBegin(principal: Principal): Promise<{ uri: string; secret: string }>;
  totpConfirm(principal: Principal, code: string): Promise<Enrolled>;
  recoveryCodes(principal: Principal): Promise<readonly string[]>;
  removePasskey(principal: Principal, id: string): Promise<void>;
  /** Removes password and TOTP together: neither is a way in by itself. */
  removePassword(principal: Principal): Promise<void>;
}

function sessionOf(principal: Principal): Session {
  if (principal.session) return principal.session;
  throw new SessionRequired('Factors are set up in a browser session, not with an API token.');
}

export function createEnrolment(context: IdentityContext): Enrolment {
  const { db, clock, config, emit, envelope, random } = context;

  /** Whoever came through a corporate provider and has no factor here may set one up right after that sign-in. */
  const firstFactorSince = async (session: Session): Promise<number | null> =>
    session.amr.includes('fed') && !(await hasFactors(tablesOf(db), session.personId)) ? session.createdAt : null;

  /** In an enrolment session the link was the proof; in a full one a factor must have been shown lately. */
  const begin = async (principal: Principal): Promise<Session> => {
    const session = sessionOf(principal);
    if (session.stage === 'enrol') return session;
    const shownAt = session.strongAuthAt ?? (await firstFactorSince(session));
    const fresh = shownAt !== null && clock.now() - shownAt <= STEP_UP_AGE_MS_MAX;
    if (!fresh) throw new StepUpRequired('Confirm with your passkey or code, then try again.', { step_up: true });
    return session;
  };

  const load = async (tx: Transaction, personId: PersonId): Promise<Person> => {
    const person = await lockPerson(tablesOf(tx), personId);
    if (!person || person.status === 'disabled') throw new SessionRequired('Sign in again.');
    return person;
  };

  const record = (tx: Transaction, session: Session, person: Person, action: string): Promise<unknown> =>
    appendAudit(tx, {
      actor: actorOf(person, session.strongAuthAt),
      action,
      target: { type: 'person', id: person.id, name: person.name },
      at: clock.now(),
    });

  /** A first strong factor activates the person, ends the enrolment and brings recovery codes. */
  const complete = async (tx: Transaction, session: Session, person: Person, method: AuthMethod): Promise<Enrolled> => {
    const tables = tablesOf(tx);
    const active = { ...person, status: 'active' } as const;
    if (person.status === 'invited') await updatePerson(tables, person.id, { status: 'active' }, clock.now());
    let recoveryCodes: readonly string[] | null = null;
    if ((await countRecoveryCodes(tables, person.id)) === 0) {
      const made = makeRecoveryCodes(random);
      await putRecoveryCodes(tables, person.id, made.hashes, clock.now());
      recoveryCodes = made.codes;
    }
    if (session.stage === 'enrol') {
      // What is set up here leads into Cordon at once, so it is a sign-in like any other.
      const { personId, ip, agent } = session;
      await context.gate.admit({ personId, service: CORDON, origin: { ip, agent }, methods: [...session.amr, method] });
    }
    const started = session.stage === 'enrol' ? await promoteSession(context, tx, session, active, method) : null;
    return { recoveryCodes, started };
  };

  const report = (
    activity: 'mfaEnable' | 'mfaDisable' | 'passwordChange',
    person: Person,
    activityName: string,
  ): void =>
    emit(
      accountChangeEvent(activity, {
        at: clock.now(),
        outcome: 'success',
        activityName,
        actor: actorOf(person, null),
        user: person,
      }),
    );

  const personOf = async (session: Session): Promise<Person> => {
    const person = await findPerson(tablesOf(db), session.personId);
    if (!person) throw new SessionRequired('Sign in again.');
    return person;
  };

  return {
    async factors(personId) {
      const tables = tablesOf(db);
      const passkeys = await listPasskeys(tables, personId);
      return {
        passkeys: passkeys.map(({ id, name, aaguid, attestationFormat, backedUp, createdAt, lastUsedAt }) => ({
          id,
          name,
          aaguid,
          attestation: attestationFormat,
          backedUp,
          createdAt,
          lastUsedAt,
        })),
        password: (await findPasswordHash(tables, personId)) !== undefined,
        totp: (await findTotp(tables, personId, 'confirmed')) !== undefined,
        recoveryCodesLeft: await countRecoveryCodes(tables, personId),
      };
    },

    async passkeyOptions(principal) {
      const session = await begin(principal);
      const tables = tablesOf(db);
      const person = await personOf(session);
      const handle = await findWebauthnHandle(tables, person.id);
      const options = await makeRegistrationOptions(config, person, handle, await listPasskeys(tables, person.id));
      const bound = { personId: person.id, sessionId: session.id, challenge: options.challenge, now: clock.now() };
      return { challengeId: await keepChallenge(tables, random, { kind: 'passkey-register', ...bound }), options };
    },

    async passkey(principal, { challengeId, response, name }) {
      const session = await begin(principal);
      const kept = await takeChallenge(tablesOf(db), 'passkey-register', challengeId, clock.now());
      if (kept.sessionId !== session.id) throw new ChallengeInvalid('This attempt belongs to another session.');
      const checked = await checkRegistration(config, kept.challenge, response);
      const { enrolled, person } = await db.transaction(async (tx) => {
        const owner = await load(tx, session.personId);
        if ((await listPasskeys(tablesOf(tx), owner.id)).length >= PASSKEYS_MAX) {
          throw new PasskeyInvalid(`A person can have ${PASSKEYS_MAX} passkeys; remove one first.`);
        }
        const passkey = {
          ...checked,
          id: randomUUID(),
          personId: owner.id,
          name,
          createdAt: clock.now(),
          lastUsedAt: null,
        };
        if (!(await insertPasskey(tablesOf(tx), passkey)))
          throw new PasskeyInvalid('This passkey is registered already.');
        await record(tx, session, owner, 'passkey.added');
        return { enrolled: await complete(tx, session, owner, 'hwk'), person: owner };
      });
      report('mfaEnable', person, 'Passkey added');
      return enrolled;
    },

    async password(principal, password) {
      const session = await begin(principal);
      const person = await personOf(session);
      await checkPasswordStrength(password, [person.name, person.email, person.login, config.organisation]);
      const hash = await hashPassword(password, context.passwordCost, random);
      await db.transaction(async (tx) => {
        const owner = await load(tx, person.id);
        await putPassword(tablesOf(tx), owner.id, hash, clock.now());
        await record(tx, session, owner, 'password.set');
      });
      report('passwordChange', person, 'Password set');
    },

    async totpBegin(principal) {
      const session = await begin(principal);
      const person = await personOf(session);
      const secret = makeTotpSecret(random);
      const id = randomUUID();
      const sealedSecret = envelope.seal(secret, totpContext(id));
      await db.transaction((tx) =>
        insertTotp(tablesOf(tx), { id, personId: person.id, sealedSecret, at: clock.now() }),
      );
      return describeTotp(secret, config.organisation, person.login);
    },

    async totpConfirm(principal, code) {
      const session = await begin(principal);
      const { enrolled, person } = await db.transaction(async (tx) => {
        const owner = await load(tx, session.personId);
        const tables = tablesOf(tx);
        if ((await findPasswordHash(tables, owner.id)) === undefined) {
          throw new FactorNeeded('Set a password first: a code counts as the second factor.');
        }
        const waiting = await findTotp(tables, owner.id, 'waiting');
        if (!waiting) throw new FactorNotFound('Start setting up the authenticator app again.');
        const secret = envelope.open(waiting.sealedSecret, totpContext(waiting.id));
        const step = matchTotp(secret, code, clock.now(), waiting.lastStep);
        if (step === null)
          throw new FactorCodeWrong('This code is wrong. Check that the clock of your device is right.');
        await confirmTotp(tables, owner.id, waiting.id, step, clock.now());
        await record(tx, session, owner, 'totp.added');
        return { enrolled: await complete(tx, session, owner, 'otp'), person: owner };
      });
      report('mfaEnable', person, 'Authenticator app added');
      return enrolled;
    },

    async recoveryCodes(principal) {
      const session = await begin(principal);
      const made = makeRecoveryCodes(random);
      const person = await db.transaction(async (tx) => {
        const owner = await load(tx, session.personId);
        if (session.stage === 'enrol') throw new FactorNeeded('Set up a passkey or a password with codes first.');
        await putRecoveryCodes(tablesOf(tx), owner.id, made.hashes, clock.now());
        await record(tx, session, owner, 'recovery_codes.made');
        return owner;
      });
      report('mfaEnable', person, 'Recovery codes made');
      return made.codes;
    },

    async removePasskey(principal, id) {
      const session = await begin(principal);
      const person = await db.transaction(async (tx) => {
        const owner = await load(tx, session.personId);
        if (!(await deletePasskey(tablesOf(tx), owner.id, id))) throw new FactorNotFound('There is no such passkey.');
        await assertWayIn(tx, owner.id);
        await record(tx, session, owner, 'passkey.removed');
        return owner;
      });
      report('mfaDisable', person, 'Passkey removed');
    },

    async removePassword(principal) {
      const session = await begin(principal);
      const person = await db.transaction(async (tx) => {
        const owner = await load(tx, session.personId);
        const removed = [await deletePassword(tablesOf(tx), owner.id), await deleteTotp(tablesOf(tx), owner.id)];
        if (!removed.includes(true)) throw new FactorNotFound('There is no password to remove.');
        await assertWayIn(tx, owner.id);
        await record(tx, session, owner, 'password.removed');
        return owner;
      });
      report('mfaDisable', person, 'Password and authenticator app removed');
    },
  };
}

/** Whoever removes a factor must keep another way to sign in. */
async function assertWayIn(tx: Transaction, personId: PersonId): Promise<void> {
  if (!(await hasFactors(tablesOf(tx), personId))) throw new FactorNeeded('Add another way to sign in first.');
}
