import { createHash, timingSafeEqual } from 'node:crypto';
import {
  createServer,
  Agent,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Vendor } from './vendors.ts';

const BODY_BYTES_MAX = 8 * 1024 * 1024;
/** emulate refuses a token after 5000 requests in an hour; a demonstration that keeps running passes that. */
const REQUESTS_PER_INNER_TOKEN_MAX = 4_000;
const VIOLATIONS_KEPT_MAX = 100;

export type ViolationKind = 'credential_missing' | 'credential_wrong' | 'cordon_token_seen' | 'cordon_header_seen';

/** Something that reached the vendor and must not have, or did not and must have. */
export interface Violation {
  readonly kind: ViolationKind;
  readonly method: string;
  /** Without the query, which might hold the very secret. */
  readonly path: string;
}

export interface VendorReport {
  readonly app: string;
  readonly requests: number;
  readonly violationsCount: number;
  /** The first hundred. */
  readonly violations: readonly Violation[];
}

/** An answer of its own, or what is to become of the emulator's answer. */
export type ExtraAnswer =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | { readonly amend: (body: unknown) => unknown };

/** Serves what the emulator lacks; `undefined` passes the request on to the emulator. */
export type ExtraRoutes = (request: { method: string; url: URL; body: Buffer }) => ExtraAnswer | undefined;

export interface VendorShimOptions {
  readonly vendor: Vendor;
  /** The only secret that the vendor accepts. */
  readonly secret: string;
  readonly port: number;
  /** Where the emulator listens; asked for with each request, as the emulator starts after the shim. */
  emulatorOrigin(): string | undefined;
  readonly extra?: (origin: string) => ExtraRoutes;
  /** PEM texts: serves TLS when given. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

export interface VendorShim {
  /** `http://127.0.0.1:<port>`, what the vendor believes to be its own address. */
  readonly origin: string;
  /** Tokens of Cordon that must never arrive here, in whole, anywhere in a request. */
  forbid(token: string): void;
  report(): VendorReport;
  close(): Promise<void>;
}

interface ShimState {
  requests: number;
  violationsCount: number;
  readonly violations: Violation[];
  readonly forbidden: Set<string>;
}

/** Names that belong to Cordon or to proof of possession towards Cordon; the vendor has no business with them. */
const CORDON_HEADER = /^(?:cordon-|x-cordon-|dpop$|x-forwarded-client-cert$)/i;
/** `Via` may name Cordon: RFC 9110 asks a gateway to add it. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-authorization',
]);

function sameSecret(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function findViolations(
  options: VendorShimOptions,
  state: ShimState,
  req: IncomingMessage,
  body: Buffer,
): ViolationKind[] {
  const found: ViolationKind[] = [];
  const authorization = req.headers.authorization;
  if (authorization === undefined) found.push('credential_missing');
  else if (!sameSecret(authorization, `${options.vendor.scheme} ${options.secret}`)) found.push('credential_wrong');
  if (req.rawHeaders.some((text, index) => index % 2 === 0 && CORDON_HEADER.test(text)))
    found.push('cordon_header_seen');
  if (state.forbidden.size > 0) {
    const head = `${req.url ?? ''}\n${req.rawHeaders.join('\n')}`;
    const seen = [...state.forbidden].some((token) => head.includes(token) || body.includes(token));
    if (seen) found.push('cordon_token_seen');
  }
  return found;
}

function readBody(req: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    req.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= BODY_BYTES_MAX) chunks.push(chunk);
    });
    req.on('end', () => resolve(length > BODY_BYTES_MAX ? undefined : Buffer.concat(chunks)));
    req.on('error', reject);
  });
}

function sendJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
  res.writeHead(status, {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
  });
  res.end(bytes);
}

/** Sends the emulator's answer on with what it lacks put in. */
async function sendAmended(
  answer: IncomingMessage,
  res: ServerResponse,
  amend: (body: unknown) => unknown,
): Promise<void> {
  const bytes = await readBody(answer);
  try {
    sendJson(res, 200, amend(JSON.parse((bytes ?? Buffer.alloc(0)).toString('utf8'))));
  } catch {
    sendJson(res, 502, { error: 'the emulator gave no JSON' });
  }
}

