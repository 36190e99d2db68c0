import { randomUUID } from 'node:crypto';
import type { Logger } from '@cordon/kernel';
import { contentsDefinition } from '@cordon/policy';
import type { AppPlan } from '../app-plan.ts';
import { renewalOf } from '../credential-renewals.ts';
import { UpstreamCall } from '../upstream-call.ts';
import type { GatewayRuntime } from '../runtime.ts';
import { isRecord, parseRpc } from './json-rpc.ts';
import { INSTRUCTIONS_NAME } from './mcp-answers.ts';
import type { SeenItem } from './mcp-catalog.ts';
import { MCP_VERSIONS } from './mcp-session.ts';
import { type ListMethod, seenItems } from './mcp-verify.ts';
import { SseReader } from './sse.ts';

/** What a server offers is asked for so often, whether or not an agent works with it. */
export const PROBE_MS = 300_000;
const CALL_MS_MAX = 15_000;
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
const PAGES_MAX = 20;

type Json = Record<string, unknown>;

interface Conversation {
  readonly runtime: GatewayRuntime;
  readonly plan: AppPlan;
  readonly headers: readonly string[];
  session: string | undefined;
  version: string | undefined;
}

/** The server refused the credential. */
class Unauthorized extends Error {}

/** The credential of the app itself; one that signs whole calls can't be used for these. */
function credentialFields(runtime: GatewayRuntime, { entry }: AppPlan): string[] {
  const attachment = runtime.credentials.attachment(entry.id, entry.credential, runtime.clock.now());
  return attachment?.place === 'header' ? [attachment.name, attachment.value] : [];
}

