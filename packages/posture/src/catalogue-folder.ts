import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Catalogue, type CheckFile, createCatalogue } from './catalogue.ts';

/**
 * Reads every `*.yaml` under `<contentFolder>/posture/<product>/`. The one place of the package that reads anything.
 *
 * @throws CheckInvalid, CheckDuplicate, ExpressionInvalid
 */
export async function loadCatalogue(contentFolder: string): Promise<Catalogue> {
  const folder = join(contentFolder, 'posture');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.yaml'))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  const files: CheckFile[] = [];
  for (const path of paths) files.push({ path, text: await readFile(path, 'utf8') });
  return createCatalogue(files);
}
