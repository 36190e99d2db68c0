import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createLogger, systemClock } from '@cordon/kernel';
import { type Snapshot, signSnapshot, encodeSigned } from '@cordon/policy';
import { sampleEntry, sampleSigningKey, sampleSnapshot } from '@cordon/policy/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ControlClient } from './control-client.ts';
import { type ControlStub, startControlStub } from './control-stub.ts';
import { ControlSource } from './snapshot-source.ts';
import { tokenHash } from './testing.ts';

const logger = createLogger({ role: 'test', level: 'silent' });
const { signing, keys } = sampleSigningKey();
const first = sampleSnapshot({ 'app:app-1': sampleEntry('app'), 'integration:int-1': sampleEntry('integration') });
const revoked = (token: string) => ({ [`revoked:${tokenHash(token)}`]: { expiresAt: 4e12 } });

let folder = '';
let control: ControlStub;
let opened: { source: ControlSource; client: ControlClient }[] = [];

beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cordon-snapshot-'));
  control = await startControlStub({ snapshot: first, signing, key: 'k' });
  opened = [];
});
afterEach(async () => {
  for (const { source, client } of opened) {
    await source.stop();
    await client.close();
  }
  await control.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

async function open(url = control.url): Promise<{ source: ControlSource; applied: Snapshot[] }> {
  const client = new ControlClient({ controlUrl: url, workerUrl: url, key: 'k' });
  const source = new ControlSource({
    client,
    folder,
    keys: [...keys.values()],
    gatewayId: 'g',
    clock: systemClock,
    logger,
  });
  opened.push({ source, client });
  const applied: Snapshot[] = [];
  await source.start((snapshot) => applied.push(snapshot));
  return { source, applied };
}

/** As above, with the stream established: publications before that would be found by the poll instead. */
async function openFollowing(): Promise<{ source: ControlSource; applied: Snapshot[] }> {
  const opening = await open();
  control.publish({ set: {}, remove: [] });
  await vi.waitFor(() => expect(opening.source.current?.version).toBe(control.snapshot.version));
  return opening;
}

test('the full snapshot is in force when start resolves', async () => {
  const { source } = await open();
  expect(source.current?.version).toBe(1);
  expect(source.contactAt).toBeGreaterThan(0);
});

test('a published change arrives, and what is in force is reported back', async () => {
  const { source } = await openFollowing();
  const published = control.publish({ set: revoked('a'), revoke: true });
  await vi.waitFor(() => expect(source.current?.digest).toBe(published.digest));
  await vi.waitFor(() =>
    expect(control.statuses.at(-1)).toMatchObject({
      version: published.version,
      epoch: 2,
      gatewayId: 'g',
      pid: process.pid,
    }),
  );
});

test('a revocation whose notification is lost is in force within a second', async () => {
  const { source } = await openFollowing();
  const before = performance.now();
  const published = control.publish({ set: revoked('a'), revoke: true, notify: false });
  await vi.waitFor(() => expect(source.current?.epoch).toBe(published.epoch), { timeout: 2_000, interval: 5 });
  expect(performance.now() - before).toBeLessThan(1_000);
});

test('a gateway that missed too much for deltas takes the whole snapshot', async () => {
  const { source } = await open();
  control.withoutDeltas = true;
  for (const token of ['a', 'b', 'c']) control.publish({ set: revoked(token), revoke: true });
  await vi.waitFor(() => expect(source.current?.digest).toBe(control.snapshot.digest));
});

test.each<[string, (document: string) => string]>([
  ['a changed byte', (document) => document.replace('nightly', 'Nightly').replace('Nightly sync', 'Nightly pwnd')],
  [
    'another key',
    () => encodeSigned(signSnapshot(sampleSnapshot({}, { version: 9, epoch: 9 }), sampleSigningKey().signing)),
  ],
  ['garbage', () => 'not a document'],
  ['an older version', () => encodeSigned(signSnapshot(sampleSnapshot({}, { version: 0, epoch: 0 }), signing))],
])('%s is refused, and the last good snapshot stays in force', async (_name, tamper) => {
  const { source, applied } = await open();
  control.tamper = tamper;
  control.withoutDeltas = true;
  control.publish({ set: { 'integration:int-1': sampleEntry('integration', { status: 'suspended' }) }, revoke: true });
  const contact = source.contactAt;
  await new Promise((resolve) => {
    setTimeout(resolve, 600); // two polls: time for a bad document to be taken, were it ever taken
  });
  expect(applied.map(({ version }) => version)).toEqual([1]);
  // What control has couldn't be had: that is no news, and staleness counts on.
  expect(source.contactAt - contact).toBeLessThan(300);
  control.tamper = undefined;
  await vi.waitFor(() => expect(source.current?.digest).toBe(control.snapshot.digest), { timeout: 2_000 });
});

test('a restart without control serves from what is on disk, deltas included', async () => {
  const { source } = await openFollowing();
  control.publish({ set: revoked('a'), revoke: true });
  control.publish({ set: revoked('b'), revoke: true });
  await vi.waitFor(() => expect(source.current?.digest).toBe(control.snapshot.digest));
  await source.stop();
  control.mode = 'down';
  const again = await open();
  expect(again.source.current?.digest).toBe(control.snapshot.digest);
  expect(again.source.contactAt).toBeGreaterThan(0);
});

test('a snapshot that was changed on disk is not used', async () => {
  const { source } = await open();
  await source.stop();
  for (const name of fs.readdirSync(folder).filter((file) => file.endsWith('.full'))) {
    const file = path.join(folder, name);
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('Nightly sync', 'Nightly pwnd'));
  }
  control.mode = 'down';
  expect((await open()).source.current).toBeUndefined();
});

test('control may be away and come back', async () => {
  const { source } = await open();
  control.mode = 'down';
  const published = control.publish({ set: revoked('a'), revoke: true, notify: false });
  control.mode = 503;
  expect(source.current?.version).toBe(1);
  control.mode = 'up';
  await vi.waitFor(() => expect(source.current?.digest).toBe(published.digest), { timeout: 3_000 });
});
