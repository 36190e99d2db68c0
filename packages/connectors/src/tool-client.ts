import type { Clock } from '@cordon/kernel';
import { type Authenticator, createAuthenticator } from './authenticate.ts';
import { NotVisible, ToolFailed, ToolRefused, WriteForbidden } from './errors.ts';
import type { HttpPort, ToolAnswer } from './http-port.ts';
import type { LoadedManifest } from './load-manifest.ts';
import type { AuthSpec, CredentialSecret } from './manifest-auth.ts';
import { type Bindings, type BuiltRequest, buildRequest, fillText, type RequestTemplate } from './request-template.ts';

const ANSWER_BYTES_MAX = 32 * 1024 * 1024;
const REQUEST_MS_MAX = 60_000;
/** Of a file in one request, and at all. */
const FILE_STEP_BYTES = 8 * 1024 * 1024;
const FILE_BYTES_MAX = 2 * 1024 * 1024 * 1024;
const ATTEMPTS_MAX = 5;
const BACK_OFF_MS = 1_000;
/** A tool that asks for a longer pause fails the sync, which goes on from its page the next time. */
const WAIT_MS_MAX = 15 * 60_000;
const CALM_REMAINING = 2;

export interface ToolConnection {
  readonly config: Readonly<Record<string, string>>;
  readonly secret: CredentialSecret;
  /** Instead of the manifest's base URL: a server of the customer's own. */
  readonly baseUrl?: string | null;
}

export interface ToolClientDeps {
  readonly http: HttpPort;
  readonly clock: Clock;
  /** Waits, milliseconds; rejects when the work is cancelled. */
  readonly pause: (ms: number) => Promise<void>;
  readonly onRefreshToken?: (token: string) => Promise<void>;
}

export interface ToolResult {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON; null for an empty body. */
  readonly body: unknown;
  /** The tool's own error code, by the manifest's `errorCode`; null when it went well. */
  readonly code: string | null;
  readonly ok: boolean;
}

export interface ToolClient {
  /** Calls the tool. Null when the request lacks a value. Statuses are judged by the caller, except 401 and "too fast". */
  call(template: RequestTemplate, bindings: Bindings, options?: CallOptions): Promise<ToolResult | null>;
  /**
   * The bytes behind a record's `download`: a path below the base URL or an address of the tool's own. One redirect is
   * followed, without the credential: that is how tools hand out files from their stores.
   */
  readFile(download: string): AsyncGenerator<Buffer>;
  readonly requests: () => number;
}

