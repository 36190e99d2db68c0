import { type ChildProcess, execFile, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { sampleEntries, startControlStub, TEST_TOKEN } from '@cordon/gateway/testing';
import { createSecretEnvelope, type SecretEnvelope } from '@cordon/kernel';
import { compileDescription } from '@cordon/openapi';
import { defaultInspectionRules, type EntryInputOf } from '@cordon/policy';
import { sampleEntry, sampleSigningKey, sampleSnapshot } from '@cordon/policy/testing';
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

interface Proxy {
  readonly name: string;
  readonly prefix: string;
  readonly child: ChildProcess;
  readonly port: number;
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

/** wrk's script for one kind of call, with a summary that a program can read. */
function script(load: Load): string {
  const body =
    load.body === undefined ? '' : `wrk.body = [=[${load.body}]=]\nwrk.headers["Content-Type"] = "application/json"\n`;
  return `wrk.method = "${load.method}"\nwrk.headers["Authorization"] = "Bearer ${TEST_TOKEN}"\n${body}
done = function(summary, latency)
  local errors = summary.errors
  print(string.format("RESULT %d %d %d %d %d", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end\n`;
}

/** One call beforehand: a benchmark of refusals would be a fine one, but not this one. */
async function probe(proxy: Proxy, load: Load): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${proxy.port}${proxy.prefix}${load.path}`, {
    method: load.method,
    headers: { authorization: `Bearer ${TEST_TOKEN}`, 'content-type': 'application/json' },
    ...(load.body === undefined ? {} : { body: load.body }),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${proxy.name}, ${load.name}: ${response.status} ${text}`);
}

async function measure(proxy: Proxy, load: Load, file: string, seconds: number): Promise<Sample> {
  const before = await usage(proxy.child);
  const url = `http://127.0.0.1:${proxy.port}${proxy.prefix}${load.path}`;
  const { stdout } = await run_('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', file, url]);
  const after = await usage(proxy.child);
  const result = /RESULT (\d+) (\d+) (\d+) (\d+) (\d+)/.exec(stdout);
  if (!result) throw new Error(`wrk printed no result: ${stdout}`);
  const [requests, micros, p50, p99, errors] = result.slice(1).map(Number) as [number, number, number, number, number];
  if (errors > 0 || requests === 0)
    throw new Error(`${proxy.name}, ${load.name}: ${errors} of ${requests} calls failed`);
  return {
    cpuMicros: (after.cpuMicros - before.cpuMicros) / requests,
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
];

function rowsFor(load: Load, samples: ReadonlyMap<string, Sample[]>): Row[] {
  return METRICS.flatMap(([metric, unit, read]) => {
    const bare = row('', metric, unit, (samples.get('bare') ?? []).map(read)).median;
    return [...samples].map(([name, list]) =>
      row(`${name}: ${load.name}`, metric, unit, list.map(read), name === 'bare' ? undefined : bare),
    );
  });
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
 * proxy's process, requests per second and latency by kind of call, then what each step costs.
 */
export async function run(): Promise<{ rows: Row[] }> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cordon-bench-'));
  const kek = randomBytes(32);
  const envelope = createSecretEnvelope({ keys: [kek] });
  const { signing, keys } = sampleSigningKey();
  const children: ChildProcess[] = [];
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
    const proxies: Proxy[] = [
      { name: 'bare', prefix: '', ...bare },
      { name: 'cordon (a) token, policy, limit, record', prefix: '/plain', ...full },
      { name: 'cordon (b) and validation', prefix: '/valid', ...full },
      { name: 'cordon (c) and inspection both ways', prefix: '/full', ...full },
    ];
    const rows: Row[] = [];
    for (const load of LOADS) {
      const file = path.join(folder, 'load.lua');
      fs.writeFileSync(file, script(load));
      const samples = new Map<string, Sample[]>(proxies.map(({ name }) => [name, []]));
      for (const proxy of proxies) {
        await probe(proxy, load);
        await measure(proxy, load, file, WARM_SECONDS);
      }
      for (let turn = 0; turn < RUNS; turn++) {
        for (const proxy of proxies) samples.get(proxy.name)?.push(await measure(proxy, load, file, SECONDS));
      }
      rows.push(...rowsFor(load, samples));
    }
    const observed = await start({ ...cordon, steps: true, dataDir: path.join(folder, 'steps') });
    children.push(observed.child);
    for (const load of LOADS) {
      const file = path.join(folder, 'load.lua');
      fs.writeFileSync(file, script(load));
      const proxy = { name: 'cordon', prefix: '/full', ...observed };
      await measure(proxy, load, file, WARM_SECONDS);
      await usage(observed.child, 'reset');
      await measure(proxy, load, file, SECONDS);
      const { steps } = await usage(observed.child);
      for (const [name, micros] of Object.entries(steps))
        rows.push(row(`step ${name}: ${load.name}`, 'work per request', 'us', [micros]));
    }
    return { rows };
  } finally {
    for (const child of children) child.removeAllListeners('exit').kill('SIGKILL');
    await control.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
