import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Entity } from './entity.ts';
import { ConnectorsError, ManifestInvalid, NotVisible } from './errors.ts';
import type { HttpPort, ToolAnswer, ToolRequest } from './http-port.ts';
import { type LoadedManifest, parseManifest } from './load-manifest.ts';
import type { CredentialSecret } from './manifest-auth.ts';
import { ACTION_MODES, type ActionOutcome, performAction } from './perform-action.ts';
import { fillText } from './request-template.ts';
import { readStream } from './read-stream.ts';
import { createToolClient } from './tool-client.ts';

const RECORDING_BYTES_MAX = 4 * 1024 * 1024;
const NOW = Date.UTC(2026, 5, 1);

const exchange = z.strictObject({
  /** `GET /orgs/acme/members?page=2`: without host; the query in any order; `*` at its end matches any query. */
  request: z.string().min(1),
  /** Members that the JSON or form body must have, for tools that take everything at one path. */
  body: z.record(z.string(), z.json()).optional(),
  status: z.int().default(200),
  headers: z.record(z.string(), z.string()).default({}),
  answer: z.json().optional(),
  /** Used up by the first request that matches, so that a state can change. */
  once: z.boolean().default(false),
});

/** `content/connectors/<app>/recordings/<name>.json`: answers, and what the manifest must make of them. */
const recording = z.strictObject({
  title: z.string(),
  /** Where the answers come from. */
  origin: z.string(),
  config: z.record(z.string(), z.string()).default({}),
  plan: z.string().nullable().default(null),
  exchanges: z.array(exchange),
  streams: z
    .record(
      z.string(),
      z.union([
        z.strictObject({ entities: z.array(z.record(z.string(), z.json())), hidden: z.array(z.string()).optional() }),
        z.strictObject({ notVisible: z.string() }),
      ]),
    )
    .default({}),
  actions: z
    .array(
      z.strictObject({
        action: z.string(),
        input: z.record(z.string(), z.json()),
        mode: z.enum(ACTION_MODES).default('run'),
        captured: z.record(z.string(), z.json()).optional(),
        resumed: z.boolean().optional(),
        outcome: z.string(),
        /** Requests that change something, in order; none in a dry run. */
        writes: z.array(z.string()).default([]),
      }),
    )
    .default([]),
});
type Recording = z.output<typeof recording>;

export interface StreamTest {
  readonly stream: string;
  readonly entities: readonly Entity[];
  readonly notVisible: string | null;
  readonly hidden: readonly string[];
  readonly problems: readonly string[];
  readonly expected: unknown;
}

export interface ActionTest {
  readonly action: string;
  readonly mode: string;
  readonly outcome: string;
  readonly expected: string;
  readonly writes: readonly string[];
  readonly expectedWrites: readonly string[];
}

export interface ConnectorTest {
  readonly recording: string;
  readonly origin: string;
  readonly streams: readonly StreamTest[];
  readonly actions: readonly ActionTest[];
}

const NO_CREDENTIALS: Readonly<Record<string, CredentialSecret>> = {
  bearer: { kind: 'bearer', token: 'recorded' },
  basic: { kind: 'basic', user: 'recorded', password: 'recorded' },
  header: { kind: 'header', value: 'recorded' },
  query: { kind: 'query', value: 'recorded' },
  oauth2_client_credentials: { kind: 'oauth2_client_credentials', clientId: 'recorded', clientSecret: 'recorded' },
  oauth2_refresh_token: {
    kind: 'oauth2_refresh_token',
    clientId: 'recorded',
    clientSecret: 'recorded',
    refreshToken: 'recorded',
  },
};

const sortedQuery = (url: URL): string =>
  [...url.searchParams]
    .map(([name, value]) => `${name}=${value}`)
    .toSorted()
    .join('&');

function bodyMembers(request: ToolRequest): Record<string, unknown> {
  // What uploads a file is told apart by its address alone.
  const text = typeof request.body === 'string' ? request.body : '';
  if (request.headers['content-type'] === 'application/x-www-form-urlencoded') {
    return Object.fromEntries(new URLSearchParams(text));
  }
  try {
    const parsed: unknown = JSON.parse(text === '' ? '{}' : text);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}

function matches(one: Recording['exchanges'][number], request: ToolRequest): boolean {
  const [method = '', target = ''] = one.request.split(' ');
  const wanted = new URL(target.replace(/\*$/, ''), 'https://recorded.invalid');
  const asked = new URL(request.url);
  if (method !== request.method || wanted.pathname !== asked.pathname) return false;
  if (!target.endsWith('*') && sortedQuery(wanted) !== sortedQuery(asked)) return false;
  const members = one.body === undefined ? {} : bodyMembers(request);
  return Object.entries(one.body ?? {}).every(
    ([name, value]) => JSON.stringify(members[name]) === JSON.stringify(value),
  );
}

/** Answers from a recording; whatever it lacks is an error that names the request. */
function playback(exchanges: Recording['exchanges'], writes: string[]): HttpPort {
  const left = [...exchanges];
  return {
    async send(request): Promise<ToolAnswer> {
      const url = new URL(request.url);
      if (request.method === 'POST' && url.pathname.endsWith('/token') && !left.some((one) => matches(one, request))) {
        return { status: 200, headers: {}, body: Buffer.from('{"access_token":"recorded","expires_in":3600}') };
      }
      const index = left.findIndex((one) => matches(one, request));
      const found = left[index];
      const what = `${request.method} ${url.pathname}${url.search}`;
      if (!found)
        throw new ManifestInvalid(
          `The recording has no answer to ${what} ${typeof request.body === 'string' ? request.body : ''}`,
        );
      if (found.once) left.splice(index, 1);
      writes.push(what);
      const headers = Object.fromEntries(
        Object.entries(found.headers).map(([name, value]) => [name.toLowerCase(), value]),
      );
      const body = found.answer === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(found.answer));
      return { status: found.status, headers, body };
    },
  };
}

