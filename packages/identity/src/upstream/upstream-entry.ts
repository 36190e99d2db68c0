import { appendAudit, PersonId, type Role, type SessionId, type Transaction, uuidv7 } from '@cordon/kernel';
import { type IdentityContext, type RequestOrigin, tablesOf } from '../context.ts';
import { UpstreamRefused } from '../errors.ts';
import { accountChangeEvent, authenticationEvent } from '../events.ts';
import { hasFactors } from '../factors/factor-store.ts';
import type { Person } from '../people/person.ts';
import { CORDON } from '../policy/sign-in-facts.ts';
import { findPerson, findPersonByLogin, insertPerson, lockPerson, updatePerson } from '../people/person-store.ts';
import { withAccess } from '../groups/access-change.ts';
import { changeGroupRoles, type Report } from '../scim/scim-person.ts';
import type { AuthMethod, Session } from '../sessions/session.ts';
import { actorOf, markStrong, startSession } from '../sessions/sessions.ts';
import type { SignedIn } from '../sessions/sign-in.ts';
import {
  findAccount,
  findUpstreamSession,
  insertAccount,
  insertUpstreamSession,
  listMemberships,
  setMemberships,
  touchAccount,
  type UpstreamAccount,
} from './account-store.ts';
import { judgeLink, type LinkVerdict } from './link-rule.ts';
import { domainOf, type Provider } from './provider.ts';
import { findDomain, insertAttempt, type Attempt } from './provider-store.ts';
import { reasonOf, refuseUpstream } from './refusal.ts';
import { mapGroups, upstreamStrength, type UpstreamPerson } from './upstream-person.ts';

const WEBAUTHN_HANDLE_BYTES = 32;
const NAME_CHARS_MAX = 200;
const PROVIDER_ACTOR = (provider: Provider) => ({ kind: 'system', name: `provider ${provider.name}` }) as const;

export function idTokenContext(sessionId: string): string {
  return `identity.upstream-id-token:${sessionId}`;
}

/** What came of a sign-in: somebody is in, or must show a factor of their own first. */
export type Entry =
  | { readonly kind: 'in'; readonly signedIn: SignedIn }
  | { readonly kind: 'prove'; readonly personId: PersonId };

export interface UpstreamEntry {
  /** What would come of it, changing nothing: for a test sign-in. */
  judge(provider: Provider, person: UpstreamPerson): Promise<LinkVerdict>;
  enter(provider: Provider, person: UpstreamPerson, origin: RequestOrigin): Promise<Entry>;
  /** Ties the account to somebody who has just shown a factor in this session. */
  link(provider: Provider, person: UpstreamPerson, session: Session): Promise<void>;
  /** The provider's word counts as a fresh factor in this session, if its settings say so. */
  stepUp(
    provider: Provider,
    person: UpstreamPerson,
    session: Session,
    since: number,
    origin: RequestOrigin,
  ): Promise<void>;
  note(provider: Provider, attempt: Pick<Attempt, 'kind' | 'personId' | 'detail'>, error?: unknown): Promise<void>;
}

/** What an administrator sees of a sign-in: what was released, not what it is worth to an attacker. */
export function describePerson(person: UpstreamPerson): Record<string, unknown> {
  const { subject, email, emailVerified, name, groups, methods } = person;
  return { subject, email, emailVerified, name, groups: groups.slice(0, 50), methods };
}

