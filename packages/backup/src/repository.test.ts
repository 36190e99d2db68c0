import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeClock } from '@cordon/kernel/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeRecord, recordKey } from './backup-record.ts';
import { KeyMissing, RepositoryBusy, SourceFailed } from './errors.ts';
import { createFolderStore } from './folder-store.ts';
import type { ObjectStore } from './object-store.ts';
import { chooseForgotten, pruneRepository, retention } from './prune.ts';
import { openRepository, type Repository } from './repository.ts';
import { takeSnapshot, type SourceStream } from './take-snapshot.ts';
import { createRandom, createTestEnvelope, makeRecord, streamOf } from './testing.ts';
import { verifyRepository } from './verify.ts';

const COUNT = 5_000;
const HOUR_MS = 3_600_000;
const KEEP_ONE = retention.parse({ last: 1, daily: 0, weekly: 0, monthly: 0 });
let root = '';
const clock = createFakeClock();
const envelope = createTestEnvelope();
const random = createRandom(1);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'backup-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const store = () => createFolderStore(join(root, 'repository'));
const open = (options: { indexFile?: string; over?: ObjectStore } = {}): Promise<Repository> =>
  openRepository({
    store: options.over ?? store(),
    envelope,
    clock,
    create: true,
    indexFile: options.indexFile ?? null,
  });

function* records(count: number, changed: ReadonlySet<number> = new Set()) {
  for (let at = 0; at < count; at++) yield makeRecord(at, changed.has(at) ? 1 : 0);
}
const onePercent = new Set(Array.from({ length: COUNT / 100 }, (_, at) => at * 97));

function snap(repository: Repository, streams: readonly SourceStream[]) {
  clock.advance(HOUR_MS);
  return takeSnapshot(repository, clock, { subject: 'crm', title: 'CRM', streams });
}

async function contents(repository: Repository, id: string): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  for (const blob of (await repository.entries(await repository.snapshot(id))).values()) {
    const record = decodeRecord(await repository.readBlob(blob));
    found.set(record.id, record);
  }
  return found;
}

const bytesOf = async (): Promise<number> => {
  const all = await Array.fromAsync(store().list('packs/'));
  return all.reduce((sum, { bytes }) => sum + bytes, 0);
};

describe('snapshots', () => {
  test('1% changed costs about 1%, and each snapshot gives back exactly its own records', async () => {
    const repository = await open();
    const first = await snap(repository, [streamOf(records(COUNT))]);
    const full = await bytesOf();
    const second = await snap(repository, [streamOf(records(COUNT, onePercent))]);
    const step = (await bytesOf()) - full;
    expect(step / full).toBeLessThan(0.025);
    expect(second).toMatchObject({ added: 0, changed: onePercent.size, removed: 0, records: COUNT });
    const again = await open();
    const [old, young] = [await contents(again, first.id), await contents(again, second.id)];
    expect([...old.values()]).toEqual(expect.arrayContaining([makeRecord(97)]));
    expect(young.size).toBe(COUNT);
    for (const record of records(COUNT, onePercent)) expect(young.get(record.id)).toEqual(record);
    for (const record of records(COUNT)) expect(old.get(record.id)).toEqual(record);
  });

  test('nothing changed costs no pack', async () => {
    const repository = await open();
    await snap(repository, [streamOf(records(200))]);
    const before = await bytesOf();
    expect(await snap(repository, [streamOf(records(200))])).toMatchObject({ added: 0, changed: 0, storedBytes: 0 });
    expect(await bytesOf()).toBe(before);
  });

  test('what is not read in a read of changes stays, in a whole read it is gone, and a failed read keeps all', async () => {
    const repository = await open();
    await snap(repository, [streamOf(records(10))]);
    expect(await snap(repository, [streamOf([makeRecord(3, 1)], 'changes')])).toMatchObject({
      records: 10,
      changed: 1,
    });
    const failing: SourceStream = {
      name: 'contacts',
      mode: 'whole',
      async *records() {
        yield { record: makeRecord(99) };
        throw new SourceFailed('The role may not read contacts.');
      },
    };
    const failed = await snap(repository, [failing]);
    expect(failed).toMatchObject({ records: 11, removed: 0 });
    expect(failed.streams[0]?.notRead).toContain('may not read');
    expect(await snap(repository, [streamOf(records(4))])).toMatchObject({ records: 4, removed: 7 });
    const deleted: SourceStream = {
      ...streamOf([], 'changes'),
      async *records() {
        yield { record: makeRecord(1), deleted: true };
      },
    };
    expect(await snap(repository, [deleted])).toMatchObject({ records: 3, removed: 1 });
  });

  test('a pack tells nothing without the key', async () => {
    const repository = await open();
    await snap(repository, [streamOf(records(50))]);
    for (const folder of await readdir(join(root, 'repository'))) {
      for (const file of await readdir(join(root, 'repository', folder))) {
        const text = await readFile(join(root, 'repository', folder, file), 'latin1');
        for (const secret of ['person.7', 'contact', 'C0000', 'CRM', 'crm']) expect(text).not.toContain(secret);
      }
    }
    await expect(openRepository({ store: store(), envelope: createTestEnvelope(), clock })).rejects.toThrow(
      'not in the key file',
    );
    await expect(openRepository({ store: createFolderStore(join(root, 'none')), envelope, clock })).rejects.toThrow(
      KeyMissing,
    );
  });

  test('two writers at once: one is refused; a dead one is waited for ten minutes', async () => {
    const [one, other] = [await open(), await open()];
    await one.lock('a backup that died');
    await expect(snap(other, [streamOf(records(1))])).resolves.toBeDefined(); // an hour later
    const held = await one.lock('a backup');
    await expect(takeSnapshot(other, clock, { subject: 'crm', title: 'CRM', streams: [] })).rejects.toThrow(
      RepositoryBusy,
    );
    await held.release();
  });
});

