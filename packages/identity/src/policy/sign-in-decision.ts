import {
  createPolicySet,
  parseStatements,
  type PolicyProblem,
  type Statement,
  validatePolicyText,
} from '@cordon/policy';
import { z } from 'zod';
import type { Strength } from '../sso/sso-app.ts';
import {
  createNetworkLookup,
  hourOf,
  plainAddress,
  type SignInRequest,
  signInNetwork,
  weekdayOf,
} from './sign-in-facts.ts';

const TEXT_CHARS_MAX = 20_000;
const POLICIES_MAX = 50;
const NETWORKS_MAX = 50;

export const signInPolicy = z.strictObject({
  name: z.string().trim().min(1).max(100),
  text: z.string().min(1).max(TEXT_CHARS_MAX),
  /** `watch`: decides nothing, but what it would have decided is kept with each sign-in. */
  mode: z.enum(['enforce', 'watch', 'off']).default('enforce'),
});
export type SignInPolicy = z.output<typeof signInPolicy>;

/** Everything that decides of sign-ins. */
export const signInPolicySet = z.strictObject({
  /** Whether people who have an account sign in when no policy says otherwise. */
  base: z.boolean().default(true),
  policies: z.array(signInPolicy).max(POLICIES_MAX).default([]),
  networks: z.array(signInNetwork).max(NETWORKS_MAX).default([]),
});
export type SignInPolicySet = z.output<typeof signInPolicySet>;

export const DEFAULT_SET: SignInPolicySet = { base: true, policies: [], networks: [] };

/** Cedar text that every set is read with: `content/sign-in`. */
export interface SignInContent {
  readonly schema: string;
  readonly base: string;
}

export interface SignInReason {
  /** Name of the policy; `base` for the built-in one. */
  readonly policy: string;
  /** The statement's `@id`, if it has one. */
  readonly statement: string | null;
  readonly effect: 'permit' | 'forbid';
  /** What the person is told, by the statement's `@advice`. */
  readonly advice: string | null;
}

export interface SignInVerdict {
  readonly outcome: 'allow' | 'stronger' | 'refuse';
  /** What would be enough; with `stronger` alone. */
  readonly needs: { readonly strength: Strength; readonly fresh: boolean } | null;
  /** What decided: the forbids of a refusal, the permits of an entry; none when nothing permits. */
  readonly reasons: readonly SignInReason[];
}

export interface SignInDecider {
  decide(request: SignInRequest): SignInVerdict;
  /** What it would be with the watched policies in force; null when nothing is watched. */
  watch(request: SignInRequest): SignInVerdict | null;
  close(): void;
}

const LEVEL: Readonly<Record<Strength, number>> = { any: 0, mfa: 1, passkey: 2 };
const BASE = 'base';
const SEPARATOR = '/';

/** Problems of a text, for editors; none when it can be used. */
export function checkSignInPolicy(text: string, { schema }: SignInContent): readonly PolicyProblem[] {
  const { valid, problems } = validatePolicyText(text, schema);
  return valid ? problems.filter(({ severity }) => severity === 'warning') : problems;
}

function statementsOf(
  set: SignInPolicySet,
  content: SignInContent,
  watched: boolean,
): ReadonlyMap<string, Statement & { owner: string }> {
  const texts = [
    ...(set.base ? [{ name: BASE, text: content.base }] : []),
    ...set.policies.filter(({ mode }) => mode === 'enforce' || (watched && mode === 'watch')),
  ];
  return new Map(
    texts.flatMap(({ name, text }, index) =>
      parseStatements(text, { id: `${index}${SEPARATOR}${name}`, name }).map(
        (statement) => [statement.id, { ...statement, owner: name }] as const,
      ),
    ),
  );
}

