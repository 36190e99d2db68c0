import type { IncomingMessage, ServerResponse } from 'node:http';
import type { IdentityContext } from '../context.ts';
import { adviceOf, type JudgedSignIn } from '../policy/sign-in-gate.ts';
import type { SsoApp } from './sso-app.ts';
import { escapeHtml, sendPage } from './sso-page.ts';
import type { SignedOn } from './sso-subject.ts';

const known = new WeakMap<IncomingMessage, Promise<JudgedSignIn>>();

/** What policy on sign-in says of this sign-on; asked once for a request, however many steps look at it. */
export function judgeSignOn(
  context: IdentityContext,
  app: SsoApp,
  who: SignedOn,
  request: IncomingMessage,
): Promise<JudgedSignIn> {
  const service = { kind: app.settings.protocol, id: app.id, name: app.name };
  const attempt = { personId: who.person.id, service, origin: who, methods: who.session.amr, authAt: who.authAt };
  const found = known.get(request) ?? context.gate.judge(attempt);
  known.set(request, found);
  return found;
}

/** Keeps the refusal and says to the person what they can do. */
export async function explainRefusal(
  context: IdentityContext,
  judged: JudgedSignIn,
  response: ServerResponse,
  back: string,
): Promise<void> {
  const reference = await context.gate.record(judged);
  const { service } = judged.request;
  const body = `<p>${escapeHtml(adviceOf(judged.verdict))}</p><p>If you need help, give your administrator the number <code>${reference}</code>.</p><p><a href="${escapeHtml(back)}">Back to ${escapeHtml(service.name)}</a> · <a href="/my-apps">Your apps</a></p>`;
  sendPage(response, 403, `You can’t open ${escapeHtml(service.name)} now`, body);
}
