import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSourceCommands, detectionMigrations, type SourceRecord } from '@cordon/detection';
import { type Actor, createSecretEnvelope, kernelMigrations, migrate, systemClock } from '@cordon/kernel';
import { createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSourceEndpoint, wayIn } from './source-endpoint.ts';

const ADA: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['security'] };
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 2)] });
let data: TestDatabase;
let server: Server;
let credential = '';
let isLakeAway = false;
const CHANNEL = '11111111-2222-3333-4444-555555555555';

/** As after a restart: nothing but the database is remembered. */
function serve(): Server {
  const ingest = {
    take: async (_source: unknown, records: readonly SourceRecord[]) => {
      if (isLakeAway) throw new Error('the lake is away');
      return { accepted: records.length, duplicates: 0, failed: [] };
    },
    replay: async () => 0,
  };
  const endpoint = createSourceEndpoint({ db: data.db, ingest, clock: systemClock, logger: createTestLogger() });
  return createServer((request, response) => {
    const way = wayIn((request.url ?? '').split('?', 1)[0] ?? '');
    if (way === null) return response.writeHead(404).end();
    void endpoint(way, request).then(({ status, body }) => response.writeHead(status).end(JSON.stringify(body)));
    return response;
  });
}
async function start(): Promise<void> {
  server = serve();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}
async function stop(): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

beforeAll(async () => {
  data = await createTestDatabase();
  await migrate(data.db, [kernelMigrations, detectionMigrations]);
  const commands = createSourceCommands({
    db: data.db,
    clock: systemClock,
    envelope,
    random: (bytes) => Buffer.alloc(bytes, 5),
    knowsProduct: () => true,
  });
  ({ credential } = await commands.create(ADA, { name: 'hec', product: 'okta', rateMax: 1_000 }));
  await start();
});
afterAll(async () => {
  await stop();
  await data.drop();
});

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const { port } = server.address() as AddressInfo; // a TCP server has one
  const answer = await fetch(`http://127.0.0.1:${port}/services/collector${path}`, {
    method: 'POST',
    headers: { authorization: `Splunk ${credential}`, ...headers },
    body: JSON.stringify(body),
  });
  const answered: unknown = await answer.json();
  return { status: answer.status, body: answered };
}
const channel = { 'x-splunk-request-channel': CHANNEL };

test('a delivery on a channel is numbered, and its number is acknowledged once it is on disk', async () => {
  const send = () => post('/event', { event: { a: 1 } }, channel);
  expect(await send()).toMatchObject({ status: 200, body: { code: 0, ackId: 0 } });
  expect(await post(`/event?channel=${CHANNEL}`, { event: { a: 2 } })).toMatchObject({ body: { ackId: 1 } });
  isLakeAway = true;
  expect((await send()).status).toBe(503);
  isLakeAway = false;
  const asked = { acks: [0, 1, 2] };
  expect(await post(`/ack?channel=${CHANNEL}`, asked)).toEqual({
    status: 200,
    body: { acks: { 0: true, 1: true, 2: false } },
  });
  await stop();
  await start();
  expect((await post('/ack', asked, channel)).body).toEqual({ acks: { 0: true, 1: true, 2: false } });
  expect(await send()).toMatchObject({ body: { ackId: 2 } });
  expect((await post('/ack?channel=another', asked)).body).toEqual({ acks: { 0: false, 1: false, 2: false } });
});

test('without a channel there is no number', async () => {
  const { status, body } = await post('/event', { event: { a: 1 } });
  expect(status).toBe(200);
  expect(body).not.toHaveProperty('ackId');
});

test.each([
  ['/ack', { acks: [0] }, {}, 10],
  ['/ack?channel=a%20b', { acks: [0] }, {}, 11],
  ['/event?channel=a%20b', { event: 1 }, {}, 11],
  ['/ack', { acks: ['x'] }, channel, 6],
  ['/ack', 'x', channel, 6],
])('%s with %j and %j is refused with Splunk’s code', async (path, body, headers, code) => {
  expect(await post(path, body, headers)).toMatchObject({ status: 400, body: { code } });
});
