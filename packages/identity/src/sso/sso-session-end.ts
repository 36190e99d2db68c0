import type { ServerResponse } from 'node:http';
import { appendAudit } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { authenticationEvent } from '../events.ts';
import { createSessionCookie } from '../sessions/session-cookie.ts';
import { deleteSession } from '../sessions/session-store.ts';
import { actorOf } from '../sessions/sessions.ts';
import type { SignedOn } from './sso-subject.ts';

/** An app signed the person out: the session in the console ends, and with it every other app's; see sso-notices.ts. */
export async function endOwnSession(
  context: IdentityContext,
  who: SignedOn | null,
  response: Pick<ServerResponse, 'appendHeader'>,
): Promise<void> {
  response.appendHeader('set-cookie', createSessionCookie(context.config.publicUrl).clear());
  if (!who) return;
  const { session, person } = who;
  const at = context.clock.now();
  await context.db.transaction(async (tx) => {
    if (!(await deleteSession(tablesOf(tx), session.id))) return;
    const target = { type: 'session', id: session.id };
    const actor = actorOf(person, session.strongAuthAt);
    await appendAudit(tx, { actor, action: 'session.ended', target, detail: { by: 'single logout' }, at });
  });
  context.emit(
    authenticationEvent('logoff', {
      at,
      outcome: 'success',
      reason: 'Signed out by an app.',
      user: person,
      methods: ['session'],
      sessionId: session.id,
      ip: who.ip,
      agent: who.agent,
    }),
  );
}
