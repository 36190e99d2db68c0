import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { openRepository, takeSnapshot, verifyRepository } from '@cordon/backup';
import { createRandom, createTestEnvelope, makeRecord, streamOf } from '@cordon/backup/testing';
import { signAws } from '@cordon/gateway';
import { systemClock } from '@cordon/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createObjectStore } from './object-store.ts';

/** Somebody else's S3: moto's server (Apache-2.0, `pip install 'moto[server]'`), with versions and object lock. */
const found = spawnSync('moto_server', ['--help'], { timeout: 30_000 }).status === 0;
const KEYS = { accessKeyId: 'KEY', secretAccessKey: 'SECRET' };
const REGION = 'us-east-1';
const WAIT_MS = 100;
const WAITS_MAX = 300;
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

/** What an administrator does once, with a tool of the store's own. */
async function ask(method: string, path: string, more: readonly (readonly [string, string])[] = []): Promise<Response> {
  const now = Date.now();
  const payloadHash = createHash('sha256').update('').digest('hex');
  const date = new Date(now).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const headers: (readonly [string, string])[] = [
    ['host', new URL(endpoint).host],
    ['x-amz-content-sha256', payloadHash],
    ['x-amz-date', date],
    ...more,
  ];
  const authorization = signAws({ method, path, headers, payloadHash }, KEYS, {
    region: REGION,
    service: 's3',
    now,
    literalPath: true,
  });
  return fetch(`${endpoint}${path}`, { method, headers: { ...Object.fromEntries(headers.slice(1)), authorization } });
}

beforeAll(async () => {
  if (!found) return;
  endpoint = `http://127.0.0.1:${await freePort()}`;
  server = spawn('moto_server', ['-H', '127.0.0.1', '-p', new URL(endpoint).port], { stdio: 'ignore' });
  for (let waits = 0; waits < WAITS_MAX; waits++) {
    if (
      await fetch(endpoint).then(
        () => true,
        () => false,
      )
    )
      break;
    await setTimeout(WAIT_MS);
  }
  await ask('PUT', '/backups');
  await ask('PUT', '/locked', [['x-amz-bucket-object-lock-enabled', 'true']]);
});
afterAll(async () => {
  if (!server || server.exitCode !== null) return;
  const ended = once(server, 'exit');
  server.kill();
  await ended;
});

const settings = (more = {}) => ({
  url: 's3://backups/cordon',
  endpoint,
  region: REGION,
  ...KEYS,
  lock: 'none' as const,
  holdMs: 0,
  ...more,
});

describe.skipIf(!found)("another project's S3 server (skipped: moto_server is not installed)", () => {
  test('keeps a repository: backed up, read again, verified', async () => {
    const store = createObjectStore(settings(), systemClock);
    const envelope = createTestEnvelope();
    const open = () => openRepository({ store, envelope, clock: systemClock, create: true });
    const records = Array.from({ length: 3_000 }, (_, at) => makeRecord(at));
    const streams = [streamOf(records)];
    const taken = await takeSnapshot(await open(), systemClock, { subject: 'crm', title: 'CRM', streams });
    const again = await open();
    expect((await again.entries(await again.snapshot(taken.id))).size).toBe(3_000);
    expect((await verifyRepository(again, { sample: 1, random: createRandom(1) })).problems).toEqual([]);
  });

  test('gives parts, lists in pages, and forgets', async () => {
    const store = createObjectStore(settings(), systemClock);
    for (let from = 0; from < 1_005; from += 15) {
      await Promise.all(Array.from({ length: 15 }, (_, at) => store.put(`many/${from + at}`, Buffer.from('xyz'))));
    }
    expect((await Array.fromAsync(store.list('many/'))).length).toBe(1_005);
    expect((await store.get('many/7', { start: 1, end: 3 })).toString()).toBe('yz');
    expect(await store.remove('many/7')).toBe('removed');
    await expect(store.get('many/7')).rejects.toMatchObject({ code: 'backup.object_missing' });
  });

  test('holds what it was told to hold: the version stays, and nobody can delete it', async () => {
    const store = createObjectStore(settings({ url: 's3://locked/cordon', lock: 'compliance' }), systemClock);
    await store.put('packs/x', Buffer.from('kept'), { retainUntil: Date.now() + 3_600_000 });
    await store.remove('packs/x');
    const versions = await (await ask('GET', '/locked?versions=')).text();
    const version = /<Version>.*?<VersionId>([^<]+)<\/VersionId>/s.exec(versions)?.[1] ?? '';
    expect(version).not.toBe('');
    const refused = await ask('DELETE', `/locked/cordon/packs/x?versionId=${version}`);
    expect(refused.status).toBe(403);
    const still = await ask('GET', `/locked/cordon/packs/x?versionId=${version}`);
    expect(await still.text()).toBe('kept');
  });
});
