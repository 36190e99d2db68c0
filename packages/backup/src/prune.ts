import type { Clock } from '@cordon/kernel';
import { z } from 'zod';
import { manifestName, type SnapshotManifest } from './manifest.ts';
import { packName } from './pack-format.ts';
import type { Repository } from './repository.ts';

/** A pack of which less than this is still needed is written anew without the rest. */
const LIVE_SHARE_MIN = 0.5;
const DAY_MS = 86_400_000;

/** Which snapshots stay. One that any rule keeps stays; the newest always does. */
export const retention = z.strictObject({
  last: z.int().min(0).max(1_000).default(3),
  daily: z.int().min(0).max(3_650).default(14),
  weekly: z.int().min(0).max(520).default(8),
  monthly: z.int().min(0).max(240).default(12),
});
export type Retention = z.output<typeof retention>;

const bucketOf = {
  daily: (at: number) => String(Math.floor(at / DAY_MS)),
  // 1 January 1970 was a Thursday: weeks begin on Monday.
  weekly: (at: number) => String(Math.floor((at / DAY_MS + 3) / 7)),
  monthly: (at: number) => new Date(at).toISOString().slice(0, 7),
} as const;

/** Of one subject's snapshots, those that go: the newest of each day, week and month stays while it counts. */
export function chooseForgotten(snapshots: readonly SnapshotManifest[], policy: Retention): SnapshotManifest[] {
  const newestFirst = snapshots.toSorted((a, b) => b.at - a.at);
  const kept = new Set(newestFirst.slice(0, Math.max(1, policy.last)));
  for (const period of ['daily', 'weekly', 'monthly'] as const) {
    const buckets = new Set<string>();
    for (const one of newestFirst) {
      if (buckets.size >= policy[period]) break;
      const bucket = bucketOf[period](one.at);
      if (!buckets.has(bucket)) kept.add(one);
      buckets.add(bucket);
    }
  }
  return newestFirst.filter((one) => !kept.has(one));
}

export interface PruneReport {
  readonly forgotten: readonly string[];
  readonly packsRemoved: number;
  readonly packsRewritten: number;
  /** Objects that the store holds until their time has come. */
  readonly held: number;
  readonly bytesFreed: number;
}

/**
 * Forgets snapshots and gives back the room that only they needed. New packs are whole before old ones go, so a crash
 * at any point leaves a repository in which every snapshot that is left can be read. `reseal` also writes anew what an
 * older key sealed, and drops that key.
 */
export async function pruneRepository(
  repository: Repository,
  clock: Clock,
  options: { readonly policyOf: (subject: string) => Retention | null; readonly reseal?: boolean },
): Promise<PruneReport> {
  const { store } = repository;
  const lock = await repository.lock('pruning');
  try {
    await repository.refresh();
    const all = await repository.snapshots();
    const subjects = [...new Set(all.map(({ subject }) => subject))];
    const forgotten = subjects.flatMap((subject) => {
      const policy = options.policyOf(subject);
      return policy
        ? chooseForgotten(
            all.filter((one) => one.subject === subject),
            policy,
          )
        : [];
    });
    let held = 0;
    const gone = new Set<string>();
    for (const { id } of forgotten) {
      await store.remove(`${manifestName(id)}.new`);
      if ((await store.remove(manifestName(id))) === 'held') held += 1;
      else gone.add(id);
    }
    const stay = all.filter(({ id }) => !gone.has(id));
    const live = new Set<string>();
    for (const manifest of stay) {
      for (const blob of [...manifest.base, ...manifest.differences.flat()]) live.add(blob);
      for (const blob of (await repository.entries(manifest)).values()) live.add(blob);
    }
    const counts = { packsRemoved: 0, packsRewritten: 0, bytesFreed: 0 };
    const old: string[] = [];
    const writer = repository.createWriter(() => lock.refresh());
    const current = repository.keys.current;
    for (const pack of repository.packs.values()) {
      const needed = pack.blobs.filter(({ blob }) => live.has(blob) && repository.find(blob)?.pack.id === pack.id);
      const bytes = (list: typeof pack.blobs): number => list.reduce((sum, one) => sum + one.bytes, 0);
      const isStale = options.reseal === true && pack.keyId !== current;
      if (needed.length > 0 && !isStale && bytes(needed) >= bytes(pack.blobs) * LIVE_SHARE_MIN) continue;
      const plain = await Promise.all(needed.map(({ blob }) => repository.readBlob(blob)));
      repository.forgetPack(pack.id);
      for (const [at, { kind, blob, stream, object, id }] of needed.entries()) {
        await writer.add(kind, blob, plain[at] ?? Buffer.alloc(0), { stream, object, id });
      }
      old.push(pack.id);
      counts.bytesFreed += pack.bytes;
      if (needed.length > 0) counts.packsRewritten += 1;
      else counts.packsRemoved += 1;
    }
    counts.bytesFreed -= await writer.flush();
    if (options.reseal === true)
      for (const manifest of stay) held += Number(!(await repository.resealManifest(manifest)));
    for (const id of old) if ((await store.remove(packName(id))) === 'held') held += 1;
    await repository.refresh();
    // What the store holds still needs its key.
    if (options.reseal === true && held === 0) await repository.dropOldKeys();
    await repository.saveIndex();
    return { forgotten: [...gone], held, ...counts };
  } finally {
    await lock.release();
  }
}
