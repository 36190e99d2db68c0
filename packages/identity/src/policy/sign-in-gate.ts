import { uuidv7 } from '@cordon/kernel';
import { type IdentityContext, type RequestOrigin, tablesOf } from '../context.ts';
import { SignInPolicyRefused, SignInStrongerNeeded } from '../errors.ts';
import { authenticationEvent } from '../events.ts';
import { findPersonState, liftHold } from '../signals/person-state-store.ts';
import { strengthOf, type Subscriber } from '../sso/sso-app.ts';
import { loadSubscriber } from '../sso/sso-app-store.ts';
import { hashSecret, mintSecret } from '../token-secret.ts';
import { trimAgent } from '../sessions/agent.ts';
import { loadSignInContent } from './sign-in-content.ts';
import { createSignInDecider, type SignInDecider, type SignInVerdict } from './sign-in-decision.ts';
import { plainAddress, type SignInFacts, type SignInRequest, type SignInService } from './sign-in-facts.ts';
import { insertRecord, isKnownDevice, loadVersion, newestVersion, rememberDevice } from './sign-in-policy-store.ts';

/** Somebody has shown who they are and wants in. */
export interface SignInAttempt {
  readonly personId: string;
  readonly service: SignInService;
  readonly origin: RequestOrigin;
  readonly methods: readonly string[];
  /** When a factor was last shown; now when absent. */
  readonly authAt?: number;
}

export interface JudgedSignIn {
  readonly request: SignInRequest;
  readonly verdict: SignInVerdict;
  readonly subscriber: Subscriber;
  readonly version: number;
  /** A break-glass account: policy doesn't hold it. */
  readonly exempt: boolean;
  readonly watched: string | null;
}

export interface SignInGate {
  /** Decides, changing nothing. */
  judge(attempt: SignInAttempt): Promise<JudgedSignIn>;
  /** Keeps what was decided; gives its number, which the person can name to an administrator. */
  record(judged: JudgedSignIn): Promise<string>;
  /**
   * Decides and keeps; gives the value of the cookie that makes this browser known.
   *
   * @throws {SignInPolicyRefused} @throws {SignInStrongerNeeded} saying what to do
   */
  admit(attempt: SignInAttempt): Promise<{ readonly device: string }>;
}

export type GateContext = Omit<IdentityContext, 'gate'>;

const DEVICE = /^cordon_dev_[\w-]{20,80}$/;
/** What others said counts as this score (CAEP 1.0, section 3.8). */
const SAID_RISK: Readonly<Record<string, number>> = { LOW: 10, MEDIUM: 55, HIGH: 90 };

function deviceOf({ device }: RequestOrigin): string | null {
  return device !== undefined && DEVICE.test(device) ? device : null;
}

/** What a person reads: the advice of what refused them, and a number for the administrator. */
export function adviceOf(verdict: SignInVerdict): string {
  const said = [
    ...new Set(verdict.reasons.flatMap(({ effect, advice }) => (effect === 'forbid' && advice ? [advice] : []))),
  ];
  if (said.length > 0) return said.join(' ');
  if (verdict.needs) {
    if (verdict.needs.fresh) return 'Confirm that it is you.';
    return verdict.needs.strength === 'passkey' ? 'Sign in with a passkey.' : 'Sign in with two factors.';
  }
  return 'The rules of your company don’t let you sign in from here, or now.';
}

const held = (advice: string): SignInVerdict => ({
  outcome: 'refuse',
  needs: null,
  reasons: [{ policy: 'hold', statement: null, effect: 'forbid', advice }],
});

