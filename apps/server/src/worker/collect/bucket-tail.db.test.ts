import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { setTimeout } from 'node:timers/promises';
import {
  collectInput,
  createSourceCommands,
  detectionMigrations,
  listCollecting,
  type SourceRecord,
  sourceInput,
} from '@cordon/detection';
import { signAws } from '@cordon/gateway';
import { type Actor, createSecretEnvelope, kernelMigrations, migrate, readAudit, systemClock } from '@cordon/kernel';
import { createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { tailBucket } from './bucket-tail.ts';

/** Somebody else's S3: moto's server (Apache-2.0, `pip install 'moto[server]'`). */
const found = spawnSync('moto_server', ['--help'], { timeout: 30_000 }).status === 0;
const KEYS = { accessKeyId: 'KEY', secretAccessKey: 'SECRET-OF-THE-BUCKET' };
const REGION = 'us-east-1';
const ADA: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['security'] };
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 8)] });
let data: TestDatabase;
let server: ChildProcess | null = null;
let endpoint = '';

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

/** What the vendor that exports does, with a tool of its own. */
async function ask(method: string, path: string, body: Buffer | string = ''): Promise<number> {
  const payloadHash = createHash('sha256').update(body).digest('hex');
  const now = Date.now();
  const headers: [string, string][] = [
    ['host', new URL(endpoint).host],
    ['x-amz-content-sha256', payloadHash],
    ['x-amz-date', new Date(now).toISOString().replaceAll(/[-:]|\.\d{3}/g, '')],
  ];
  const settings = { region: REGION, service: 's3', now, literalPath: true };
  const authorization = signAws({ method, path, headers, payloadHash }, KEYS, settings);
  const sent = { ...Object.fromEntries(headers.slice(1)), authorization };
  const init = { method, headers: sent, ...(method === 'PUT' && { body: Buffer.from(body) }) };
  const answer = await fetch(`${endpoint}${path}`, init);
  await answer.arrayBuffer();
  return answer.status;
}

beforeAll(async () => {
  data = await createTestDatabase();
  await migrate(data.db, [kernelMigrations, detectionMigrations]);
  if (!found) return;
  endpoint = `http://127.0.0.1:${await freePort()}`;
  server = spawn('moto_server', ['-H', '127.0.0.1', '-p', new URL(endpoint).port], { stdio: 'ignore' });
  for (let waits = 0; waits < 300; waits++) {
    const up = await fetch(endpoint).then(
      () => true,
      () => false,
    );
    if (up) break;
    await setTimeout(100);
  }
  await ask('PUT', '/logs');
}, 60_000);
afterAll(async () => {
  server?.kill('SIGTERM');
  await data.drop();
});

let taken: SourceRecord[] = [];
let failing = false;
beforeEach(() => {
  taken = [];
  failing = false;
});
const ingest = {
  take: async (_source: unknown, records: readonly SourceRecord[]) => {
    if (failing) throw new Error('the lake is away');
    taken.push(...records);
    return { accepted: records.length, duplicates: 0, failed: [] };
  },
  replay: async () => 0,
};

const commands = () =>
  createSourceCommands({
    db: data.db,
    clock: systemClock,
    envelope,
    random: (bytes) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))),
    knowsProduct: () => true,
  });
const bucket = (more: object = {}) =>
  collectInput.parse({
    kind: 's3',
    endpoint,
    region: REGION,
    bucket: 'logs',
    prefix: 'okta/2026',
    accessKeyId: KEYS.accessKeyId,
    privateAddresses: ['127.0.0.1'],
    ...more,
  });

async function tail(id: string) {
  const one = (await listCollecting(data.db)).find(({ source }) => source.id === id);
  if (one?.collect.kind !== 's3') throw new Error('the source is gone');
  return tailBucket({ db: data.db, ingest, envelope, clock: systemClock }, one.source, one.collect, one.sealed);
}
const texts = () => taken.map(({ text }) => (JSON.parse(text) as { n: number }).n);

describe.skipIf(!found)('a prefix of a bucket', () => {
  test('is read once, in order, with what comes later and what fails in between', async () => {
    await ask('PUT', '/logs/okta/2026/11/22/a.json', '{"n":1}\n{"n":2}\n');
    await ask('PUT', '/logs/okta/2026/11/23/b.json.gz', gzipSync('[{"n":3},{"n":4}]'));
    await ask('PUT', '/logs/okta/2025/old.json', '{"n":0}\n');
    await ask('PUT', '/logs/okta/2026/empty/', '');
    const input = { name: 'bucket', product: 'okta', collect: bucket(), collectSecret: KEYS.secretAccessKey };
    const { source } = await commands().create(ADA, sourceInput.parse(input));
    failing = true;
    await expect(tail(source.id)).rejects.toThrow('the lake is away');
    failing = false;
    expect(await tail(source.id)).toEqual({ taken: 2, waiting: 0 });
    expect(texts()).toEqual([1, 2, 3, 4]);
    expect(await tail(source.id)).toEqual({ taken: 0, waiting: 0 });
    await ask('PUT', '/logs/okta/2026/11/24/c.json', '{"n":5}\n');
    expect(await tail(source.id)).toEqual({ taken: 1, waiting: 0 });
    expect(texts()).toEqual([1, 2, 3, 4, 5]);
    // The key is nowhere in clear: not in the row, not in the trail, not in what is shown.
    const kept = JSON.stringify([
      await readAudit(data.db, { limit: 50 }),
      await data.db.tables<{ event_source: { id: string } }>().selectFrom('event_source').selectAll().execute(),
      source,
    ]);
    expect(kept.includes(KEYS.secretAccessKey)).toBe(false);
  });

  test('a bucket that is not there, and one of more than a page of objects', async () => {
    const gone = { name: 'gone', product: 'okta', collect: bucket({ bucket: 'nothing' }), collectSecret: 'x' };
    const { source } = await commands().create(ADA, sourceInput.parse(gone));
    await expect(tail(source.id)).rejects.toThrow('404');
    await Promise.all(
      Array.from({ length: 20 }, (_, row) =>
        Promise.all(
          Array.from({ length: 55 }, (_, at) => ask('PUT', `/logs/many/${row}-${at}.json`, `{"n":${row * 55 + at}}`)),
        ),
      ),
    );
    const many = {
      name: 'many',
      product: 'okta',
      collect: bucket({ prefix: 'many' }),
      collectSecret: KEYS.secretAccessKey,
    };
    const made = await commands().create(ADA, sourceInput.parse(many));
    const rounds = [await tail(made.source.id), await tail(made.source.id), await tail(made.source.id)];
    expect(rounds.map(({ waiting }) => waiting)).toEqual([600, 100, 0]);
    expect(new Set(texts()).size).toBe(1_100);
  }, 60_000);
});

test.each([
  ['no key', { collect: { ...base(), endpoint: 'https://s3.example.com' } }, 'secret key'],
  [
    'plain HTTP on the open network',
    { collect: { ...base(), endpoint: 'http://s3.example.com' }, collectSecret: 'x' },
    'https',
  ],
])('%s is refused', async (_why, input, said) => {
  const source = sourceInput.parse({ name: 'odd', product: 'okta', ...input });
  await expect(commands().create(ADA, source)).rejects.toThrow(said);
});

function base() {
  return { kind: 's3', region: REGION, bucket: 'logs', prefix: '', accessKeyId: 'K' };
}
