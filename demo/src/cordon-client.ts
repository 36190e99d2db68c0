import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { CordonCallFailed } from './errors.ts';
import type { EmulatedApp, ListenerKind } from './estate.ts';
import type { GatewayAddress } from './integration.ts';

const CALL_MS_MAX = 30_000;

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

export interface NewLimit {
  readonly integrationId: string;
  readonly appId: string;
  /** How many requests in each window. */
  readonly requests: number;
  readonly windowSeconds: number;
}

export interface NewInspection {
  readonly appId: string;
  /** A detector's class, such as `payment-card`. */
  readonly dataClass: string;
  readonly direction: 'request' | 'response';
  readonly action: 'allow' | 'log' | 'redact' | 'block';
}

export interface FoundEvents {
  /** Events that match, at most a page of them. */
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
  token(credentials: ClientCredentials): Promise<string>;
  /** Cuts the integration off. Resolves when Cordon has taken note; each gateway follows by itself. */
  revoke(integrationId: string, reason: string): Promise<void>;
  /** Searches the events in Cordon's search language. */
  searchEvents(query: string): Promise<FoundEvents>;
}

export interface CordonClientOptions {
  /** Where the control role listens: `http://127.0.0.1:7070`. */
  readonly controlUrl: string;
  /** An administrator's bearer token. */
  readonly adminToken: string;
}

const idSchema = z.looseObject({ id: z.string() });
const appSchema = z.looseObject({
  id: z.string(),
  gateway: z.looseObject({
    prefix_url: z.url(),
    port_url: z.url().nullish(),
    tls_port_url: z.url().nullish(),
  }),
});
const credentialsSchema = z.looseObject({ client_id: z.string(), client_secret: z.string() });
const tokenSchema = z.looseObject({ access_token: z.string() });
const eventsSchema = z.looseObject({ events: z.array(z.unknown()) });

const LISTENER_WIRE: Readonly<Record<ListenerKind, string>> = {
  prefix: 'prefix',
  port: 'port',
  'tls-port': 'tls_port',
};

/** A client of Cordon's HTTP API. Throws `CordonCallFailed` on anything but the expected answer. */
export function createCordonClient({ controlUrl, adminToken }: CordonClientOptions): CordonClient {
  async function call<T>(method: string, path: string, schema: z.ZodType<T>, body?: unknown): Promise<T> {
    const response = await fetch(`${controlUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${adminToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(CALL_MS_MAX),
    });
    return parseAnswer(`${method} ${path.split('?')[0]}`, response, schema);
  }
  const api = '/api/v1';
  return {
    addApp: async (app) => {
      const { id, gateway } = await call('POST', `${api}/apps`, appSchema, {
        name: app.name,
        title: app.title,
        upstream_url: app.baseUrl,
        openapi: await readFile(app.openapi, 'utf8'),
        listener: LISTENER_WIRE[app.listener],
        credential: {
          kind: 'header',
          header: app.credential.header,
          value: `${app.credential.scheme} ${app.credential.secret}`,
        },
      });
      return {
        id,
        gateway: {
          prefixUrl: withoutSlash(gateway.prefix_url),
          ...(gateway.port_url ? { portUrl: withoutSlash(gateway.port_url) } : {}),
          ...(gateway.tls_port_url ? { tlsPortUrl: withoutSlash(gateway.tls_port_url) } : {}),
        },
      };
    },
    registerIntegration: ({ name, purpose, expiresAt }) =>
      call('POST', `${api}/integrations`, idSchema, { name, purpose, expires_at: new Date(expiresAt).toISOString() }),
    grant: async (integrationId, appId, operations) => {
      await call('POST', `${api}/grants`, z.unknown(), { integration_id: integrationId, app_id: appId, operations });
    },
    limit: async ({ integrationId, appId, requests, windowSeconds }) => {
      const body = { integration_id: integrationId, app_id: appId, requests, window_seconds: windowSeconds };
      await call('POST', `${api}/limits`, z.unknown(), body);
    },
    inspect: async ({ appId, dataClass, direction, action }) => {
      await call('POST', `${api}/inspections`, z.unknown(), { app_id: appId, class: dataClass, direction, action });
    },
    createCredentials: async (integrationId) => {
      const body = { method: 'client_secret_basic' };
      const answer = await call('POST', `${api}/integrations/${integrationId}/credentials`, credentialsSchema, body);
      return { clientId: answer.client_id, clientSecret: answer.client_secret };
    },
    token: async ({ clientId, clientSecret }) => {
      // RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
      const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
      const response = await fetch(`${controlUrl}/oauth/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
        signal: AbortSignal.timeout(CALL_MS_MAX),
      });
      return (await parseAnswer('POST /oauth/token', response, tokenSchema)).access_token;
    },
    revoke: async (integrationId, reason) => {
      await call('POST', `${api}/integrations/${integrationId}/revoke`, z.unknown(), { reason });
    },
    searchEvents: async (query) => {
      const { events } = await call(
        'GET',
        `${api}/events?${new URLSearchParams({ q: query }).toString()}`,
        eventsSchema,
      );
      return { count: events.length };
    },
  };
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');

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
