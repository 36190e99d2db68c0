import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createSecretEnvelope, systemClock } from '@cordon/kernel';
import { appEntry } from '@cordon/policy';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createVendorClient } from './vendor-client.ts';

const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 1)] });
const client = createVendorClient(envelope, systemClock);
let server: Server;
let url = '';
const seen: string[] = [];

const app = (part: object = {}) =>
  appEntry.parse({
    id: 'app-1',
    name: 'one',
    title: 'One',
    upstream: url,
    plaintext: 'allow',
    privateAddresses: ['127.0.0.1'],
    ...part,
  });

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? '-'}`);
    if (request.url === '/away') response.writeHead(302, { location: `${url}/user` }).end();
    else if (request.url === '/flood') response.end(Buffer.alloc(300 * 1024));
    else response.writeHead(request.headers.authorization === 'Bearer good' ? 200 : 401).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server has one
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test('a probe carries the credential as calls do', async () => {
  const sealed = (secret: string) => ({
    kind: 'bearer' as const,
    scheme: 'Bearer',
    expiresAt: null,
    renewal: null,
    sealed: envelope.seal(secret, 'credential:app-1'),
  });
  expect(await client.probe(app(), sealed('good'), '/user')).toBe(200);
  expect(await client.probe(app(), sealed('bad'), '/user')).toBe(401);
});

test('no redirect is followed', async () => {
  const before = seen.length;
  expect((await client.send({ method: 'GET', url: `${url}/away`, headers: {} }, app())).status).toBe(302);
  expect(seen.length).toBe(before + 1);
});

test.each([
  ['a private address that nobody allowed', {}, { privateAddresses: [] }, 'private'],
  ['plain HTTP that nobody allowed', {}, { plaintext: 'refuse' }, 'plain HTTP'],
  ['the metadata service', { url: 'http://169.254.169.254/latest' }, {}, 'link-local'],
  ['an answer without end', { path: '/flood' }, {}, 'too large'],
])('refused: %s', async (_what, request: { url?: string; path?: string }, part, said) => {
  const target = request.url ?? `${url}${request.path ?? '/user'}`;
  await expect(client.send({ method: 'GET', url: target, headers: {} }, app(part))).rejects.toThrow(said);
});
