import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const DESCRIPTION = {
  openapi: '3.1.0',
  info: { title: 'Notes', version: '1' },
  paths: {
    '/notes/{id}': {
      get: {
        operationId: 'notes.get',
        tags: ['notes'],
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
        responses: { 200: { description: 'a note' } },
      },
    },
    '/notes': {
      post: {
        operationId: 'notes.create',
        tags: ['notes'],
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['text'],
                additionalProperties: false,
                properties: { text: { type: 'string', maxLength: 2_000 } },
              },
            },
          },
        },
        responses: { 201: { description: 'made' } },
      },
    },
  },
};

export const VENDOR_SECRET = 'vendor-secret-of-the-notes-app';

/** A small SaaS tool on loopback: notes that can be read and made, with a vendor's secret it insists on. */
export interface FakeVendor {
  readonly url: string;
  readonly description: string;
  readonly requests: () => number;
  /** Requests that came without the vendor's secret, or with something of Cordon's. */
  readonly violations: () => number;
  /** Notes whose id begins with `held` are answered only after this; resolves `waiting` when one is asked for. */
  hold(): { readonly waiting: Promise<void>; release(): void };
  stop(): Promise<void>;
}

export async function startVendor(): Promise<FakeVendor> {
  let [requests, violations] = [0, 0];
  let held = { waiting: Promise.withResolvers<void>(), released: Promise.resolve() };
  const server = createServer((request, response) => {
    requests += 1;
    if (request.headers.authorization !== `Bearer ${VENDOR_SECRET}`) violations += 1;
    request.resume();
    request.once('end', () => {
      const id = request.url?.split('/').at(-1) ?? '';
      const answer = (): void => {
        response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ id, text: `note ${id}` }));
      };
      if (!id.startsWith('held')) return answer();
      held.waiting.resolve();
      return void held.released.then(answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server has one
  return {
    url: `http://127.0.0.1:${port}`,
    description: JSON.stringify(DESCRIPTION),
    requests: () => requests,
    violations: () => violations,
    hold() {
      const released = Promise.withResolvers<void>();
      held = { waiting: Promise.withResolvers<void>(), released: released.promise };
      return { waiting: held.waiting.promise, release: released.resolve };
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
