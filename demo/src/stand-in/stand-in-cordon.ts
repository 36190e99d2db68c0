import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { PemPair } from '@cordon/kernel';
import { compileDescription, createOperations, type Operation, type Operations } from '@cordon/openapi';
import type { CordonClient, NewInspection, NewLimit } from '../cordon-client.ts';
import type { EmulatedApp, Estate } from '../estate.ts';
import type { GatewayAddress } from '../integration.ts';
import type { AppName } from '../vendors.ts';

/** A call that no description covers, or where request or answer does not fit it. */
export interface Disagreement {
  readonly app: AppName;
  readonly call: string;
  readonly place: 'request' | 'response';
  readonly problem: string;
}

export interface StandInCordon extends CordonClient {
  readonly disagreements: readonly Disagreement[];
  close(): Promise<void>;
}

export interface StandInOptions {
  readonly tls: PemPair;
  /** Knows its callers and attaches the vendor's secret, but checks, inspects and rewrites nothing. */
  readonly asleep?: boolean;
}

interface Caller {
  readonly name: string;
  cutOff: boolean;
  calls: number;
  readonly operations: Set<string>;
}

interface Served {
  readonly app: EmulatedApp;
  readonly operations: Operations;
  readonly address: GatewayAddress;
}

interface Call {
  readonly place: Served;
  readonly req: IncomingMessage;
  readonly url: URL;
  readonly body: Buffer;
  /** What the client sees in place of the upstream's address. */
  readonly base: string;
  operation?: Operation;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

const CARD = /\b\d{16}\b/g;
const AWS_KEY = /\bAKIA[A-Z2-7]{16}\b/g;

function problem(
  status: number,
  detail: string,
  more: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Answer {
  const error = { type: 'cordon_refusal', message: detail };
  const body = { type: 'about:blank', title: 'Refused', status, detail, message: detail, error, ...more };
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: Buffer.from(JSON.stringify(body)),
  };
}

/** The integration that a search of the scenarios asks for. */
export const integrationIn = (query: string): string | undefined => /integration:([\w-]+)/.exec(query)?.[1];

/** Encodes a form whose values hold neither `&` nor `=`, as those of the tests. */
const encodeForm = (text: string): string => encodeURI(text);

/**
 * Plays Cordon in the tests of this package: the same refusals in the same places, so that integrations and scenarios
 * can be proven without the product. It also notes every call that the descriptions do not cover.
 */
export async function startStandInCordon(estate: Estate, options: StandInOptions): Promise<StandInCordon> {
  const { tls, asleep = false } = options;
  const served = new Map<string, Served>();
  const callers = new Map<string, Caller>();
  const tokens = new Map<string, Caller>();
  const secrets = new Map<string, Caller>();
  const limits: NewLimit[] = [];
  const rules: NewInspection[] = [];
  const disagreements: Disagreement[] = [];
  const servers: Server[] = [];
  let billed = 0;
  let ids = 0;

  function note(call: Call, where: Disagreement['place'], what: string): void {
    const path = `${call.req.method ?? ''} ${call.url.pathname}`;
    disagreements.push({ app: call.place.app.name, call: path, place: where, problem: what });
  }

  function inspectBody(appId: string, body: Buffer): { body: Buffer; redacted: string[] } {
    if (asleep || !rules.some((rule) => rule.appId === appId)) return { body, redacted: [] };
    const mine = rules.filter((rule) => rule.appId === appId && rule.action === 'redact');
    const redacted: string[] = [];
    // Slack's client writes a space as %20: in the encoded form, its digits would run into those of the card.
    let text = decodeURIComponent(body.toString('latin1'));
    const take = (found: RegExp, dataClass: string): void => {
      if (!mine.some((rule) => dataClass.startsWith(rule.dataClass.replace('*', '')))) return;
      const before = text;
      text = text.replace(found, (match) => '*'.repeat(match.length));
      if (text !== before) redacted.push(dataClass);
    };
    take(CARD, 'payment.card');
    take(AWS_KEY, 'credential.aws');
    return { body: redacted.length > 0 ? Buffer.from(encodeForm(text)) : body, redacted };
  }

  function refuse(call: Call): Answer | undefined {
    const { place, req, url, body } = call;
    const caller = tokens.get((req.headers.authorization ?? '').replace(/^\S+ /, ''));
    if (!caller) return problem(401, 'The token is not known.', { code: 'gateway.token_unknown' });
    if (asleep) return undefined;
    caller.calls += 1;
    if (caller.cutOff) {
      const detail = `The token was revoked: integration "${caller.name}" is cut off.`;
      return problem(401, detail, { code: 'gateway.token_revoked' });
    }
    const resolved = place.operations.resolve(req.method ?? '', url.pathname);
    if (resolved.kind !== 'operation') {
      note(call, 'request', 'no such operation');
      return problem(404, 'No operation of the description has this method and path.', {
        code: 'gateway.operation_unknown',
      });
    }
    const { operation, pathParams } = resolved;
    call.operation = operation;
    if (!caller.operations.has(`${place.app.name} ${operation.id}`)) {
      const detail = `Denied: no grant of integration "${caller.name}" covers operation ${operation.id} (policy default-deny).`;
      return problem(403, detail, { code: 'gateway.not_authorized', operation: operation.id, policy: [] });
    }
    const limit = limits.find((each) => each.appId === place.app.name);
    if (limit && (billed += 1) > limit.count) {
      const headers = {
        'retry-after': '3',
        ratelimit: `"${limit.name}";r=0;t=3`,
        'ratelimit-policy': `"${limit.name}";q=${limit.count};w=60`,
      };
      return problem(429, `The limit "${limit.name}" is used up.`, { code: 'gateway.rate_limited' }, headers);
    }
    const violations = [
      ...place.operations.checkParameters(operation, {
        path: pathParams,
        query: url.searchParams,
        header: (name) => req.headersDistinct[name]?.[0],
      }),
      ...place.operations.checkBody(operation, req.headers['content-type'] ?? null, body),
    ];
    const [first] = violations;
    if (!first) return undefined;
    note(call, 'request', `${first.pointer} ${first.message}`);
    return problem(400, `The request is not valid: ${first.message}.`, { code: 'gateway.request_invalid', violations });
  }

  async function forward(call: Call): Promise<Answer> {
    const { place, req, url, body, base } = call;
    const { app } = place;
    const inspected = inspectBody(app.name, body);
    const { scheme, secret } = app.credential;
    const contentType = req.headers['content-type'];
    const response = await fetch(`${app.baseUrl}${url.pathname}${url.search}`, {
      method: req.method ?? 'GET',
      headers: {
        authorization: `${scheme} ${secret}`,
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
      },
      ...(body.length === 0 ? {} : { body: new Uint8Array(inspected.body) }),
    });
    const rewrite = (text: string): string => (asleep ? text : text.replaceAll(app.baseUrl, base));
    const headers: Record<string, string> = {};
    for (const name of ['content-type', 'link', 'location']) {
      const value = response.headers.get(name);
      if (value !== null) headers[name] = rewrite(value);
    }
    if (inspected.redacted.length > 0) headers['cordon-redacted'] = inspected.redacted.join(', ');
    const answer = Buffer.from(rewrite(await response.text()));
    if (call.operation) {
      const type = headers['content-type'] ?? null;
      const [first] = place.operations.checkResponse(call.operation, response.status, type, answer);
      if (first) note(call, 'response', `${first.pointer} ${first.message}`);
    }
    return { status: response.status, headers, body: answer };
  }

  async function handle(
    req: IncomingMessage,
    res: ServerResponse,
    own: AppName | undefined,
    origin: string,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer); // no encoding is set, so chunks are buffers
    const body = Buffer.concat(chunks);
    const [, first = ''] = (req.url ?? '/').split(/[/?]/);
    const place = served.get(own ?? first);
    const url = new URL((own === undefined ? (req.url ?? '/').slice(first.length + 1) : req.url) || '/', origin);
    const base = own === undefined ? `${origin}/${first}` : origin;
    const call = place && { place, req, url, body, base };
    const unknown = problem(404, 'No such app.', { code: 'gateway.app_unknown' });
    const answer = call ? (refuse(call) ?? (await forward(call))) : unknown;
    res.writeHead(answer.status, answer.headers);
    res.end(answer.body);
  }

