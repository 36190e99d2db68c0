import { type Actor, appendAudit, authorize, type PersonId, SessionId, type Transaction } from '@cordon/kernel';
import { type IdentityContext, type RequestOrigin, tablesOf } from '../context.ts';
import { noteBreakGlass } from '../break-glass/break-glass-use.ts';
import { SessionNotFound } from '../errors.ts';
import { authenticationEvent } from '../events.ts';
import { findElevated, rolesWith } from '../groups/elevated.ts';
import type { Person } from '../people/person.ts';
import { personOf } from '../people/person-store.ts';
import { hashSecret, mintSecret, sameHash } from '../token-secret.ts';
import { agentKey, trimAgent } from './agent.ts';
import {
  type AuthMethod,
  judgeSession,
  type Principal,
  SEEN_STEP_MS,
  type Session,
  type SessionStage,
} from './session.ts';
import {
  deleteSession,
  deleteSessionsOf,
  findSession,
  findSessionByHash,
  insertSession,
  listSessions,
  touchSession,
  updateSession,
} from './session-store.ts';

/** A link or recovery code leaves this long to set up a factor. */
const ENROL_MS_MAX = 30 * 60_000;
/** Methods that count as a strong factor when shown. */
const STRONG: ReadonlySet<AuthMethod> = new Set(['hwk', 'otp', 'fed-mfa', 'fed-phr']);

export interface StartedSession {
  readonly session: Session;
  /** The cookie's value; only its hash is kept. */
  readonly secret: string;
}

export function actorOf(person: Person, strongAuthAt: number | null): Extract<Actor, { kind: 'person' }> {
  const actor = { kind: 'person', id: person.id, name: person.name, roles: person.roles } as const;
  return strongAuthAt === null ? actor : { ...actor, strongAuthAt };
}

/** Starts a session inside the transaction of the sign-in. */
export async function startSession(
  context: IdentityContext,
  tx: Transaction,
  input: {
    readonly person: Person;
    readonly stage: SessionStage;
    readonly amr: readonly AuthMethod[];
    readonly origin: RequestOrigin;
    /** A strong factor was shown earlier than now, at a corporate provider. */
    readonly strongAuthAt?: number;
    /** The session ends then at the latest. */
    readonly endsAt?: number;
  },
): Promise<StartedSession> {
  const now = context.clock.now();
  const { value, hash } = mintSecret(context.random, 'cordon_ses_');
  const agent = trimAgent(input.origin.agent);
  const lifetime = input.stage === 'enrol' ? ENROL_MS_MAX : context.config.sessionAbsoluteMs;
  const session: Session = {
    id: SessionId.create(now),
    personId: input.person.id,
    stage: input.stage,
    amr: input.amr,
    strongAuthAt: input.amr.some((method) => STRONG.has(method)) ? Math.min(now, input.strongAuthAt ?? now) : null,
    agent,
    ip: input.origin.ip,
    createdAt: now,
    seenAt: now,
    expiresAt: Math.min(now + lifetime, input.endsAt ?? Infinity),
  };
  await insertSession(tablesOf(tx), session, { hash, agentKey: agentKey(agent) });
  await appendAudit(tx, {
    actor: actorOf(input.person, session.strongAuthAt),
    action: 'session.started',
    target: { type: 'session', id: session.id },
    detail: { stage: session.stage, amr: session.amr, ip: session.ip },
    at: now,
  });
  if (session.stage === 'full') await noteBreakGlass(context, tx, input.person, session);
  return { session, secret: value };
}

/**
 * Turns an enrolment session into a full one under a new secret, so that whoever saw the link or the first cookie has
 * nothing (session fixation, OWASP ASVS 7.2.4).
 */
export async function promoteSession(
  context: IdentityContext,
  tx: Transaction,
  session: Session,
  person: Person,
  method: AuthMethod,
): Promise<StartedSession> {
  await deleteSession(tablesOf(tx), session.id);
  const origin = { ip: session.ip, agent: session.agent };
  return startSession(context, tx, { person, stage: 'full', amr: [...methodsOf(session), method], origin });
}

function methodsOf(session: Session): AuthMethod[] {
  return session.amr.filter((method): method is AuthMethod => method === 'link' || method === 'recovery');
}

