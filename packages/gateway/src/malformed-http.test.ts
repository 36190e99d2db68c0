import net from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, startUpstream, TEST_TOKEN, type TestGateway, type UpstreamStub } from './testing.ts';

let upstream: UpstreamStub;
let gw: TestGateway;

beforeAll(async () => {
  upstream = await startUpstream((_request, body, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ bytes: body.length }));
  });
  gw = await startTestGateway({
    upstream: upstream.url,
    limits: { headersTimeoutMs: 2_000, failuresPerSource: 100_000 },
  });
});
afterAll(async () => {
  await gw.stop();
  await upstream.close();
});

/** Sends raw bytes and half-closes, as an attacker does who is done; gives back what comes. */
function shout(bytes: string | Uint8Array): Promise<string> {
  return exchange(bytes, gw.port, true);
}

/** Sends raw bytes and gives back what comes until the connection ends. */
function exchange(bytes: string | Uint8Array, port = gw.port, halfClose = false): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = net.connect({ port, host: '127.0.0.1' }, () =>
      halfClose ? socket.end(bytes) : socket.write(bytes),
    );
    socket.setEncoding('latin1');
    socket.setTimeout(4_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('close', () => resolve(text));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(text);
      else reject(error);
    });
  });
}

const auth = `Authorization: Bearer ${TEST_TOKEN}\r\n`;
const host = 'Host: gw.test\r\n';
const get = 'GET /github/x HTTP/1.1\r\n';
const post = 'POST /github/x HTTP/1.1\r\n';
const chunk = '5\r\nhello\r\n0\r\n\r\n';

const corpus: [name: string, request: string, status: number][] = [
  [
    'Content-Length and Transfer-Encoding',
    `${post}${host}${auth}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
    400,
  ],
  [
    'Transfer-Encoding and Content-Length',
    `${post}${host}${auth}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n${chunk}`,
    400,
  ],
  [
    'two different Content-Length fields',
    `${post}${host}${auth}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    400,
  ],
  ['two equal Content-Length fields', `${post}${host}${auth}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`, 400],
  ['a list in Content-Length', `${post}${host}${auth}Content-Length: 5, 5\r\n\r\nhello`, 400],
  ['a signed Content-Length', `${post}${host}${auth}Content-Length: +5\r\n\r\nhello`, 400],
  ['a negative Content-Length', `${post}${host}${auth}Content-Length: -1\r\n\r\n`, 400],
  ['a hexadecimal Content-Length', `${post}${host}${auth}Content-Length: 0x5\r\n\r\nhello`, 400],
  ['a huge Content-Length', `${post}${host}${auth}Content-Length: 99999999999999999999\r\n\r\n`, 400],
  ['an unknown transfer coding', `${post}${host}${auth}Transfer-Encoding: gzip, chunked\r\n\r\n${chunk}`, 400],
  ['a coding that hides chunked', `${post}${host}${auth}Transfer-Encoding: xchunked\r\n\r\n${chunk}`, 400],
  ['chunked and identity', `${post}${host}${auth}Transfer-Encoding: chunked, identity\r\n\r\n${chunk}`, 400],
  [
    'two Transfer-Encoding fields',
    `${post}${host}${auth}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n${chunk}`,
    400,
  ],
  ['a space before the colon', `${post}${host}${auth}Transfer-Encoding : chunked\r\n\r\n${chunk}`, 400],
  [
    'a tab before the value of Transfer-Encoding',
    `${post}${host}${auth}Transfer-Encoding:\x0bchunked\r\n\r\n${chunk}`,
    400,
  ],
  ['a bad chunk size', `${post}${host}${auth}Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n`, 400],
  ['a signed chunk size', `${post}${host}${auth}Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n`, 400],
  ['a chunk without its line end', `${post}${host}${auth}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX0\r\n\r\n`, 400],
  ['a folded line', `${get}${host}X-A: b\r\n c\r\n${auth}\r\n`, 400],
  ['a folded first line', `${get} X: y\r\n${host}${auth}\r\n`, 400],
  ['two Host fields', `${get}${host}Host: other.test\r\n${auth}\r\n`, 400],
  ['no Host field', `${get}${auth}\r\n`, 400],
  ['an empty Host', `${get}Host: \r\n${auth}\r\n`, 400],
  ['a Host with a path', `${get}Host: gw.test/evil\r\n${auth}\r\n`, 400],
  ['a Host with a user', `${get}Host: a@gw.test\r\n${auth}\r\n`, 400],
  ['a target of another host', `GET http://evil.test/github/x HTTP/1.1\r\n${host}${auth}\r\n`, 400],
  ['two Authorization fields', `${get}${host}${auth}Authorization: Bearer other-token\r\n\r\n`, 400],
  ['a bare CR in a value', `${get}${host}X-A: b\rX-B: c\r\n${auth}\r\n`, 400],
  ['a NUL in a value', `${get}${host}X-A: b\0c\r\n${auth}\r\n`, 400],
  ['a NUL in the target', `GET /github/\0x HTTP/1.1\r\n${host}${auth}\r\n`, 400],
  ['a space in the target', `GET /github/a b HTTP/1.1\r\n${host}${auth}\r\n`, 400],
  ['a backslash in the target', `GET /github\\x HTTP/1.1\r\n${host}${auth}\r\n`, 400],
  ['a fragment', `GET /github/x#y HTTP/1.1\r\n${host}${auth}\r\n`, 400],
  ['dot segments', `GET /github/../admin HTTP/1.1\r\n${host}${auth}\r\n`, 400],
  ['encoded dot segments', `GET /github/%2e%2e/admin HTTP/1.1\r\n${host}${auth}\r\n`, 400],
  ['an empty segment', `GET /github//x HTTP/1.1\r\n${host}${auth}\r\n`, 400],
  ['a path parameter', `GET /github/x;y=z HTTP/1.1\r\n${host}${auth}\r\n`, 400],
  ['double encoding', `GET /github/%252e%252e/x HTTP/1.1\r\n${host}${auth}\r\n`, 400],
  ['overlong UTF-8', `GET /github/%c0%af HTTP/1.1\r\n${host}${auth}\r\n`, 400],
  ['HTTP/1.0', `GET /github/x HTTP/1.0\r\n${host}${auth}\r\n`, 400],
  ['HTTP/2 by text', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`, 400],
  ['an unknown version', `GET /github/x HTTP/9.9\r\n${host}${auth}\r\n`, 400],
  ['TRACE', `TRACE /github/x HTTP/1.1\r\n${host}${auth}\r\n`, 405],
  ['CONNECT', `CONNECT evil.test:443 HTTP/1.1\r\n${host}${auth}\r\n`, 405],
  ['an invented method', `HELLO /github/x HTTP/1.1\r\n${host}${auth}\r\n`, 400],
  ['an upgrade', `${get}${host}${auth}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, 400],
  [
    'an upgrade to h2c',
    `${get}${host}${auth}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n`,
    400,
  ],
  ['an unknown expectation', `${post}${host}${auth}Expect: something\r\nContent-Length: 0\r\n\r\n`, 417],
  ['too many fields', `${get}${host}${auth}${'X-A: b\r\n'.repeat(150)}\r\n`, 431],
  ['fields that are too large', `${get}${host}${auth}X-A: ${'b'.repeat(40_000)}\r\n\r\n`, 431],
  ['a target that is too long', `GET /github/${'x'.repeat(9_000)} HTTP/1.1\r\n${host}${auth}\r\n`, 414],
  ['garbage', '\x16\x03\x01\x02\x00\x01\x00', 400],
];

