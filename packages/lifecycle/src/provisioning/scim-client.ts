import { z } from 'zod';
import { TargetRefused, TargetUnreachable } from '../errors.ts';
import type { PatchOperation } from './mapping.ts';
import type { RemoteUser } from './plan.ts';

/** How this package reaches targets; the composition root gives one behind the egress guard. */
export interface ScimPort {
  send(request: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string | undefined;
    readonly timeoutMs: number;
    readonly bytesMax: number;
  }): Promise<{
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Buffer;
  }>;
}

const TIMEOUT_MS = 30_000;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
const PAGE = 100;
const USERS_MAX = 50_000;
const ATTEMPTS_MAX = 5;
const WAIT_MS_MAX = 60_000;
const BACKOFF_MS = 500;
const BUSY: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const userSchema = z.looseObject({ id: z.string().min(1).max(1_000) });
const listSchema = z.looseObject({
  totalResults: z.int().min(0),
  Resources: z.array(userSchema).default([]),
});
const refusalSchema = z.looseObject({ detail: z.string().optional(), scimType: z.string().optional() });

export interface ScimAnswer {
  readonly status: number;
  readonly user: RemoteUser | null;
  readonly etag: string | null;
}

/** One kind of resource: users, or groups. */
export interface ScimResource {
  /** Everything of the kind there. */
  list(): Promise<RemoteUser[]>;
  find(attribute: 'externalId' | 'userName' | 'displayName', value: string): Promise<RemoteUser[]>;
  get(id: string): Promise<ScimAnswer | null>;
  /** @throws {@link TargetRefused} with status 409 when the name is taken. */
  create(document: Record<string, unknown>): Promise<ScimAnswer>;
  patch(id: string, operations: readonly PatchOperation[]): Promise<ScimAnswer>;
  remove(id: string): Promise<number>;
}

/** Users, and beside them groups. */
export interface ScimClient extends ScimResource {
  readonly groups: ScimResource;
}

export interface ScimClientDeps {
  readonly port: ScimPort;
  /** Without a slash at the end. */
  readonly baseUrl: string;
  readonly token: string;
  readonly requestsPerS: number;
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

/** `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3). */
function waitOf(header: string | undefined, attempt: number, now: number): number {
  const seconds = Number(header);
  if (header !== undefined && header !== '' && seconds >= 0) return Math.min(seconds * 1_000, WAIT_MS_MAX);
  const date = header === undefined ? Number.NaN : Date.parse(header);
  const ms = Number.isNaN(date) ? BACKOFF_MS * 2 ** attempt : date - now;
  return Math.min(Math.max(ms, 0), WAIT_MS_MAX);
}

function parse(body: Buffer): unknown {
  if (body.length === 0) return null;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new TargetUnreachable('The target answered with something that is not JSON.');
  }
}

function refusalOf(status: number, body: Buffer): TargetRefused {
  let said = '';
  try {
    said = refusalSchema.parse(JSON.parse(body.toString('utf8'))).detail ?? '';
  } catch {
    // Not in SCIM's form: the status says enough.
  }
  return new TargetRefused(`The target answered ${status}${said === '' ? '' : `: ${said.slice(0, 300)}`}.`, { status });
}

/** A client of SCIM 2.0 (RFC 7644): paced, and patient with a target that says it is busy. */
export function createScimClient(deps: ScimClientDeps): ScimClient {
  const { port, baseUrl, token, now, pause } = deps;
  const stepMs = 1_000 / deps.requestsPerS;
  let next = 0;

  const paced = async (): Promise<void> => {
    const waitMs = next - now();
    next = Math.max(next, now()) + stepMs;
    if (waitMs > 0) await pause(waitMs);
  };

  const send = async (method: string, path: string, content?: unknown) => {
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'application/scim+json, application/json',
      ...(content === undefined ? {} : { 'content-type': 'application/scim+json' }),
    };
    const body = content === undefined ? undefined : JSON.stringify(content);
    for (let attempt = 1; ; attempt += 1) {
      await paced();
      const asked = { method, url: `${baseUrl}${path}`, headers, body, timeoutMs: TIMEOUT_MS };
      const answer = await port.send({ ...asked, bytesMax: ANSWER_BYTES_MAX });
      if (!BUSY.has(answer.status)) return answer;
      if (attempt >= ATTEMPTS_MAX) throw new TargetUnreachable(`The target stayed busy (${answer.status}).`);
      await pause(waitOf(answer.headers['retry-after'], attempt, now()));
    }
  };

  const answerOf = (answer: Awaited<ReturnType<typeof send>>): ScimAnswer => {
    if (answer.status < 200 || answer.status > 299) throw refusalOf(answer.status, answer.body);
    const content = parse(answer.body);
    const user = content === null ? null : userSchema.parse(content);
    return { status: answer.status, user, etag: answer.headers['etag'] ?? null };
  };
  const resource = (kind: '/Users' | '/Groups'): ScimResource => {
    const page = async (query: string) => {
      const answer = await send('GET', `${kind}?${query}`);
      if (answer.status !== 200) throw refusalOf(answer.status, answer.body);
      return listSchema.parse(parse(answer.body));
    };
    const at = (id: string): string => `${kind}/${encodeURIComponent(id)}`;

    return {
      async list() {
        const users = new Map<string, RemoteUser>();
        let start = 1;
        for (;;) {
          const { totalResults, Resources } = await page(`startIndex=${start}&count=${PAGE}`);
          for (const user of Resources) users.set(user.id, user);
          start += Resources.length;
          if (users.size > USERS_MAX)
            throw new TargetUnreachable(`The target has more than ${USERS_MAX} ${kind.slice(1).toLowerCase()}.`);
          if (start > totalResults) return [...users.values()];
          // Half a list would make people look gone: better no plan than a wrong one.
          if (Resources.length === 0) throw new TargetUnreachable('The target ended its list before its end.');
        }
      },
      async find(attribute, value) {
        const { Resources } = await page(`filter=${encodeURIComponent(`${attribute} eq ${JSON.stringify(value)}`)}`);
        // A target that ignores the filter would hand over somebody else.
        return Resources.filter((user) => String(user[attribute]).toLowerCase() === value.toLowerCase());
      },
      async get(id) {
        const answer = await send('GET', at(id));
        return answer.status === 404 ? null : answerOf(answer);
      },
      async create(document) {
        return answerOf(await send('POST', kind, document));
      },
      async patch(id, operations) {
        const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp'];
        return answerOf(await send('PATCH', at(id), { schemas, Operations: operations }));
      },
      async remove(id) {
        const answer = await send('DELETE', at(id));
        if (answer.status !== 404 && (answer.status < 200 || answer.status > 299)) {
          throw refusalOf(answer.status, answer.body);
        }
        return answer.status;
      },
    };
  };
  return { ...resource('/Users'), groups: resource('/Groups') };
}