/** Passes a request on as the emulator knows it: with its public host, and an inner token that it counts by. */
function passOn(
  agent: Agent,
  target: string,
  innerToken: string,
  req: IncomingMessage,
  body: Buffer,
  res: ServerResponse,
  amend?: (body: unknown) => unknown,
): void {
  const headers: Record<string, string | string[] | number> = {};
  for (const [name, value] of Object.entries(req.headers)) {
    if (value !== undefined && !HOP_BY_HOP.has(name)) headers[name] = value;
  }
  headers['authorization'] = `Bearer ${innerToken}`;
  // The emulator sends plain bodies, but a real vendor may compress: what the client accepts is passed on.
  if (body.length > 0 || req.method === 'POST') headers['content-length'] = body.length;
  const upstream = httpRequest(`${target}${req.url ?? '/'}`, { agent, method: req.method, headers }, (answer) => {
    if (amend && answer.statusCode === 200) {
      void sendAmended(answer, res, amend);
      return;
    }
    const back = { ...answer.headers };
    for (const name of HOP_BY_HOP) delete back[name];
    res.writeHead(answer.statusCode ?? 502, back);
    answer.pipe(res);
  });
  upstream.on('error', () => {
    if (res.headersSent) res.destroy();
    else sendJson(res, 502, { error: 'emulator unreachable' });
  });
  upstream.end(body);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // The address is a string only for pipes.
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/**
 * The front door of one emulated vendor. The emulator takes any token, a vendor does not: this refuses what lacks the
 * vendor's own secret, and keeps count of what must never have come this far.
 */
export async function startVendorShim(options: VendorShimOptions): Promise<VendorShim> {
  const { vendor, tls } = options;
  const state: ShimState = { requests: 0, violationsCount: 0, violations: [], forbidden: new Set() };
  const agent = new Agent({ keepAlive: true });
  let extra: ExtraRoutes | undefined;

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = await readBody(req);
    if (body === undefined) return sendJson(res, 413, { error: 'body too large' });
    state.requests += 1;
    const url = new URL(req.url ?? '/', 'http://127.0.0.1');
    const method = req.method ?? 'GET';
    const kinds = findViolations(options, state, req, body);
    for (const kind of kinds) {
      state.violationsCount += 1;
      if (state.violations.length < VIOLATIONS_KEPT_MAX) state.violations.push({ kind, method, path: url.pathname });
    }
    if (kinds.includes('credential_missing') || kinds.includes('credential_wrong')) {
      return sendJson(res, vendor.refusal.status, vendor.refusal.body);
    }
    const own = extra?.({ method, url, body });
    if (own && 'status' in own) return sendJson(res, own.status, own.body, own.headers);
    const target = options.emulatorOrigin();
    if (target === undefined) return sendJson(res, 503, { error: 'starting' });
    const inner = `inner-${Math.floor(state.requests / REQUESTS_PER_INNER_TOKEN_MAX)}`;
    passOn(agent, target, inner, req, body, res, own?.amend);
    return undefined;
  };
  const onRequest = (req: IncomingMessage, res: ServerResponse): void => {
    handle(req, res).catch(() => res.destroy());
  };
  const server = tls ? createTlsServer(tls, onRequest) : createServer(onRequest);
  const port = await listen(server, options.port);
  // A certificate for localhost names the host; without TLS the address avoids a look-up.
  const origin = tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
  extra = options.extra?.(origin);

  return {
    origin,
    forbid: (token) => void state.forbidden.add(token),
    report: () => ({
      app: vendor.name,
      requests: state.requests,
      violationsCount: state.violationsCount,
      violations: [...state.violations],
    }),
    close: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
