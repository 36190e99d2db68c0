import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type BackupRecord, decodeRecord } from './backup-record.ts';
import { ITEMS_PAGE_MAX, listItems, loadJob, loadNewIds, markItem, saveItems, saveNewId } from './backup-store.ts';
import { listLines, readRecords, snapshotAt } from './browse.ts';
import { BackupInputInvalid, SnapshotUnknown, SourceFailed } from './errors.ts';
import { readFileBytes, readFileFacts, type SourceFile } from './file-bytes.ts';
import type { RunnerDeps } from './job-runner.ts';
import type { SnapshotManifest } from './manifest.ts';
import { type Job, type Plan, type RestoreInput, restoreInput, type StoredItem } from './plan.ts';
import type { Repository } from './repository.ts';
import { planRestore } from './restore-plan.ts';

/** Both sides of a comparison are in memory. */
const RESTORED_RECORDS_MAX = 500_000;
const NOTES_MAX = 50;

async function chooseSnapshot(repository: Repository, plan: Plan, input: RestoreInput): Promise<SnapshotManifest> {
  if (input.snapshot !== undefined) {
    const found = await repository.snapshot(input.snapshot);
    if (found.subject === plan.connectionId) return found;
    throw new SnapshotUnknown('This snapshot is of another app.', { snapshot: input.snapshot });
  }
  const found = await snapshotAt(repository, plan.connectionId, input.at ?? Number.MAX_SAFE_INTEGER);
  if (!found) throw new SnapshotUnknown('There is no snapshot of that moment or before.', { at: input.at });
  return found;
}

async function readWanted(repository: Repository, manifest: SnapshotManifest, input: RestoreInput) {
  const lines = await listLines(repository, manifest, { object: input.object, id: input.record });
  if (lines.length > RESTORED_RECORDS_MAX) {
    throw new BackupInputInvalid(`One restore takes at most ${RESTORED_RECORDS_MAX} records. Restore by object.`);
  }
  const blobs = new Map<BackupRecord, string>();
  for await (const { line, record } of readRecords(repository, lines)) blobs.set(record, line.blob);
  return blobs;
}

/** Reads the app as it is now, compares it with the snapshot, and writes down what a restore would do. Touches nothing. */
export async function makeRestorePlan(deps: RunnerDeps, job: Job, plan: Plan): Promise<unknown> {
  const { app, db } = deps;
  const input = restoreInput.parse(job.input);
  if (input.removeExtra && input.record !== undefined) {
    throw new BackupInputInvalid('What was not there can be deleted for an object or an app, not for one record.');
  }
  const repository = await deps.openRepository();
  const manifest = await chooseSnapshot(repository, plan, input);
  const wanted = await readWanted(repository, manifest, input);
  const newIds = await loadNewIds(db, plan.connectionId);
  const streams = new Set([...wanted.keys()].map(({ stream }) => stream));
  if (input.removeExtra) for (const { name } of manifest.streams) streams.add(name);
  const live: BackupRecord[] = [];
  const liveFiles = new Map<BackupRecord, SourceFile>();
  for (const stream of streams) {
    for await (const { record, deleted, file } of app.read(
      plan.connectionId,
      stream,
      null,
      `restore of ${plan.name}`,
    )) {
      if (deleted !== true && (input.object === undefined || record.object === input.object)) live.push(record);
      if (file) liveFiles.set(record, file);
      if (live.length > RESTORED_RECORDS_MAX)
        throw new BackupInputInvalid('The app holds more than one restore compares.');
    }
  }
  const actions = await app.actions(plan.connectionId);
  const takesBytes = new Set(
    actions.flatMap(({ object, fileBytesMax }) => ((fileBytesMax ?? null) === null ? [] : [object])),
  );
  const planned = await planRestore({
    wanted: [...wanted.keys()],
    live,
    removeExtra: input.removeExtra,
    actions,
    newIds,
    bytesOf: async (record) => (takesBytes.has(record.object) ? readFileFacts(repository, manifest, record) : null),
    async differs(_record, now, facts) {
      const file = liveFiles.get(now);
      // The tool says that nothing changed since; else only the bytes themselves tell.
      return (
        file !== undefined &&
        file.version !== facts.version &&
        (await digestOf(file, facts.bytes ?? 0)) !== facts.sha256
      );
    },
  });
  const blobOf = new Map([...wanted].map(([record, blob]) => [JSON.stringify([record.object, record.id]), blob]));
  const oldIds = new Map(
    [...newIds].map(([key, id]) => [
      JSON.stringify([z.tuple([z.string(), z.string()]).parse(JSON.parse(key))[0], id]),
      key,
    ]),
  );
  const items = planned.items.map(({ op, record, action, note }, ordinal): StoredItem => {
    const key = JSON.stringify([record.object, record.id]);
    const blob = op === 'delete' ? null : (blobOf.get(key) ?? blobOf.get(oldIds.get(key) ?? '') ?? null);
    return {
      ordinal,
      op,
      object: record.object,
      recordId: record.id,
      title: record.title,
      blob,
      action,
      note,
      status: 'planned',
      newId: null,
    };
  });
  await saveItems(db, job.id, items);
  const count = (op: StoredItem['op']): number => items.filter((item) => item.op === op).length;
  return {
    snapshot: manifest.id,
    takenAt: manifest.at,
    same: planned.same,
    creates: count('create'),
    updates: count('update'),
    deletes: count('delete'),
    cannot: count('cannot'),
    notes: [...new Set(items.flatMap(({ note }) => note ?? []))].slice(0, NOTES_MAX),
  };
}

