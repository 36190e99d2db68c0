import type http from 'node:http';
import zlib from 'node:zlib';
import { compileDescription } from '@cordon/openapi';

export const CARD = '4111 1111 1111 1111';
export const AWS_KEY = 'AKIAIOSFODNN7EXAMPL2';

/** An API description with the operations that the tests call. */
export const description = compileDescription(
  Buffer.from(
    JSON.stringify({
      openapi: '3.1.0',
      info: { title: 'Test', version: '1' },
      paths: {
        '/repos/{owner}': {
          get: {
            operationId: 'repos/list',
            parameters: [{ name: 'page', in: 'query', schema: { type: 'integer', minimum: 1 } }],
          },
          delete: { operationId: 'repos/delete' },
        },
        '/issues': {
          post: {
            operationId: 'issues/create',
            requestBody: {
              required: true,
              content: {
                'application/json': {
                  schema: {
                    type: 'object',
                    required: ['title'],
                    properties: { title: { type: 'string' }, count: { type: 'integer' }, body: { type: 'string' } },
                    additionalProperties: false,
                  },
                },
              },
            },
          },
        },
        '/upload': { post: { operationId: 'upload', requestBody: { content: { 'application/octet-stream': {} } } } },
        '/big': { get: { operationId: 'big' } },
        '/redirect': { get: { operationId: 'redirect' } },
        '/zipped': { get: { operationId: 'zipped' } },
        '/bomb': { get: { operationId: 'bomb' } },
        '/leak': { get: { operationId: 'leak' } },
        '/echo': { get: { operationId: 'echo' } },
        '/key': { get: { operationId: 'key' } },
        '/broken': { get: { operationId: 'broken' } },
        '/slow': { get: { operationId: 'slow' } },
        '/empty': { delete: { operationId: 'empty' } },
        '/events': { get: { operationId: 'events' } },
      },
    }),
  ),
);

export const PRIVATE_KEY = `-----BEGIN EC PRIVATE KEY-----\n${'MHcCAQEEIBYLp4vJ9i8sYVvvWbOYNWpVYPq3pXh4rtYd0dYqHq1x\n'.repeat(2)}-----END EC PRIVATE KEY-----`;
export const BIG_BYTES = 3 * 1024 * 1024;

function json(response: http.ServerResponse, value: unknown, headers: http.OutgoingHttpHeaders = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
}

/** What the SaaS tool of the tests answers. */
export function answer(request: http.IncomingMessage, body: Buffer, response: http.ServerResponse): void {
  const self = `http://${request.headers.host}`;
  const path = request.url?.split('?', 1)[0];
  switch (path) {
    case '/big':
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': BIG_BYTES });
      response.end(Buffer.alloc(BIG_BYTES, 7));
      break;
    case '/redirect':
      response.writeHead(302, { location: `${self}/repos/moved` }).end();
      break;
    case '/zipped':
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        etag: '"abc"',
        digest: 'sha-256=x',
      });
      response.end(zlib.gzipSync(JSON.stringify({ card: CARD, next: `${self}/repos/o?page=2` })));
      break;
    case '/bomb':
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(zlib.gzipSync(Buffer.alloc(20 * 1024 * 1024, 0x20)));
      break;
    case '/leak':
      json(response, { text: `${CARD} and ${AWS_KEY}` });
      break;
    case '/key':
      json(response, { key: PRIVATE_KEY });
      break;
    case '/echo':
      json(response, { headers: request.headers }, { 'x-echo': String(request.headers.authorization) });
      break;
    case '/broken':
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': 100_000 });
      response.write(Buffer.alloc(20_000), () => response.destroy());
      break;
    case '/slow':
      break;
    case '/empty':
      response.writeHead(204).end();
      break;
    case '/events':
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: {"n":1,"card":"${CARD}"}\n\n`);
      response.end(`data: {"n":2,"next":"${self}/repos/o"}\n\n`);
      break;
    default:
      json(
        response,
        { path: request.url, received: body.toString('utf8'), next: `${self}/repos/o?page=2` },
        { link: `<${self}/repos/o?page=2>; rel="next"`, connection: 'x-hop', 'x-hop': '1', 'set-cookie': 'a=b' },
      );
  }
}
