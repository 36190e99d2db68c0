import type { AuthenticationResponseJSON, PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import { appendAudit } from '@cordon/kernel';
import { type IdentityContext, type RequestOrigin, tablesOf } from '../context.ts';
import { IdentityError, PasskeyInvalid, SignInRefused } from '../errors.ts';
import { accountChangeEvent, authenticationEvent, type Subject } from '../events.ts';
import { keepChallenge, readChallenge, takeChallenge } from '../factors/challenge-store.ts';
import {
  findPasskeyOwner,
  findPasswordHash,
  findTotp,
  listPasskeys,
  type Passkey,
  putPassword,
  usePasskey,
  useRecoveryCode,
  useTotp,
} from '../factors/factor-store.ts';
import { checkAuthentication, makeAuthenticationOptions } from '../factors/passkey.ts';
import { hashPassword, verifyPassword, wastePasswordTime } from '../factors/password.ts';
import { hashRecoveryCode } from '../factors/recovery-code.ts';
import { matchTotp } from '../factors/totp.ts';
import type { Person } from '../people/person.ts';
import { CORDON } from '../policy/sign-in-facts.ts';
import { findPerson, findPersonByLogin, updatePerson } from '../people/person-store.ts';
import { findWayIn } from '../upstream/providers.ts';
import { refuseUpstream } from '../upstream/refusal.ts';
import type { AuthMethod, SessionStage } from './session.ts';
import { actorOf, type StartedSession, startSession } from './sessions.ts';
import { createSignInGuard } from './sign-in-guard.ts';

export interface SignedIn extends StartedSession {
  readonly person: Person;
  /** Value of the cookie that makes the browser known; absent while factors are set up. */
  readonly device?: string;
}

export interface SignIn {
  passkeyOptions(): Promise<{ challengeId: string; options: PublicKeyCredentialRequestOptionsJSON }>;
  passkey(
    input: { challengeId: string; response: AuthenticationResponseJSON },
    origin: RequestOrigin,
  ): Promise<SignedIn>;
  /** First half of password and code; the second half is `totp` with the challenge id. */
  password(input: { login: string; password: string }, origin: RequestOrigin): Promise<{ challengeId: string }>;
  totp(input: { challengeId: string; code: string }, origin: RequestOrigin): Promise<SignedIn>;
  /** A recovery code opens a session that may only set up a new factor. */
  recovery(input: { login: string; code: string }, origin: RequestOrigin): Promise<SignedIn>;
}

const WRONG = 'The sign-in failed. Check what you entered, or use another way to sign in.';

/** TOTP secrets are sealed for their row: a value copied to another row doesn't open. */
export function totpContext(factorId: string): string {
  return `identity.totp:${factorId}`;
}

export function createSignIn(context: IdentityContext): SignIn {
  const { db, clock, config, emit, envelope } = context;
  const guard = createSignInGuard(context);

  /** Reports and counts one failure; the caller learns nothing of the reason. */
  const refuse = async (
    methods: string,
    reason: string,
    origin: RequestOrigin,
    subject?: { readonly user: Subject; readonly login: string },
  ): Promise<never> => {
    await guard.countFailure(origin, subject?.login);
    const user = subject?.user;
    emit(
      authenticationEvent('logon', {
        at: clock.now(),
        outcome: 'failure',
        severity: 'low',
        reason,
        methods: methods.split('+'),
        ...origin,
        ...(user === undefined ? {} : { user }),
      }),
    );
    throw new SignInRefused(WRONG);
  };

  const finish = async (
    person: Person,
    stage: SessionStage,
    amr: readonly AuthMethod[],
    origin: RequestOrigin,
  ): Promise<SignedIn> => {
    // Owners keep their own way in: the provider may be down, or in the wrong hands.
    const isExempt = person.roles.includes('owner') || (await context.isBreakGlass?.(person.id)) === true;
    if (!isExempt && (await findWayIn(context, person.login)).required) {
      return refuseUpstream('person.local_refused');
    }
    // Before a session is there; one that may only set up factors is judged when it becomes a full one.
    const admitted =
      stage === 'full' ? await context.gate.admit({ personId: person.id, service: CORDON, origin, methods: amr }) : {};
    const started = await db.transaction(async (tx) => {
      await updatePerson(tablesOf(tx), person.id, { lastSignInAt: clock.now() }, clock.now());
      return startSession(context, tx, { person, stage, amr, origin });
    });
    await guard.forget(person.login);
    emit(
      authenticationEvent('logon', {
        at: clock.now(),
        outcome: 'success',
        user: person,
        methods: amr,
        // A passkey with user verification is two factors: the device, and what unlocks it.
        mfa: amr.includes('hwk') || amr.length > 1,
        sessionId: started.session.id,
        ...origin,
      }),
    );
    return { ...started, ...admitted, person };
  };

  const checkKey = async (challenge: string, response: AuthenticationResponseJSON, passkey: Passkey): Promise<void> => {
    const { signCount, backedUp } = await checkAuthentication(config, challenge, response, passkey);
    const used = await usePasskey(tablesOf(db), passkey.id, { signCount, backedUp, at: clock.now() });
    // The counter fell behind: the key was cloned, or its answer was used twice at once.
    if (!used) throw new PasskeyInvalid('The passkey could not be checked.');
  };

  return {
    async passkeyOptions() {
      const options = await makeAuthenticationOptions(config);
      const kept = { kind: 'passkey-sign-in', challenge: options.challenge, now: clock.now() } as const;
      return { challengeId: await keepChallenge(tablesOf(db), context.random, kept), options };
    },

    // Not throttled: a passkey can't be guessed, and nobody shall shut out others behind one address.
    async passkey({ challengeId, response }, origin) {
      const tables = tablesOf(db);
      const { challenge } = await takeChallenge(tables, 'passkey-sign-in', challengeId, clock.now());
      const personId = await findPasskeyOwner(tables, response.id);
      const person = personId && (await findPerson(tables, personId));
      if (!person) return refuse('hwk', 'The passkey is not known.', origin);
      const passkey = (await listPasskeys(tables, person.id)).find((key) => key.credentialId === response.id);
      const subject = { user: person, login: person.login };
      // Its failures count against the address, which slows down passwords from there.
      if (person.status !== 'active' || !passkey) {
        return refuse('hwk', `The account is ${person.status}.`, origin, { ...subject, login: '' });
      }
      try {
        await checkKey(challenge, response, passkey);
      } catch (error) {
        if (!(error instanceof IdentityError)) throw error;
        return refuse('hwk', 'The passkey answer is not valid.', origin, { ...subject, login: '' });
      }
      return finish(person, 'full', ['hwk'], origin);
    },

    async password({ login, password }, origin) {
      await guard.check(origin, login);
      const tables = tablesOf(db);
      const person = await findPersonByLogin(tables, login);
      const stored = person && (await findPasswordHash(tables, person.id));
      const totp = person && (await findTotp(tables, person.id, 'confirmed'));
      if (!person || !stored || !totp || person.status !== 'active') {
        await wastePasswordTime(password, context.passwordCost);
        const user = person ?? { name: login };
        return refuse('pwd', 'No account signs in with this login and a password.', origin, { user, login });
      }
      const { matches, weaker } = await verifyPassword(password, stored, context.passwordCost);
      if (!matches) return refuse('pwd', 'The password is wrong.', origin, { user: person, login });
      if (weaker) {
        const fresh = await hashPassword(password, context.passwordCost, context.random);
        await putPassword(tables, person.id, fresh, clock.now());
      }
      const kept = { kind: 'second-factor', personId: person.id, now: clock.now() } as const;
      return { challengeId: await keepChallenge(tables, context.random, kept) };
    },

    async totp({ challengeId, code }, origin) {
      const tables = tablesOf(db);
      const { personId } = await readChallenge(tables, 'second-factor', challengeId, clock.now());
      const person = await findPerson(tables, personId);
      if (!person || person.status !== 'active') return refuse('pwd+otp', 'The account is not active.', origin);
      await guard.check(origin, person.login);
      const totp = await findTotp(tables, personId, 'confirmed');
      const secret = totp && envelope.open(totp.sealedSecret, totpContext(totp.id));
      const step = secret ? matchTotp(secret, code, clock.now(), totp.lastStep) : null;
      if (!totp || step === null || !(await useTotp(tables, totp.id, step, clock.now()))) {
        return refuse('pwd+otp', 'The code is wrong or was used.', origin, { user: person, login: person.login });
      }
      await takeChallenge(tables, 'second-factor', challengeId, clock.now());
      return finish(person, 'full', ['pwd', 'otp'], origin);
    },

    async recovery({ login, code }, origin) {
      await guard.check(origin, login);
      const tables = tablesOf(db);
      const person = await findPersonByLogin(tables, login);
      if (!person || person.status !== 'active') {
        return refuse('recovery', 'No active account has this login.', origin, {
          user: person ?? { name: login },
          login,
        });
      }
      const used = await db.transaction(async (tx) => {
        const taken = await useRecoveryCode(tablesOf(tx), person.id, hashRecoveryCode(code), clock.now());
        if (!taken) return false;
        const target = { type: 'person', id: person.id, name: person.name };
        await appendAudit(tx, { actor: actorOf(person, null), action: 'recovery_code.used', target, at: clock.now() });
        return true;
      });
      if (!used) return refuse('recovery', 'The recovery code is wrong or was used.', origin, { user: person, login });
      emit(
        accountChangeEvent('other', {
          at: clock.now(),
          outcome: 'success',
          severity: 'medium',
          activityName: 'Recovery code used',
          actor: actorOf(person, null),
          user: person,
          ...origin,
        }),
      );
      return finish(person, 'enrol', ['recovery'], origin);
    },
  };
}
