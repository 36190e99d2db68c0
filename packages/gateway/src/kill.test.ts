import { type ChildProcess, fork } from 'node:child_process';
import { createPublicKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { createLogger, createSecretEnvelope, systemClock } from '@cordon/kernel';
import { sampleSigningKey, sampleSnapshot } from '@cordon/policy/testing';
import { expect, test } from 'vitest';
import { Spool } from './spool.ts';
import { SpoolShipper } from './spool-shipper.ts';
import type { ChildConfig } from './test-gateway-process.ts';
import { sampleEntries, startControlStub, startUpstream, TEST_TOKEN } from './testing.ts';

const KILLS = 3;
const CLIENTS = 8;

function start(config: ChildConfig): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(new URL('./test-gateway-process.ts', import.meta.url), [JSON.stringify(config)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}`)));
    child.on('message', (message) => {
      if (typeof message === 'object' && message !== null && 'port' in message)
        resolve({ child, port: Number(message.port) });
    });
  });
}

/** One call; resolves with the request id when the whole answer was read, undefined when the connection broke. */
function call(port: number, agent: http.Agent): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = http.get(
      { port, host: '127.0.0.1', path: '/github/x', agent, headers: { authorization: `Bearer ${TEST_TOKEN}` } },
      (response) => {
        response.resume();
        response.on('end', () =>
          resolve(response.complete ? String(response.headers['x-cordon-request-id']) : undefined),
        );
        response.on('error', () => resolve(undefined));
      },
    );
    request.on('error', () => resolve(undefined));
  });
}

/** Calls over and over until the gateway is gone; resolves with the ids of the calls that were answered. */
async function load(port: number, answered: () => void): Promise<string[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const ids: string[] = [];
  for (let id = await call(port, agent); id !== undefined; id = await call(port, agent)) {
    ids.push(id);
    answered();
  }
  agent.destroy();
  return ids;
}

test('kill -9 under load: every call that was answered has exactly one event', { timeout: 60_000 }, async () => {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'cordon-kill-'));
  const kek = randomBytes(32);
  const { signing, keys } = sampleSigningKey();
  const upstream = await startUpstream((_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
  });
  const snapshot = sampleSnapshot(sampleEntries({ upstream: upstream.url }, createSecretEnvelope({ keys: [kek] })));
  const control = await startControlStub({ snapshot, signing, key: 'k' });
  const config: ChildConfig = {
    dataDir,
    controlUrl: control.url,
    workerUrl: control.url,
    key: 'k',
    publicKey: createPublicKey([...keys.values()][0]!.export({ type: 'spki', format: 'pem' })).export({
      type: 'spki',
      format: 'pem',
    }),
    keyEncryptionKey: kek.toString('base64'),
    port: 0,
  };
  const ids: string[] = [];
  for (let round = 0; round < KILLS; round++) {
    // The worker is away in the first round, so that everything has to be recovered from disk.
    control.ingestMode = round === 0 ? 'down' : 'up';
    const { child, port } = await start(config);
    let answered = 0;
    const loads = Array.from({ length: CLIENTS }, () =>
      load(port, () => {
        answered += 1;
        if (answered === 300 + round * 200) child.kill('SIGKILL');
      }),
    );
    const gone = once(child, 'exit');
    for (const answers of await Promise.all(loads)) ids.push(...answers);
    await gone;
    expect(child.killed).toBe(true);
  }
  control.ingestMode = 'up';

  // Heartbeats of the dead are older than they may be, by this clock.
  const later = { now: () => systemClock.now() + 60_000 };
  const logger = createLogger({ role: 'test', level: 'silent' });
  const spool = new Spool({ root: path.join(dataDir, 'spool'), clock: later, logger });
  const shipper = new SpoolShipper({
    spool,
    logger,
    random: () => 0.5,
    send: async (key, ndjson) => {
      const response = await fetch(`${control.url}/internal/ingest/batches`, {
        method: 'POST',
        headers: { authorization: 'Bearer k', 'idempotency-key': key },
        body: new Uint8Array(ndjson),
      });
      return response.status;
    },
  });
  spool.adopt();
  await shipper.ship();
  spool.close();

  const counts = new Map<string, number>();
  for (const event of control.events) {
    const { uid } = event.metadata as { uid: string }; // as the builder makes it
    counts.set(uid, (counts.get(uid) ?? 0) + 1);
  }
  expect(ids.length).toBeGreaterThanOrEqual(300 * KILLS);
  expect(ids.filter((id) => counts.get(id) !== 1)).toEqual([]);
  expect([...counts.values()].filter((count) => count !== 1)).toEqual([]);
  expect(fs.readdirSync(path.join(dataDir, 'spool'))).toEqual([]);
  await control.close();
  await upstream.close();
  fs.rmSync(dataDir, { recursive: true, force: true });
});
