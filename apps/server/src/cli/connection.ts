import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type ApiClient, createApiClient } from '@cordon/client';
import { type Config, ConfigInvalid } from '@cordon/kernel';
import { publicUrls } from '../supervisor/resolve-config.ts';
import type { Environment } from './settings.ts';

/** File in the data directory with an API token for whoever may read it: the operator of this machine. */
export const OPERATOR_TOKEN_FILE = 'operator.token';

export interface Connection {
  readonly api: ApiClient;
  readonly url: string;
  readonly token: string;
}

/** CORDON_URL and CORDON_TOKEN, else the Cordon of this data directory. */
export async function connect(env: Environment, config: Config): Promise<Connection> {
  const url = env['CORDON_URL'] ?? publicUrls(config).control;
  let token = env['CORDON_TOKEN'];
  if (token === undefined) {
    const path = join(resolve(config.data_dir), OPERATOR_TOKEN_FILE);
    token = (await readFile(path, 'utf8').catch(() => '')).trim();
    if (token === '') {
      throw new ConfigInvalid(
        `No API token: ${path} can't be read. Start Cordon with "cordon up" from this folder, or set CORDON_URL and CORDON_TOKEN.`,
      );
    }
  }
  const reach: typeof fetch = async (input, init) => {
    try {
      return await fetch(input, init);
    } catch (cause) {
      throw new ConfigInvalid(`Cordon does not answer at ${url}. Is it running? ("cordon up")`, {}, cause);
    }
  };
  return { api: createApiClient({ baseUrl: url, token, fetch: reach }), url, token };
}
