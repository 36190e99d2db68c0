import { constants } from 'node:fs';
import { link, mkdir, open, readdir, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { uuidv7 } from '@cordon/kernel';
import { ObjectMissing, StoreFailed } from './errors.ts';
import type { ObjectStore, StoredObject } from './object-store.ts';

const NAME = /^[a-z0-9][a-z0-9.-]*(?:\/[a-z0-9][a-z0-9.-]*)?$/;
const STAGING = 'staging';

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Objects as files below `root`. A file appears under its name only when all of it is on the disk. */
export function createFolderStore(root: string): ObjectStore {
  const base = resolve(root);
  const pathOf = (name: string): string => {
    if (!NAME.test(name)) throw new StoreFailed(`${JSON.stringify(name)} is no name of an object.`);
    return join(base, name);
  };
  return {
    place: `file:${base}`,
    holdsObjects: false,
    async put(name, bytes) {
      const path = pathOf(name);
      const staged = join(base, STAGING, uuidv7());
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await mkdir(dirname(staged), { recursive: true, mode: 0o700 });
      const file = await open(staged, 'wx', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      try {
        await link(staged, path); // refuses to replace, unlike a rename
      } catch (cause) {
        throw new StoreFailed(`${name} could not be written.`, { name, reason: codeOf(cause) }, cause);
      } finally {
        await unlink(staged);
      }
      await syncFolder(dirname(path));
    },
    async get(name, range) {
      const file = await open(pathOf(name), 'r').catch((cause: unknown) => {
        if (codeOf(cause) === 'ENOENT') throw new ObjectMissing(`${name} is not in the repository.`, { name }, cause);
        throw new StoreFailed(`${name} can't be read.`, { name, reason: codeOf(cause) }, cause);
      });
      try {
        if (!range) return await file.readFile();
        const bytes = Buffer.alloc(range.end - range.start);
        const { bytesRead } = await file.read(bytes, 0, bytes.length, range.start);
        return bytes.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    },
    async *list(prefix): AsyncGenerator<StoredObject> {
      const folder = prefix.includes('/') ? prefix.slice(0, prefix.indexOf('/')) : '';
      const files = await readdir(join(base, folder), { withFileTypes: true }).catch((cause: unknown) => {
        if (codeOf(cause) === 'ENOENT') return [];
        throw new StoreFailed("The repository folder can't be read.", { reason: codeOf(cause) }, cause);
      });
      for (const file of files) {
        const name = folder === '' ? file.name : `${folder}/${file.name}`;
        if (!file.isFile() || !name.startsWith(prefix)) continue;
        const found = await stat(join(base, name)).catch(() => null); // removed meanwhile
        if (found) yield { name, bytes: found.size };
      }
    },
    async remove(name) {
      await rm(pathOf(name), { force: true });
      return 'removed';
    },
  };
}