export function createSignInGate(context: GateContext): SignInGate {
  const { db, clock } = context;
  let known: { readonly version: number; readonly decider: SignInDecider } | null = null;

  const load = async (): Promise<{ version: number; decider: SignInDecider }> => {
    const tables = tablesOf(db);
    const version = await newestVersion(tables);
    if (known?.version === version) return known;
    const { set } = await loadVersion(tables, version);
    const decider = createSignInDecider(set, await loadSignInContent());
    known?.decider.close();
    known = { version, decider };
    return known;
  };

  const factsOf = async ({ person, groups }: Subscriber, attempt: SignInAttempt, at: number): Promise<SignInFacts> => {
    const tables = tablesOf(db);
    const { origin, methods, authAt } = attempt;
    const address = plainAddress(origin.ip);
    const device = deviceOf(origin);
    const isKnown = device !== null && (await isKnownDevice(tables, person.id, hashSecret(device), at));
    const state = await findPersonState(tables, person.id);
    const behaviour = (await context.riskOf?.({ id: person.id, login: person.login, email: person.email })) ?? {
      score: 0,
      alerts: 0,
    };
    const country = (await context.countryOf?.(address)) ?? null;
    return {
      login: person.login,
      roles: [...person.roles],
      groups: groups.map(({ id, name }) => ({ id, name })),
      address,
      agent: trimAgent(origin.agent),
      country: country !== null && /^[A-Z]{2}$/.test(country) ? country : 'unknown',
      methods: [...methods],
      strength: strengthOf(methods),
      authAgeS: authAt === undefined ? 0 : Math.max(0, Math.floor((at - authAt) / 1000)),
      device: isKnown ? 'known' : 'new',
      compliance: state.compliance,
      risk: Math.min(100, Math.max(Math.round(behaviour.score), SAID_RISK[state.risk] ?? 0)),
      alerts: behaviour.alerts,
      missing: [],
    };
  };

  /** Somebody outside said that the account is not to be used; a recovery link is how a lost factor is replaced. */
  const holdOf = async (attempt: SignInAttempt): Promise<SignInVerdict | null> => {
    const { hold } = await findPersonState(tablesOf(db), attempt.personId);
    if (hold === null) return null;
    if (hold === 'suspended') return held('Your account is suspended. Ask your administrator.');
    if (attempt.methods.includes('link')) {
      await liftHold(tablesOf(db), attempt.personId);
      return null;
    }
    return held('Your factors must be replaced. Ask your administrator for a recovery link.');
  };

  const judge = async (attempt: SignInAttempt): Promise<JudgedSignIn> => {
    const at = clock.now();
    const subscriber = await loadSubscriber(tablesOf(db), attempt.personId, at);
    if (!subscriber) throw new SignInPolicyRefused('There is no such person.');
    const { version, decider } = await load();
    const facts = await factsOf(subscriber, attempt, at);
    const request = { personId: attempt.personId, service: attempt.service, at, facts };
    const exempt = (await context.isBreakGlass?.(attempt.personId)) ?? false;
    const verdict = (exempt ? null : await holdOf(attempt)) ?? decider.decide(request);
    const watched = decider.watch(request)?.outcome ?? null;
    return {
      request,
      subscriber,
      version,
      exempt,
      verdict: exempt ? { outcome: 'allow', needs: null, reasons: [] } : verdict,
      watched: watched === verdict.outcome ? null : watched,
    };
  };

  const record = async ({ request, verdict, subscriber, version, exempt, watched }: JudgedSignIn): Promise<string> => {
    const id = uuidv7(request.at);
    const { outcome, reasons } = verdict;
    const personName = subscriber.person.name;
    await insertRecord(tablesOf(db), { ...request, id, personName, outcome, version, exempt, reasons, watched });
    if (outcome === 'allow') return id;
    context.emit(
      authenticationEvent(request.service.kind === 'cordon' ? 'logon' : 'ticket', {
        at: request.at,
        outcome: 'failure',
        severity: 'medium',
        activityName: 'Refused by the sign-in policy',
        reason: `${outcome}: ${reasons.map(({ policy, statement }) => statement ?? policy).join(', ') || 'nothing permits it'}`,
        user: subscriber.person,
        methods: request.facts.methods,
        mfa: request.facts.strength !== 'any',
        ip: request.facts.address,
        agent: request.facts.agent,
        ...(request.service.kind === 'cordon' ? {} : { service: request.service }),
      }),
    );
    return id;
  };

  return {
    judge,
    record,
    async admit(attempt) {
      const judged = await judge(attempt);
      const reference = await record(judged);
      const { verdict } = judged;
      if (verdict.outcome !== 'allow') {
        const text = `${adviceOf(verdict)} If you need help, give your administrator the number ${reference}.`;
        const detail = { reference, needs: verdict.needs?.strength ?? null };
        throw verdict.outcome === 'refuse'
          ? new SignInPolicyRefused(text, detail)
          : new SignInStrongerNeeded(text, detail);
      }
      const device = deviceOf(attempt.origin) ?? mintSecret(context.random, 'cordon_dev_').value;
      await rememberDevice(tablesOf(db), attempt.personId, hashSecret(device), judged.request.at);
      return { device };
    },
  };
}
