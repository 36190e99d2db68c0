import { setTimeout } from 'node:timers/promises';
import type { paths } from '@cordon/client';
import { type Estate, startEstate } from '@cordon/demo';
import { createTestLogger } from '@cordon/kernel/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** An emulated GitHub is backed up through its connector, damaged, looked at, and put right. */

const WAIT_MS = 200;
const WAITS_MAX = 200;

let cordon: RunningCordon;
let estate: Estate;
let planId = '';
let number = 0;

beforeAll(async () => {
  [cordon, estate] = await Promise.all([
    startCordon({ processes: 1 }),
    startEstate({ logger: createTestLogger(), seed: 'backup' }),
  ]);
});
afterAll(() => Promise.all([cordon?.stop(), estate?.stop()]));

async function github(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ number: number; title: string; body: string }> {
  const { baseUrl, credential } = estate.app('github');
  const headers = { authorization: `Bearer ${credential.secret}`, 'content-type': 'application/json' };
  const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
  const answer = await fetch(new URL(path, baseUrl), init);
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as never; // the emulator's own shape
}

type JobBody = paths['/api/v1/backups/{id}/jobs']['post']['requestBody']['content']['application/json'];

async function run(body: JobBody) {
  const params = { path: { id: planId } };
  const started = taken(await cordon.api.POST('/api/v1/backups/{id}/jobs', { params, body }));
  for (let waits = 0; ; waits++) {
    const job = taken(await cordon.api.GET('/api/v1/backup-jobs/{id}', { params: { path: { id: started.id } } }));
    if (job.status === 'done' || job.status === 'failed' || waits >= WAITS_MAX) return job;
    await setTimeout(WAIT_MS);
  }
}

test('a plan takes a verified snapshot of what the connector reads', async () => {
  number = (await github('POST', '/repos/meridian/storefront/issues', { title: 'Pay the bill', body: 'Before Friday' }))
    .number;
  const { baseUrl, credential } = estate.app('github');
  const connection = taken(
    await cordon.api.POST('/api/v1/connections', {
      body: {
        app: 'github',
        name: 'github-main',
        config: { org: 'meridian' },
        baseUrl,
        privateAddresses: ['127.0.0.1'],
        credential: { kind: 'bearer', token: credential.secret },
        everyMinutes: null,
      },
    }),
  );
  const body = { connectionId: connection.id, name: 'github-main', app: 'github', everyS: null, streams: ['issues'] };
  planId = taken(await cordon.api.PUT('/api/v1/backups', { body })).id;
  const job = await run({ kind: 'snapshot' });
  expect(job).toMatchObject({ status: 'done', result: { problems: 0, notRead: [] } });
  await run({ kind: 'sample' });
  const [plan] = taken(await cordon.api.GET('/api/v1/backups', {})).items;
  expect(plan?.records).toBeGreaterThan(0);
  expect(plan?.recovery).toMatchObject({ rpoMet: true, rtoMet: true });
});

test('what was changed is shown by a dry run that touches nothing, then put right, once', async () => {
  const path = `/repos/meridian/storefront/issues/${number}`;
  await github('PATCH', path, { title: 'Pay nobody', body: 'Never' });
  const dryRun = await run({ kind: 'plan', scope: { object: 'issue' } });
  expect(dryRun).toMatchObject({ status: 'done', result: { updates: 1, creates: 0, deletes: 0 } });
  expect((await github('GET', path)).title).toBe('Pay nobody');
  const restored = await run({ kind: 'restore', dryRun: dryRun.id });
  expect(restored).toMatchObject({ status: 'done', result: { done: 1, failed: 0 } });
  expect(await github('GET', path)).toMatchObject({ title: 'Pay the bill', body: 'Before Friday' });
  expect((await run({ kind: 'plan', scope: { object: 'issue' } })).result).toMatchObject({ updates: 0, creates: 0 });
});

test('a snapshot is searched, and written to a file', async () => {
  const params = { path: { id: planId } };
  const [snapshot] = taken(await cordon.api.GET('/api/v1/backups/{id}/snapshots', { params })).items;
  const one = { path: { id: planId, snapshot: snapshot?.id ?? '' }, query: { text: 'before friday' } };
  const found = taken(await cordon.api.GET('/api/v1/backups/{id}/snapshots/{snapshot}/records', { params: one }));
  expect(found.items).toMatchObject([{ object: 'issue', title: 'Pay the bill' }]);
  const { result } = await run({ kind: 'verify', sample: 1 });
  expect(result).toMatchObject({ problems: [], broken: [] });
});

/** A file of an emulated Slack, as its own client uploads one. */
async function upload(name: string, bytes: Uint8Array): Promise<string> {
  const { baseUrl, credential } = estate.app('slack');
  const ask = async (method: string, form: Record<string, string>) => {
    const headers = { authorization: `Bearer ${credential.secret}` };
    const answer = await fetch(`${baseUrl}/api/${method}`, {
      method: 'POST',
      headers,
      body: new URLSearchParams(form),
    });
    const body = (await answer.json()) as { ok: boolean; error?: string; upload_url: string; file_id: string };
    if (!body.ok) throw new Error(`${method}: ${body.error}`);
    return body;
  };
  const { upload_url: url, file_id: id } = await ask('files.getUploadURLExternal', {
    filename: name,
    length: String(bytes.length),
  });
  const headers = { authorization: `Bearer ${credential.secret}` };
  await fetch(url, { method: 'POST', headers, body: Buffer.from(bytes) });
  await ask('files.completeUploadExternal', { files: JSON.stringify([{ id, title: name }]) });
  return id;
}