export function createUpstreamEntry(context: IdentityContext): UpstreamEntry {
  const { db, clock, envelope } = context;

  const judgeIn = async (
    tx: Pick<Transaction, 'tables'>,
    provider: Provider,
    person: UpstreamPerson,
  ): Promise<LinkVerdict> => {
    const tables = tablesOf(tx);
    const account = await findAccount(tables, provider.id, { subject: person.subject });
    const tied = account && (await findPerson(tables, account.personId));
    const { email } = person;
    const domain = email === null ? null : domainOf(email);
    const known = domain === null ? undefined : await findDomain(tables, domain);
    const holder = email === null ? undefined : await findPersonByLogin(tables, email);
    return judgeLink({
      tied: tied ? { personId: tied.id, status: tied.status } : null,
      email,
      emailVerified: person.emailVerified,
      emailTrusted: provider.settings.protocol === 'saml' || provider.settings.trustEmail,
      domainVerified: known?.providerId === provider.id && known.verifiedAt !== null,
      holder: holder
        ? {
            personId: holder.id,
            status: holder.status,
            hasFactor: await hasFactors(tables, holder.id),
            isOwner: holder.roles.includes('owner'),
            isTied: (await findAccount(tables, provider.id, { personId: holder.id })) !== undefined,
          }
        : null,
      createPeople: provider.settings.createPeople,
    });
  };

  const tie = async (
    tx: Transaction,
    provider: Provider,
    person: UpstreamPerson,
    personId: PersonId,
    linkedBy: UpstreamAccount['linkedBy'],
  ): Promise<void> => {
    const at = clock.now();
    const { subject, email } = person;
    const account = {
      providerId: provider.id,
      subject,
      personId,
      email: email ?? '',
      roles: [],
      linkedBy,
      createdAt: at,
      lastAt: at,
    };
    if (!(await insertAccount(tablesOf(tx), account))) refuseUpstream('person.other_account');
    await appendAudit(tx, {
      actor: PROVIDER_ACTOR(provider),
      action: 'upstream_account.linked',
      target: { type: 'person', id: personId },
      detail: { provider: provider.id, subject, email, by: linkedBy },
      at,
    });
  };

  const create = async (tx: Transaction, provider: Provider, person: UpstreamPerson): Promise<PersonId> => {
    const at = clock.now();
    const id = PersonId.create(at);
    const email = person.email ?? '';
    const made = {
      id,
      name: (person.name ?? email).slice(0, NAME_CHARS_MAX),
      email,
      login: email,
      status: 'active',
      roles: [],
      source: 'upstream',
      webauthnHandle: context.random(WEBAUTHN_HANDLE_BYTES),
      at,
    } as const;
    // Somebody with this address came in between: a second try finds them.
    if (!(await insertPerson(tablesOf(tx), made))) refuseUpstream('person.proof_needed');
    await appendAudit(tx, {
      actor: PROVIDER_ACTOR(provider),
      action: 'person.made_at_sign_in',
      target: { type: 'person', id, name: made.name },
      detail: { provider: provider.id, email },
      at,
    });
    return id;
  };

  /** Gives what the mapping says now and takes what it said at the last sign-in. */
  const applyMapping = async (
    tx: Transaction,
    provider: Provider,
    person: UpstreamPerson,
    personId: PersonId,
  ): Promise<Report | null> => {
    const tables = tablesOf(tx);
    const account = await findAccount(tables, provider.id, { subject: person.subject });
    if (!account) return null;
    const given = mapGroups(provider.settings, person.groups);
    const before: readonly Role[] = account.roles;
    const told = await changeGroupRoles(context, tx, PROVIDER_ACTOR(provider), personId, {
      before,
      after: given.roles,
    });
    const cause = `${provider.name} said other groups at the sign-in.`;
    const move = { actor: PROVIDER_ACTOR(provider), cause, groups: [], people: [personId] };
    const known = await listMemberships(tables, provider.id, personId);
    const isSame = known.length === given.groups.length && given.groups.every((id) => known.includes(id));
    if (!isSame) {
      await withAccess(context, tx, move, () => setMemberships(tables, provider.id, personId, given.groups));
    }
    await touchAccount(tables, account, { roles: given.roles, email: person.email ?? account.email, at: clock.now() });
    return told;
  };

  const amrOf = (provider: Provider, person: UpstreamPerson): AuthMethod[] => {
    const strength = upstreamStrength(provider.settings, person.methods);
    if (strength === null) return ['fed'];
    return ['fed', strength === 'passkey' ? 'fed-phr' : 'fed-mfa'];
  };

  const start = async (
    tx: Transaction,
    provider: Provider,
    said: UpstreamPerson,
    personId: PersonId,
    origin: RequestOrigin,
  ): Promise<SignedIn> => {
    const tables = tablesOf(tx);
    const person = (await lockPerson(tables, personId)) ?? refuseUpstream('person.unknown');
    if (person.status === 'disabled') return refuseUpstream('person.disabled');
    const now = clock.now();
    const active: Person = { ...person, status: 'active' };
    await updatePerson(tables, personId, { status: 'active', lastSignInAt: now }, now);
    const started = await startSession(context, tx, {
      person: active,
      stage: 'full',
      amr: amrOf(provider, said),
      origin,
      strongAuthAt: said.authAt,
      ...(said.sessionEndsAt === null ? {} : { endsAt: said.sessionEndsAt }),
    });
    await remember(tx, provider, said, started.session.id);
    return { ...started, person: active };
  };

  const remember = async (
    tx: Transaction,
    provider: Provider,
    said: UpstreamPerson,
    sessionId: SessionId,
  ): Promise<void> => {
    const { subject, sid, nameId, idToken } = said;
    await insertUpstreamSession(tablesOf(tx), {
      sessionId,
      providerId: provider.id,
      subject,
      sid,
      nameId,
      sealedIdToken: idToken === null ? null : envelope.seal(idToken, idTokenContext(sessionId)),
    });
  };

  const report = (signedIn: SignedIn, provider: Provider, origin: RequestOrigin, made: boolean): void => {
    const { person, session } = signedIn;
    context.emit(
      authenticationEvent('logon', {
        at: clock.now(),
        outcome: 'success',
        reason: `Through the provider ${provider.name}.`,
        user: person,
        methods: session.amr,
        mfa: session.strongAuthAt !== null,
        sessionId: session.id,
        ...origin,
      }),
    );
    if (!made) return;
    const actor = PROVIDER_ACTOR(provider);
    const activityName = 'Person made at their first sign-in';
    context.emit(
      accountChangeEvent('create', {
        at: clock.now(),
        outcome: 'success',
        actor,
        user: person,
        activityName,
        ...origin,
      }),
    );
  };

  return {
    judge: (provider, person) => db.transaction((tx) => judgeIn(tx, provider, person)),

    async enter(provider, said, origin) {
      let made = false;
      let told: Report | null = null;
      const found = await db.transaction(async (tx): Promise<{ kind: 'in' | 'prove'; personId: PersonId }> => {
        const verdict = await judgeIn(tx, provider, said);
        if (verdict.kind === 'refuse') return refuseUpstream(verdict.reason, said.email ?? '');
        if (verdict.kind === 'prove') return { kind: 'prove', personId: PersonId.parse(verdict.personId) };
        const personId =
          verdict.kind === 'create' ? await create(tx, provider, said) : PersonId.parse(verdict.personId);
        made = verdict.kind === 'create';
        if (verdict.kind !== 'enter') await tie(tx, provider, said, personId, made ? 'made' : 'invited');
        told = await applyMapping(tx, provider, said, personId);
        return { kind: 'in', personId };
      });
      (told as Report | null)?.(); // set in the transaction, which tsc does not follow
      if (found.kind === 'prove') return { kind: 'prove', personId: found.personId };
      // Between the two: somebody who is made here at their first sign-in is judged with the groups they came with.
      const { personId } = found;
      const admitted = await context.gate.admit({
        personId,
        service: CORDON,
        origin,
        methods: amrOf(provider, said),
        authAt: said.authAt,
      });
      const started = await db.transaction((tx) => start(tx, provider, said, personId, origin));
      const signedIn = { ...started, ...admitted };
      report(signedIn, provider, origin, made);
      return { kind: 'in', signedIn };
    },

    async link(provider, said, session) {
      const told = await db.transaction(async (tx) => {
        // Judged anew: the address must still be this person's, and the person the one who showed the factor.
        const verdict = await judgeIn(tx, provider, said);
        if (verdict.kind !== 'prove' || verdict.personId !== session.personId) return refuseUpstream('person.other');
        await tie(tx, provider, said, session.personId, 'proof');
        await remember(tx, provider, said, session.id);
        return applyMapping(tx, provider, said, session.personId);
      });
      told?.();
    },

    async stepUp(provider, said, session, since, origin) {
      const [method] = amrOf(provider, said).slice(1);
      if (method === undefined) return refuseUpstream('person.not_strong', said.methods.join(', '));
      if (said.authAt < since)
        return refuseUpstream('oidc.too_old', `They signed in there at ${new Date(said.authAt).toISOString()}.`);
      await db.transaction(async (tx) => {
        const tables = tablesOf(tx);
        const from = await findUpstreamSession(tables, session.id);
        if (from?.providerId !== provider.id || from.subject !== said.subject) return refuseUpstream('person.other');
        const person = (await findPerson(tables, session.personId)) ?? refuseUpstream('person.unknown');
        await markStrong(context, tx, session, method, Math.min(said.authAt, clock.now()));
        await remember(tx, provider, said, session.id);
        await appendAudit(tx, {
          actor: actorOf(person, said.authAt),
          action: 'session.stepped_up',
          target: { type: 'session', id: session.id },
          detail: { method, provider: provider.id },
          at: clock.now(),
        });
        return undefined;
      });
      context.emit(
        authenticationEvent('other', {
          at: clock.now(),
          outcome: 'success',
          activityName: 'Step-up',
          user: { id: session.personId },
          methods: [method],
          mfa: true,
          sessionId: session.id,
          ...origin,
        }),
      );
      return undefined;
    },

    async note(provider, attempt, error) {
      const refused = error instanceof UpstreamRefused ? reasonOf(error) : null;
      const at = clock.now();
      const detail = refused ? { ...attempt.detail, detail: refused.detail } : attempt.detail;
      await insertAttempt(tablesOf(db), {
        ...attempt,
        detail,
        id: uuidv7(at),
        providerId: provider.id,
        at,
        reason: refused?.reason ?? null,
      });
    },
  };
}
