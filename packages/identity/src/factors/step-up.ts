import type { AuthenticationResponseJSON, PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import { appendAudit } from '@cordon/kernel';
import { type IdentityContext, type RequestOrigin, tablesOf } from '../context.ts';
import { ChallengeInvalid, FactorNeeded, IdentityError, SessionRequired, SignInRefused } from '../errors.ts';
import { authenticationEvent } from '../events.ts';
import { findPerson } from '../people/person-store.ts';
import type { AuthMethod, Principal, Session } from '../sessions/session.ts';
import { actorOf, markStrong } from '../sessions/sessions.ts';
import { totpContext } from '../sessions/sign-in.ts';
import { createSignInGuard } from '../sessions/sign-in-guard.ts';
import { keepChallenge, takeChallenge } from './challenge-store.ts';
import { findTotp, listPasskeys, usePasskey, useTotp } from './factor-store.ts';
import { checkAuthentication, makeAuthenticationOptions } from './passkey.ts';
import { matchTotp } from './totp.ts';

/** Shows a strong factor again inside a session, before a privileged act. */
export interface StepUp {
  options(principal: Principal): Promise<{ challengeId: string; options: PublicKeyCredentialRequestOptionsJSON }>;
  passkey(
    principal: Principal,
    input: { challengeId: string; response: AuthenticationResponseJSON },
    origin: RequestOrigin,
  ): Promise<Session>;
  totp(principal: Principal, code: string, origin: RequestOrigin): Promise<Session>;
}

const WRONG = 'The confirmation failed. Try again.';

function fullSession(principal: Principal): Session {
  if (principal.session?.stage === 'full') return principal.session;
  throw new SessionRequired('Sign in first.');
}

export function createStepUp(context: IdentityContext): StepUp {
  const { db, clock, config, emit, envelope } = context;
  const guard = createSignInGuard(context);

  const report = (session: Session, method: AuthMethod, outcome: 'success' | 'failure', origin: RequestOrigin): void =>
    emit(
      authenticationEvent('other', {
        at: clock.now(),
        outcome,
        activityName: 'Step-up',
        user: { id: session.personId },
        methods: [method],
        mfa: true,
        sessionId: session.id,
        ...origin,
      }),
    );

  const finish = async (session: Session, method: AuthMethod, origin: RequestOrigin): Promise<Session> => {
    const stronger = await db.transaction(async (tx) => {
      const person = await findPerson(tablesOf(tx), session.personId);
      if (!person) throw new SessionRequired('Sign in again.');
      const marked = await markStrong(context, tx, session, method);
      const target = { type: 'session', id: session.id };
      const actor = actorOf(person, marked.strongAuthAt);
      await appendAudit(tx, { actor, action: 'session.stepped_up', target, detail: { method }, at: clock.now() });
      return marked;
    });
    report(session, method, 'success', origin);
    return stronger;
  };

  return {
    async options(principal) {
      const session = fullSession(principal);
      const passkeys = await listPasskeys(tablesOf(db), session.personId);
      if (passkeys.length === 0) throw new FactorNeeded('You have no passkey; confirm with a code instead.');
      const options = await makeAuthenticationOptions(config, passkeys);
      const bound = { sessionId: session.id, challenge: options.challenge, now: clock.now() };
      return { challengeId: await keepChallenge(tablesOf(db), context.random, { kind: 'step-up', ...bound }), options };
    },

    async passkey(principal, { challengeId, response }, origin) {
      const session = fullSession(principal);
      const kept = await takeChallenge(tablesOf(db), 'step-up', challengeId, clock.now());
      if (kept.sessionId !== session.id) throw new ChallengeInvalid('This attempt belongs to another session.');
      const passkey = (await listPasskeys(tablesOf(db), session.personId)).find(
        (candidate) => candidate.credentialId === response.id,
      );
      try {
        if (!passkey) throw new ChallengeInvalid(WRONG);
        const { signCount, backedUp } = await checkAuthentication(config, kept.challenge, response, passkey);
        const used = await usePasskey(tablesOf(db), passkey.id, { signCount, backedUp, at: clock.now() });
        if (!used) throw new ChallengeInvalid(WRONG);
      } catch (error) {
        if (!(error instanceof IdentityError)) throw error;
        report(session, 'hwk', 'failure', origin);
        throw new SignInRefused(WRONG);
      }
      return finish(session, 'hwk', origin);
    },

    async totp(principal, code, origin) {
      const session = fullSession(principal);
      // Its own counter: whoever holds a stolen session could else lock the person's sign-in.
      const counted = `step-up:${session.personId}`;
      await guard.check(origin, counted);
      const tables = tablesOf(db);
      const totp = await findTotp(tables, session.personId, 'confirmed');
      if (!totp) throw new FactorNeeded('You have no authenticator app; confirm with your passkey instead.');
      const secret = envelope.open(totp.sealedSecret, totpContext(totp.id));
      const step = matchTotp(secret, code, clock.now(), totp.lastStep);
      if (step === null || !(await useTotp(tables, totp.id, step, clock.now()))) {
        await guard.countFailure(origin, counted);
        report(session, 'otp', 'failure', origin);
        throw new SignInRefused(WRONG);
      }
      await guard.forget(counted);
      return finish(session, 'otp', origin);
    },
  };
}
