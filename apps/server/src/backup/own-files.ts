import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type OwnFile, RestoreRefused } from '@cordon/backup';

/**
 * What a data directory holds that nothing else makes again in the same form: authorities and certificates that
 * clients trust, the key between roles, the gateway's name. Engines' folders are taken by what is in them, tokens and
 * links are made at each start, and the key-encryption keys go into the recovery file.
 */
const OWN_FILES = [
  'ca.pem',
  'ca.key',
  'gateway.pem',
  'gateway.key',
  'control.pem',
  'control.key',
  'collect.pem',
  'collect.key',
  'internal.key',
  'gateway.id',
] as const;

const isAbsent = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

export async function readOwnFiles(dataDir: string): Promise<OwnFile[]> {
  const files: OwnFile[] = [];
  for (const name of OWN_FILES) {
    try {
      files.push({ name, bytes: await readFile(join(dataDir, name)) });
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
  return files;
}

/** Names come from a store that others may have written to: only the known ones are written. */
export async function writeOwnFiles(dataDir: string, files: readonly OwnFile[]): Promise<void> {
  const known: ReadonlySet<string> = new Set(OWN_FILES);
  const strange = files.find(({ name }) => !known.has(name));
  if (strange) throw new RestoreRefused(`The backup holds a file ${strange.name} that this version does not know.`);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  for (const { name, bytes } of files) {
    await writeFile(join(dataDir, name), bytes, { mode: name.endsWith('.pem') ? 0o644 : 0o600 });
  }
}
