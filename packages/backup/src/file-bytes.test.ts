import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeClock } from '@cordon/kernel/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BackupRecord } from './backup-record.ts';
import { browse } from './browse.ts';
import { SourceFailed } from './errors.ts';
import { readFileBytes, readFileFacts } from './file-bytes.ts';
import { createFolderStore } from './folder-store.ts';
import { openRepository, type Repository } from './repository.ts';
import { takeSnapshot } from './take-snapshot.ts';
import { createRandom, createTestEnvelope } from './testing.ts';
import { verifyRepository } from './verify.ts';

const clock = createFakeClock();
const record: BackupRecord = {
  stream: 'files',
  object: 'file',
  id: 'F1',
  parentId: null,
  title: 'plan.pdf',
  updatedAt: null,
  content: null,
  facts: { bytes: 700_001 },
};
let root = '';
let repository: Repository;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'files-'));
  const store = createFolderStore(root);
  repository = await openRepository({ store, envelope: createTestEnvelope(), clock, create: true });
});
afterEach(() => rm(root, { recursive: true, force: true }));

function bytesOf(seed: number): Buffer {
  const random = createRandom(seed);
  return Buffer.from(Array.from({ length: 700_001 }, () => Math.floor(random() * 256)));
}

/** A snapshot of one file; counts how often its bytes were read. */
async function take(version: string, bytes: Buffer, reads: string[], fails = false) {
  clock.advance(1_000);
  const file = {
    version,
    async *read() {
      reads.push(version);
      // Pieces of a size that fits nothing else.
      for (let at = 0; at < bytes.length; at += 100_003) {
        if (fails && at > 300_000) throw new SourceFailed('The tool hung up.');
        yield bytes.subarray(at, at + 100_003);
      }
    },
  };
  return takeSnapshot(repository, clock, {
    subject: 'app',
    title: 'App',
    streams: [
      {
        name: 'files',
        mode: 'whole',
        async *records() {
          yield { record, file };
        },
      },
    ],
  });
}

async function readBack(manifest: Awaited<ReturnType<typeof take>>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of readFileBytes(repository, manifest, record)) parts.push(Uint8Array.from(part));
  return Buffer.concat(parts);
}

test('bytes come back equal, of each version, and are read once for each', async () => {
  const reads: string[] = [];
  const [one, two] = [bytesOf(1), bytesOf(2)];
  const first = await take('1', one, reads);
  const same = await take('1', one, reads);
  const other = await take('2', two, reads);
  expect(reads).toEqual(['1', '2']);
  expect((await readBack(first)).equals(one)).toBe(true);
  expect((await readBack(same)).equals(one)).toBe(true);
  expect((await readBack(other)).equals(two)).toBe(true);
  expect(same.changed + same.added + same.removed).toBe(0);
  const facts = await readFileFacts(repository, other, record);
  expect(facts).toMatchObject({ bytes: 700_001, sha256: createHash('sha256').update(two).digest('hex'), parts: 3 });
  expect((await verifyRepository(repository, { sample: 1, random: createRandom(1) })).problems).toEqual([]);
});

test('a file that breaks off is named, its record is kept, and the next snapshot tries again', async () => {
  const reads: string[] = [];
  const broken = await take('1', bytesOf(1), reads, true);
  expect((await readFileFacts(repository, broken, record))?.notRead).toBe('The tool hung up.');
  await expect(readBack(broken)).rejects.toThrow('The tool hung up.');
  const whole = await take('1', bytesOf(1), reads);
  expect((await readBack(whole)).equals(bytesOf(1))).toBe(true);
  expect(reads).toEqual(['1', '1']);
});

test('parts are no records: nobody browses or restores them', async () => {
  const manifest = await take('1', bytesOf(1), []);
  const page = await browse(repository, manifest, { offset: 0, limit: 50 });
  expect(page.items.map(({ object, id }) => [object, id])).toEqual([['file', 'F1']]);
});
