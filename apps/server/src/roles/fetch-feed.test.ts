import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FeedWay } from '@cordon/vendors';
import { fetchFeed } from './vendor-insight-parts.ts';

let asked = 0;
const server = http.createServer((request, response) => {
  asked += 1;
  if (request.url === '/moved') response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
  else if (request.url === '/large') response.end(Buffer.alloc(5 * 1024 * 1024));
  else response.end('{"version":1}');
});
let base = '';

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on a port
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const way = (privateAddresses: readonly string[]): FeedWay => ({
  privateAddresses,
  authorities: [],
  bytesMax: 4_194_304,
});

test('a feed at a private address that somebody named is read', async () => {
  expect(String(await fetchFeed(`${base}/feed`, way(['127.0.0.1'])))).toBe('{"version":1}');
});

test.each([
  ['an address that nobody named', '/feed', [], /private, loopback/],
  ['a redirect', '/moved', ['127.0.0.1'], /answered 302/],
  ['too much', '/large', ['127.0.0.1'], /too large/],
])('%s is refused', async (_, path, allowed, message) => {
  await expect(fetchFeed(base + path, way(allowed))).rejects.toThrow(message);
});

test('plain HTTP by name is refused before anything is sent', async () => {
  const before = asked;
  await expect(fetchFeed(base.replace('127.0.0.1', 'localhost'), way(['127.0.0.1', '::1']))).rejects.toThrow(
    /not encrypted/,
  );
  expect(asked).toBe(before);
});
