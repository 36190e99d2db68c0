import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFolderStore, exportRecords, openRepository, takeSnapshot } from '@cordon/backup';
import { createTestEnvelope, makeRecord, streamOf } from '@cordon/backup/testing';
import { canonicalJson, systemClock } from '@cordon/kernel';
import { measureRestic, resticVersion } from './backup-restic.ts';

/** Size and time of a full backup, a 1% step and a restore to a file, each record compared; then restic's on the same records. */
const RECORDS = 200_000;
const CHANGED_EVERY = 100;

function* records(edition: number) {
  for (let at = 0; at < RECORDS; at++) yield makeRecord(at, at % CHANGED_EVERY === 7 ? edition : 0);
}

const root = await mkdtemp(join(tmpdir(), 'bench-backup-'));
try {
  const envelope = createTestEnvelope();
  const open = () =>
    openRepository({ store: createFolderStore(join(root, 'repository')), envelope, clock: systemClock, create: true });
  let rawBytes = 0;
  for (const record of records(0)) rawBytes += Buffer.byteLength(canonicalJson(record)) + 1;
  const repository = await open();
  const result: Record<string, unknown> = { records: RECORDS, rawBytes };
  for (const [name, edition] of [
    ['full', 0],
    ['onePercent', 1],
  ] as const) {
    const began = performance.now();
    const taken = await takeSnapshot(repository, systemClock, {
      subject: 'bench',
      title: 'bench',
      streams: [streamOf(records(edition))],
    });
    result[name] = {
      ms: Math.round(performance.now() - began),
      storedBytes: taken.storedBytes,
      changed: taken.changed,
    };
  }
  const began = performance.now();
  const again = await open();
  const openedMs = Math.round(performance.now() - began);
  const newest = (await again.snapshots('bench')).at(-1);
  if (!newest) throw new Error('no snapshot');
  let equal = 0;
  for await (const line of exportRecords(again, newest, {}, 'ndjson')) {
    const record = JSON.parse(line) as { id: string };
    const at = Number(record.id.slice(1));
    const wanted = makeRecord(at, at % CHANGED_EVERY === 7 ? 1 : 0);
    if (canonicalJson(record) !== canonicalJson(wanted)) throw new Error(`${record.id} differs`);
    equal += 1;
  }
  result['restore'] = { ms: Math.round(performance.now() - began), indexRebuiltMs: openedMs, equal };
  const texts = function* (edition: number, only = false): Generator<readonly [string, string]> {
    for (let at = 0; at < RECORDS; at++) {
      const isChanged = at % CHANGED_EVERY === 7;
      if (only && !isChanged) continue;
      const record = makeRecord(at, isChanged ? edition : 0);
      yield [record.id, canonicalJson(record)];
    }
  };
  const version = await resticVersion();
  if (version === null) result['restic'] = 'not installed: apt-get install restic';
  else {
    const measure = (layout: 'files' | 'one-file') =>
      measureRestic(
        join(root, 'restic'),
        layout,
        () => texts(0),
        (only) => texts(1, only),
      );
    result['restic'] = { version, eachRecordAFile: await measure('files'), allInOneFile: await measure('one-file') };
  }
  result['load'] = loadavg().map((value) => Math.round(value * 10) / 10);
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
} finally {
  await rm(root, { recursive: true, force: true });
}
