import { spawn } from 'node:child_process';
import { chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigInvalid } from '@cordon/kernel';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataFolder } from './data-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cordon-data-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const modeOf = async (name: string): Promise<number> => (await stat(join(folder, name))).mode & 0o777;

test('others can pass through the folder and read nothing secret in it', async () => {
  const opened = await openDataFolder(folder);
  const before = process.umask(0);
  try {
    await opened.secret('internal.key');
    await opened.keyRing(undefined);
  } finally {
    process.umask(before);
  }
  expect([await modeOf('.'), await modeOf('internal.key'), await modeOf('kek')]).toEqual([0o711, 0o600, 0o600]);
  expect(await opened.secret('internal.key')).toBe(await opened.secret('internal.key'));
});

// Only root can give a folder away.
test.skipIf(process.getuid?.() !== 0)('a folder of another user is refused', async () => {
  await chown(folder, 65_534, 65_534);
  await expect(openDataFolder(folder)).rejects.toBeInstanceOf(ConfigInvalid);
});

test('of two starts one gets the folder; what a dead or a foreign process left is taken over', async () => {
  const opened = await openDataFolder(folder);
  // Stands in for a running Cordon: what counts is the program that the process runs.
  const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)', 'main.ts'], { stdio: 'ignore' });
  try {
    const release = await opened.lock(other.pid ?? 0);
    await expect(opened.lock(process.pid)).rejects.toBeInstanceOf(ConfigInvalid);
    await release();
    await (
      await opened.lock(process.pid)
    )();
    // The number of a dead Cordon now belongs to a process that is none.
    await writeFile(join(folder, 'cordon.pid'), '1\n');
    await (
      await opened.lock(process.pid)
    )();
  } finally {
    other.kill('SIGKILL');
  }
});
