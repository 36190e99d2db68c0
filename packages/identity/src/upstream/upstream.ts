import { resolveTxt } from 'node:dns/promises';
import { authorize, type Actor } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { SessionRequired } from '../errors.ts';
import type { RequestOrigin } from '../context.ts';
import type { Session } from '../sessions/session.ts';
import type { SamlKeys } from '../sso/saml-keys.ts';
import { createSsoStates } from '../sso/sso-state.ts';
import type { SubjectReader } from '../sso/sso-subject.ts';
import { listAccounts } from './account-store.ts';
import { createUpstreamFetch } from './egress.ts';
import { createProviders, type Providers, type ResolveTxt } from './providers.ts';
import { findProvider } from './provider-store.ts';
import { type ImportedMetadata, readProviderMetadata } from './saml-metadata.ts';
import { createUpstreamEntry, describePerson } from './upstream-entry.ts';
import { createUpstreamFlows, UPSTREAM_PATH } from './upstream-flow.ts';
import { createUpstreamLogout } from './upstream-logout.ts';
import { createUpstreamServer, type UpstreamServer } from './upstream-server.ts';

const DNS_MS_MAX = 5_000;
const FRESH_MS_MAX = 5 * 60_000;

/** What a provider must be told of Cordon. */
export interface ProviderAddresses {
  readonly redirectUri: string;
  readonly entityId: string;
  readonly acsUrl: string;
  readonly sloUrl: string;
  readonly postLogoutUrl: string;
  readonly backchannelLogoutUrl: string;
  readonly frontchannelLogoutUrl: string;
}

export interface Upstream {
  readonly providers: Providers;
  addressesOf(id: string): ProviderAddresses;
  /** Reads metadata that was pasted, or fetches it from the public internet. */
  readMetadata(
    actor: Actor,
    input: {
      readonly xml?: string | undefined;
      readonly url?: string | undefined;
      readonly entityId?: string | undefined;
    },
  ): Promise<ImportedMetadata>;
  /** Ends a tie that was waiting for proof; the session must have shown a factor just now. */
  link(session: Session, name: string, origin: RequestOrigin): Promise<{ readonly provider: string }>;
  /** Where the browser goes after it was signed out here; null: nowhere. */
  awayUrl(session: Session): Promise<string | null>;
  /** Providers that this person is tied to, for their own page. */
  own(
    personId: string,
  ): Promise<{ readonly id: string; readonly name: string; readonly email: string; readonly mayStepUp: boolean }[]>;
  server(subjects: SubjectReader): UpstreamServer;
}

const resolveInTime: ResolveTxt = async (name) => {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(Object.assign(new Error('no answer of DNS'), { code: 'ETIMEOUT' })),
    DNS_MS_MAX,
  );
  try {
    return await Promise.race([resolveTxt(name), promise]);
  } finally {
    clearTimeout(timer);
  }
};

export function createUpstream(context: IdentityContext, keys: SamlKeys): Upstream {
  const { publicUrl } = context.config;
  const providers = createProviders(context, context.resolveTxt ?? resolveInTime);
  const flows = createUpstreamFlows(context, keys, createSsoStates(context));
  const entry = createUpstreamEntry(context);
  const logout = createUpstreamLogout(context, flows);
  const fetch = createUpstreamFetch(context.config.signOnPrivateHosts);
  const base = publicUrl + UPSTREAM_PATH;
  return {
    providers,
    addressesOf: (id) => ({
      ...flows.addressesOf(id),
      postLogoutUrl: `${base}/signed-out`,
      backchannelLogoutUrl: `${base}/backchannel/${id}`,
      frontchannelLogoutUrl: `${base}/frontchannel/${id}`,
    }),
    async readMetadata(actor, { xml, url, entityId }) {
      authorize(actor, 'sso.write');
      const text = xml ?? (await (await fetch(url ?? '')).text());
      return readProviderMetadata(text, entityId);
    },
    async link(session, name) {
      const now = context.clock.now();
      if (session.stage !== 'full' || session.strongAuthAt === null || now - session.strongAuthAt > FRESH_MS_MAX) {
        throw new SessionRequired('Sign in with a factor of your own first.');
      }
      const { provider, person } = await flows.takeLink(name);
      await entry.link(provider, person, session);
      await entry.note(provider, { kind: 'link', personId: session.personId, detail: describePerson(person) });
      return { provider: provider.name };
    },
    awayUrl: (session) => logout.awayUrl(session),
    async own(personId) {
      const tables = tablesOf(context.db);
      const accounts = await listAccounts(tables, { personId });
      const found = await Promise.all(
        accounts.map(async ({ providerId, email }) => {
          const provider = await findProvider(tables, providerId);
          if (provider?.status !== 'active') return [];
          const { mfaValues, passkeyValues } = provider.settings;
          return [
            { id: provider.id, name: provider.name, email, mayStepUp: mfaValues.length + passkeyValues.length > 0 },
          ];
        }),
      );
      return found.flat();
    },
    server: (subjects) => createUpstreamServer(context, { keys, flows, entry, logout, subjects }),
  };
}
