import { type ChildProcess, execFile, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { sampleEntries, startControlStub, TEST_TOKEN } from '@cordon/gateway/testing';
import { createSecretEnvelope, type SecretEnvelope } from '@cordon/kernel';
import { compileDescription } from '@cordon/openapi';
import { defaultInspectionRules, type EntryInputOf } from '@cordon/policy';
import { sampleEntry, sampleSigningKey, sampleSnapshot } from '@cordon/policy/testing';
import { startPeers } from './gateway-peers.ts';
import type { BenchChild } from './gateway-process.ts';

interface Row {
  readonly name: string;
  readonly metric: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  readonly ratio?: number;
}

interface Sample {
  readonly cpuMicros: number;
  readonly rssMib: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

const RUNS = 5;
const SECONDS = 2;
const WARM_SECONDS = 3;
const CONNECTIONS = 16;
const run_ = promisify(execFile);

const listed = {
  200: {
    content: {
      'application/json': {
        schema: {
          type: 'object',
          required: ['items', 'total'],
          properties: {
            total: { type: 'integer' },
            items: {
              type: 'array',
              items: {
                type: 'object',
                required: ['id', 'title'],
                properties: { id: { type: 'integer' }, title: { type: 'string' }, state: { enum: ['open', 'closed'] } },
              },
            },
          },
        },
      },
    },
  },
};

const description = compileDescription(
  Buffer.from(
    JSON.stringify({
      openapi: '3.1.0',
      info: { title: 'Bench', version: '1' },
      paths: {
        '/items/{owner}': {
          get: {
            operationId: 'items/list',
            parameters: [{ name: 'page', in: 'query', schema: { type: 'integer' } }],
            responses: listed,
          },
        },
        '/large/{owner}': { get: { operationId: 'items/large', responses: listed } },
        '/items': {
          post: {
            operationId: 'items/create',
            responses: listed,
            requestBody: {
              required: true,
              content: {
                'application/json': {
                  schema: {
                    type: 'object',
                    required: ['title', 'items'],
                    properties: {
                      title: { type: 'string' },
                      note: { type: 'string' },
                      items: {
                        type: 'array',
                        items: {
                          type: 'object',
                          required: ['id', 'name'],
                          properties: {
                            id: { type: 'integer' },
                            name: { type: 'string' },
                            tags: { type: 'array', items: { type: 'string' } },
                            open: { type: 'boolean' },
                          },
                        },
                      },
                    },
                  },
                },
              },
            },
          },
        },
      },
    }),
  ),
);

function nestedBody(bytes: number): string {
  const items: object[] = [];
  for (let id = 1; JSON.stringify(items).length < bytes - 80; id++) {
    items.push({ id, name: `Part number ${id}`, tags: ['red', 'blue'], open: true });
  }
  return JSON.stringify({ title: 'An order', note: 'as agreed', items });
}

const textBody = JSON.stringify({
  title: 'A report',
  note: 'The quick brown fox jumps over the lazy dog. '.repeat(44),
  items: [],
});

interface Load {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

const LOADS: readonly Load[] = [
  { name: 'GET, 1 KiB answer', method: 'GET', path: '/items/acme?page=2' },
  { name: 'POST of nested JSON, 2 KiB', method: 'POST', path: '/items', body: nestedBody(2048) },
  { name: 'POST of one text field, 2 KiB', method: 'POST', path: '/items', body: textBody },
  { name: 'GET, 64 KiB answer', method: 'GET', path: '/large/acme' },
];

interface Usage {
  readonly cpuMicros: number;
  readonly rss: number;
}

interface Proxy {
  readonly name: string;
  readonly prefix: string;
  readonly port: number;
  readonly token: string;
  usage(): Usage | Promise<Usage>;
}

const BARE = 'bare';
const ACCEPTED = 'cordon (a) token, policy, limit, record';
const VALIDATED = 'cordon (b) and validation';
const INSPECTED = 'cordon (c) and inspection both ways';

function ownProxy(name: string, prefix: string, { child, port }: { child: ChildProcess; port: number }): Proxy {
  return { name, prefix, port, token: TEST_TOKEN, usage: () => usage(child) };
}

function start(config: BenchChild): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(new URL('./gateway-process.ts', import.meta.url), [JSON.stringify(config)]);
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${config.role} ended with ${code}`)));
    child.once('message', (message: { port: number }) => resolve({ child, port: message.port }));
  });
}

function usage(
  child: ChildProcess,
  message = 'usage',
): Promise<{ cpuMicros: number; rss: number; steps: Record<string, number> }> {
  return new Promise((resolve) => {
    child.once('message', resolve);
    child.send(message);
  });
}

/** Without a name for a host, and without these fields, the Core Rule Set takes a call for an attack. */
const HOST = 'api.example.com';

/** wrk's script for one kind of call, with a summary that a program can read. */
function script(load: Load, token: string): string {
  const body =
    load.body === undefined ? '' : `wrk.body = [=[${load.body}]=]\nwrk.headers["Content-Type"] = "application/json"\n`;
  return `wrk.method = "${load.method}"\nwrk.headers["Authorization"] = "Bearer ${token}"
wrk.headers["Host"] = "${HOST}"
wrk.headers["User-Agent"] = "bench"
wrk.headers["Accept"] = "application/json"\n${body}
done = function(summary, latency)
  local errors = summary.errors
  print(string.format("RESULT %d %d %d %d %d", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end\n`;
}

/** One call beforehand: a benchmark of refusals would be a fine one, but not this one. */
async function probe(proxy: Proxy, load: Load): Promise<void> {
  const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const headers = {
      host: HOST,
      authorization: `Bearer ${proxy.token}`,
      'user-agent': 'bench',
      accept: 'application/json',
      ...(load.body === undefined ? {} : { 'content-type': 'application/json', 'content-length': load.body.length }),
    };
    const options = {
      host: '127.0.0.1',
      port: proxy.port,
      path: proxy.prefix + load.path,
      method: load.method,
      headers,
    };
    const request = http.request(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: body }));
    });
    request.on('error', reject).end(load.body);
  });
  if (status !== 200) throw new Error(`${proxy.name}, ${load.name}: ${status} ${text.slice(0, 500)}`);
}

async function measure(proxy: Proxy, load: Load, file: string, seconds: number): Promise<Sample> {
  fs.writeFileSync(file, script(load, proxy.token));
  const before = await proxy.usage();
  const url = `http://127.0.0.1:${proxy.port}${proxy.prefix}${load.path}`;
  const { stdout } = await run_('wrk', [
    '-t1',
    `-c${CONNECTIONS}`,
    `-d${seconds}s`,
    '--timeout',
    '60s',
    '-s',
    file,
    url,
  ]);
  const after = await proxy.usage();
  const result = /RESULT (\d+) (\d+) (\d+) (\d+) (\d+)/.exec(stdout);
  if (!result) throw new Error(`wrk printed no result: ${stdout}`);
  const [requests, micros, p50, p99, errors] = result.slice(1).map(Number) as [number, number, number, number, number];
  if (errors > 0 || requests === 0)
    throw new Error(`${proxy.name}, ${load.name}: ${errors} of ${requests} calls failed`);
  return {
    cpuMicros: (after.cpuMicros - before.cpuMicros) / requests,
    rssMib: after.rss / 1024 ** 2,
    perSecond: (requests * 1e6) / micros,
    p50: p50 / 1000,
    p99: p99 / 1000,
  };
}

function row(name: string, metric: string, unit: string, values: readonly number[], peer?: number): Row {
  const sorted = [...values].sort((a, b) => a - b);
  const round = (value: number): number => Math.round(value * 100) / 100;
  const median = sorted[sorted.length >> 1] ?? 0;
  const ratio = peer === undefined ? {} : { ratio: round(median / peer) };
  return {
    name,
    metric,
    unit,
    median: round(median),
    min: round(sorted[0] ?? 0),
    max: round(sorted.at(-1) ?? 0),
    runs: values.length,
    ...ratio,
  };
}

const METRICS: readonly (readonly [metric: string, unit: string, read: (sample: Sample) => number])[] = [
  ['CPU per request', 'us', (sample) => sample.cpuMicros],
  ['requests per second', '1/s', (sample) => sample.perSecond],
  ['latency p50', 'ms', (sample) => sample.p50],
  ['latency p99', 'ms', (sample) => sample.p99],
  ['memory', 'MiB', (sample) => sample.rssMib],
];

function rowsFor(load: Load, samples: ReadonlyMap<string, Sample[]>): Row[] {
  return METRICS.flatMap(([metric, unit, read]) => {
    const bare = row('', metric, unit, (samples.get(BARE) ?? []).map(read)).median;
    return [...samples].map(([name, list]) =>
      row(`${name}: ${load.name}`, metric, unit, list.map(read), name === BARE ? undefined : bare),
    );
  });
}

/** What the bars are about: times as much work for a microsecond, or a second, as the peer of the same run. */
const BARS: readonly (readonly [ours: string, peer: string])[] = [
  [ACCEPTED, 'HAProxy, plain'],
  [ACCEPTED, 'HAProxy, ES256 and a limit'],
  [ACCEPTED, 'HAProxy, RS256 and a limit'],
  [INSPECTED, 'nginx, ModSecurity and CRS'],
];

function barRows(load: Load, samples: ReadonlyMap<string, Sample[]>): Row[] {
  return BARS.flatMap(([ours, peer]) => {
    const mine = samples.get(ours) ?? [];
    // In turns: the nth of one was taken a moment before the nth of the other.
    const pairs = (samples.get(peer) ?? []).flatMap((theirs, turn) =>
      mine[turn] ? [[mine[turn], theirs] as const] : [],
    );
    if (pairs.length === 0) return [];
    const name = `${ours.slice(0, 10)} to ${peer}: ${load.name}`;
    return [
      row(
        name,
        'work for the CPU',
        'x',
        pairs.map(([one, other]) => other.cpuMicros / one.cpuMicros),
      ),
      row(
        name,
        'requests per second',
        'x',
        pairs.map(([one, other]) => one.perSecond / other.perSecond),
      ),
    ];
  });
}

/** Memory of the gateway under steady load, minute by minute. */
async function memoryRows(proxy: Proxy, minutes: number, file: string): Promise<Row[]> {
  const rows: Row[] = [];
  const load = LOADS[1]!; // the heaviest of the small ones
  for (let minute = 1; minute <= minutes; minute++) {
    const { rssMib } = await measure(proxy, load, file, 60);
    rows.push(row(`${proxy.name} after ${minute} min: ${load.name}`, 'memory', 'MiB', [rssMib]));
  }
  return rows;
}

/** The same app under another name, with inspection turned off by a rule that allows everything. */
function variant(id: string, app: Partial<EntryInputOf<'app'>>, envelope: SecretEnvelope): Record<string, unknown> {
  return {
    [`app:${id}`]: sampleEntry('app', {
      ...app,
      id,
      plaintext: 'allow',
      privateAddresses: ['127.0.0.1'],
      credential: { kind: 'bearer', sealed: envelope.seal('vendor-secret', `credential:${id}`) },
    }),
    [`grant:${id}`]: sampleEntry('grant', { id, appId: id, select: [{ kind: 'access', access: 'any' }] }),
    // The most specific class wins, so each class that has a default needs a rule of its own.
    ...Object.fromEntries(
      defaultInspectionRules.map(({ class: name }, index) => [
        `inspection:${id}-${index}`,
        sampleEntry('inspection', { id: `${id}-${index}`, name: 'Allow', class: name, action: 'allow', appId: id }),
      ]),
    ),
  };
}

/**
 * Everything on beside a bare node:http and undici proxy, in turns in one run: CPU microseconds per request of the
 * proxy's process, requests per second and latency by kind of call, then what each step costs. `--minutes=60` watches
 * the memory for an hour afterwards; `--runs=1` is for trying it out.
 */
export async function run(given: readonly string[] = []): Promise<{ rows: Row[] }> {
  const option = (name: string, otherwise: number): number =>
    Number(given.find((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise);
  const [runs, minutes] = [option('runs', RUNS), option('minutes', 0)];
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cordon-bench-'));
  const kek = randomBytes(32);
  const envelope = createSecretEnvelope({ keys: [kek] });
  const { signing, keys } = sampleSigningKey();
  const children: ChildProcess[] = [];
  let stopPeers = (): void => undefined;
  const upstream = await start({ role: 'upstream' });
  children.push(upstream.child);
  const url = `http://127.0.0.1:${upstream.port}`;
  const app = {
    unknownOperations: 'refuse' as const,
    description: { sha256: description.sha256, bytes: description.blob.length },
  };
  const entries = {
    ...sampleEntries({ upstream: url, app: { ...app, name: 'full', validateResponses: 'enforce' } }, envelope),
    ...variant('app-2', { ...app, name: 'valid', upstream: url, validateResponses: 'enforce' }, envelope),
    ...variant(
      'app-3',
      { ...app, name: 'plain', upstream: url, validateRequests: 'off', validateResponses: 'off' },
      envelope,
    ),
    'limit:limit-1': sampleEntry('limit', { rate: { count: 10_000_000, periodMs: 1_000, burst: 10_000_000 } }),
  };
  const snapshot = sampleSnapshot(entries, { createdAt: Date.now() });
  const control = await startControlStub({ snapshot, signing, key: 'bench' });
  control.blobs.set(description.sha256, description.blob);
  const cordon: BenchChild = {
    role: 'cordon',
    control: control.url,
    key: 'bench',
    publicKey: String([...keys.values()][0]?.export({ type: 'spki', format: 'pem' })),
    keyEncryptionKey: kek.toString('base64'),
    dataDir: path.join(folder, 'cordon'),
  };
  try {
    const bare = await start({ role: 'bare', upstream: url });
    children.push(bare.child);
    const full = await start(cordon);
    children.push(full.child);
    const { peers, absent } = await startPeers(folder, url);
    stopPeers = () => peers.forEach((peer) => peer.stop());
    if (absent.length > 0) console.error(`Left out, as it is not installed: ${absent.join(', ')}`);
    const proxies: Proxy[] = [
      ownProxy(BARE, '', bare),
      ...peers.map((peer): Proxy => ({ ...peer, prefix: '' })),
      ownProxy(ACCEPTED, '/plain', full),
      ownProxy(VALIDATED, '/valid', full),
      ownProxy(INSPECTED, '/full', full),
    ];
    const rows: Row[] = [];
    const file = path.join(folder, 'load.lua');
    for (const load of LOADS) {
      const samples = new Map<string, Sample[]>(proxies.map(({ name }) => [name, []]));
      for (const proxy of proxies) {
        await probe(proxy, load);
        await measure(proxy, load, file, WARM_SECONDS);
      }
      for (let turn = 0; turn < runs; turn++) {
        for (const proxy of proxies) samples.get(proxy.name)?.push(await measure(proxy, load, file, SECONDS));
      }
      rows.push(...rowsFor(load, samples), ...barRows(load, samples));
    }
    rows.push(...(await memoryRows(ownProxy(INSPECTED, '/full', full), minutes, file)));
    const observed = await start({ ...cordon, steps: true, dataDir: path.join(folder, 'steps') });
    children.push(observed.child);
    for (const load of LOADS) {
      const proxy = ownProxy('cordon', '/full', observed);
      await measure(proxy, load, file, WARM_SECONDS);
      await usage(observed.child, 'reset');
      await measure(proxy, load, file, SECONDS);
      const { steps } = await usage(observed.child);
      for (const [name, micros] of Object.entries(steps))
        rows.push(row(`step ${name}: ${load.name}`, 'work per request', 'us', [micros]));
    }
    return { rows };
  } finally {
    stopPeers();
    for (const child of children) child.removeAllListeners('exit').kill('SIGKILL');
    await control.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
