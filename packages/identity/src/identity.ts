import { randomBytes } from 'node:crypto';
import { isAllowed } from '@cordon/kernel';
import type {
  Actor,
  Clock,
  Database,
  IntegrationId,
  Logger,
  Migrations,
  SecretEnvelope,
  Transaction,
} from '@cordon/kernel';
import { type IdentityConfigInput, identityConfigSchema } from './config.ts';
import {
  type IdentityContext,
  type IntegrationFacts,
  type PasswordCost,
  type Revocation,
  tablesOf,
} from './context.ts';
import type { CountryOf, RiskOf } from './context.ts';
import { createSignInGate, type GateContext } from './policy/sign-in-gate.ts';
import { createSignInPolicies, type SignInPolicies } from './policy/sign-in-policy.ts';
import { deleteOldSignInRows } from './policy/sign-in-policy-store.ts';
import { type Approvals, createApprovals } from './approvals/approvals.ts';
import { deleteOldApprovals } from './approvals/approval-store.ts';
import { type BreakGlass, createBreakGlass } from './break-glass/break-glass.ts';
import { isBreakGlass } from './break-glass/break-glass-store.ts';
import { createElevations, type Elevations } from './elevation/elevations.ts';
import type { IdentityEvent } from './events.ts';
import { deleteExpiredChallenges } from './factors/challenge-store.ts';
import { createEnrolment, type Enrolment } from './factors/enrolment.ts';
import { defaultPasswordCost } from './factors/password.ts';
import { createStepUp, type StepUp } from './factors/step-up.ts';
import { createGroups, type Groups } from './groups/groups.ts';
import type { FetchJson } from './oauth/issuer-keys.ts';
import { createOauthClients, type OauthClients } from './oauth/clients.ts';
import { createExchangePolicies, type ExchangePolicies } from './oauth/exchange-policies.ts';
import { ENROL_PATH } from './certificates/certificate-endpoint.ts';
import { deleteOldCertificates } from './certificates/certificate-store.ts';
import { type Certificates, createCertificates } from './certificates/certificates.ts';
import { createClientAuthority } from './certificates/client-authority.ts';
import { createPeerCertificates } from './certificates/peer-certificate.ts';
import { deleteOldLocks } from './oauth/lock-store.ts';
import { type OauthServer, startOauthServer } from './oauth/oauth-server.ts';
import type { PostJson } from './oauth/public-fetch.ts';
import { createTokenGuard, type TokenGuard } from './oauth/token-guard.ts';
import { createSigningKeys, type SigningKeys } from './oauth/signing-keys.ts';
import { createTokenReader, type TokenReader } from './oauth/token-reader.ts';
import { deleteExpiredTokens } from './oauth/token-store.ts';
import { deleteExpiredApiTokens } from './people/api-token-store.ts';
import { type ApiTokens, createApiTokens } from './people/api-tokens.ts';
import { deleteExpiredLinks } from './people/link-store.ts';
import { createLinks, type Links } from './people/links.ts';
import { createPeople, type People } from './people/people.ts';
import { createDirectory, type Directory } from './scim/scim-directory.ts';
import { createScimTokens, type ScimTokens } from './scim/scim-tokens.ts';
import { type Authenticator, createAuthenticator } from './sessions/authenticate.ts';
import { createSessionCookie, type SessionCookie } from './sessions/session-cookie.ts';
import { deleteExpiredSessions } from './sessions/session-store.ts';
import { rewrapIdentitySecrets } from './rewrap.ts';
import { createSessions, type Sessions } from './sessions/sessions.ts';
import { createSignIn, type SignIn } from './sessions/sign-in.ts';
import { deleteOldSsoRows } from './sso/sso-login-store.ts';
import { deleteOldSignals } from './signals/receiver-store.ts';
import { createSignals, type Signals } from './signals/signals.ts';
import { createSso, type Sso } from './sso/sso.ts';
import { type CatalogueEntry, loadSsoCatalogue } from './sso/sso-catalogue.ts';
import { deleteOldCounters } from './sessions/throttle-store.ts';
import type { Random } from './token-secret.ts';
import type { ResolveTxt } from './upstream/providers.ts';
import { deleteOldAttempts } from './upstream/provider-store.ts';
import { createUpstream, type Upstream } from './upstream/upstream.ts';

