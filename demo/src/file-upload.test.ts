import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createToolClient, type HttpPort, loadManifests, performAction } from '@cordon/connectors';
import { createTestLogger } from '@cordon/kernel/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Estate, startEstate } from './estate.ts';

/** What a restore does with a file that Google Drive lost: the emulator gets the bytes as they were. */

const http: HttpPort = {
  async send({ method, url, headers, body }) {
    const sent = typeof body === 'string' || body === undefined ? body : Buffer.from(body);
    const answer = await fetch(url, { method, headers, ...(sent === undefined ? {} : { body: sent }) });
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: Buffer.from(await answer.arrayBuffer()),
    };
  },
};
const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7 + (at >> 5)) % 251));

let estate: Estate;
beforeAll(async () => {
  estate = await startEstate({ logger: createTestLogger(), seed: 'uploads' });
});
afterAll(() => estate.stop());

async function upload(mode: 'dry-run' | 'run', file?: Buffer) {
  const loaded = (await loadManifests(fileURLToPath(new URL('../../content/connectors', import.meta.url)))).find(
    'google',
  );
  if (!loaded) throw new Error('no manifest for google');
  const { baseUrl, credential } = estate.app('google');
  const config = { customer: 'my_customer', admin: 'admin@meridian.example' };
  const connection = { config, secret: { kind: 'bearer' as const, token: credential.secret }, baseUrl };
  const pause = (ms: number): Promise<void> => setTimeout(Math.min(ms, 20)).then(() => undefined);
  const client = (of: 'read' | 'write') =>
    createToolClient(loaded, connection, { http, clock: { now: () => Date.now() }, pause }, of);
  return performAction(
    { loaded, reader: client('read'), writer: () => client('write'), config, pause, onCaptured: async () => undefined },
    { action: 'restore-file', input: { name: 'plan.bin', media: 'application/pdf' }, mode, ...(file && { file }) },
  );
}

async function named(): Promise<string[]> {
  const { baseUrl, credential } = estate.app('google');
  const headers = { authorization: `Bearer ${credential.secret}` };
  const answer = await fetch(`${baseUrl}/drive/v3/files?pageSize=100`, { headers });
  const { files } = (await answer.json()) as { files: { id: string; name: string }[] };
  return files.filter(({ name }) => name === 'plan.bin').map(({ id }) => id);
}

test('a dry run uploads nothing, and without bytes nothing is sent', async () => {
  expect(await upload('dry-run', bytes)).toMatchObject({ outcome: 'would_run', summary: 'Upload plan.bin anew.' });
  await expect(upload('run')).rejects.toThrow('A value is missing');
  expect(await named()).toEqual([]);
});

test('the tool holds the bytes as they were, and says under which id', async () => {
  const { result } = await upload('run', bytes);
  const { baseUrl, credential } = estate.app('google');
  const [id = ''] = await named();
  expect(result).toEqual({ id });
  const headers = { authorization: `Bearer ${credential.secret}` };
  const got = await fetch(`${baseUrl}/drive/v3/files/${id}?alt=media`, { headers });
  expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
});