test('the bytes of a file are kept, and come back equal after the tool lost it', async () => {
  const bytes = Buffer.from(Array.from({ length: 700_000 }, (_, at) => (at * at + (at >> 7)) % 256));
  const id = await upload('offer.pdf', bytes);
  const { baseUrl, credential } = estate.app('slack');
  const connection = taken(
    await cordon.api.POST('/api/v1/connections', {
      body: {
        app: 'slack',
        name: 'slack-main',
        config: {},
        baseUrl,
        privateAddresses: ['127.0.0.1'],
        credential: { kind: 'bearer', token: credential.secret },
        everyMinutes: null,
      },
    }),
  );
  const body = { connectionId: connection.id, name: 'slack-main', app: 'slack', everyS: null, streams: ['files'] };
  planId = taken(await cordon.api.PUT('/api/v1/backups', { body })).id;
  const first = await run({ kind: 'snapshot' });
  expect(first).toMatchObject({ status: 'done', result: { problems: 0, notRead: [] } });
  const again = await run({ kind: 'snapshot' });
  expect(again).toMatchObject({ result: { added: 0, changed: 0, removed: 0 } });
  const form = new URLSearchParams({ file: id });
  await fetch(`${baseUrl}/api/files.delete`, {
    method: 'POST',
    headers: { authorization: `Bearer ${credential.secret}` },
    body: form,
  });
  const { snapshot } = again.result as { snapshot: string };
  const at = `${cordon.url}/api/v1/backups/${planId}/snapshots/${snapshot}`;
  const headers = { authorization: `Bearer ${cordon.token}` };
  const record = await fetch(`${at}/record?object=file&id=${id}`, { headers });
  expect(await record.json()).toMatchObject({ title: 'offer.pdf', file: { bytes: 700_000, notRead: null } });
  const answer = await fetch(`${at}/file?object=file&id=${id}`, { headers });
  expect(answer.headers.get('content-disposition')).toBe('attachment; filename="offer.pdf"');
  expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
});

test('a file that Google Drive lost is uploaded again, byte for byte, after a dry run that says so', async () => {
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7 + (at >> 5)) % 251));
  const { baseUrl, credential } = estate.app('google');
  const headers = { authorization: `Bearer ${credential.secret}` };
  const boundary = 'of-the-test';
  const told = JSON.stringify({ name: 'plan.bin', mimeType: 'application/pdf' });
  const body = Buffer.concat([
    Buffer.from(`--${boundary}\r\ncontent-type: application/json\r\n\r\n${told}\r\n`),
    Buffer.from(`--${boundary}\r\ncontent-type: application/pdf\r\n\r\n`),
    bytes,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  const sent = { ...headers, 'content-type': `multipart/related; boundary=${boundary}` };
  const url = `${baseUrl}/upload/drive/v3/files?uploadType=multipart`;
  const { id } = (await (await fetch(url, { method: 'POST', headers: sent, body })).json()) as { id: string };
  const connection = taken(
    await cordon.api.POST('/api/v1/connections', {
      body: {
        app: 'google',
        name: 'google-main',
        config: { customer: 'my_customer', admin: 'admin@meridian.example' },
        baseUrl,
        privateAddresses: ['127.0.0.1'],
        credential: { kind: 'bearer', token: credential.secret },
        everyMinutes: null,
      },
    }),
  );
  const plan = { connectionId: connection.id, name: 'google-main', app: 'google', everyS: null, streams: ['files'] };
  planId = taken(await cordon.api.PUT('/api/v1/backups', { body: plan })).id;
  expect(await run({ kind: 'snapshot' })).toMatchObject({ status: 'done', result: { notRead: [] } });
  await fetch(`${baseUrl}/drive/v3/files/${id}`, {
    method: 'PATCH',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ trashed: true }),
  });
  const named = async () => {
    const answer = await fetch(`${baseUrl}/drive/v3/files?pageSize=100`, { headers });
    const { files } = (await answer.json()) as { files: { id: string; name: string; trashed?: boolean }[] };
    return files.filter(({ name, trashed }) => name === 'plan.bin' && trashed !== true);
  };
  expect(await named()).toEqual([]);
  const dryRun = await run({ kind: 'plan', scope: { object: 'file', record: id } });
  expect(dryRun).toMatchObject({ status: 'done', result: { creates: 1, cannot: 0 } });
  expect((dryRun.result as { notes: string[] }).notes.join()).toContain('Uploads 300000 bytes.');
  expect(await named()).toEqual([]);
  expect(await run({ kind: 'restore', dryRun: dryRun.id })).toMatchObject({
    status: 'done',
    result: { done: 1, failed: 0 },
  });
  const [back] = await named();
  const got = await fetch(`${baseUrl}/drive/v3/files/${back?.id}?alt=media`, { headers });
  expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
  // Done again it does nothing: the record is known under its new id.
  expect((await run({ kind: 'plan', scope: { object: 'file', record: id } })).result).toMatchObject({ creates: 0 });
});
