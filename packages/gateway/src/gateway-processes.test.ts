import { type ChildProcess, fork } from 'node:child_process';
import { createPublicKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createSecretEnvelope } from '@cordon/kernel';
import { sampleEntry, sampleSigningKey, sampleSnapshot } from '@cordon/policy/testing';
import { afterEach, expect, test } from 'vitest';
import type { ChildConfig } from './test-gateway-process.ts';
import { sampleEntries, startControlStub, startUpstream, TEST_TOKEN } from './testing.ts';

const LIMIT = 20;
const closers: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function prepare(): Promise<ChildConfig> {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'cordon-processes-'));
  closers.push(() => fs.rmSync(dataDir, { recursive: true, force: true }));
  const kek = randomBytes(32);
  const { signing, keys } = sampleSigningKey();
  const upstream = await startUpstream((_request, _body, response) => void response.writeHead(204).end());
  closers.push(() => upstream.close());
  const rate = { count: LIMIT, periodMs: 86_400_000, burst: LIMIT };
  const entries = {
    ...sampleEntries({ upstream: upstream.url }, createSecretEnvelope({ keys: [kek] })),
    'limit:limit-1': sampleEntry('limit', { id: 'limit-1', name: 'A few a day', rate }),
  };
  const control = await startControlStub({ snapshot: sampleSnapshot(entries), signing, key: 'k' });
  closers.push(() => control.close());
  const pem = [...keys.values()][0]!.export({ type: 'spki', format: 'pem' });
  return {
    dataDir,
    controlUrl: control.url,
    workerUrl: control.url,
    key: 'k',
    publicKey: createPublicKey(pem).export({ type: 'spki', format: 'pem' }),
    keyEncryptionKey: kek.toString('base64'),
    port: 0,
    processes: 3,
  };
}

function start(config: ChildConfig): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(new URL('./test-gateway-process.ts', import.meta.url), [JSON.stringify(config)]);
  closers.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return new Promise((resolve) => {
    child.once('message', (message: { port: number }) => resolve({ child, port: message.port }));
  });
}

async function statuses(ports: readonly number[], calls: number): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  const call = async (index: number): Promise<void> => {
    const headers = { authorization: `Bearer ${TEST_TOKEN}` };
    const { status } = await fetch(`http://127.0.0.1:${ports[index % ports.length]}/github/x`, { headers });
    counts.set(status, (counts.get(status) ?? 0) + 1);
  };
  await Promise.all(Array.from({ length: calls }, (_, index) => call(index)));
  return counts;
}

test(
  'gateway processes of one machine hold a limit together, also when one is killed',
  { timeout: 60_000 },
  async () => {
    const config = await prepare();
    const first = await start(config); // the hub, being alone
    const others = [await start(config), await start(config)];
    const ports = [first, ...others].map(({ port }) => port);
    expect(await statuses(ports, 12)).toEqual(new Map([[204, 12]]));
    // Longer than what a hub may keep to itself.
    expect(await statuses(ports.slice(1), 3)).toEqual(new Map([[204, 3]]));
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    const after = await statuses(ports.slice(1), 20);
    expect(after).toEqual(
      new Map([
        [204, 5],
        [429, 15],
      ]),
    );
  },
);
