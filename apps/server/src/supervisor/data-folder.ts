import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  certificateEnd,
  ConfigInvalid,
  createAuthority,
  issueServerCertificate,
  type KeyRing,
  keyRingFromText,
  loadKeyFile,
  type PemPair,
} from '@cordon/kernel';

const RENEW_BEFORE_MS = 30 * 86_400_000;
const SECRET_BYTES = 32;
/** There while a restore writes: what it left half done must not be started. */
export const RESTORE_MARK = 'restore.partial';

/** One data directory: everything that a start needs to find again. */
export interface DataFolder {
  readonly path: string;
  readonly keyFile: string;
  keyRing(kek: string | undefined): Promise<KeyRing>;
  /** A random secret kept in a 0600 file, made at the first call. */
  secret(name: string): Promise<string>;
  /** Tells this machine's gateway from others: the host's name with a random end, since cloned machines share names. */
  gatewayId(host: string): Promise<string>;
  /** The TLS certificate that gateway or control shows for localhost, by the local authority in `ca.pem`. */
  localTls(
    names: { dns: readonly string[]; ip: readonly string[] },
    now: number,
    owner?: 'gateway' | 'control' | 'collect',
  ): Promise<PemPair & { ca: string }>;
  writePrivate(name: string, text: string): Promise<string>;
  readPrivate(name: string): Promise<string | null>;
  remove(name: string): Promise<void>;
  /** Refuses when another live `cordon up` holds the folder. */
  lock(pid: number): Promise<() => Promise<void>>;
}

async function writeWhole(path: string, text: string, mode = 0o600): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', mode);
  await file.writeFile(text);
  await file.sync();
  await file.close();
  await rename(temporary, path);
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Whether a process is alive and one of ours: the number of a dead Cordon may belong to something else by now. */
async function isCordon(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null);
  return command === null || command.includes('main.ts');
}

/** Whoever owns the folder can put other files in the place of keys, however tightly its mode is set. */
async function checkOwner(path: string): Promise<void> {
  const { uid } = await stat(path);
  const own = process.getuid?.();
  if (own === undefined || uid === own) return;
  throw new ConfigInvalid(
    `The data directory ${path} belongs to another user (${uid}). Give it to the user who starts Cordon, or set CORDON_DATA_DIR to another folder.`,
  );
}

export async function openDataFolder(dataDir: string): Promise<DataFolder> {
  const path = resolve(dataDir);
  await mkdir(path, { recursive: true, mode: 0o700 });
  await checkOwner(path);
  // The database's user must be able to walk through to its own folder; it can list or read nothing else.
  await chmod(path, 0o711);
  const at = (name: string): string => join(path, name);
  const keyFile = at('kek');

  return {
    path,
    keyFile,
    keyRing: async (kek) => (kek === undefined ? loadKeyFile(keyFile, { create: true }) : keyRingFromText(kek)),
    async secret(name) {
      const known = await readOrNull(at(name));
      if (known !== null) return known.trim();
      const value = randomBytes(SECRET_BYTES).toString('base64url');
      await writeWhole(at(name), `${value}\n`);
      return value;
    },
    async gatewayId(host) {
      const known = await readOrNull(at('gateway.id'));
      if (known !== null) return known.trim();
      const stem = host.replaceAll(/[^\w.-]/g, '-').replace(/^[^A-Za-z0-9]+/, '') || 'gateway';
      const id = `${stem.slice(0, 60)}-${randomBytes(3).toString('hex')}`;
      await writeWhole(at('gateway.id'), `${id}\n`);
      return id;
    },
    async localTls(names, now, owner = 'gateway') {
      const pair = async (name: string): Promise<PemPair | null> => {
        const [cert, key] = [await readOrNull(at(`${name}.pem`)), await readOrNull(at(`${name}.key`))];
        return cert === null || key === null ? null : { cert, key };
      };
      const store = async (name: string, value: PemPair): Promise<PemPair> => {
        await writeWhole(at(`${name}.key`), value.key);
        await writeWhole(at(`${name}.pem`), value.cert, 0o644);
        return value;
      };
      const authority = (await pair('ca')) ?? (await store('ca', await createAuthority('Cordon local authority', now)));
      const known = await pair(owner);
      if (known && certificateEnd(known.cert) - now > RENEW_BEFORE_MS) return { ...known, ca: authority.cert };
      const leaf = await store(owner, await issueServerCertificate(authority, names, now));
      return { ...leaf, ca: authority.cert };
    },
    async writePrivate(name, text) {
      await writeWhole(at(name), text);
      return at(name);
    },
    readPrivate: (name) => readOrNull(at(name)),
    remove: (name) => rm(at(name), { force: true }),
    async lock(pid) {
      const file = at('cordon.pid');
      // Made exclusively, so that of two starts at the same moment one loses; what a dead holder left is taken over once.
      for (let tries = 0; tries < 2; tries++) {
        try {
          await writeFile(file, `${pid}\n`, { mode: 0o600, flag: 'wx' });
          return () => rm(file, { force: true });
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
        }
        const holder = Number(await readOrNull(file));
        if (Number.isInteger(holder) && holder > 0 && holder !== pid && (await isCordon(holder))) break;
        await rm(file, { force: true });
      }
      const holder = (await readOrNull(file))?.trim() ?? 'unknown';
      throw new ConfigInvalid(
        `Cordon runs already on ${path} (process ${holder}). Stop it first, or set CORDON_DATA_DIR to another folder.`,
      );
    },
  };
}