/** Marks that a strong factor was shown again in this session. */
export async function markStrong(
  context: IdentityContext,
  tx: Transaction,
  session: Session,
  method: AuthMethod,
  at?: number,
): Promise<Session> {
  const strongAuthAt = at ?? context.clock.now();
  // The latest comes last: some decisions want the passkey to be the one that was just shown.
  const amr = [...session.amr.filter((known) => known !== method), method];
  await updateSession(tablesOf(tx), session.id, { strongAuthAt, amr });
  return { ...session, strongAuthAt, amr };
}

/** Who a session cookie stands for; null for one that is unknown, over, or sent by another browser. */
export async function resolveSession(
  context: IdentityContext,
  secret: string,
  origin: RequestOrigin,
): Promise<{ principal: Principal; person: Person } | null> {
  const db = tablesOf(context.db);
  const found = await findSessionByHash(db, hashSecret(secret));
  if (!found) return null;
  const now = context.clock.now();
  const { session } = found;
  const sameBrowser = sameHash(found.agentKey, agentKey(trimAgent(origin.agent)));
  const verdict = judgeSession(session, { now, idleMs: context.config.sessionIdleMs, sameBrowser });
  const person = personOf(found.person);
  if (verdict !== 'live' || person.status === 'disabled') {
    await deleteSession(db, session.id);
    const reason = verdict === 'live' ? 'person-disabled' : verdict;
    context.emit(
      authenticationEvent('logoff', {
        at: now,
        outcome: 'success',
        severity: verdict === 'other-browser' ? 'high' : 'informational',
        reason: `The session ended: ${reason}.`,
        user: person,
        methods: ['session'],
        sessionId: session.id,
        ...origin,
      }),
    );
    return null;
  }
  if (now - session.seenAt >= SEEN_STEP_MS) await touchSession(db, session.id, now);
  const elevated = await findElevated(db, person.id, now);
  const actor = actorOf({ ...person, roles: rolesWith(person.roles, elevated.roles) }, session.strongAuthAt);
  return { principal: { actor, via: 'session', session, expiresAt: session.expiresAt }, person };
}

export interface Sessions {
  /** The caller's own live sessions, or those of a person the caller may read. */
  list(actor: Actor, personId: PersonId): Promise<Session[]>;
  /** Everyone's live sessions, newest first, in pages. */
  listAll(actor: Actor, before?: SessionId): Promise<Session[]>;
  /** Ends one session: an own one, or anyone's with `person.suspend`. */
  end(actor: Actor, id: SessionId): Promise<void>;
  /** Ends all sessions of a person, but for `keep`. Returns how many. */
  endAll(actor: Actor, personId: PersonId, keep?: SessionId): Promise<number>;
}

function isSelf(actor: Actor, personId: PersonId): boolean {
  return actor.kind === 'person' && actor.id === personId;
}

export function createSessions(context: IdentityContext): Sessions {
  const now = (): number => context.clock.now();
  return {
    async list(actor, personId) {
      authorize(actor, isSelf(actor, personId) ? 'session.self' : 'person.read');
      return listSessions(tablesOf(context.db), { personId, now: now() });
    },
    async listAll(actor, before) {
      authorize(actor, 'person.read');
      return listSessions(tablesOf(context.db), { now: now(), before });
    },
    async end(actor, id) {
      const session = await context.db.transaction(async (tx) => {
        const found = await findSession(tablesOf(tx), id);
        // Someone who may not end a session learns nothing about whether it exists.
        authorize(actor, found && isSelf(actor, found.personId) ? 'session.self' : 'person.suspend');
        if (!found || !(await deleteSession(tablesOf(tx), id))) throw new SessionNotFound('There is no such session.');
        await appendAudit(tx, { actor, action: 'session.ended', target: { type: 'session', id }, at: now() });
        return found;
      });
      context.emit(
        authenticationEvent('logoff', {
          at: now(),
          outcome: 'success',
          user: { id: session.personId },
          methods: ['session'],
          sessionId: id,
        }),
      );
    },
    async endAll(actor, personId, keep) {
      authorize(actor, isSelf(actor, personId) ? 'session.self' : 'person.suspend');
      const ended = await context.db.transaction(async (tx) => {
        const count = await deleteSessionsOf(tablesOf(tx), personId, keep);
        const target = { type: 'person', id: personId };
        await appendAudit(tx, { actor, action: 'session.all_ended', target, detail: { count }, at: now() });
        return count;
      });
      context.emit(
        authenticationEvent('logoff', {
          at: now(),
          outcome: 'success',
          reason: `${ended} sessions ended.`,
          user: { id: personId },
          methods: ['session'],
        }),
      );
      return ended;
    },
  };
}