async function send(talk: Conversation, method: 'POST' | 'DELETE', message?: Json): Promise<Json | undefined> {
  const { runtime, plan } = talk;
  const call = new UpstreamCall({ bytesMax: ANSWER_BYTES_MAX, hold: () => true, headRequest: false });
  const late = setTimeout(() => call.abort(), CALL_MS_MAX);
  const { basePath, host } = plan.main;
  try {
    runtime.upstreams.pool(plan.entry, plan.main).dispatch(
      {
        path: basePath === '' ? '/' : basePath,
        method,
        headers: [
          'host',
          host,
          'accept',
          'application/json, text/event-stream',
          'content-type',
          'application/json',
          ...talk.headers,
          ...(talk.session === undefined ? [] : ['mcp-session-id', talk.session]),
          ...(talk.version === undefined ? [] : ['mcp-protocol-version', talk.version]),
        ],
        body: message ? Buffer.from(JSON.stringify(message)) : null,
      },
      call,
    );
    const answer = await call.answer;
    const index = answer.headers.findIndex((name, at) => at % 2 === 0 && name.toLowerCase() === 'mcp-session-id');
    if (index !== -1) talk.session ??= answer.headers[index + 1];
    if (answer.status === 401) throw new Unauthorized('the server refused the credential');
    if (answer.status < 200 || answer.status >= 300) throw new Error(`the server answered ${answer.status}`);
    const id = message?.['id'];
    if (typeof id !== 'string') {
      answer.stream?.abort();
      return undefined;
    }
    if (answer.body) return resultOf(JSON.parse(answer.body.toString('utf8')), id);
    return await new Promise<Json>((resolve, reject) => {
      const reader = new SseReader(ANSWER_BYTES_MAX);
      answer.stream?.start(
        (chunk) => {
          try {
            for (const event of reader.push(chunk)) {
              const result = event.data === '' ? undefined : resultOf(JSON.parse(event.data), id);
              if (result) resolve(result);
            }
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
          return true;
        },
        (error) => reject(error ?? new Error('the stream ended without an answer')),
      );
    }).finally(() => answer.stream?.abort());
  } finally {
    clearTimeout(late);
  }
}

/** The result of a response; an error counts as an empty one: the server doesn't offer that. */
function resultOf(value: unknown, id: string): Json | undefined {
  const message = parseRpc(value);
  if (typeof message === 'string' || message.kind !== 'response' || message.id !== id) return undefined;
  return message.result ?? {};
}

const ask = (talk: Conversation, method: string, params: Json): Promise<Json | undefined> =>
  send(talk, 'POST', { jsonrpc: '2.0', id: `cordon-${randomUUID()}`, method, params });

async function list(talk: Conversation, method: ListMethod): Promise<SeenItem[]> {
  const seen: SeenItem[] = [];
  let cursor: unknown;
  for (let page = 0; page < PAGES_MAX; page++) {
    const result = (await ask(talk, method, cursor === undefined ? {} : { cursor })) ?? {};
    seen.push(...seenItems(method, result));
    cursor = result['nextCursor'];
    if (typeof cursor !== 'string') break;
  }
  return seen;
}

/** What the pinned resources hold that somebody has accepted: a change is noticed before an agent reads it. */
async function readPinned(talk: Conversation): Promise<SeenItem[]> {
  const { runtime, plan } = talk;
  const seen: SeenItem[] = [];
  for (const uri of runtime.tables?.mcp.pinned(plan.entry) ?? []) {
    const result = (await ask(talk, 'resources/read', { uri })) ?? {};
    const { contents } = result;
    if (Array.isArray(contents))
      seen.push({ kind: 'contents', name: uri, definition: contentsDefinition(uri, contents) });
  }
  return seen;
}

/** Asks one server for everything that it offers, in a session of the gateway's own. */
async function readOffer(runtime: GatewayRuntime, plan: AppPlan): Promise<SeenItem[]> {
  const headers = credentialFields(runtime, plan);
  const talk: Conversation = { runtime, plan, headers, session: undefined, version: undefined };
  const hello =
    (await ask(talk, 'initialize', {
      protocolVersion: MCP_VERSIONS.at(-1),
      capabilities: {},
      clientInfo: { name: 'cordon', version: '1' },
    })) ?? {};
  const { protocolVersion, capabilities, instructions } = hello;
  talk.version = typeof protocolVersion === 'string' ? protocolVersion : undefined;
  await send(talk, 'POST', { jsonrpc: '2.0', method: 'notifications/initialized' });
  const offers = isRecord(capabilities) ? capabilities : {};
  const seen: SeenItem[] = [];
  if (typeof instructions === 'string' && instructions !== '') {
    seen.push({ kind: 'instructions', name: INSTRUCTIONS_NAME, definition: { instructions } });
  }
  if ('tools' in offers) seen.push(...(await list(talk, 'tools/list')));
  if ('prompts' in offers) seen.push(...(await list(talk, 'prompts/list')));
  if ('resources' in offers && plan.entry.mcp?.resources === 'review') {
    seen.push(...(await list(talk, 'resources/list')), ...(await list(talk, 'resources/templates/list')));
  }
  if ('resources' in offers) seen.push(...(await readPinned(talk)));
  if (talk.session !== undefined) await send(talk, 'DELETE').catch(() => undefined);
  return seen;
}

/**
 * Looks at the MCP servers by itself, so that people can decide about tools before an agent asks for them, and learn
 * of a change without waiting for one.
 */
export class McpProbe {
  readonly #runtime: GatewayRuntime;
  readonly #logger: Logger;
  readonly #lookedAt = new WeakMap<object, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(runtime: GatewayRuntime) {
    this.#runtime = runtime;
    this.#logger = runtime.logger;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), PROBE_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Asks the servers whose entry is new or that weren't asked for a while. */
  look(): void {
    const now = this.#runtime.clock.now();
    for (const plan of this.#runtime.tables?.apps ?? []) {
      if (!plan.entry.mcp || plan.main.refusal !== undefined) continue;
      // A server that fails is left alone by the look as it is by calls.
      if (this.#runtime.gates.of(plan.entry.id, plan.main.origin).breaker.state(now) === 'open') continue;
      if (now - (this.#lookedAt.get(plan.entry) ?? -Infinity) < PROBE_MS) continue;
      this.#lookedAt.set(plan.entry, now);
      void this.#lookAt(plan);
    }
  }

  /** Once more with a newer token when the server refuses the one in use, as calls do. */
  async #readOffer(plan: AppPlan): Promise<SeenItem[]> {
    const runtime = this.#runtime;
    const refused = renewalOf(plan.entry.credential);
    try {
      return await readOffer(runtime, plan);
    } catch (error) {
      if (!(error instanceof Unauthorized) || !refused) throw error;
      const latest = (): AppPlan | undefined => runtime.tables?.app(plan.entry.id);
      if (!(await runtime.renewals.renew(refused, () => latest()?.entry.credential ?? null))) throw error;
      return readOffer(runtime, latest() ?? plan);
    }
  }

  async #lookAt(plan: AppPlan): Promise<void> {
    const runtime = this.#runtime;
    // Judged by what was accepted when it was asked for: an answer that took its time says nothing about what somebody
    // accepted meanwhile, and would withhold that.
    const { tables } = runtime;
    try {
      const seen = await this.#readOffer(plan);
      if (tables) runtime.mcp.catalog.judge(tables.mcp, plan.entry.id, seen);
    } catch (error) {
      this.#logger.info({ err: error, app: plan.entry.name }, 'an MCP server could not be asked what it offers');
    }
  }
}
