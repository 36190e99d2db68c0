import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const FILES_A_FOLDER = 1_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

export interface ResticFigures {
  readonly layout: string;
  readonly fullMs: number;
  readonly fullBytes: number;
  readonly stepMs: number;
  readonly stepBytes: number;
  readonly restoreMs: number;
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder, { recursive: true })) {
    const info = await stat(join(folder, name));
    if (info.isFile()) bytes += info.size;
  }
  return bytes;
}

/** `restic`'s version, or null where it isn't installed. */
export async function resticVersion(): Promise<string | null> {
  return run('restic', ['version']).then(
    ({ stdout }) => stdout.trim(),
    () => null,
  );
}

/** The records as files: one file for each, or all in one. */
async function writeRecords(
  folder: string,
  records: Iterable<readonly [string, string]>,
  layout: 'files' | 'one-file',
): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (layout === 'one-file') {
    await writeFile(join(folder, 'records.ndjson'), Array.from(records, ([, text]) => `${text}\n`).join(''));
    return;
  }
  let at = 0;
  for (const [id, text] of records) {
    const sub = join(folder, String(Math.floor(at++ / FILES_A_FOLDER)).padStart(4, '0'));
    await mkdir(sub, { recursive: true });
    await writeFile(join(sub, `${id}.json`), text);
  }
}

/**
 * What restic does with the same records: a full backup, one where 1% changed, a restore. Writing the files that it reads
 * is not counted; its repository is encrypted and compressed as ours is.
 */
export async function measureRestic(
  root: string,
  layout: 'files' | 'one-file',
  all: () => Iterable<readonly [string, string]>,
  changed: (only: boolean) => Iterable<readonly [string, string]>,
): Promise<ResticFigures> {
  const [source, repository, target] = ['source', 'repository', 'target'].map((name) => join(root, layout, name));
  if (source === undefined || repository === undefined || target === undefined) throw new Error('no folder');
  const env = { RESTIC_PASSWORD: 'bench', RESTIC_REPOSITORY: repository, HOME: root, PATH: '/usr/bin:/bin' };
  const restic = async (...args: string[]): Promise<number> => {
    const began = performance.now();
    await run('restic', [...args, '--quiet'], { env, cwd: root, maxBuffer: OUTPUT_BYTES_MAX });
    return Math.round(performance.now() - began);
  };
  await mkdir(join(root, layout), { recursive: true });
  await restic('init');
  await writeRecords(source, all(), layout);
  const empty = await bytesIn(repository);
  const fullMs = await restic('backup', source);
  const full = await bytesIn(repository);
  if (layout === 'one-file') await writeRecords(source, changed(false), layout);
  else await rewrite(source, changed(true), changed(false));
  const stepMs = await restic('backup', source);
  const step = await bytesIn(repository);
  const restoreMs = await restic('restore', 'latest', '--target', target);
  await rm(join(root, layout), { recursive: true, force: true });
  return { layout, fullMs, fullBytes: full - empty, stepMs, stepBytes: step - full, restoreMs };
}

/** Writes the changed records' files again, where they lie. */
async function rewrite(
  folder: string,
  changed: Iterable<readonly [string, string]>,
  all: Iterable<readonly [string, string]>,
): Promise<void> {
  const wanted = new Map(changed);
  let at = 0;
  for (const [id] of all) {
    const sub = join(folder, String(Math.floor(at++ / FILES_A_FOLDER)).padStart(4, '0'));
    const text = wanted.get(id);
    if (text !== undefined) await writeFile(join(sub, `${id}.json`), text);
  }
}
