import { openRepository, takeSnapshot, verifyRepository } from '@cordon/backup';
import { createRandom, createTestEnvelope, makeRecord, streamOf } from '@cordon/backup/testing';
import { ConfigInvalid, systemClock } from '@cordon/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createObjectStore } from './object-store.ts';
import { startStrictStore, type StrictStore } from './test-strict-store.ts';

const SECRET = 'a secret of these tests';
let server: StrictStore;
let endpoint = '';
beforeAll(async () => {
  server = await startStrictStore({ accessKeyId: 'KEY', secretAccessKey: SECRET, region: 'us-east-1' });
  endpoint = server.endpoint;
});
afterAll(() => server.stop());

const settings = (more = {}) => ({
  url: 's3://backups/cordon',
  endpoint,
  region: 'us-east-1',
  accessKeyId: 'KEY',
  secretAccessKey: SECRET,
  lock: 'none' as const,
  holdMs: 0,
  ...more,
});

describe('a strict stand-in for S3', () => {
  test('keeps a repository: backed up, read again, verified, more than one page of names', async () => {
    const store = createObjectStore(settings(), systemClock);
    const envelope = createTestEnvelope();
    const open = () => openRepository({ store, envelope, clock: systemClock, create: true });
    const records = Array.from({ length: 3_000 }, (_, at) => makeRecord(at));
    const repository = await open();
    const taken = await takeSnapshot(repository, systemClock, {
      subject: 'crm',
      title: 'CRM',
      streams: [streamOf(records)],
    });
    const again = await open();
    expect((await again.entries(await again.snapshot(taken.id))).size).toBe(3_000);
    expect((await verifyRepository(again, { sample: 1, random: createRandom(1) })).problems).toEqual([]);
    for (let at = 0; at < 1_005; at++) await store.put(`many/${at}`, Buffer.from('x'));
    expect((await Array.fromAsync(store.list('many/'))).length).toBe(1_005);
    expect((await store.get('many/7', { start: 0, end: 1 })).toString()).toBe('x');
    expect(await store.remove('many/7')).toBe('removed');
    await expect(store.get('many/7')).rejects.toMatchObject({ code: 'backup.object_missing' });
  });

  test('what is held can not be removed, and pruning says so', async () => {
    const held = createObjectStore(settings({ url: 's3://backups/held', lock: 'compliance' }), systemClock);
    await held.put('packs/x', Buffer.from('x'), { retainUntil: Date.now() + 60_000 });
    expect(await held.remove('packs/x')).toBe('held');
    expect((await held.get('packs/x')).toString()).toBe('x');
  });

  test('refuses a wrong secret, and the answer is no backup that seems to work', async () => {
    const store = createObjectStore(settings({ secretAccessKey: 'wrong' }), systemClock);
    await expect(store.put('packs/x', Buffer.from('x'))).rejects.toMatchObject({ code: 'backup.store_failed' });
  });
});

test('a store without its keys is refused', () => {
  expect(() => createObjectStore(settings({ accessKeyId: '' }), systemClock)).toThrow(ConfigInvalid);
});

test.each([
  ['file:/var/backups', 'file:/var/backups'],
  ['file:///var/backups', 'file:/var/backups'],
])('%s is a folder', (url, place) => {
  expect(createObjectStore(settings({ url }), systemClock).place).toBe(place);
});
