import { ObjectMissing, PackDamaged } from './errors.ts';
import { keyOfSealed, manifestName } from './manifest.ts';
import { listAll } from './object-store.ts';
import { openBlock, type PackInfo, packName } from './pack-format.ts';
import type { Repository } from './repository.ts';

const NAMED_RECORDS_MAX = 1_000;

export interface VerifyProblem {
  readonly what: string;
  readonly pack: string | null;
  /** Records that can't be read because of it, the first thousand. */
  readonly records: readonly { readonly object: string; readonly id: string }[];
  /** Snapshots that hold one of them. */
  readonly snapshots: readonly string[];
}

export interface VerifyReport {
  readonly sample: number;
  readonly packs: number;
  readonly packsRead: number;
  readonly recordsRead: number;
  readonly snapshots: readonly { readonly id: string; readonly subject: string; readonly ok: boolean }[];
  readonly problems: readonly VerifyProblem[];
}

interface PackResult {
  readonly blobs: number;
  readonly damaged: readonly { readonly what: string; readonly blobs: readonly string[] }[];
}

/** Opens every block of a pack and compares every blob with its keyed id. */
async function checkPack(repository: Repository, pack: PackInfo): Promise<PackResult> {
  const { keys, store } = repository;
  let bytes: Buffer;
  try {
    bytes = await store.get(packName(pack.id));
  } catch (error) {
    if (!(error instanceof ObjectMissing)) throw error;
    return { blobs: 0, damaged: [{ what: error.message, blobs: pack.blobs.map(({ blob }) => blob) }] };
  }
  const damaged: { what: string; blobs: string[] }[] = [];
  for (let block = 0; block + 1 < pack.edges.length; block++) {
    const inBlock = pack.blobs.filter((one) => one.block === block);
    try {
      const plain = openBlock(keys, pack, bytes, block);
      const wrong = inBlock.filter(
        ({ blob, offset, bytes: size }) => keys.keyedId('blob', plain.subarray(offset, offset + size)) !== blob,
      );
      if (wrong.length > 0)
        damaged.push({ what: 'what is stored is not what it says', blobs: wrong.map(({ blob }) => blob) });
    } catch (error) {
      if (!(error instanceof PackDamaged)) throw error;
      damaged.push({ what: error.message, blobs: inBlock.map(({ blob }) => blob) });
    }
  }
  return { blobs: pack.blobs.length, damaged };
}

/** Which packs are read: all, or a random part of at least one. */
function choose(packs: readonly PackInfo[], sample: number, random: () => number): PackInfo[] {
  if (sample >= 1) return [...packs];
  const count = Math.min(packs.length, Math.max(1, Math.ceil(packs.length * sample)));
  const left = [...packs];
  return Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)).flat();
}

/**
 * Checks a repository. Always: every manifest opens, every list has the root that its manifest names, and every record
 * in it lies in a pack that is there. With `sample` 1 also every byte of every pack; below that, of so many packs.
 */
export async function verifyRepository(
  repository: Repository,
  options: { readonly sample: number; readonly random: () => number },
): Promise<VerifyReport> {
  await repository.refresh();
  const bad = new Map<string, string>();
  const found: { what: string; pack: string | null; blobs: readonly string[] }[] = [];
  // Read anew: what this process remembers of a pack's list says nothing of what is stored.
  const chosen = choose([...repository.packs.values()], options.sample, options.random);
  let recordsRead = 0;
  for (const pack of chosen) {
    const { blobs, damaged } = await checkPack(repository, pack);
    recordsRead += blobs;
    const list = await repository.checkPackList(pack.id);
    const all = list === null ? damaged : [...damaged, { what: list, blobs: [] }];
    for (const one of all) found.push({ ...one, pack: pack.id });
  }
  for (const [pack, what] of repository.damagedPacks) found.push({ what, pack, blobs: [] });
  for (const { blobs, pack } of found) for (const blob of blobs) bad.set(blob, pack ?? '');

  const snapshots: { id: string; subject: string; ok: boolean }[] = [];
  const holders = new Map<string, string[]>();
  const manifests = await repository.snapshots();
  for (const manifest of manifests) {
    let ok = true;
    try {
      const entries = await repository.entries(manifest);
      const missing = [...entries.values()].filter((blob) => !repository.find(blob));
      if (missing.length > 0) {
        found.push({
          what: `${missing.length} records of snapshot ${manifest.id} are in no pack`,
          pack: null,
          blobs: [],
        });
        ok = false;
      }
      for (const blob of entries.values()) {
        if (!bad.has(blob)) continue;
        ok = false;
        holders.set(blob, [...(holders.get(blob) ?? []), manifest.id]);
      }
    } catch (error) {
      if (!(error instanceof PackDamaged) && !(error instanceof ObjectMissing)) throw error;
      found.push({ what: error.message, pack: null, blobs: [] });
      ok = false;
    }
    snapshots.push({ id: manifest.id, subject: manifest.subject, ok });
  }
  for (const name of await unreadable(repository, new Set(manifests.map(({ id }) => manifestName(id))))) {
    found.push({ what: `${name} does not open: it was changed or cut off`, pack: null, blobs: [] });
  }
  return {
    sample: options.sample,
    packs: repository.packs.size + repository.damagedPacks.size,
    packsRead: chosen.length,
    recordsRead,
    snapshots,
    problems: found.map(({ what, pack, blobs }) => ({
      what,
      pack,
      records: blobs.slice(0, NAMED_RECORDS_MAX).flatMap((blob) => {
        const entry = repository.find(blob)?.entry;
        return entry?.kind === 'record' ? [{ object: entry.object, id: entry.id }] : [];
      }),
      snapshots: [...new Set(blobs.flatMap((blob) => holders.get(blob) ?? []))],
    })),
  };
}

/** Manifests that are there and do not open. */
async function unreadable({ store, keys }: Repository, opened: ReadonlySet<string>): Promise<string[]> {
  const names = (await listAll(store, 'snapshots/')).map(({ name }) => name);
  const rest: string[] = [];
  for (const name of names) {
    if (opened.has(name.replace(/\.new$/, ''))) continue;
    const bytes = await store.get(name).catch(() => null); // pruned meanwhile
    if (bytes) rest.push(`${name}${keyOfSealed(bytes) === keys.current ? '' : ' (sealed with an older key)'}`);
  }
  return rest;
}
