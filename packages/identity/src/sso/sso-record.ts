import { appendAudit } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { authenticationEvent } from '../events.ts';
import { actorOf } from '../sessions/sessions.ts';
import type { SsoApp } from './sso-app.ts';
import { type NameId, saveLogin } from './sso-login-store.ts';
import type { SignedOn } from './sso-subject.ts';

/** Writes a sign-on down before its answer leaves: the login that single logout ends, the audit record, the event. */
export async function recordSignOn(
  context: IdentityContext,
  app: SsoApp,
  who: SignedOn,
  what: { readonly sid: string; readonly nameId: NameId | null; readonly grantHash: Buffer | null },
): Promise<void> {
  const at = context.clock.now();
  const { person, session } = who;
  await context.db.transaction(async (tx) => {
    await saveLogin(tablesOf(tx), { appId: app.id, personId: person.id, sessionId: session.id, at, ...what });
    await appendAudit(tx, {
      actor: actorOf(person, session.strongAuthAt),
      action: 'sso.signed_on',
      target: { type: 'sso-app', id: app.id, name: app.name },
      detail: { protocol: app.settings.protocol, session: session.id, strength: who.strength },
      at,
    });
  });
  context.emit(
    authenticationEvent('ticket', {
      at,
      outcome: 'success',
      activityName: 'Signed on to an app',
      user: person,
      methods: session.amr,
      mfa: who.strength !== 'any',
      sessionId: session.id,
      clientId: app.id,
      service: { id: app.id, name: app.name },
      ip: who.ip,
      agent: who.agent,
    }),
  );
}

/** A refused sign-on. Without a person: the message itself was refused. */
export function reportRefusal(
  context: IdentityContext,
  app: Pick<SsoApp, 'id' | 'name'> | undefined,
  reason: string,
  from: { readonly ip: string; readonly agent: string; readonly who?: SignedOn | null },
): void {
  const { who } = from;
  context.emit(
    authenticationEvent('ticket', {
      at: context.clock.now(),
      outcome: 'failure',
      severity: 'low',
      activityName: 'Sign-on to an app refused',
      reason,
      methods: who?.session.amr ?? ['session'],
      ...(who ? { user: who.person, sessionId: who.session.id } : {}),
      ...(app ? { clientId: app.id, service: { id: app.id, name: app.name } } : {}),
      ip: from.ip,
      agent: from.agent,
    }),
  );
}