test.each(corpus)('%s is refused and never reaches the upstream', async (_name, request, status) => {
  const before = upstream.requests.length;
  const answer = await shout(Buffer.from(request, 'latin1'));
  expect(answer.split('\r\n', 1)[0]).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
  expect(upstream.requests.length).toBe(before);
});

test('a smuggled second request is not served', async () => {
  const inner = `GET /github/smuggled HTTP/1.1\r\n${host}${auth}\r\n`;
  const outer = `${post}${host}${auth}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`;
  const answer = await shout(outer);
  expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
  expect(upstream.requests.some(({ url }) => url.includes('smuggled'))).toBe(false);
});

test('two calls on one connection get two answers in their order', async () => {
  const one = `${post}${host}${auth}Content-Length: 3\r\n\r\nabc`;
  const two = `${post}${host}${auth}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`;
  const answer = await exchange(one + two);
  expect([...answer.matchAll(/\{"bytes":(\d)\}/g)].map((match) => match[1])).toEqual(['3', '5']);
});

test('the body is asked for only when the head was judged', async () => {
  const refused = await exchange(
    `${post}${host}Expect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n`,
  );
  expect(refused).toMatch(/^HTTP\/1\.1 401 /);
  const head = `${post}${host}${auth}Expect: 100-continue\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\n`;
  expect(await exchange(`${head}hello`)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
});

test('what an upstream sends beyond HTTP is a 502, never a second answer', async () => {
  const answers: [string, number][] = [
    ['nonsense\r\n\r\n', 502],
    ['HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\nhello', 502],
    ['HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\nhello', 502],
    ['HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-A: \x01\r\nContent-Length: 2\r\n\r\n{}', 502],
    ['HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n', 502],
    [
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}',
      200,
    ],
  ];
  let next = '';
  const server = net.createServer((socket) => {
    socket.once('data', () => socket.end(Buffer.from(next, 'latin1')));
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as net.AddressInfo; // listening on a port
  const other = await startTestGateway({ upstream: `http://127.0.0.1:${port}` });
  try {
    for (const [raw, status] of answers) {
      next = raw;
      const answer = await exchange(`${get}${host}${auth}Connection: close\r\n\r\n`, other.port);
      expect([raw, answer.slice(0, 12)]).toEqual([raw, `HTTP/1.1 ${status}`]);
      expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    }
  } finally {
    await other.stop();
    server.close();
  }
});

test('whatever bytes come, the gateway lives on and nothing unauthorized reaches the upstream', async () => {
  const before = upstream.requests.length;
  const piece = fc.oneof(
    fc.constantFrom(
      'GET ',
      'POST ',
      '/github/x',
      ' HTTP/1.1\r\n',
      'Host: a\r\n',
      'Content-Length: 3\r\n',
      'Transfer-Encoding: chunked\r\n',
      '\r\n',
      '0\r\n\r\n',
      '\n',
      ':',
      ' ',
    ),
    fc.string({ maxLength: 12 }),
    fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 16 }), async (pieces) => {
      const answer = await shout(Buffer.from(pieces.join(''), 'latin1'));
      expect(answer).not.toMatch(/^HTTP\/1\.1 [25]/);
    }),
    { numRuns: 150 },
  );
  expect(upstream.requests.length).toBe(before);
  expect(await exchange(`${get}${host}${auth}Connection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
});
