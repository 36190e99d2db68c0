import type { IncomingMessage } from 'node:http';
import type { IdentityContext, RequestOrigin } from '../context.ts';
import { tablesOf } from '../context.ts';
import { readAddress } from '../oauth/token-guard.ts';
import type { Session } from '../sessions/session.ts';
import { createSessionCookie, readDevice } from '../sessions/session-cookie.ts';
import { resolveSession } from '../sessions/sessions.ts';
import { strengthOf, type Strength, type Subscriber } from './sso-app.ts';
import { loadSubscriber } from './sso-app-store.ts';

/** Whoever is signed in to Cordon in the browser that sends a request. */
export interface SignedOn extends Subscriber {
  readonly session: Session;
  readonly strength: Strength;
  /** When they last showed who they are, milliseconds since the epoch. */
  readonly authAt: number;
  readonly ip: string;
  readonly agent: string;
  readonly device?: string;
}

export interface SubjectReader {
  /** Null: nobody, or somebody who still sets up a first factor. Asked once per request. */
  read(request: IncomingMessage): Promise<SignedOn | null>;
  origin(request: IncomingMessage): RequestOrigin;
}

/**
 * The console's session cookie decides, nothing else: there is no second session to outlive it. The cookie is read on
 * requests that other sites cause too, which is what single sign-on is; nothing is changed in Cordon by them.
 */
export function createSubjectReader(context: IdentityContext): SubjectReader {
  const cookie = createSessionCookie(context.config.publicUrl);
  const known = new WeakMap<IncomingMessage, Promise<SignedOn | null>>();

  const origin = (request: IncomingMessage): RequestOrigin => {
    const device = readDevice(request.headers.cookie);
    return {
      ip: readAddress(request, context.config.clients.trustedProxies),
      agent: request.headers['user-agent'] ?? '',
      ...(device === undefined ? {} : { device }),
    };
  };

  const read = async (request: IncomingMessage): Promise<SignedOn | null> => {
    const secret = cookie.read(request.headers.cookie);
    if (secret === null) return null;
    const from = origin(request);
    const session = (await resolveSession(context, secret, from))?.principal.session;
    if (!session || session.stage !== 'full') return null;
    const subscriber = await loadSubscriber(tablesOf(context.db), session.personId, context.clock.now());
    if (subscriber?.person.status !== 'active') return null;
    const authAt = Math.max(session.createdAt, session.strongAuthAt ?? 0);
    return { ...subscriber, session, strength: strengthOf(session.amr), authAt, ...from };
  };

  return {
    origin,
    read(request) {
      const found = known.get(request) ?? read(request);
      known.set(request, found);
      return found;
    },
  };
}