/** Read no further than tells: a file that is longer than it was has other bytes. */
async function digestOf(file: SourceFile, bytesMax: number): Promise<string> {
  const digest = createHash('sha256');
  let bytes = 0;
  for await (const part of file.read()) {
    bytes += part.length;
    if (bytes > bytesMax) return 'longer';
    digest.update(part);
  }
  return digest.digest('hex');
}

const snapshotOf = z.looseObject({ snapshot: z.string() });
const restoreJobInput = z.object({ dryRun: z.uuid() });

/** A parent that came back under a new id is referred to by that. */
function remapped(record: BackupRecord, parents: ReadonlyMap<string, string>): BackupRecord {
  return record.parentId === null ? record : { ...record, parentId: parents.get(record.parentId) ?? record.parentId };
}

const oldIdOf = (key: string): string => z.tuple([z.string(), z.string()]).parse(JSON.parse(key))[1];

/**
 * Does what a dry run wrote down, item by item. Each act has a key of its own: after a crash what was done is found and
 * not done again, and what can't be seen and must not be repeated is `unclear`, for a person.
 */
export async function runRestore(deps: RunnerDeps, job: Job, plan: Plan): Promise<unknown> {
  const { db } = deps;
  const dryRun = await loadJob(db, restoreJobInput.parse(job.input).dryRun);
  if (dryRun.kind !== 'plan' || dryRun.planId !== plan.id || dryRun.status !== 'done') {
    throw new BackupInputInvalid('Name a finished dry run of this app.', { dryRun: dryRun.id });
  }
  const repository = await deps.openRepository();
  const manifest = await repository.snapshot(snapshotOf.parse(dryRun.result).snapshot);
  const takesBytes = new Set(
    (await deps.app.actions(plan.connectionId)).flatMap(({ name, fileBytesMax }) =>
      (fileBytesMax ?? null) === null ? [] : [name],
    ),
  );
  // A record names its parent by id alone.
  const newIds = new Map([...(await loadNewIds(db, plan.connectionId))].map(([key, id]) => [oldIdOf(key), id]));
  const counts = { done: 0, failed: 0, unclear: 0, left: 0 };
  for (let after = -1; ;) {
    const page = await listItems(db, dryRun.id, after, ITEMS_PAGE_MAX);
    if (page.length === 0) break;
    for (const item of page) {
      after = item.ordinal;
      const status = await runItem(deps, { item, plan, dryRunId: dryRun.id, newIds, repository, manifest, takesBytes });
      if (status === 'failed') counts.failed += 1;
      else if (status === 'unclear') counts.unclear += 1;
      else if (status === 'planned') counts.left += 1;
      else counts.done += 1;
    }
  }
  return { dryRun: dryRun.id, ...counts };
}

async function runItem(
  { db, app }: RunnerDeps,
  at: {
    readonly item: StoredItem;
    readonly plan: Plan;
    readonly dryRunId: string;
    readonly newIds: Map<string, string>;
    readonly repository: Repository;
    readonly manifest: SnapshotManifest;
    readonly takesBytes: ReadonlySet<string>;
  },
): Promise<StoredItem['status']> {
  const { item, plan, dryRunId, newIds, repository, manifest, takesBytes } = at;
  if (item.op === 'cannot' || item.action === null) return 'planned';
  if (item.status !== 'planned' && item.status !== 'started') return item.status;
  const { object, recordId: id } = item;
  const stored =
    item.blob === null
      ? { stream: '-', object, id, parentId: null, title: null, updatedAt: null, content: null, facts: null }
      : decodeRecord(await repository.readBlob(item.blob));
  const record = { ...remapped(stored, newIds), ...(item.op === 'create' ? {} : { id }) };
  await markItem(db, dryRunId, item.ordinal, { status: 'started' });
  try {
    const { outcome, newId } = await app.act(
      plan.connectionId,
      item.action,
      record,
      `restore:${dryRunId}:${item.ordinal}`,
      takesBytes.has(item.action)
        ? Buffer.concat(await Array.fromAsync(readFileBytes(repository, manifest, stored)))
        : undefined,
    );
    await db.transaction(async (tx) => {
      await markItem(tx, dryRunId, item.ordinal, { status: outcome, new_id: newId });
      if (item.op !== 'create' || newId === null || newId === stored.id) return;
      await saveNewId(tx, { connection_id: plan.connectionId, object, old_id: stored.id, new_id: newId });
    });
    if (item.op === 'create' && newId !== null) newIds.set(stored.id, newId);
    return outcome;
  } catch (error) {
    if (!(error instanceof SourceFailed)) throw error;
    await markItem(db, dryRunId, item.ordinal, { status: 'failed', note: error.message });
    return 'failed';
  }
}
