import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

/** A connection to the embedded database of a running Cordon, for what only time or a fault brings about. The caller ends it. */
export async function openOwnDatabase(dataDir: string): Promise<pg.Client> {
  const place = (await readFile(join(dataDir, 'postgres.location'), 'utf8').catch(() => '')).trim();
  const root = place === '' ? join(dataDir, 'postgres') : place;
  const access = JSON.parse(await readFile(join(root, 'access.json'), 'utf8')) as { port: number; password: string };
  const client = new pg.Client(`postgres://cordon:${access.password}@127.0.0.1:${access.port}/cordon`);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
