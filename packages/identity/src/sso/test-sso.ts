import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PersonId, systemClock } from '@cordon/kernel';
import type { FastifyInstance } from 'fastify';
import { BROWSER, createTestBrowser, startTestServer } from '../test-server.ts';
import { createFakeIdentity, createSoftwareAuthenticator, type FakeIdentity } from '../testing.ts';
import type { IdentityConfigInput } from '../config.ts';
import type { SsoApp } from './sso-app.ts';
import { ssoSettings } from './sso-app.ts';
import type { SsoServer } from './sso.ts';

export const OWNER = {
  kind: 'person',
  id: '01890000-0000-7000-8000-000000000001',
  name: 'Ada',
  roles: ['owner'],
} as const;

export interface SsoStage {
  readonly fake: FakeIdentity;
  readonly server: FastifyInstance;
  readonly sso: SsoServer;
  readonly url: string;
  /** What apps were sent when sessions ended. */
  readonly posts: { url: string; type: string; body: string }[];
  /** The status that the next posts get. */
  postStatus: number;
  addApp(settings: object, access?: object): Promise<{ app: SsoApp; secret: string }>;
  stop(): Promise<void>;
}

/** Identity with its sign-on server on a loopback port, and apps that write down what they are posted. */
export async function startSsoStage(
  extra: Partial<IdentityConfigInput> = {},
  options: Pick<NonNullable<Parameters<typeof createFakeIdentity>[0]>, 'resolveTxt'> = {},
): Promise<SsoStage> {
  let sso: SsoServer | undefined;
  const http = createServer((request, response) => {
    sso?.handle(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  http.listen(0, '127.0.0.1', resolve);
  await promise;
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`; // listening on TCP
  const fake = await createFakeIdentity({ ...options, clock: systemClock, config: { ...extra, publicUrl: url } });
  const { server } = await startTestServer(fake);
  let count = 0;
  const stage: { -readonly [Key in keyof SsoStage]: SsoStage[Key] } = {
    fake,
    server,
    sso: await fake.identity.sso.start({
      post: async (to, type, body) => {
        stage.posts.push({ url: to, type, body });
        return stage.postStatus;
      },
    }),
    url,
    posts: [],
    postStatus: 200,
    async addApp(settings, access = { everyone: true }) {
      count += 1;
      const made = await fake.identity.sso.apps.add(OWNER, {
        name: `App ${count}`,
        catalogue: null,
        settings: ssoSettings.parse(settings),
        access: { everyone: false, roles: [], groups: [], ...access },
        launchUrl: null,
        status: 'active',
      });
      return { app: made.app, secret: made.secret ?? '' };
    },
    async stop() {
      http.closeAllConnections();
      http.close();
      await stage.sso.stop();
      await server.close();
      await fake.test.drop();
    },
  };
  sso = stage.sso;
  return stage;
}

export interface SsoBrowser {
  readonly personId: PersonId;
  /** Signs in with the passkey once more; gives the status. */
  signInAgain(): Promise<number>;
  /** What it would send as Cookie. */
  cookies(): string;
  /** One request; cookies are kept, redirects are not followed. */
  get(url: string): Promise<Response>;
  post(url: string, form: Record<string, string>): Promise<Response>;
  /** Follows redirects below Cordon until an answer that is none, or one that leads elsewhere. */
  follow(url: string): Promise<{ response: Response; location: string | null }>;
  send(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<{ statusCode: number; body: string }>;
}

/** A browser; signed in with a passkey as the first owner, or as an invited person, unless told otherwise. */
export async function openSsoBrowser(
  stage: SsoStage,
  options: {
    readonly as?: 'first-owner' | { name: string; roles: readonly ('auditor' | 'owner')[]; email?: string } | 'nobody';
  } = {},
): Promise<SsoBrowser> {
  const { fake, server, url } = stage;
  const console = createTestBrowser(server, url);
  let personId = PersonId.create();
  const key = createSoftwareAuthenticator(url);
  if (options.as !== 'nobody') {
    const named: { name: string; roles: readonly ('auditor' | 'owner')[]; email?: string } =
      typeof options.as === 'object' ? options.as : { name: 'Ada Lovelace', roles: [] };
    const email = named.email ?? `${named.name.toLowerCase().replaceAll(' ', '.')}@example.com`;
    const link =
      typeof options.as === 'object'
        ? (await fake.identity.people.invite(OWNER, { ...named, email })).link
        : await fake.identity.links.createFirstOwnerLink();
    await console.send('POST', '/api/v1/auth/link', { token: link.token, name: named.name, email });
    const started = (await console.send('POST', '/api/v1/auth/passkey/register/options')).json();
    const body = { challengeId: started.challengeId, response: key.create(started.options), name: 'Key' };
    await console.send('POST', '/api/v1/auth/passkey/register/verify', body);
    personId = PersonId.parse((await console.send('GET', '/api/v1/session')).json().actor.id);
  }
  const jar = new Map<string, string>();
  const cookies = (): string =>
    [...(console.cookie === null ? [] : [console.cookie]), ...[...jar].map(([name, value]) => `${name}=${value}`)].join(
      '; ',
    );
  const send = async (target: string, init: RequestInit): Promise<Response> => {
    const headers = { 'user-agent': BROWSER, cookie: cookies() };
    const response = await fetch(new URL(target, url), { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const at = pair.indexOf('=');
      if (pair.slice(at + 1) === '') jar.delete(pair.slice(0, at));
      else jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  };
  return {
    personId,
    async signInAgain() {
      const started = (await console.send('POST', '/api/v1/auth/passkey/options')).json();
      const answer = { challengeId: started.challengeId, response: key.get(started.options) };
      return (await console.send('POST', '/api/v1/auth/passkey/verify', answer)).statusCode;
    },
    cookies,
    get: (target) => send(target, { method: 'GET' }),
    post: (target, form) => send(target, { method: 'POST', body: new URLSearchParams(form) }),
    async follow(target) {
      let response = await send(target, { method: 'GET' });
      for (let step = 0; step < 10; step += 1) {
        const location = response.headers.get('location');
        if (location === null) return { response, location: null };
        const next = new URL(location, url);
        if (next.origin !== url || !next.pathname.startsWith('/sso/')) return { response, location };
        response = await send(next.href, { method: 'GET' });
      }
      throw new Error('too many redirects');
    },
    send: (method, path, body) => console.send(method, path, body),
  };
}