interface Stage {
  readonly loaded: LoadedManifest;
  readonly tape: Recording;
  readonly baseUrl: string;
  readonly client: (requests: string[], mode: 'read' | 'write', http?: HttpPort) => ReturnType<typeof createToolClient>;
}

function setStage(loaded: LoadedManifest, tape: Recording): Stage {
  const { manifest } = loaded;
  const secret = manifest.auth.map(({ kind }) => NO_CREDENTIALS[kind]).find((one) => one !== undefined) ?? null;
  const playable = secret ?? ({ kind: 'bearer', token: 'recorded' } as const);
  // Signed assertions would need a key; what is tested here is what the manifest makes of answers.
  const auth = secret ? manifest.auth : [{ kind: 'bearer' as const, title: 'Recorded', scheme: 'Bearer' }];
  const stand = {
    ...loaded,
    manifest: { ...manifest, auth, rateLimit: { ...manifest.rateLimit, requestsPerMinute: 60_000 } },
  };
  const baseUrl = fillText(manifest.baseUrl, { config: tape.config }) ?? manifest.baseUrl;
  return {
    loaded: stand,
    tape,
    baseUrl,
    client: (requests, mode, http = playback(tape.exchanges, requests)) =>
      createToolClient(
        stand,
        { config: tape.config, secret: playable },
        { http, clock: { now: () => NOW }, pause: async () => undefined },
        mode,
      ),
  };
}

async function testStream(stage: Stage, stream: string, expected: unknown): Promise<StreamTest> {
  const entities: Entity[] = [];
  const hidden: string[] = [];
  const problems: string[] = [];
  let notVisible: string | null = null;
  const { tape, baseUrl } = stage;
  try {
    const options = { config: tape.config, plan: tape.plan, baseUrl, now: NOW };
    for await (const page of readStream(stage.loaded, stream, stage.client([], 'read'), options)) {
      entities.push(...page.entities);
      hidden.push(...page.hidden);
      problems.push(...page.problems);
    }
  } catch (error) {
    if (!(error instanceof NotVisible)) throw error;
    notVisible = error.message;
  }
  return { stream, entities, hidden, problems, notVisible, expected };
}

async function testAction(stage: Stage, wanted: Recording['actions'][number]): Promise<ActionTest> {
  const { tape, loaded } = stage;
  const reads: string[] = [];
  const writes: string[] = [];
  // One tape for both, so that a state that was changed is seen changed.
  const http = playback(tape.exchanges, reads);
  const watched: HttpPort = {
    send: async (request) => {
      const answer = await http.send(request);
      const url = new URL(request.url);
      writes.push(`${request.method} ${url.pathname}${url.search}`);
      return answer;
    },
  };
  let outcome: ActionOutcome | string;
  try {
    outcome = await performAction(
      {
        loaded,
        reader: stage.client([], 'read', http),
        writer: () => stage.client([], 'write', watched),
        config: tape.config,
        plan: tape.plan,
        pause: async () => undefined,
        onCaptured: async () => undefined,
      },
      {
        action: wanted.action,
        input: wanted.input,
        mode: wanted.mode,
        ...(wanted.captured ? { captured: wanted.captured } : {}),
        ...(wanted.resumed === undefined ? {} : { resumed: wanted.resumed }),
      },
    );
  } catch (error) {
    if (!(error instanceof ConnectorsError) || error instanceof ManifestInvalid) throw error;
    outcome = error.code;
  }
  const told = typeof outcome === 'string' ? outcome : outcome.outcome;
  const { action, mode, outcome: expected, writes: expectedWrites } = wanted;
  return { action, mode, outcome: told, expected, writes, expectedWrites };
}

/** Runs one app's manifest against its recordings and gives what it would emit beside what is expected. */
export async function testConnector(folder: string, app: string): Promise<ConnectorTest[]> {
  const loaded = parseManifest(await readFile(join(folder, app, 'connector.yaml'), 'utf8'), app);
  const tapes = await readdir(join(folder, app, 'recordings')).catch(() => []);
  const tests: ConnectorTest[] = [];
  for (const file of tapes.filter((name) => name.endsWith('.json')).toSorted()) {
    const text = await readFile(join(folder, app, 'recordings', file), 'utf8');
    if (text.length > RECORDING_BYTES_MAX) throw new ManifestInvalid(`${file} is longer than ${RECORDING_BYTES_MAX}.`);
    const parsed = recording.safeParse(JSON.parse(text));
    if (!parsed.success) throw new ManifestInvalid(`${app}/${file}: ${z.prettifyError(parsed.error)}`);
    const stage = setStage(loaded, parsed.data);
    const streams: StreamTest[] = [];
    for (const [stream, expected] of Object.entries(parsed.data.streams))
      streams.push(await testStream(stage, stream, expected));
    const actions: ActionTest[] = [];
    for (const wanted of parsed.data.actions) actions.push(await testAction(stage, wanted));
    tests.push({ recording: file, origin: parsed.data.origin, streams, actions });
  }
  return tests;
}