export const identityMigrations: Migrations = {
  name: 'identity',
  folder: new URL('../migrations/', import.meta.url),
};

const SSO_CONTENT = new URL('../../../content/sso/', import.meta.url);

export interface IdentityDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly config: IdentityConfigInput;
  /** Takes one OCSF event; must not throw or wait. Called after the commit of what it tells. */
  readonly emit: (event: IdentityEvent) => void;
  /** Inside the transaction that deletes tokens: publish the revocation, move the epoch. */
  readonly onRevoked: (tx: Transaction, revocation: Revocation) => Promise<void>;
  /**
   * Throws unless the integration exists and this actor may manage its credentials; called beside the check of the
   * role. Without it, whoever has the role may manage every integration's.
   */
  readonly checkIntegration?: (actor: Actor, integrationId: IntegrationId) => Promise<void>;
  /** Whose an integration is, for approvals. */
  readonly findIntegration?: (id: string) => Promise<IntegrationFacts | null>;
  /** Inside the transaction that disables a person: begin to take what this package can't reach. */
  readonly onDisabled?: (
    tx: Transaction,
    input: {
      readonly person: { readonly id: string; readonly name: string };
      readonly actor: Actor;
      readonly reason: string;
    },
  ) => Promise<unknown>;
  /** Tools that members of any of these groups have an account in. */
  readonly groupTargets?: NonNullable<IdentityContext['groupTargets']>;
  /** Inside the transaction that changed what somebody may use: keep the evidence. */
  readonly onMoved?: NonNullable<IdentityContext['onMoved']>;
  /** Temporary grants of integrations. Without it, only people are elevated. */
  readonly operations?: NonNullable<IdentityContext['operations']>;
  /** A person unlocked an address: tell the gateways. */
  readonly onUnlocked?: (tx: Transaction, address: string) => Promise<unknown>;
  /** Whether an app of this name is behind the gateway. */
  readonly hasApp?: (name: string) => Promise<boolean>;
  /**
   * Gives the JSON at an https address: how keys of workload issuers (GitHub Actions, Kubernetes) are fetched. It must
   * refuse private networks. Without it, only issuers whose keys were given are trusted.
   */
  readonly fetchJson?: FetchJson;
  /** Tells clients of decisions; to the public internet alone when absent. */
  readonly postJson?: PostJson;
  /** Reads TXT records, to verify domains of corporate providers; the system's resolver when absent. */
  readonly resolveTxt?: ResolveTxt;
  /** Whether policy on sign-in doesn't hold this person. */
  readonly isBreakGlass?: (personId: string) => Promise<boolean>;
  /** The country of an address, for policy on sign-in; always `unknown` when absent. */
  readonly countryOf?: CountryOf;
  /** What behaviour and alerts say of a person, for policy on sign-in. */
  readonly riskOf?: RiskOf;
  readonly random?: Random;
  /** Lower only in tests. */
  readonly passwordCost?: PasswordCost;
}

export interface Identity {
  readonly people: People;
  readonly links: Links;
  readonly sessions: Sessions;
  readonly signIn: SignIn;
  readonly enrolment: Enrolment;
  readonly stepUp: StepUp;
  /** Policies on sign-in, their dry run and what they decided. */
  readonly signInPolicies: SignInPolicies;
  readonly apiTokens: ApiTokens;
  readonly oauthClients: OauthClients;
  /** Exchanges of tokens across integrations. */
  readonly exchangePolicies: ExchangePolicies;
  readonly tokens: TokenReader;
  readonly signingKeys: SigningKeys;
  /** Certificates of integrations. */
  readonly certificates: Certificates;
  /** Calls that a second person approves. */
  readonly approvals: Approvals;
  /** Locks of addresses and clients that fail at the token endpoint. */
  readonly guard: TokenGuard;
  /** Where workloads enrol. */
  readonly enrolmentEndpoint: string;
  mayDecide(actor: Actor): boolean;
  /** Tools that people sign in to through Cordon. */
  readonly sso: Sso;
  /** Ready settings for tools, from `content/sso`. */
  ssoCatalogue(): Promise<readonly CatalogueEntry[]>;
  /** Corporate providers that people come from. */
  readonly upstream: Upstream;
  /** OpenID Shared Signals: who is told, who tells. */
  readonly signals: Signals;
  /** Users and groups as a corporate directory sees them (SCIM). */
  readonly directory: Directory;
  readonly groups: Groups;
  /** Accounts for when the corporate provider is gone. */
  readonly breakGlass: BreakGlass;
  /** Access for a while. */
  readonly elevations: Elevations;
  readonly scimTokens: ScimTokens;
  readonly authenticator: Authenticator;
  readonly cookie: SessionCookie;
  readonly clock: Clock;
  /** Without a slash at the end. */
  readonly publicUrl: string;
  /** Starts the authorization server of this process. */
  startOauthServer(): Promise<OauthServer>;
  /** Deletes what expired and brings secrets under the newest key; run it every few minutes in one place. */
  sweep(): Promise<void>;
}

