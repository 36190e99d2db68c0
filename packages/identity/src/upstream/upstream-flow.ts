import { z } from 'zod';
import { PersonId, type SessionId } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { rememberOnce } from '../sso/sso-login-store.ts';
import type { SamlKeys } from '../sso/saml-keys.ts';
import type { SsoStates } from '../sso/sso-state.ts';
import { hashSecret } from '../token-secret.ts';
import { createUpstreamFetch } from './egress.ts';
import { createOidcClient, createOidcConfigurations, type OidcClient } from './oidc-client.ts';
import {
  isOidcProvider,
  isSamlProvider,
  type OidcProviderSettings,
  type Provider,
  providerSecretContext,
  type SamlProviderSettings,
  UpstreamProviderId,
} from './provider.ts';
import { findProvider } from './provider-store.ts';
import { refuseUpstream } from './refusal.ts';
import {
  newMessageId,
  peekInResponseTo,
  readResponse,
  type SamlAddresses,
  type SamlClientDeps,
  signOnUrl,
} from './saml-client.ts';
import type { UpstreamPerson } from './upstream-person.ts';

export const UPSTREAM_PATH = '/sso/up';
/** A factor that is asked for anew may be this old when it comes back: the time that typing takes. */
const FRESH_MAX_AGE_S = 0;

/** What a sign-in carries from its start to its end; sealed in the database, the browser holds a random name for it. */
const flowSchema = z.object({
  providerId: z.string(),
  mode: z.enum(['sign-in', 'test', 'step-up']),
  nonce: z.string(),
  verifier: z.string(),
  requestId: z.string(),
  next: z.string(),
  /** SHA-256 of the cookie of the browser that began; null for an answer that nobody asked for. */
  browser: z.string().nullable(),
  sessionId: z.string().nullable(),
  since: z.number(),
});
export type UpstreamFlow = z.output<typeof flowSchema>;

const personSchema = z.object({
  subject: z.string(),
  email: z.string().nullable(),
  emailVerified: z.boolean(),
  name: z.string().nullable(),
  groups: z.array(z.string()),
  methods: z.array(z.string()),
  authAt: z.number(),
  sid: z.string().nullable(),
  nameId: z.object({ value: z.string(), format: z.string() }).nullable(),
  idToken: z.string().nullable(),
  sessionEndsAt: z.number().nullable(),
});
const answerSchema = z.object({ flow: flowSchema, person: personSchema });
const pendingLinkSchema = z.object({ providerId: z.string(), personId: z.string(), person: personSchema });

export interface StartInput {
  readonly mode: UpstreamFlow['mode'];
  readonly next: string;
  readonly browser: string;
  readonly loginHint: string | null;
  readonly sessionId: SessionId | null;
}

export interface UpstreamFlows {
  load(id: string): Promise<Provider>;
  addressesOf(id: string): SamlAddresses & { readonly redirectUri: string };
  oidc(provider: Provider<OidcProviderSettings>): OidcClient;
  saml(provider: Provider<SamlProviderSettings>): Promise<SamlClientDeps>;
  /** Where the browser goes to sign in. */
  start(provider: Provider, input: StartInput): Promise<string>;
  finishOidc(
    provider: Provider<OidcProviderSettings>,
    returned: URL,
    browser: string | null,
  ): Promise<{ flow: UpstreamFlow; person: UpstreamPerson }>;
  /** Checks an answer and keeps it for the next step, which the browser takes with its cookies; gives that step's name. */
  receiveSaml(provider: Provider<SamlProviderSettings>, message: string, relayState: string | null): Promise<string>;
  takeAnswer(
    name: string,
    browser: string | null,
  ): Promise<{ provider: Provider; flow: UpstreamFlow; person: UpstreamPerson }>;
  keepLink(provider: Provider, personId: PersonId, person: UpstreamPerson): Promise<string>;
  takeLink(name: string): Promise<{ provider: Provider; personId: PersonId; person: UpstreamPerson }>;
}

/** Only a path of our own may follow, never another site. */
export function ownPath(next: string | null | undefined): string {
  return next && next.length <= 2_000 && /^\/(?![/\\])/.test(next) && !/[\r\n]/.test(next) ? next : '/';
}

