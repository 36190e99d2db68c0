import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { estateMigrations } from '@cordon/estate';
import { startTestGateway, startUpstream, TEST_TOKEN } from '@cordon/gateway/testing';
import { BodyObserver, createInventory, governanceMigrations, listFlows, listSets, scan } from '@cordon/governance';
import { type Actor, createSecretEnvelope, kernelMigrations, migrate, systemClock } from '@cordon/kernel';
import { createTestDatabase, createTestLogger } from '@cordon/kernel/testing';
import { compileDescription } from '@cordon/openapi';
import { sampleEntry } from '@cordon/policy/testing';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createDataContext } from '../roles/data-parts.ts';
import { startDataDuties } from './data-duties.ts';

const ada: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['security'] };
const answers = { 200: { description: 'ok', content: { 'application/json': { schema: {} } } } };
const describe = (path: string, method: string) =>
  compileDescription(
    Buffer.from(
      JSON.stringify({
        openapi: '3.1.0',
        info: { title: 'API', version: '1' },
        paths: {
          [path]: {
            [method]: {
              operationId: `${method}${path}`,
              ...(method === 'post' ? { requestBody: { content: { 'application/json': { schema: {} } } } } : {}),
              responses: answers,
            },
          },
        },
      }),
    ),
  );

test('a record read from app A and written to app B through a real gateway is one spread and a flow', async () => {
  const database = await createTestDatabase();
  const { db } = database;
  await migrate(db, [kernelMigrations, estateMigrations, governanceMigrations]);
  const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 3)] });
  const logger = createTestLogger();
  const connectors = { list: async () => [], readStream: () => Promise.reject(new Error('none')) as never };
  const duties = await startDataDuties({ db, clock: systemClock, envelope, logger, connectors });
  const key = await sql<{ value: Record<string, unknown>; key: string }>`
    select key, value from snapshot_entries where key like 'fingerprint-key:%'`.execute(db.tables<object>());

  const batches: string[] = [];
  const worker = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url !== '/internal/data/observations') return response.writeHead(204).end();
      const body = Buffer.concat(chunks);
      batches.push(body.toString('utf8'));
      const batch = String(request.headers['idempotency-key']);
      // Twice, as after a lost answer.
      void duties
        .take(batch, body)
        .then(() => duties.take(batch, body))
        .then(() => response.writeHead(204).end());
      return undefined;
    });
  });
  await new Promise<void>((resolve) => {
    worker.listen(0, '127.0.0.1', resolve);
  });
  const { port } = worker.address() as AddressInfo; // listening on a port
  const upstream = await startUpstream((request, _body, response) => {
    const person = { id: 9, full_name: 'Jane Miller', email: 'jane.miller@acme-corp.io' };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(request.method === 'GET' ? { data: [person] } : { ok: true }));
  });
  const [crm, chat] = [describe('/v1/customers', 'get'), describe('/api/chat.postMessage', 'post')];
  const appOf = (id: string, name: string, { blob, sha256 }: ReturnType<typeof describe>) =>
    sampleEntry('app', {
      id,
      name,
      upstream: upstream.url,
      plaintext: 'allow',
      privateAddresses: ['127.0.0.1'],
      description: { sha256, bytes: blob.length },
      unknownOperations: 'refuse',
    });
  const gateway = await startTestGateway({
    upstream: upstream.url,
    blobs: new Map([crm, chat].map(({ blob, sha256 }) => [sha256, blob])),
    entries: {
      'app:app-1': appOf('app-1', 'crm', crm),
      'app:app-2': appOf('app-2', 'chat', chat),
      'grant:grant-2': sampleEntry('grant', {
        id: 'grant-2',
        appId: 'app-2',
        select: [{ kind: 'access', access: 'any' }],
      }),
      ...Object.fromEntries(key.rows.map((row) => [row.key, row.value])),
    },
    config: { worker: { url: `http://127.0.0.1:${port}` } },
    deps: { observer: new BodyObserver(), envelope },
  });
  const headers = { authorization: `Bearer ${TEST_TOKEN}`, 'content-type': 'application/json' };
  const read = await fetch(`${gateway.url}/crm/v1/customers`, { headers });
  expect(read.status).toBe(200);
  await read.text();
  await gateway.gateway.flush();
  const body = JSON.stringify({ channel: 'C1', text: 'please call Jane.Miller@acme-corp.io' });
  const written = await fetch(`${gateway.url}/chat/api/chat.postMessage`, { method: 'POST', headers, body });
  expect(written.status).toBe(200);
  await written.text();
  await gateway.gateway.flush();

  expect(batches.join('')).not.toMatch(/jane|miller|acme/i);
  const context = createDataContext({ db, clock: systemClock, envelope });
  const { places } = await createInventory(context).findSpread(ada, 'jane.miller@acme-corp.io');
  expect(places.map(({ app, object, direction, seen }) => [app, object, direction, seen])).toEqual([
    ['crm', 'customer', 'read', 1],
    ['chat', 'message', 'write', 1],
  ]);
  const flows = await listFlows(db, {});
  expect(flows.filter(({ how }) => how === 'inferred')).toMatchObject([
    { from: { app: 'crm', object: 'customer' }, to: { app: 'chat', object: 'message' }, records: 1 },
  ]);
  await scan(context);
  expect((await listSets(db, { app: 'chat' }))[0]).toMatchObject({ label: 'confidential' });
  const labels = await sql<{ value: unknown }>`
    select value from snapshot_entries where key = 'data-label:app-2'`.execute(db.tables<object>());
  expect(labels.rows[0]?.value).toMatchObject({ label: 'confidential' });

  await gateway.stop();
  await upstream.close();
  await duties.stop();
  worker.closeAllConnections();
  await new Promise((resolve) => worker.close(resolve));
  await database.drop();
});