describe('index', () => {
  test('is not needed: the packs tell it again', async () => {
    const indexFile = join(root, 'index.cache');
    const first = await open({ indexFile });
    const { id } = await snap(first, [streamOf(records(COUNT))]);
    const warm = await open({ indexFile });
    expect(warm.readAtOpen).toBe(0);
    await rm(indexFile);
    const cold = await open({ indexFile });
    expect(cold.readAtOpen).toBe(first.packs.size);
    expect((await contents(cold, id)).size).toBe(COUNT);
    await writeFile(indexFile, 'no index at all');
    expect((await contents(await open({ indexFile }), id)).size).toBe(COUNT);
  });
});

describe('verification', () => {
  async function flip(pack: string, at: number): Promise<void> {
    const path = join(root, 'repository', 'packs', pack);
    const bytes = await readFile(path);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(path, bytes);
  }

  test('is quiet on a sound repository', async () => {
    const repository = await open();
    await snap(repository, [streamOf(records(500))]);
    expect(await verifyRepository(repository, { sample: 1, random })).toMatchObject({ problems: [], recordsRead: 501 });
  });

  test.each([
    ['the first block', (_size: number) => 40],
    ['a block in the middle', (size: number) => Math.floor(size / 3)],
  ])('finds one flipped bit in %s and names pack and records', async (_where, place) => {
    const repository = await open();
    const { id } = await snap(repository, [streamOf(records(COUNT))]);
    const [pack] = [...repository.packs.values()];
    if (!pack) throw new Error('no pack');
    await flip(pack.id, place(pack.bytes));
    const report = await verifyRepository(await open(), { sample: 1, random });
    expect(report.problems).toHaveLength(1);
    const [problem] = report.problems;
    expect(problem).toMatchObject({ pack: pack.id, snapshots: [id] });
    expect(problem?.records.length).toBeGreaterThan(0);
    expect(problem?.records.length).toBeLessThan(COUNT / 10);
    expect(problem?.records[0]?.id).toMatch(/^C\d{8}$/);
    expect(report.snapshots).toEqual([{ id, subject: 'crm', ok: false }]);
  });

  test.each([
    ['the list', (size: number) => size - 400],
    ['the foot', (size: number) => size - 2],
  ])('finds a flipped bit in %s of a pack', async (_where, place) => {
    const repository = await open();
    const { id } = await snap(repository, [streamOf(records(300))]);
    const [pack] = [...repository.packs.values()];
    if (!pack) throw new Error('no pack');
    await flip(pack.id, place(pack.bytes));
    const known = await verifyRepository(repository, { sample: 1, random });
    expect(known.problems.map((one) => one.pack)).toContain(pack.id);
    const fresh = await verifyRepository(await open(), { sample: 1, random });
    expect(fresh.problems.length).toBeGreaterThan(0);
    expect(fresh.snapshots).toEqual([{ id, subject: 'crm', ok: false }]);
  });

  test('a changed manifest and a lost pack are found, whatever the sample', async () => {
    const repository = await open();
    const { id } = await snap(repository, [streamOf(records(300))]);
    const path = join(root, 'repository', 'snapshots', id);
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(0, bytes.length - 30));
    const report = await verifyRepository(await open(), { sample: 0.1, random });
    expect(report.problems[0]?.what).toContain(id);
    await writeFile(path, bytes);
    for (const pack of repository.packs.keys()) await rm(join(root, 'repository', 'packs', pack));
    expect((await verifyRepository(await open(), { sample: 0.1, random })).snapshots[0]?.ok).toBe(false);
  });

  test('a snapshot’s record can’t be passed off as another’s', async () => {
    const repository = await open();
    const { root: merkle } = await snap(repository, [streamOf(records(20))]);
    const key = recordKey(repository.keys, makeRecord(1));
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect((await snap(repository, [streamOf(records(20, new Set([1])))])).root).not.toBe(merkle);
    expect((await snap(repository, [streamOf(records(20))])).root).toBe(merkle);
  });
});

