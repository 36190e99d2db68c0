import { type Clock, uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import { RepositoryBusy } from './errors.ts';
import { listAll, type ObjectStore } from './object-store.ts';

/** A writer that died is waited for no longer than this. */
const LOCK_MS = 10 * 60_000;
const REFRESH_MS = 2 * 60_000;
const FOLDER = 'locks/';

const lockFile = z.strictObject({ holder: z.string(), until: z.number() });

export interface RepositoryLock {
  /** Call it while writing: the lock lives on. Throws `RepositoryBusy` when it was lost meanwhile. */
  refresh(): Promise<void>;
  release(): Promise<void>;
}

/**
 * One writer at a time, by means that every store has: write a lock, then look whether somebody else has one. Two that
 * come at once may both go away empty-handed; never do both get in.
 */
export async function lockRepository(store: ObjectStore, clock: Clock, holder: string): Promise<RepositoryLock> {
  const write = async (): Promise<{ name: string; at: number }> => {
    const at = clock.now();
    const name = `${FOLDER}${uuidv7(at)}`;
    await store.put(name, Buffer.from(JSON.stringify({ holder, until: at + LOCK_MS })));
    return { name, at };
  };
  const others = async (mine: readonly string[]): Promise<string | null> => {
    for (const { name } of await listAll(store, FOLDER)) {
      if (mine.includes(name)) continue;
      const text = await store.get(name).catch(() => null); // released meanwhile
      if (!text) continue;
      const parsed = lockFile.safeParse(JSON.parse(text.toString('utf8')));
      if (parsed.success && parsed.data.until > clock.now()) return parsed.data.holder;
      await store.remove(name);
    }
    return null;
  };
  let held = await write();
  const other = await others([held.name]);
  if (other !== null) {
    await store.remove(held.name);
    throw new RepositoryBusy(`The repository is in use: ${other}. Try again when it has ended.`, { holder: other });
  }
  return {
    async refresh() {
      const now = clock.now();
      if (now - held.at < REFRESH_MS) return;
      if (now - held.at >= LOCK_MS) throw new RepositoryBusy('The lock of the repository ran out.', { holder });
      const former = held.name;
      held = await write();
      await store.remove(former);
    },
    release: async () => void (await store.remove(held.name)),
  };
}