export function createUpstreamFlows(context: IdentityContext, keys: SamlKeys, states: SsoStates): UpstreamFlows {
  const { config, clock, envelope, db } = context;
  const fetch = createUpstreamFetch(config.signOnPrivateHosts);
  const configurations = createOidcConfigurations();
  const base = config.publicUrl + UPSTREAM_PATH;

  const addressesOf: UpstreamFlows['addressesOf'] = (id) => ({
    // Of its own for each provider: an answer can then not be taken for another one's (RFC 9700, section 4.4.2).
    redirectUri: `${base}/callback/${id}`,
    entityId: `${base}/metadata/${id}`,
    acsUrl: `${base}/acs/${id}`,
    sloUrl: `${base}/slo/${id}`,
  });
  const load: UpstreamFlows['load'] = async (id) => {
    const provider = /^[0-9a-f-]{36}$/.test(id)
      ? await findProvider(tablesOf(db), UpstreamProviderId.parse(id))
      : undefined;
    return provider ?? refuseUpstream('flow.unknown', 'There is no such provider.');
  };
  const oidc: UpstreamFlows['oidc'] = (provider) => {
    const { id, settings, sealedSecret, configuredAt } = provider;
    const secret =
      sealedSecret === null ? null : envelope.open(sealedSecret, providerSecretContext(id)).toString('utf8');
    const { redirectUri } = addressesOf(id);
    return createOidcClient(`${id}@${configuredAt}`, { settings, secret, redirectUri, fetch, clock }, configurations);
  };
  const saml: UpstreamFlows['saml'] = async (provider) => ({
    provider,
    addresses: addressesOf(provider.id),
    pair: await keys.signer(),
  });
  const checkBrowser = (flow: UpstreamFlow, browser: string | null): void => {
    if (flow.browser !== null && (browser === null || hashSecret(browser).toString('hex') !== flow.browser)) {
      refuseUpstream('flow.unknown', 'The answer came to another browser than the one that began.');
    }
  };
  const takeFlow = async (name: string): Promise<UpstreamFlow> => {
    const parsed = flowSchema.safeParse(await states.take('upstream', name));
    return parsed.success ? parsed.data : refuseUpstream('flow.unknown', 'No sign-in waits for this answer.');
  };
  const oidcFlowOf = (state: string, flow: UpstreamFlow) => ({
    state,
    nonce: flow.nonce,
    verifier: flow.verifier,
    maxAge: flow.mode === 'step-up' ? FRESH_MAX_AGE_S : null,
  });

  return {
    load,
    addressesOf,
    oidc,
    saml,
    async start(provider, input) {
      const random = (): string => context.random(32).toString('base64url');
      const flow: UpstreamFlow = {
        providerId: provider.id,
        mode: input.mode,
        nonce: random(),
        verifier: random(),
        requestId: newMessageId(),
        next: ownPath(input.next),
        browser: hashSecret(input.browser).toString('hex'),
        sessionId: input.sessionId,
        since: clock.now(),
      };
      const fresh = input.mode === 'step-up';
      const state = await states.save('upstream', flow);
      if (isOidcProvider(provider)) {
        const { mfaValues, passkeyValues } = provider.settings;
        // Only what looks like a class of sign-in; `amr` values would be refused by some providers.
        const acrValues = fresh ? [...passkeyValues, ...mfaValues].filter((one) => /[:/]|^phrh?$/.test(one)) : [];
        const options = { loginHint: input.loginHint, acrValues, fresh };
        return oidc(provider).authorizationUrl(oidcFlowOf(state, flow), options);
      }
      if (!isSamlProvider(provider)) throw new Error('a provider of no protocol');
      return signOnUrl(await saml(provider), { id: flow.requestId, relayState: state, fresh });
    },
    async finishOidc(provider, returned, browser) {
      const state = returned.searchParams.get('state') ?? '';
      const flow = await takeFlow(state);
      if (flow.providerId !== provider.id)
        return refuseUpstream('flow.mixed_up', 'The address of another provider was used.');
      checkBrowser(flow, browser);
      return { flow, person: await oidc(provider).finish(oidcFlowOf(state, flow), returned) };
    },
    async receiveSaml(provider, message, relayState) {
      const asked = flowSchema.safeParse(relayState === null ? null : await states.take('upstream', relayState));
      let flow: UpstreamFlow;
      if (asked.success) {
        flow = asked.data;
        if (flow.providerId !== provider.id)
          return refuseUpstream('flow.mixed_up', 'The address of another provider was used.');
      } else {
        // An answer to a request whose sign-in is over or was never here, told apart from one that nobody asked for.
        if (peekInResponseTo(message) !== null)
          return refuseUpstream('flow.unknown', 'No sign-in waits for this answer.');
        if (!provider.settings.allowUnsolicited) return refuseUpstream('saml.unsolicited');
        const none = { nonce: '', verifier: '', requestId: '', browser: null, sessionId: null };
        flow = { ...none, providerId: provider.id, mode: 'sign-in', next: ownPath(relayState), since: clock.now() };
      }
      const inResponseTo = asked.success ? flow.requestId : null;
      const answer = await readResponse(await saml(provider), message, { inResponseTo, now: clock.now() });
      const seen = hashSecret(JSON.stringify([provider.id, answer.assertionId]));
      if (!(await rememberOnce(tablesOf(db), 'upstream-assertion', seen, answer.validUntil))) {
        return refuseUpstream('saml.replay', answer.assertionId);
      }
      return states.save('upstream-answer', { flow, person: answer.person });
    },
    async takeAnswer(name, browser) {
      const parsed = answerSchema.safeParse(await states.take('upstream-answer', name));
      if (!parsed.success) return refuseUpstream('flow.unknown', 'The answer was used, or is too old.');
      const { flow, person } = parsed.data;
      checkBrowser(flow, browser);
      return { provider: await load(flow.providerId), flow, person };
    },
    keepLink: (provider, personId, person) =>
      states.save('upstream-link', { providerId: provider.id, personId, person }),
    async takeLink(name) {
      const parsed = pendingLinkSchema.safeParse(await states.take('upstream-link', name));
      if (!parsed.success) return refuseUpstream('flow.unknown', 'The sign-in was used, or is too old.');
      const { providerId, personId, person } = parsed.data;
      return { provider: await load(providerId), personId: PersonId.parse(personId), person };
    },
  };
}