export function createIdentity(deps: IdentityDeps): Identity {
  const parts: GateContext = {
    ...deps,
    isBreakGlass: deps.isBreakGlass ?? ((personId) => isBreakGlass(tablesOf(deps.db), personId)),
    config: identityConfigSchema.parse(deps.config),
    random: deps.random ?? randomBytes,
    passwordCost: deps.passwordCost ?? defaultPasswordCost,
  };
  const context: IdentityContext = { ...parts, gate: createSignInGate(parts) };
  const { db, clock } = context;
  const signingKeys = createSigningKeys(context);
  const directory = createDirectory(context);
  const sso = createSso(context, signingKeys);
  const upstream = createUpstream(context, sso.keys);
  const authority = createClientAuthority(context);
  const certificates = createCertificates(context, authority);
  const guard = createTokenGuard(context);
  let oauth: OauthServer | undefined;
  let catalogue: Promise<readonly CatalogueEntry[]> | undefined;
  const approvals = createApprovals(context, () => oauth?.answers);
  return {
    people: createPeople(context),
    links: createLinks(context),
    sessions: createSessions(context),
    signIn: createSignIn(context),
    enrolment: createEnrolment(context),
    stepUp: createStepUp(context),
    signInPolicies: createSignInPolicies(context),
    apiTokens: createApiTokens(context),
    oauthClients: createOauthClients(context),
    exchangePolicies: createExchangePolicies(context),
    tokens: createTokenReader(context),
    signingKeys,
    signals: createSignals(context, signingKeys),
    sso: { ...sso, start: (options) => sso.start({ ...options, upstream }) },
    upstream,
    ssoCatalogue: () => (catalogue ??= loadSsoCatalogue(SSO_CONTENT)),
    directory,
    groups: createGroups(context, directory),
    breakGlass: createBreakGlass(context),
    elevations: createElevations(context),
    scimTokens: createScimTokens(context),
    authenticator: createAuthenticator(context),
    cookie: createSessionCookie(context.config.publicUrl),
    clock,
    publicUrl: context.config.publicUrl,
    certificates,
    approvals,
    guard,
    enrolmentEndpoint: (context.config.mtlsUrl ?? context.config.publicUrl) + ENROL_PATH,
    mayDecide: (actor) => isAllowed(actor, 'approval.decide'),
    async startOauthServer() {
      const peers = createPeerCertificates(context, authority);
      oauth = await startOauthServer(context, signingKeys, { peers, guard, approvals, certificates });
      return oauth;
    },
    async sweep() {
      const tables = tablesOf(db);
      const now = clock.now();
      await deleteExpiredTokens(tables, now);
      await deleteExpiredSessions(tables, now, context.config.sessionIdleMs);
      await deleteExpiredChallenges(tables, now);
      await deleteExpiredLinks(tables, now);
      await deleteExpiredApiTokens(tables, now);
      await deleteOldCounters(tables, now);
      await deleteOldLocks(tables, now);
      await deleteOldApprovals(tables, now);
      await deleteOldCertificates(tables, now);
      await deleteOldSsoRows(tables, now);
      await deleteOldAttempts(tables, now);
      await deleteOldSignInRows(tables, now);
      await deleteOldSignals(tables, now);
      await rewrapIdentitySecrets(context);
    },
  };
}
