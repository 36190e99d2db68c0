import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

/** What the provider says of whoever signs in next, and how it misbehaves. */
export interface OpSettings {
  sub: string;
  claims: Record<string, unknown>;
  acr: string | undefined;
  amr: string[] | undefined;
  /** Changes what the browser is sent back with. */
  spoilCallback: ((location: URL) => void) | undefined;
  /** Changes the bodies of its own documents. */
  spoilBody: ((path: string, body: string) => string) | undefined;
}

export interface TestOp {
  readonly issuer: string;
  /** What it signs with. */
  readonly key: KeyObject;
  readonly host: string;
  readonly next: OpSettings;
  /** How often each path was asked for. */
  readonly asked: Map<string, number>;
  register(redirectUri: string, extra?: object): { clientId: string; clientSecret: string };
  /** Goes to an address of the provider as a browser would, signing in; gives where it sends the browser at last. */
  browse(url: string): Promise<URL>;
  stop(): Promise<void>;
}

/** `oidc-provider` on loopback as a corporate provider, with a sign-in page that lets everybody in as `next`. */
export async function startTestOp(): Promise<TestOp> {
  const clients = new Map<string, { clientId: string; clientSecret: string; redirectUri: string; extra: object }>();
  const next: OpSettings = {
    sub: 'subject-1',
    claims: {},
    acr: undefined,
    amr: undefined,
    spoilCallback: undefined,
    spoilBody: undefined,
  };
  const asked = new Map<string, number>();
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const jwk = { ...key.export({ format: 'jwk' }), kid: 'of-the-provider', use: 'sig', alg: 'RS256' };
  let handle: ((request: IncomingMessage, response: ServerResponse) => Promise<unknown>) | undefined;
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    asked.set(path, (asked.get(path) ?? 0) + 1);
    const spoil = next.spoilBody;
    if (spoil) {
      const end = response.end.bind(response);
      response.end = ((body?: unknown) => {
        const text = spoil(path, Buffer.isBuffer(body) || typeof body === 'string' ? body.toString() : '');
        if (!response.headersSent) response.setHeader('content-length', Buffer.byteLength(text));
        return end(text);
      }) as typeof response.end; // one of its many forms
    }
    handle?.(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`; // listening on TCP
  const issuer = `http://${host}`;
  const make = (): void => {
    const provider = new Provider(issuer, {
      clients: [...clients.values()].map(({ clientId, clientSecret, redirectUri, extra }) => ({
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        post_logout_redirect_uris: [new URL('/sso/up/signed-out', redirectUri).href],
        response_types: ['code'],
        ...extra,
      })),
      findAccount: (_context, id) => ({ accountId: id, claims: async () => ({ sub: id, ...next.claims }) }),
      claims: {
        openid: ['sub', 'acr', 'amr', 'auth_time', 'sid'],
        profile: ['name', 'groups'],
        email: ['email', 'email_verified'],
      },
      acrValues: ['urn:corp:mfa', 'urn:corp:password'],
      pkce: { required: () => true },
      features: { devInteractions: { enabled: false } },
      conformIdTokenClaims: false,
      interactions: { url: (_context, interaction) => `/login/${interaction.uid}` },
      cookies: { keys: ['a-key-of-a-test'] },
      jwks: { keys: [jwk] },
    });
    const callback = provider.callback();
    handle = async (incoming, outgoing) => {
      if (!incoming.url?.startsWith('/login/')) return callback(incoming, outgoing);
      const details = await provider.interactionDetails(incoming, outgoing);
      const grant = new provider.Grant({ accountId: next.sub, clientId: String(details.params['client_id']) });
      grant.addOIDCScope('openid profile email');
      await provider.interactionFinished(incoming, outgoing, {
        login: {
          accountId: next.sub,
          ...(next.acr === undefined ? {} : { acr: next.acr }),
          ...(next.amr === undefined ? {} : { amr: next.amr }),
        },
        consent: { grantId: await grant.save() },
      });
      return undefined;
    };
  };
  return {
    issuer,
    key,
    host,
    next,
    asked,
    register(redirectUri, extra = {}) {
      const made = { clientId: `client${clients.size}`, clientSecret: 'a secret that is long enough' };
      clients.set(made.clientId, { ...made, redirectUri, extra });
      make();
      return made;
    },
    async browse(url) {
      const jar = new Map<string, string>();
      let at = new URL(url);
      for (let step = 0; step < 8; step += 1) {
        const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
        const response = await fetch(at, { redirect: 'manual', headers: { cookie } });
        for (const line of response.headers.getSetCookie()) {
          const pair = line.split(';')[0] ?? '';
          jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
        }
        const location = response.headers.get('location');
        if (location === null)
          throw new Error(`the provider answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
        at = new URL(location, at);
        if (at.host !== host) {
          next.spoilCallback?.(at);
          return at;
        }
      }
      throw new Error('too many redirects');
    },
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