describe('pruning', () => {
  test('gives back what only forgotten snapshots needed, and keeps the rest readable', async () => {
    const repository = await open();
    await snap(repository, [streamOf(records(COUNT))]);
    const { id } = await snap(repository, [streamOf(records(COUNT / 10))]);
    const before = await bytesOf();
    const report = await pruneRepository(repository, clock, { policyOf: () => KEEP_ONE });
    expect(report.forgotten).toHaveLength(1);
    expect(await bytesOf()).toBeLessThan(before / 4);
    const after = await open();
    expect((await contents(after, id)).size).toBe(COUNT / 10);
    expect((await verifyRepository(after, { sample: 1, random })).problems).toEqual([]);
  });

  test('keeps one of each day, week and month', async () => {
    const repository = await open();
    for (let day = 0; day < 40; day++) {
      clock.advance(23 * HOUR_MS);
      await snap(repository, [streamOf(records(1))]);
    }
    const all = await repository.snapshots('crm');
    const policy = retention.parse({ last: 2, daily: 3, weekly: 2, monthly: 2 });
    const gone = chooseForgotten(all, policy);
    expect(all.length - gone.length).toBeGreaterThanOrEqual(4);
    expect(all.length - gone.length).toBeLessThanOrEqual(9);
    expect(gone).not.toContain(all.at(-1));
  });

  test('new keys: what was sealed before opens, and after resealing the old key is gone', async () => {
    const first = await open();
    const { id } = await snap(first, [streamOf(records(300))]);
    const old = first.keys.current;
    const younger = createTestEnvelope(envelope.key);
    const moved = await openRepository({ store: store(), envelope: younger, clock });
    await moved.rotate({ fresh: true });
    expect(moved.keys.current).not.toBe(old);
    const youngest = createTestEnvelope(younger.key);
    const alone = await openRepository({ store: store(), envelope: youngest, clock });
    expect((await contents(alone, id)).size).toBe(300);
    await pruneRepository(alone, clock, { policyOf: () => null, reseal: true });
    const last = await openRepository({ store: store(), envelope: youngest, clock });
    expect((await contents(last, id)).size).toBe(300);
    expect([...last.packs.values()].map(({ keyId }) => keyId)).not.toContain(old);
    expect(() => last.keys.key(old)).toThrow(KeyMissing);
  });
});

describe('a crash at any write or removal', () => {
  /** Dies at the n-th change of the store, before or after it took effect. */
  function dying(n: number, after: boolean): ObjectStore {
    const inner = store();
    let left = n;
    const guard = async <T>(act: () => Promise<T>): Promise<T> => {
      left -= 1;
      if (left === 0 && !after) throw new Error('killed');
      if (left < 0) throw new Error('dead');
      const done = await act();
      if (left === 0) throw new Error('killed');
      return done;
    };
    return {
      ...inner,
      put: (...args) => guard(() => inner.put(...args)),
      remove: (name) => guard(() => inner.remove(name)),
    };
  }

  test.each([false, true])('leaves a repository that can be read and used (after the act: %s)', async (after) => {
    const prepared = await open();
    const { id: first } = await snap(prepared, [streamOf(records(600))]);
    const { id: second } = await snap(prepared, [streamOf(records(60))]);
    let finished = false;
    for (let n = 1; !finished; n++) {
      const broken = await openRepository({ store: dying(n, after), envelope, clock });
      clock.advance(HOUR_MS);
      const work = async (): Promise<void> => {
        await takeSnapshot(broken, clock, {
          subject: 'crm',
          title: 'CRM',
          streams: [streamOf(records(60, new Set([n])))],
        });
        await broken.rotate({ fresh: true });
        await pruneRepository(broken, clock, { policyOf: () => KEEP_ONE, reseal: true });
      };
      finished = await work().then(
        () => true,
        () => false,
      );
      clock.advance(HOUR_MS);
      const sound = await openRepository({ store: store(), envelope, clock });
      const report = await verifyRepository(sound, { sample: 1, random });
      expect(report.problems).toEqual([]);
      const newest = (await sound.snapshots('crm')).at(-1);
      expect((await contents(sound, newest?.id ?? '')).size).toBe(60);
      // Until something newer is whole, the first is as it was.
      const older = newest?.id === second ? await contents(sound, first) : null;
      expect(older?.size ?? 600).toBe(600);
      expect(n).toBeLessThan(60);
    }
    expect(finished).toBe(true);
  });
});
