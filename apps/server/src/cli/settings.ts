import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, ConfigInvalid, parseConfig } from '@cordon/kernel';

const FILE = 'cordon.yaml';

/** The process's environment, read once by main.ts and passed on. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** `--config PATH`, else `cordon.yaml` in the working directory when there is one; then the environment. */
export async function loadSettings(env: Environment, configPath?: string): Promise<Config> {
  const path = configPath ?? env['CORDON_CONFIG'] ?? join(process.cwd(), FILE);
  let text: string | undefined;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const named = configPath !== undefined || env['CORDON_CONFIG'] !== undefined;
    if (named) throw new ConfigInvalid(`The configuration file ${path} can't be read.`, { path }, cause);
  }
  return parseConfig({ ...(text === undefined ? {} : { text }), env });
}
