import { type ChildProcess, fork } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, hash, randomBytes, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createSecretEnvelope } from '@cordon/kernel';
import { sampleEntry, sampleSigningKey, sampleSnapshot } from '@cordon/policy/testing';
import { request } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import type { ChildConfig } from './test-gateway-process.ts';
import { TestValkeyServer, VALKEY_SERVER } from './test-valkey-server.ts';
import { sampleEntries, startControlStub, startUpstream, TEST_TOKEN, tokenHash } from './testing.ts';

const LIMIT = 20;
const closers: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function prepare(further: Record<string, unknown> = {}): Promise<ChildConfig> {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'cordon-processes-'));
  closers.push(() => fs.rmSync(dataDir, { recursive: true, force: true }));
  const kek = randomBytes(32);
  const { signing, keys } = sampleSigningKey();
  const upstream = await startUpstream((_request, _body, response) => void response.writeHead(204).end());
  closers.push(() => upstream.close());
  const rate = { count: LIMIT, periodMs: 86_400_000, burst: LIMIT };
  const entries = {
    ...sampleEntries({ upstream: upstream.url }, createSecretEnvelope({ keys: [kek] })),
    ...further,
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

const BOUND = 'cordon_at_bound-to-a-dpop-key-0123456';

/** A token bound to a key, and what calls with it. */
function boundClient() {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { crv, kty, x, y } = keys.publicKey.export({ format: 'jwk' });
  const jkt = hash('sha256', JSON.stringify({ crv, kty, x, y }), 'base64url');
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const prove = (): string => {
    const claims = {
      jti: randomUUID(),
      htm: 'GET',
      htu: 'http://gateway.example/github/x',
      iat: Math.floor(Date.now() / 1000),
      ath: hash('sha256', BOUND, 'base64url'),
    };
    const data = `${encode({ typ: 'dpop+jwt', alg: 'ES256', jwk: { crv, kty, x, y } })}.${encode(claims)}`;
    const key = { key: keys.privateKey, dsaEncoding: 'ieee-p1363' } as const;
    return `${data}.${sign('sha256', Buffer.from(data), key).toString('base64url')}`;
  };
  const call = async (dpop: string, { port }: { port: number }): Promise<number> => {
    const headers = { authorization: `DPoP ${BOUND}`, dpop, host: 'gateway.example' };
    const answer = await request(`http://127.0.0.1:${port}/github/x`, { headers });
    await answer.body.dump();
    return answer.statusCode;
  };
  const token = sampleEntry('token', { expiresAt: 4e12, cnf: { jkt }, assurance: 'm1' });
  return { prove, call, entries: { [`token:${tokenHash(BOUND)}`]: token } };
}

test('a DPoP proof that one process took is a replay at every other one', { timeout: 60_000 }, async () => {
  const { prove, call, entries } = boundClient();
  const config = await prepare(entries);
  const first = await start(config); // the hub, being alone
  const [second, third] = [await start(config), await start(config)];
  const everywhere = (dpop: string, processes: { port: number }[]) =>
    Promise.all(processes.map((one) => call(dpop, one)));

  const [one, two, three] = [prove(), prove(), prove()];
  expect([await call(one, second), await call(one, third), await call(one, first)]).toEqual([204, 401, 401]);
  expect([await call(two, first), await call(two, second)]).toEqual([204, 401]);
  expect((await everywhere(three, [first, second, third])).toSorted((a, b) => a - b)).toEqual([204, 401, 401]);
  // The next hub learns from the others what they used before it was one.
  const [before, after] = [prove(), prove()];
  expect(await call(before, second)).toBe(204);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  await expect
    .poll(async () => (await everywhere(prove(), [second, third])).includes(401), { timeout: 10_000 })
    .toBe(true);
  expect(await call(before, third)).toBe(401);
  expect([await call(after, third), await call(after, second)]).toEqual([204, 401]);
});

describe.skipIf(!fs.existsSync(VALKEY_SERVER))(`machines (skipped: ${VALKEY_SERVER} absent, when skipped)`, () => {
  async function fleet(unsharedProofs: 'accept' | 'refuse') {
    const server = new TestValkeyServer();
    closers.push(() => server.remove());
    await server.start();
    const client = boundClient();
    const config = { ...(await prepare(client.entries)), processes: 1, valkeyUrl: server.url, unsharedProofs };
    // Each with a data folder of its own: nothing on a disk or a socket that they could tell each other by.
    const machine = (name: string) => {
      const dataDir = path.join(config.dataDir, name);
      fs.mkdirSync(dataDir);
      return start({ ...config, dataDir });
    };
    return { server, ...client, machines: [await machine('a'), await machine('b')] as const };
  }

  test('a DPoP proof is taken by one of two', { timeout: 60_000 }, async () => {
    const { prove, call, machines, server } = await fleet('accept');
    const [one, two] = machines;
    const proof = prove();
    expect([await call(proof, one), await call(proof, two), await call(proof, one)]).toEqual([204, 401, 401]);
    const both = prove();
    const answers = await Promise.all(machines.map((machine) => call(both, machine)));
    expect(answers.toSorted((a, b) => a - b)).toEqual([204, 401]);
    // Without the server each knows its own proofs, and calls go on.
    await server.stop();
    const alone = prove();
    expect([await call(alone, one), await call(alone, one), await call(alone, two)]).toEqual([204, 401, 204]);
  });

  test('where it is set so, none is taken while nobody can say who took it', { timeout: 60_000 }, async () => {
    const { prove, call, machines, server } = await fleet('refuse');
    const [one, two] = machines;
    expect(await call(prove(), one)).toBe(204);
    await server.stop();
    expect([await call(prove(), one), await call(prove(), two)]).toEqual([503, 503]);
    await server.start();
    await expect.poll(() => call(prove(), one), { timeout: 15_000 }).toBe(204);
  });
});