  async function listen(own: AppName | undefined, withTls: boolean): Promise<string> {
    const place = { origin: '' };
    const onRequest = (req: IncomingMessage, res: ServerResponse): void => {
      handle(req, res, own, place.origin).catch((error: unknown) => {
        res.writeHead(500).end(String(error));
      });
    };
    const server = withTls ? createTlsServer(tls, onRequest) : createServer(onRequest);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo; // a string only for pipes
    place.origin = withTls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
    return place.origin;
  }

  const gatewayOrigin = await listen(undefined, false);
  const callerOf = (id: string): Caller => {
    const caller = callers.get(id);
    if (!caller) throw new Error(`no integration ${id}`);
    return caller;
  };
  return {
    disagreements,
    addApp: async (app) => {
      const own = app.listener === 'prefix' ? undefined : await listen(app.name, app.listener === 'tls-port');
      const address: GatewayAddress = {
        prefixUrl: `${gatewayOrigin}/${app.name}`,
        ...(own === undefined ? {} : app.listener === 'port' ? { portUrl: own } : { tlsPortUrl: own }),
      };
      const { blob } = compileDescription(await readFile(app.openapi));
      served.set(app.name, { app, operations: createOperations(blob, { upstream: app.baseUrl }), address });
      return { id: app.name, gateway: address };
    },
    registerIntegration: ({ name }) => {
      const id = `int_${(ids += 1)}`;
      callers.set(id, { name, cutOff: false, calls: 0, operations: new Set() });
      return Promise.resolve({ id });
    },
    grant: (integrationId, appId, operations) => {
      for (const operation of operations) callerOf(integrationId).operations.add(`${appId} ${operation}`);
      return Promise.resolve();
    },
    limit: (limit) => Promise.resolve(void limits.push(limit)),
    inspect: (rule) => Promise.resolve(void rules.push(rule)),
    createCredentials: (integrationId) => {
      const clientSecret = randomBytes(24).toString('base64url');
      secrets.set(clientSecret, callerOf(integrationId));
      return Promise.resolve({ clientId: integrationId, clientSecret });
    },
    token: ({ clientSecret }) => {
      const caller = secrets.get(clientSecret);
      if (!caller) throw new Error('no such client');
      const token = randomBytes(24).toString('base64url');
      tokens.set(token, caller);
      return Promise.resolve({ value: token, lifetimeMs: 3_600_000 });
    },
    revoke: (integrationId) => {
      callerOf(integrationId).cutOff = true;
      return Promise.resolve();
    },
    cutOffReach: () => Promise.resolve({ complete: true, gateways: 1, delayMsMax: 0 }),
    searchEvents: (query) => {
      const name = integrationIn(query);
      return Promise.resolve({ count: [...callers.values()].find((caller) => caller.name === name)?.calls ?? 0 });
    },
    close: async () => {
      await Promise.all(
        servers.map(
          (server) =>
            new Promise<void>((resolve) => {
              server.close(() => resolve());
              server.closeAllConnections();
            }),
        ),
      );
    },
  };
}
