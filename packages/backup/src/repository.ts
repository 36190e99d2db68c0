import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Clock, SecretEnvelope } from '@cordon/kernel';
import { z } from 'zod';
import { BackupTooLarge, ObjectMissing, PackDamaged, SnapshotUnknown } from './errors.ts';
import { keyOfSealed, manifestName, openJson, sealJson, type SnapshotManifest, snapshotManifest } from './manifest.ts';
import { listAll, type ObjectStore } from './object-store.ts';
import {
  BLOB_KINDS,
  type BlobKind,
  type BlobMeta,
  createPackBuilder,
  openBlock,
  type PackBuilder,
  type PackedBlob,
  type PackInfo,
  packName,
  readPackInfo,
} from './pack-format.ts';
import { lockRepository, type RepositoryLock } from './repository-lock.ts';
import { loadKeys, type RepositoryKeys, rotateKeys } from './sealing.ts';
import { applySegment, type Entries, merkleRoot } from './snapshot-list.ts';

const CACHED_PACKS_MAX = 8;
const CACHED_BLOCKS_MAX = 64;
/** What one process keeps in memory of its index: about 300 bytes each. */
export const BLOBS_MAX = 5_000_000;
const INDEX_NAME = 'index';

export interface BlobPlace {
  readonly pack: PackInfo;
  readonly entry: PackedBlob;
}

export interface RepositoryOptions {
  readonly store: ObjectStore;
  readonly envelope: SecretEnvelope;
  readonly clock: Clock;
  /** Makes a repository where there is none. */
  readonly create?: boolean;
  /** A sealed copy of all packs' lists, so that opening needn't read them; losing it costs time, never data. */
  readonly indexFile?: string | null;
  /** How long the store holds what is written, milliseconds; only where it can. */
  readonly holdMs?: number | undefined;
}

export interface BlobWriter {
  /** False when the repository has it already. */
  add(kind: BlobKind, blob: string, plaintext: Uint8Array, meta: BlobMeta): Promise<boolean>;
  /** Writes what is still open. Gives the bytes written by this writer. */
  flush(): Promise<number>;
}

const cachedIndex = z.array(
  z.object({
    id: z.string(),
    keyId: z.string(),
    wrapped: z.string(),
    bytes: z.int(),
    edges: z.array(z.int()),
    blobs: z.array(
      z.object({
        blob: z.string(),
        kind: z.enum(BLOB_KINDS),
        block: z.int(),
        offset: z.int(),
        bytes: z.int(),
        stream: z.string(),
        object: z.string(),
        id: z.string(),
      }),
    ),
  }),
);

function remember<Value>(cache: Map<string, Value>, key: string, value: Value, max: number): Value {
  cache.delete(key);
  cache.set(key, value);
  for (const oldest of cache.keys()) {
    if (cache.size <= max) break;
    cache.delete(oldest);
  }
  return value;
}

async function readCachedIndex(keys: RepositoryKeys, file: string | null): Promise<readonly PackInfo[]> {
  if (file === null) return [];
  const bytes = await readFile(file).catch(() => null);
  if (!bytes) return [];
  try {
    return cachedIndex.parse(openJson(keys, INDEX_NAME, bytes));
  } catch {
    return []; // of another repository, or damaged: the packs tell it again
  }
}