export interface CallOptions {
  /** An address that the tool gave for the next page, in place of the template's. */
  readonly url?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Members put into the JSON or form body, such as a cursor. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** The addresses a connection may call; templates are filled from its config. */
function basesOf(loaded: LoadedManifest, connection: ToolConnection): { base: string; hosts: Map<string, string> } {
  const bindings = { config: connection.config };
  const fill = (text: string): string => {
    const filled = fillText(text, bindings);
    if (filled === undefined || !URL.canParse(filled))
      throw new ToolFailed(`${text} makes no address with this config.`);
    return filled.replace(/\/+$/, '');
  };
  const own = connection.baseUrl?.replace(/\/+$/, '');
  const base = own ?? fill(loaded.manifest.baseUrl);
  // A server of the customer's own, or an emulator, serves everything at one place.
  const hosts = Object.entries(loaded.manifest.hosts).map(([name, url]) => [name, own ?? fill(url)] as const);
  return { base, hosts: new Map(hosts) };
}

/** Where the credential is sent: the token endpoint of a server of the customer's own is that server's. */
function atOwnServer(spec: AuthSpec, base: string | null | undefined): AuthSpec {
  if (base === null || base === undefined || !('tokenUrl' in spec)) return spec;
  const path = /^https?:\/\/[^/]+(\/.*)?$/.exec(spec.tokenUrl)?.[1] ?? '';
  return { ...spec, tokenUrl: `${base.replace(/\/+$/, '')}${path}` };
}

function withMembers(built: BuiltRequest, options: CallOptions): BuiltRequest {
  const url = new URL(options.url ?? built.url);
  for (const [name, value] of Object.entries(options.query ?? {})) url.searchParams.set(name, value);
  // Paging adds members; what uploads a file has no pages.
  if (!options.body || built.body instanceof Uint8Array) return { ...built, url: url.href };
  if (built.headers['content-type'] === 'application/x-www-form-urlencoded') {
    const form = new URLSearchParams(built.body ?? '');
    for (const [name, value] of Object.entries(options.body)) form.set(name, String(value));
    return { ...built, url: url.href, body: form.toString() };
  }
  const before = JSON.parse(built.body ?? '{}') as Record<string, unknown>; // buildRequest wrote it
  const isGraphql = typeof before['query'] === 'string' && typeof before['variables'] === 'object';
  const after = isGraphql
    ? { ...before, variables: { ...(before['variables'] as object), ...options.body } } // an object by the check above
    : { ...before, ...options.body };
  return { ...built, url: url.href, body: JSON.stringify(after) };
}

function parseBody(answer: ToolAnswer): unknown {
  if (answer.body.length === 0) return null;
  try {
    return JSON.parse(answer.body.toString('utf8')) as unknown;
  } catch {
    return answer.body.toString('utf8');
  }
}

/** How long the tool asks to wait, milliseconds; null when it doesn't. */
function askedWait(loaded: LoadedManifest, headers: ToolAnswer['headers'], now: number): number | null {
  const { rateLimit } = loaded.manifest;
  const after = headers['retry-after'];
  if (after !== undefined) {
    const ms = /^\d+(?:\.\d+)?$/.test(after) ? Number(after) * 1_000 : Date.parse(after) - now;
    if (Number.isFinite(ms)) return Math.max(0, ms);
  }
  const reset = rateLimit.reset === undefined ? undefined : headers[rateLimit.reset.toLowerCase()];
  if (reset === undefined) return null;
  const kinds = {
    epoch_s: Number(reset) * 1_000 - now,
    epoch_ms: Number(reset) - now,
    delta_s: Number(reset) * 1_000,
    date: Date.parse(reset) - now,
  };
  const ms = kinds[rateLimit.resetKind];
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

/** Calls one tool for one connection: credential, pace, retries, limits. */
export function createToolClient(
  loaded: LoadedManifest,
  connection: ToolConnection,
  deps: ToolClientDeps,
  mode: 'read' | 'write',
): ToolClient {
  const { manifest } = loaded;
  const { base, hosts } = basesOf(loaded, connection);
  const origins = new Set([base, ...hosts.values()].map((url) => new URL(url).origin));
  const spec = manifest.auth.find((auth) => auth.kind === connection.secret.kind);
  if (!spec) throw new ToolRefused(`${manifest.title} takes no credential of the kind ${connection.secret.kind}.`);
  const authenticator: Authenticator = createAuthenticator(atOwnServer(spec, connection.baseUrl), connection.secret, {
    http: deps.http,
    clock: deps.clock,
    config: connection.config,
    baseUrl: base,
    ...(deps.onRefreshToken ? { onRefreshToken: deps.onRefreshToken } : {}),
  });
  const gapMs = 60_000 / manifest.rateLimit.requestsPerMinute;
  let nextAt = 0;
  let requests = 0;

  const wait = async (ms: number): Promise<void> => {
    if (ms > WAIT_MS_MAX) throw new ToolFailed(`${manifest.title} asks to wait ${Math.round(ms / 1_000)} s.`);
    if (ms > 0) await deps.pause(ms);
  };

  const send = async (built: BuiltRequest): Promise<ToolAnswer> => {
    if (mode === 'read' && !built.safe) {
      throw new WriteForbidden(
        `${built.method} ${new URL(built.url).pathname} would change something; this run must not.`,
      );
    }
    if (!origins.has(new URL(built.url).origin)) {
      throw new ToolFailed(`${manifest.title} points to ${new URL(built.url).origin}, which is not its own address.`);
    }
    const now = deps.clock.now();
    await wait(nextAt - now);
    nextAt = Math.max(nextAt, now) + gapMs;
    requests += 1;
    const { method, url, headers, body } = built;
    const request = { method, url, headers, body, timeoutMs: REQUEST_MS_MAX, bytesMax: ANSWER_BYTES_MAX };
    return deps.http.send(await authenticator.apply(request));
  };

  const codeOf = async (status: number, body: unknown): Promise<string | null> => {
    if (manifest.errorCode === undefined) return null;
    const code = await loaded.expression(manifest.errorCode).evaluate({ status, body });
    return typeof code === 'string' && code !== '' ? code : null;
  };

  /** One attempt's verdict: a result, or how long to wait before the next. */
  const attempt = async (built: BuiltRequest, tries: number): Promise<ToolResult | number> => {
    const backOff = BACK_OFF_MS * 2 ** tries;
    let answer: ToolAnswer;
    try {
      answer = await send(built);
    } catch (error) {
      // Nobody knows whether a write that broke arrived: whoever asked for it verifies.
      if (!built.safe || error instanceof ToolRefused || error instanceof WriteForbidden) throw error;
      if (error instanceof ToolFailed || tries + 1 >= ATTEMPTS_MAX) throw error;
      return backOff;
    }
    const body = parseBody(answer);
    const { status, headers } = answer;
    const code = await codeOf(status, body);
    const { rateLimit } = manifest;
    const remaining = rateLimit.remaining === undefined ? undefined : headers[rateLimit.remaining.toLowerCase()];
    const isSpent = remaining !== undefined && Number(remaining) <= 0 && (status === 403 || status === 429);
    const isLimited = rateLimit.limitedStatuses.includes(status) || isSpent;
    if (isLimited || (code !== null && rateLimit.limitedCodes.includes(code))) {
      return askedWait(loaded, headers, deps.clock.now()) ?? backOff;
    }
    if (remaining !== undefined && Number(remaining) < CALM_REMAINING) {
      nextAt = deps.clock.now() + (askedWait(loaded, headers, deps.clock.now()) ?? 0);
    }
    if (status >= 500 && built.safe && tries + 1 < ATTEMPTS_MAX) return backOff;
    const isRefused = status === 401 || (code !== null && manifest.refusedCodes.includes(code));
    if (isRefused) {
      if (authenticator.renew() && tries === 0) return 0;
      throw new ToolRefused(`${manifest.title} refuses this credential (${code ?? status}).`, { status, code });
    }
    return { status, headers, body, code, ok: status >= 200 && status < 300 && code === null };
  };

  const range = async (download: string, start: number): Promise<ToolAnswer> => {
    const url = new URL(download, `${base}/`).href;
    const headers = { range: `bytes=${start}-${start + FILE_STEP_BYTES - 1}` };
    const built: BuiltRequest = { method: 'GET', url, headers, body: undefined, safe: true };
    for (let tries = 0; tries < ATTEMPTS_MAX; tries++) {
      let answer = await send(built);
      const { location } = answer.headers;
      if (answer.status >= 300 && answer.status < 400 && location !== undefined) {
        const elsewhere = new URL(location, url).href;
        const limits = { timeoutMs: REQUEST_MS_MAX, bytesMax: ANSWER_BYTES_MAX };
        answer = await deps.http.send({ method: 'GET', url: elsewhere, headers, body: undefined, ...limits });
      }
      const { status } = answer;
      if (!manifest.rateLimit.limitedStatuses.includes(status) && status < 500) return answer;
      await wait(askedWait(loaded, answer.headers, deps.clock.now()) ?? BACK_OFF_MS * 2 ** tries);
    }
    throw new ToolFailed(`${manifest.title} does not give this file: it asks to slow down again and again.`);
  };

  return {
    async *readFile(download) {
      for (let start = 0; start < FILE_BYTES_MAX;) {
        const answer = await range(download, start);
        if (answer.status === 416 && start > 0) return; // it ended where the last step did
        if (answer.status !== 200 && answer.status !== 206) {
          throw judgeFailure(manifest.title, { ...answer, code: null, ok: false }, []);
        }
        // A tool that doesn't know ranges sends all of it, within the limit of one answer.
        if (answer.status === 200 && start > 0)
          throw new ToolFailed(`${manifest.title} changed how it sends this file.`);
        yield answer.body;
        if (answer.status === 200) return;
        start += answer.body.length;
        const total = Number(/\/(\d+)$/.exec(answer.headers['content-range'] ?? '')?.[1] ?? Number.NaN);
        if (answer.body.length === 0 || start >= total) return;
      }
      throw new ToolFailed(`A file may have ${FILE_BYTES_MAX} bytes.`);
    },
    requests: () => requests,
    async call(template, bindings, options = {}) {
      const url = template.host === undefined ? base : hosts.get(template.host);
      if (url === undefined) throw new ToolFailed(`The manifest has no host ${template.host}.`);
      const all = { ...bindings, config: connection.config };
      const headers = Object.fromEntries(
        Object.entries(manifest.headers).map(([name, text]) => [name.toLowerCase(), fillText(text, all) ?? '']),
      );
      const plain = buildRequest(template, all, { url, headers });
      if (!plain) return null;
      const built = withMembers(plain, options);
      for (let tries = 0; tries < ATTEMPTS_MAX; tries++) {
        const result = await attempt(built, tries);
        if (typeof result !== 'number') return result;
        await wait(result);
      }
      throw new ToolFailed(`${manifest.title} lets no call through: it asks to slow down again and again.`);
    },
  };
}

/** What the manifest says of an answer that is no success: not visible, or a failure. */
export function judgeFailure(
  title: string,
  result: ToolResult,
  rules: readonly { status?: number | undefined; code?: string | undefined; because: string }[],
): NotVisible | ToolFailed {
  const { status, code } = result;
  const rule = rules.find(
    (one) => (one.status === undefined || one.status === status) && (one.code === undefined || one.code === code),
  );
  const detail = { status, code };
  if (rule) return new NotVisible(rule.because, detail);
  if (status === 403) return new NotVisible(`${title} refuses this to the credential (403).`, detail);
  return new ToolFailed(`${title} answered ${status}${code === null ? '' : ` (${code})`}.`, detail);
}