function callOf(
  { personId, service, at, facts }: SignInRequest,
  networks: readonly string[],
  shown: { level: number; age: number },
) {
  const group = (id: string) => ({ type: 'Group', id });
  const address = plainAddress(facts.address);
  return {
    principal: { type: 'Person', id: personId },
    action: { type: 'Action', id: 'signIn' },
    resource: { type: 'Service', id: service.id },
    context: {
      // What is no address is in no network: the documentation block that nobody has.
      address: { __extn: { fn: 'ip', arg: address === '' ? '::' : address } },
      networks: [...networks],
      country: facts.country,
      strength: shown.level,
      authAge: shown.age,
      device: facts.device,
      compliance: facts.compliance,
      risk: facts.risk,
      alerts: facts.alerts,
      hour: hourOf(at),
      weekday: weekdayOf(at),
    },
    entities: [
      {
        uid: { type: 'Person', id: personId },
        attrs: { login: facts.login, roles: [...facts.roles], groups: facts.groups.map(({ name }) => name) },
        parents: facts.groups.map(({ id }) => group(id)),
      },
      ...facts.groups.map(({ id, name }) => ({ uid: group(id), attrs: { name }, parents: [] })),
      { uid: { type: 'Service', id: service.id }, attrs: { name: service.name, kind: service.kind }, parents: [] },
    ],
  };
}

/** One question to Cedar after another: as it is, then as it would be with a fresh and with a stronger factor. */
function createJudge(set: SignInPolicySet, content: SignInContent, watched: boolean) {
  const statements = statementsOf(set, content, watched);
  const compiled = createPolicySet(Object.fromEntries([...statements].map(([id, { text }]) => [id, text])));
  const networksOf = createNetworkLookup(set.networks);

  const reasonOf = (id: string): SignInReason => {
    const found = statements.get(id);
    const annotations: Readonly<Record<string, unknown>> = found?.json.annotations ?? {};
    const text = (name: string): string | null => {
      const value = annotations[name];
      return typeof value === 'string' ? value : null;
    };
    return {
      policy: found?.owner ?? id,
      statement: text('id'),
      effect: found?.effect ?? 'forbid',
      advice: text('advice'),
    };
  };

  const ask = (request: SignInRequest, networks: readonly string[], shown: { level: number; age: number }) => {
    const answer = compiled.evaluate(callOf(request, networks, shown));
    if (answer === null) return { allowed: false, ids: [] };
    // A forbid that can't be evaluated is skipped by Cedar; here it counts, or a mistake would open the door.
    const failed = answer.failed.filter((id) => statements.get(id)?.effect === 'forbid');
    if (failed.length > 0) return { allowed: false, ids: failed };
    return { allowed: answer.allowed, ids: answer.reasons };
  };

  const decide = (request: SignInRequest): SignInVerdict => {
    const networks = networksOf(request.facts.address);
    const has = LEVEL[request.facts.strength];
    const now = ask(request, networks, { level: has, age: request.facts.authAgeS });
    const reasons = now.ids.map(reasonOf);
    if (now.allowed) return { outcome: 'allow', needs: null, reasons };
    for (const strength of ['any', 'mfa', 'passkey'] as const) {
      if (LEVEL[strength] < has) continue;
      if (!ask(request, networks, { level: LEVEL[strength], age: 0 }).allowed) continue;
      return { outcome: 'stronger', needs: { strength, fresh: LEVEL[strength] === has }, reasons };
    }
    return { outcome: 'refuse', needs: null, reasons };
  };
  return { decide, close: () => compiled.close() };
}

/**
 * Compiles a set once. The outcome follows from the policies alone: what is denied, but would be allowed with a fresher
 * or a stronger factor, asks for exactly that.
 *
 * @throws {PolicyTextInvalid} when a text doesn't parse.
 */
export function createSignInDecider(set: SignInPolicySet, content: SignInContent): SignInDecider {
  const enforced = createJudge(set, content, false);
  const watched = set.policies.some(({ mode }) => mode === 'watch') ? createJudge(set, content, true) : null;
  return {
    decide: enforced.decide,
    watch: (request) => watched?.decide(request) ?? null,
    close() {
      enforced.close();
      watched?.close();
    },
  };
}
