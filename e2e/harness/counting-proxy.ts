import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'host',
  'content-encoding',
]);

export interface CountingProxy {
  readonly url: string;
  /** What reached the tool: `POST /api/chat.delete channel=C1&ts=1`, in order. */
  readonly calls: readonly string[];
  stop(): Promise<void>;
}

/** Stands before a tool and writes down each request, so that a test sees what happened outside and how often. */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const calls: string[] = [];
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', url = '/' } = request;
    const body = await text(request);
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers))
      if (typeof value === 'string' && !HOP_BY_HOP.has(name)) headers.set(name, value);
    calls.push(`${method} ${url} ${body}`.trim());
    try {
      const answer = await fetch(`${target}${url}`, { method, headers, ...(body === '' ? {} : { body }) });
      // The next page of a list lies behind this proxy too.
      const kept = [...answer.headers]
        .filter(([name]) => !HOP_BY_HOP.has(name))
        .map(([name, value]) => [name, value.replaceAll(target, `http://${request.headers.host}`)] as const);
      response.writeHead(answer.status, Object.fromEntries(kept)).end(Buffer.from(await answer.arrayBuffer()));
    } catch {
      response.writeHead(502).end();
    }
  };
  const server = createServer((request, response) => void pass(request, response));
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  const { port } = server.address() as AddressInfo; // listens on a port
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    stop: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}