/** Opens a repository: its keys, and the list of what its packs hold. */
export async function openRepository(options: RepositoryOptions) {
  const { store, envelope, clock, indexFile = null } = options;
  let keys = await loadKeys(store, envelope, options.create === true ? { now: clock.now() } : null);
  const packs = new Map<string, PackInfo>();
  const blobs = new Map<string, BlobPlace>();
  const damagedPacks = new Map<string, string>();
  const packCache = new Map<string, Promise<Buffer>>();
  const blockCache = new Map<string, Buffer>();
  const manifests = new Map<string, SnapshotManifest>();

  const forget = (id: string): void => {
    const pack = packs.get(id);
    packs.delete(id);
    packCache.delete(id);
    for (const { blob } of pack?.blobs ?? []) if (blobs.get(blob)?.pack.id === id) blobs.delete(blob);
  };
  const take = (pack: PackInfo): void => {
    if (blobs.size + pack.blobs.length > BLOBS_MAX) {
      throw new BackupTooLarge(`One repository holds at most ${BLOBS_MAX} records. Use one for each app.`);
    }
    packs.set(pack.id, pack);
    for (const entry of pack.blobs) blobs.set(entry.blob, { pack, entry });
  };

  /** Brings the index in step with the packs that are there. Gives how many had to be read. */
  const refresh = async (): Promise<number> => {
    const there = await listAll(store, 'packs/');
    const ids = new Set(there.map(({ name }) => name.slice('packs/'.length)));
    for (const id of packs.keys()) if (!ids.has(id)) forget(id);
    // A copy that lived in a pack that went may still lie in another.
    for (const pack of packs.values())
      for (const entry of pack.blobs) if (!blobs.has(entry.blob)) blobs.set(entry.blob, { pack, entry });
    let read = 0;
    for (const { name, bytes } of there) {
      const id = name.slice('packs/'.length);
      if (packs.get(id)?.bytes === bytes || damagedPacks.has(id)) continue;
      read += 1;
      try {
        take(await readPackInfo(keys, { id, bytes }, (start, end) => store.get(name, { start, end })));
      } catch (error) {
        if (!(error instanceof PackDamaged)) throw error;
        damagedPacks.set(id, error.message);
      }
    }
    return read;
  };

  const readPack = async (id: string): Promise<Buffer> => {
    const cached = packCache.get(id) ?? store.get(packName(id));
    try {
      return await remember(packCache, id, cached, CACHED_PACKS_MAX);
    } catch (error) {
      packCache.delete(id);
      throw error;
    }
  };
  const readBlock = async (pack: PackInfo, block: number): Promise<Buffer> => {
    const key = `${pack.id}/${block}`;
    const known = blockCache.get(key);
    return remember(blockCache, key, known ?? openBlock(keys, pack, await readPack(pack.id), block), CACHED_BLOCKS_MAX);
  };

  const readBlob = async (blob: string): Promise<Buffer> => {
    for (let attempt = 0; ; attempt++) {
      const place = blobs.get(blob);
      try {
        if (!place) throw new ObjectMissing('A part of this snapshot is in no pack.', { blob });
        const { entry, pack } = place;
        const plain = (await readBlock(pack, entry.block)).subarray(entry.offset, entry.offset + entry.bytes);
        if (keys.keyedId('blob', plain) !== blob) {
          throw new PackDamaged(`${entry.object} ${entry.id} in pack ${pack.id} is not what was stored.`, {
            pack: pack.id,
          });
        }
        return plain;
      } catch (error) {
        // Somebody may have moved it into another pack since the index was read.
        if (!(error instanceof ObjectMissing) || attempt > 0) throw error;
        await refresh();
      }
    }
  };

  const createWriter = (onWrite: () => Promise<void>): BlobWriter => {
    let builder: PackBuilder | null = null;
    let written = 0;
    const pending = new Set<string>();
    const close = async (): Promise<void> => {
      if (!builder || builder.isEmpty) return;
      const { info, bytes } = builder.finish();
      builder = null;
      await onWrite();
      await store.put(packName(info.id), bytes, {
        retainUntil: options.holdMs === undefined ? undefined : clock.now() + options.holdMs,
      });
      take(info);
      pending.clear();
      written += bytes.length;
    };
    return {
      async add(kind, blob, plaintext, meta) {
        if (blobs.has(blob) || pending.has(blob)) return false;
        builder ??= createPackBuilder(keys, clock.now());
        builder.add(kind, blob, plaintext, meta);
        pending.add(blob);
        if (builder.isFull) await close();
        return true;
      },
      async flush() {
        await close();
        return written;
      },
    };
  };

  const snapshots = async (subject?: string): Promise<SnapshotManifest[]> => {
    const there = await listAll(store, 'snapshots/');
    const names = new Set(there.map(({ name }) => name));
    for (const name of manifests.keys()) if (!names.has(name)) manifests.delete(name);
    for (const { name } of there) {
      if (manifests.has(name)) continue;
      // A crash while it was sealed anew leaves it under this name, or under both.
      const own = name.replace(/\.new$/, '');
      if (own !== name && names.has(own)) continue;
      try {
        manifests.set(name, snapshotManifest.parse(openJson(keys, own, await store.get(name))));
      } catch (error) {
        if (!(error instanceof PackDamaged)) throw error;
        // Verification names it; it must not hide the others.
      }
    }
    const all = [...manifests.values()].filter((one) => subject === undefined || one.subject === subject);
    return all.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  };

  const saveIndex = async (): Promise<void> => {
    if (indexFile === null) return;
    const temporary = `${indexFile}.new`;
    await writeFile(temporary, sealJson(keys, INDEX_NAME, [...packs.values()]), { mode: 0o600 });
    await rename(temporary, indexFile);
  };

  for (const pack of await readCachedIndex(keys, indexFile)) take(pack);
  const readAtOpen = await refresh();
  if (readAtOpen > 0) await saveIndex();

  return {
    store,
    /** Packs whose lists had to be read when it was opened; 0 when the index file had them all. */
    readAtOpen,
    get keys() {
      return keys;
    },
    packs: packs as ReadonlyMap<string, PackInfo>,
    damagedPacks: damagedPacks as ReadonlyMap<string, string>,
    find: (blob: string): BlobPlace | undefined => blobs.get(blob),
    readBlob,
    refresh,
    createWriter,
    snapshots,
    saveIndex,
    forgetPack: forget,
    lock: (holder: string): Promise<RepositoryLock> => lockRepository(store, clock, holder),
    async snapshot(id: string): Promise<SnapshotManifest> {
      const found = (await snapshots()).find((one) => one.id === id);
      if (!found) throw new SnapshotUnknown('There is no such snapshot.', { snapshot: id });
      return found;
    },
    /** What a snapshot holds, checked against the root that its manifest names. */
    async entries(manifest: SnapshotManifest): Promise<Entries> {
      const entries = new Map<string, string>();
      for (const blob of [...manifest.base, ...manifest.differences.flat()])
        applySegment(entries, await readBlob(blob));
      if (merkleRoot(entries) !== manifest.root) {
        throw new PackDamaged(`The list of snapshot ${manifest.id} is not what was stored.`, { snapshot: manifest.id });
      }
      return entries;
    },
    async writeManifest(manifest: SnapshotManifest): Promise<number> {
      const name = manifestName(manifest.id);
      const bytes = sealJson(keys, name, manifest);
      const retainUntil = options.holdMs === undefined ? undefined : clock.now() + options.holdMs;
      await store.put(name, bytes, { retainUntil });
      return bytes.length;
    },
    /** Reads a pack's list as it is stored now; gives what is wrong with it. */
    async checkPackList(id: string): Promise<string | null> {
      const bytes = packs.get(id)?.bytes ?? 0;
      try {
        await readPackInfo(keys, { id, bytes }, (start, end) => store.get(packName(id), { start, end }));
        return null;
      } catch (error) {
        if (error instanceof PackDamaged || error instanceof ObjectMissing) return error.message;
        throw error;
      }
    },
    /** Keys under the envelope's current key; with `fresh` also a new one for what is written from now on. */
    async rotate({ fresh }: { readonly fresh: boolean }): Promise<void> {
      keys = await rotateKeys(store, envelope, { now: clock.now(), fresh });
    },
    /** Forgets keys that sealed nothing that is still there. */
    async dropOldKeys(): Promise<void> {
      keys = await rotateKeys(store, envelope, { now: clock.now(), fresh: false, keep: [keys.current] });
    },
    /** Seals a manifest with the current key; false where the store holds the old one. */
    async resealManifest(manifest: SnapshotManifest): Promise<boolean> {
      const name = manifestName(manifest.id);
      const spare = `${name}.new`;
      const bytes = sealJson(keys, name, manifest);
      const present = await store.get(name).catch((error: unknown) => {
        if (error instanceof ObjectMissing) return null; // a crash left only the spare one
        throw error;
      });
      if (present && keyOfSealed(present) === keys.current) return true;
      if (present) {
        // The new one first, under a name of its own: a crash in between leaves both, and either opens.
        await store.remove(spare);
        await store.put(spare, bytes);
        if ((await store.remove(name)) === 'held') {
          await store.remove(spare);
          return false;
        }
      }
      await store.put(name, bytes);
      await store.remove(spare);
      return true;
    },
  };
}
export type Repository = Awaited<ReturnType<typeof openRepository>>;
