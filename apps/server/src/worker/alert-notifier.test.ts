import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postJson } from './alert-notifier.ts';

let requests = 0;
const server = createServer((_request, response) => {
  requests += 1;
  response.writeHead(302, { location: 'http://127.0.0.1:1/elsewhere' }).end();
});
let port = 0;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo); // a TCP server has one
});
afterAll(async () => {
  server.close();
  await once(server, 'close');
});

test.each(['127.0.0.1', 'localhost', '[::1]'])('a webhook can not reach the inside: %s', async (host) => {
  const before = requests;
  await expect(async () => postJson(new URL(`http://${host}:${port}/`), '{}', [])).rejects.toMatchObject({
    code: 'gateway.upstream_forbidden',
  });
  expect(requests).toBe(before);
});

test('an address that was named is reached, and a redirect is an answer like any other', async () => {
  expect(await postJson(new URL(`http://127.0.0.1:${port}/`), '{}', ['127.0.0.1'])).toBe(302);
});
