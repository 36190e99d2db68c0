import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { CordonCallFailed } from './errors.ts';
import type { EmulatedApp } from './estate.ts';
import type { GatewayAddress } from './integration.ts';

const CALL_MS_MAX = 30_000;
/** RFC 6749, 5.1 lets a server leave `expires_in` out. */
const TOKEN_SECONDS_DEFAULT = 300;

export interface NewIntegration {
  readonly name: string;
  readonly purpose: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface AccessToken {
  readonly value: string;
  readonly lifetimeMs: number;
}

export interface NewLimit {
  readonly name: string;
  readonly integrationId: string;
  readonly appId: string;
  /** How many calls in each period, all of which may come at once. */
  readonly count: number;
  readonly periodMs: number;
}

export interface NewInspection {
  readonly name: string;
  readonly appId: string;
  /** A class, such as `payment.card`, or a prefix, such as `credential.*`. */
  readonly dataClass: string;
  readonly direction: 'request' | 'response';
  readonly action: 'allow' | 'log' | 'redact' | 'block';
}

export interface CutOffReach {
  /** Whether every live gateway process has told that it refuses the integration. */
  readonly complete: boolean;
  readonly gateways: number;
  readonly delayMsMax: number;
}

export interface FoundEvents {
  /** How many events match, on all pages. */
  readonly count: number;
}

/** What the demonstration needs of Cordon. Everything goes through the public API, as an administrator's script would. */
export interface CordonClient {
  /** Registers an emulated app with its description and the vendor's secret; answers where the gateway serves it. */
  addApp(app: EmulatedApp): Promise<{ id: string; gateway: GatewayAddress }>;
  registerIntegration(integration: NewIntegration): Promise<{ id: string }>;
  grant(integrationId: string, appId: string, operations: readonly string[]): Promise<void>;
  limit(limit: NewLimit): Promise<void>;
  inspect(rule: NewInspection): Promise<void>;
  /** The secret is shown once. */
  createCredentials(integrationId: string): Promise<ClientCredentials>;
  /** A new access token by `client_credentials` with `client_secret_basic` (RFC 6749, 4.4). */
  token(credentials: ClientCredentials): Promise<AccessToken>;
  /** Cuts the integration off. Resolves when Cordon has taken note; each gateway follows by itself. */
  revoke(integrationId: string, reason: string): Promise<void>;
  /** How far the last cut-off has come: how many gateway processes enforce it, and how long the slowest took. */
  cutOffReach(integrationId: string): Promise<CutOffReach>;
  /** Searches the events in Cordon's search language. */
  searchEvents(query: string): Promise<FoundEvents>;
}

export interface CordonClientOptions {
  /** Where the control role listens: `http://127.0.0.1:7070`. */
  readonly controlUrl: string;
  /** An administrator's bearer token. */
  readonly adminToken: string;
  /**
   * Where the gateway will serve an app, and the port of its own that it gets where its SDK drops path prefixes
   * (`app.listener` says which kind it needs).
   */
  readonly placeOf: (app: EmulatedApp) => AppPlace;
}

export interface AppPlace {
  readonly address: GatewayAddress;
  readonly port?: number;
}

const idSchema = z.looseObject({ id: z.string() });
const credentialsSchema = z.looseObject({ clientId: z.string(), clientSecret: z.string() });
const tokenSchema = z.looseObject({
  access_token: z.string(),
  expires_in: z.number().positive().default(TOKEN_SECONDS_DEFAULT),
});
const eventsSchema = z.looseObject({ total: z.int() });
const cutOffsSchema = z.looseObject({
  items: z.array(
    z.looseObject({
      decidedAt: z.number(),
      reachedAt: z.number().nullable(),
      gateways: z.array(z.looseObject({ id: z.string(), pid: z.number(), delayMs: z.number() })),
    }),
  ),
});

/** A client of Cordon's HTTP API. Throws `CordonCallFailed` on anything but the expected answer. */
export function createCordonClient({ controlUrl, adminToken, placeOf }: CordonClientOptions): CordonClient {
  const api = `${controlUrl}/api/v1`;
  const admin = { authorization: `Bearer ${adminToken}` };
  async function send<T>(method: string, path: string, schema: z.ZodType<T>, init: RequestInit): Promise<T> {
    const signal = AbortSignal.timeout(CALL_MS_MAX);
    const response = await fetch(`${api}${path}`, { signal, ...init, method });
    return parseAnswer(`${method} ${path.split('?')[0]}`, response, schema);
  }
  const sendJson = <T>(method: string, path: string, schema: z.ZodType<T>, body: unknown): Promise<T> =>
    send(method, path, schema, {
      headers: { ...admin, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return {
    addApp: async (app) => {
      const { address, port } = placeOf(app);
      const { id } = await sendJson('POST', '/apps', idSchema, {
        name: app.name,
        title: app.title,
        upstream: app.baseUrl,
        // The emulators listen on loopback without TLS, which Cordon refuses unless told otherwise.
        plaintext: app.baseUrl.startsWith('http:') ? 'allow' : 'refuse',
        privateAddresses: ['127.0.0.1'],
        ...(port === undefined ? {} : { port }),
      });
      const document = await readFile(app.openapi, 'utf8');
      await sendJson('PUT', `/apps/${id}/description`, z.unknown(), { document });
      const { scheme, secret } = app.credential;
      await sendJson('PUT', `/apps/${id}/credential`, z.unknown(), { kind: 'bearer', scheme, secret });
      return { id, gateway: address };
    },
    registerIntegration: (integration) => sendJson('POST', '/integrations', idSchema, integration),
    grant: async (integrationId, appId, operations) => {
      const select = [{ kind: 'operations', ids: operations }];
      await sendJson('POST', '/grants', z.unknown(), { integrationId, appId, select });
    },
    limit: async ({ name, integrationId, appId, count, periodMs }) => {
      const rate = { count, periodMs, burst: count };
      await sendJson('POST', '/limits', z.unknown(), { name, scope: { integrationId, appId }, rate });
    },
    inspect: async ({ name, appId, dataClass, direction, action }) => {
      await sendJson('POST', '/inspection-rules', z.unknown(), { name, appId, class: dataClass, direction, action });
    },
    createCredentials: (integrationId) =>
      sendJson('POST', `/integrations/${integrationId}/credentials`, credentialsSchema, {
        method: 'client_secret_basic',
      }),
    token: (credentials) => requestToken(`${controlUrl}/oauth/token`, credentials),
    revoke: async (integrationId, reason) => {
      await sendJson('POST', `/integrations/${integrationId}/revoke`, z.unknown(), { reason });
    },
    cutOffReach: async (integrationId) => {
      const { items } = await send('GET', `/integrations/${integrationId}/cut-offs`, cutOffsSchema, { headers: admin });
      const last = items.toSorted((a, b) => a.decidedAt - b.decidedAt).at(-1);
      const delays = last?.gateways.map((gateway) => gateway.delayMs) ?? [];
      const complete = last !== undefined && last.reachedAt !== null;
      return { complete, gateways: delays.length, delayMsMax: Math.max(0, ...delays) };
    },
    searchEvents: async (query) => {
      const search = new URLSearchParams({ query, limit: '1', withTotal: 'true' }).toString();
      const { total } = await send('GET', `/events?${search}`, eventsSchema, { headers: admin });
      return { count: total };
    },
  };
}

async function requestToken(url: string, { clientId, clientSecret }: ClientCredentials): Promise<AccessToken> {
  // RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
  const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
    signal: AbortSignal.timeout(CALL_MS_MAX),
  });
  const answer = await parseAnswer('POST /oauth/token', response, tokenSchema);
  return { value: answer.access_token, lifetimeMs: answer.expires_in * 1_000 };
}

async function parseAnswer<T>(what: string, response: Response, schema: z.ZodType<T>): Promise<T> {
  const text = await response.text();
  let body: unknown;
  try {
    body = text === '' ? undefined : JSON.parse(text);
  } catch {
    body = undefined;
  }
  if (!response.ok)
    throw new CordonCallFailed(`${what} was answered with ${response.status}`, { status: response.status, body });
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new CordonCallFailed(`${what} gave an unexpected answer: ${parsed.error.message}`, {});
  return parsed.data;
}
