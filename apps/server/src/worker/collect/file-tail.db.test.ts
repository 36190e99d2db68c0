import { appendFile, mkdir, mkdtemp, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  createSourceCommands,
  detectionMigrations,
  loadSourceCredential,
  type SourceCredential,
  type SourceRecord,
} from '@cordon/detection';
import { type Actor, createSecretEnvelope, kernelMigrations, migrate } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SourceIngest } from '../source-ingest.ts';
import { CollectRefused, tailFiles } from './file-tail.ts';

const ADA: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['owner'] };
const clock = createFakeClock(Date.now() + 3_600_000);

let home: TestDatabase;
let folder: string;
let source: SourceCredential;
let taken: SourceRecord[];
/** Fails this many deliveries, as a lake that is away does. */
let failing: number;

const ingest: SourceIngest = {
  async take(_source, records) {
    if (failing > 0) {
      failing -= 1;
      throw new Error('the lake is away');
    }
    taken.push(...records);
    return { accepted: records.length, duplicates: 0, failed: [] };
  },
  replay: async () => 0,
};

beforeEach(async () => {
  home = await createTestDatabase();
  await migrate(home.db, [kernelMigrations, detectionMigrations]);
  folder = await mkdtemp(join(tmpdir(), 'cordon-tail-'));
  [taken, failing] = [[], 0];
  source = await makeSource('okta');
});
afterEach(async () => {
  await home.drop();
  await rm(folder, { recursive: true, force: true });
});

const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 6)] });

async function makeSource(product: string): Promise<SourceCredential> {
  const random = (bytes: number) => Buffer.from(Array.from({ length: bytes }, () => Math.floor(Math.random() * 256)));
  const commands = createSourceCommands({ db: home.db, clock, envelope, random, knowsProduct: () => true });
  const made = await commands.create(ADA, { name: `files-${product}`, product, rateMax: 5_000 });
  const found = await loadSourceCredential(home.db, made.source.id);
  if (!found) throw new Error('the source is gone');
  return found;
}

const at = (name: string): string => join(folder, name);
const line = (n: number): string => `${JSON.stringify({ n })}\n`;
const tail = (path = folder, folders = [folder]) => tailFiles({ db: home.db, ingest, clock, folders }, source, path);
const numbers = (): unknown[] => taken.map(({ text }) => (JSON.parse(text) as { n: number }).n);

test('a file is read on from where it was left, and a line without an end waits for it', async () => {
  await writeFile(at('a.log'), line(1) + line(2) + '{"n":');
  await tail(at('a.log'));
  expect(numbers()).toEqual([1, 2]);
  await appendFile(at('a.log'), '3}\n');
  await tail(at('a.log'));
  await tail(at('a.log'));
  expect(numbers()).toEqual([1, 2, 3]);
});

test('what could not be stored is read again', async () => {
  await writeFile(at('a.log'), line(1) + line(2));
  failing = 1;
  await expect(tail()).rejects.toThrow('the lake is away');
  await tail();
  expect(numbers()).toEqual([1, 2]);
});

test('a file that was rotated is read to its end under its new name, then the new one', async () => {
  const path = at('app.log');
  await writeFile(path, line(1));
  await tail(path);
  await appendFile(path, line(2));
  await rename(path, at('app.log.1'));
  await writeFile(path, line(3));
  await tail(path);
  expect(numbers()).toEqual([1, 2, 3]);
});

test.each([
  ['emptied and filled anew', async (path: string) => truncate(path).then(() => appendFile(path, line(9)))],
  ['rewritten at greater length', async (path: string) => writeFile(path, line(8) + line(9) + line(10))],
])('a file that was %s is read from its beginning', async (_how, change) => {
  await writeFile(at('a.log'), line(1) + line(2));
  await tail(at('a.log'));
  taken = [];
  await change(at('a.log'));
  await tail(at('a.log'));
  expect(numbers()).toContain(9);
  expect(numbers()).not.toContain(1);
});

test('a folder: lines, arrays over several lines and archives, in the order of their names, each once', async () => {
  await writeFile(at('1.ndjson'), line(1));
  await writeFile(at('2.json'), '[\n {"n": 2},\n {"n": 3}\n]');
  await writeFile(at('3.ndjson.gz'), gzipSync(line(4) + line(5)));
  await writeFile(at('.hidden'), line(99));
  await mkdir(at('below'));
  await writeFile(at('below/x.log'), line(98));
  await tail();
  await tail();
  expect(numbers()).toEqual([1, 2, 3, 4, 5]);
});

test('an array that is still being written is left alone', async () => {
  await writeFile(at('a.json'), '[{"n":1}');
  const soon = new Date(clock.now());
  await utimes(at('a.json'), soon, soon);
  await tail();
  expect(taken).toEqual([]);
});

test('lines of syslog keep an id by their place, so that a second reading counts once', async () => {
  source = await makeSource('syslog');
  await writeFile(at('auth.log'), '<13>Nov 23 10:00:00 host sshd[1]: same\n<13>Nov 23 10:00:00 host sshd[1]: same\n');
  await tail();
  const ids = taken.map(({ externalId }) => externalId);
  expect(new Set(ids).size).toBe(2);
  expect(JSON.parse(taken[0]?.text ?? '')).toMatchObject({ host: 'host', app: 'sshd', text: 'same' });
});

test.each([
  ['no folder may be read', () => tail(folder, []), /collect_folders/],
  ['outside the folders', () => tail('/etc/hostname'), /outside/],
  ['not there', () => tail(at('nothing')), /not there/],
  [
    'a link that leads out',
    async () => {
      await symlink('/etc', at('out'));
      return tail(at('out'));
    },
    /outside/,
  ],
  [
    'a broken archive',
    async () => {
      await writeFile(at('a.gz'), 'no gzip');
      return tail();
    },
    /no gzip/,
  ],
])('refused with words that help: %s', async (_what, attempt, message) => {
  const refused = attempt();
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toBeInstanceOf(CollectRefused);
  expect(taken).toEqual([]);
});

test('a link among the files of a folder is not read', async () => {
  await writeFile(at('a.log'), line(1));
  await symlink('/etc/passwd', at('b.log'));
  await tail();
  expect(numbers()).toEqual([1]);
});
