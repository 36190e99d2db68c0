import net from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, startUpstream, TEST_TOKEN, type TestGateway, type UpstreamStub } from './testing.ts';

/*
 * Authorized calls, several on one connection, cut anywhere and damaged anywhere: whatever the parser makes of them, no
 * call has two answers, every answer is whole, and the upstream gets what was judged and nothing else.
 */

let upstream: UpstreamStub;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await startUpstream((_request, body, response) => {
    const text = JSON.stringify({ bytes: body.length });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length }).end(text);
  });
  gateway = await startTestGateway({
    upstream: upstream.url,
    limits: { headersTimeoutMs: 2_000, failuresPerSource: 100_000 },
  });
});
afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

/** For an incomplete call, which the gateway waits for: what has come by then counts. */
const SILENCE_MS = 300;

/** Sends the pieces one by one and gives back what comes until the connection ends or falls silent. */
function exchange(pieces: readonly Buffer[], silenceMs = SILENCE_MS): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = net.connect({ port: gateway.port, host: '127.0.0.1', noDelay: true }, () => void send());
    const send = async (): Promise<void> => {
      for (const piece of pieces) {
        if (socket.writable) socket.write(piece);
        await new Promise((next) => setImmediate(next));
      }
    };
    socket.setEncoding('latin1');
    socket.setTimeout(silenceMs, () => socket.destroy());
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('close', () => resolve(text));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(text);
      else reject(error);
    });
  });
}

/** The statuses of the answers, read strictly one after the other; throws where they don't fit together. */
function statusesOf(text: string): number[] {
  const statuses: number[] = [];
  let rest = text;
  while (rest !== '') {
    const head = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/.exec(rest);
    if (!head) throw new Error(`no answer: ${JSON.stringify(rest.slice(0, 200))}`);
    const length = /^content-length: (\d+)\r$/im.exec(head[2] ?? '')?.[1];
    // Every answer here has a length; chunks or an open end would leave room for doubt.
    if (length === undefined) throw new Error(`an answer without length: ${JSON.stringify(head[0])}`);
    const end = head[0].length + Number(length);
    if (rest.length < end) throw new Error('an answer was cut');
    statuses.push(Number(head[1]));
    rest = rest.slice(end);
  }
  return statuses;
}

interface Call {
  readonly method: 'GET' | 'POST';
  readonly body: string;
  readonly chunked: boolean;
}

function bytesOf({ method, body, chunked }: Call, index: number): string {
  const head = `${method} /github/call-${index} HTTP/1.1\r\nHost: gw.test\r\nAuthorization: Bearer ${TEST_TOKEN}\r\n`;
  if (method === 'GET') return `${head}\r\n`;
  if (!chunked) return `${head}Content-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const chunks = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`;
  return `${head}Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`;
}

/** Ends the connection, when it is understood. */
const LAST = `GET /github/last HTTP/1.1\r\nHost: gw.test\r\nAuthorization: Bearer ${TEST_TOKEN}\r\nConnection: close\r\n\r\n`;

const call = fc.record({
  method: fc.constantFrom('GET' as const, 'POST' as const),
  // What a smuggler would like to be read as a call of its own.
  body: fc.constantFrom('', 'hello', '0\r\n\r\n', 'GET /github/smuggled HTTP/1.1\r\nHost: gw.test\r\n\r\n'),
  chunked: fc.boolean(),
});
const calls = fc.array(call, { minLength: 1, maxLength: 4 });
const cuts = fc.array(fc.nat(600), { maxLength: 6 });

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places)].filter((place) => place < bytes.length).toSorted((a, b) => a - b);
  return [0, ...sorted].map((from, index) => bytes.subarray(from, sorted[index] ?? bytes.length));
}

test('well-formed calls are answered and forwarded once each and in order, however they are cut', async () => {
  await fc.assert(
    fc.asyncProperty(calls, cuts, async (list, places) => {
      const before = upstream.requests.length;
      const bytes = Buffer.from(list.map((one, index) => bytesOf(one, index)).join('') + LAST, 'latin1');
      expect(statusesOf(await exchange(cut(bytes, places), 20_000))).toEqual([...list, LAST].map(() => 200));
      const seen = upstream.requests
        .slice(before)
        .map(({ method, url, body }) => `${method} ${url} ${body.toString()}`);
      const meant = list.map(({ method, body }, index) => `${method} /call-${index} ${method === 'GET' ? '' : body}`);
      expect(seen).toEqual([...meant, 'GET /last ']);
    }),
    { numRuns: 60 },
  );
}, 60_000);

const damage = fc.oneof(
  fc.constantFrom(
    '\r\n',
    '\n',
    '\r',
    '\0',
    ' ',
    ':',
    'Content-Length: 3\r\n',
    'Transfer-Encoding: chunked\r\n',
    'GET /github/smuggled HTTP/1.1\r\n',
    '0\r\n\r\n',
  ),
  fc.uint8Array({ minLength: 1, maxLength: 3 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);

test('damaged calls never get a second answer, nor past the judgement', async () => {
  await fc.assert(
    fc.asyncProperty(calls, cuts, damage, fc.nat(), fc.nat(3), async (list, places, piece, place, drop) => {
      const before = upstream.requests.length;
      const recorded = (await gateway.events()).length;
      const whole = list.map((one, index) => bytesOf(one, index)).join('') + LAST;
      const at = place % whole.length;
      const bytes = Buffer.from(`${whole.slice(0, at)}${piece}${whole.slice(at + drop)}`, 'latin1');
      const statuses = statusesOf(await exchange(cut(bytes, places)));
      // Damage may make two calls of one (a body that has become a head), so the bound is what heads there are.
      const heads = bytes.toString('latin1').split('HTTP/1.1').length - 1;
      expect(statuses.length).toBeLessThanOrEqual(heads + 1);
      const sent = upstream.requests.slice(before);
      const passed = statuses.filter((status) => status === 200).length;
      expect(sent.length).toBeGreaterThanOrEqual(passed);
      // Every call that the upstream saw was judged: it has an event of its own that says allowed, with its path.
      const allowed = async (): Promise<string[]> =>
        (await gateway.events())
          .slice(recorded)
          .filter((event) => event['status_id'] === 1)
          .map((event) => JSON.stringify(event));
      await expect.poll(async () => (await allowed()).length).toBeGreaterThanOrEqual(passed);
      for (const { headers } of sent) expect(headers.authorization).not.toContain(TEST_TOKEN);
      // What was no call of its own in the bytes on the wire never became one.
      const isCall = bytes.includes('/github/smuggled HTTP/1.1\r\nHost: gw.test\r\nAuthorization');
      expect(isCall || !sent.some(({ url }) => url.includes('smuggled'))).toBe(true);
    }),
    { numRuns: 150 },
  );
}, 120_000);

test('a write that comes behind a slow one waits for it', async () => {
  const order: string[] = [];
  const release = Promise.withResolvers<void>();
  const slow = await startUpstream((request, _body, response) => {
    order.push(`begin ${request.url}`);
    const end = (): void => {
      order.push(`end ${request.url}`);
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 2 }).end('{}');
    };
    if (request.url === '/call-0') void release.promise.then(end);
    else end();
  });
  const other = await startTestGateway({ upstream: slow.url });
  const write = (index: number): string => bytesOf({ method: 'POST', body: `${index}`, chunked: false }, index);
  const socket = net.connect(other.port, '127.0.0.1');
  const ended = new Promise<string>((resolve) => {
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('close', () => resolve(text));
  });
  socket.write(write(0) + write(1) + LAST);
  await expect.poll(() => order.length).toBe(1);
  // A call of its own goes through meanwhile: the others had time to pass, if they could.
  const headers = { authorization: `Bearer ${TEST_TOKEN}` };
  await fetch(`${other.url}/github/aside`, { headers });
  release.resolve();
  expect(statusesOf(await ended)).toEqual([200, 200, 200]);
  const paths = ['/call-0', '/aside', '/call-0', '/call-1', '/call-1', '/last', '/last'];
  expect(order.filter((line) => line !== 'end /aside').map((line) => line.split(' ')[1])).toEqual(paths);
  await other.stop();
  await slow.close();
});

test('what is no call, behind one that still runs, is answered after it', async () => {
  const release = Promise.withResolvers<void>();
  const slow = await startUpstream((_request, _body, response) => {
    void release.promise.then(() => response.writeHead(200, { 'content-length': 2 }).end('{}'));
  });
  const other = await startTestGateway({ upstream: slow.url });
  const socket = net.connect(other.port, '127.0.0.1');
  const ended = new Promise<string>((resolve) => {
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('close', () => resolve(text));
  });
  socket.write(`${bytesOf({ method: 'POST', body: 'x', chunked: false }, 0)}NOT HTTP AT ALL\r\n\r\n`);
  await expect.poll(() => slow.requests.length).toBe(1);
  release.resolve();
  expect(statusesOf(await ended)).toEqual([200, 400]);
  await other.stop();
  await slow.close();
});

test('a connection that sends ever more without taking answers is cut', async () => {
  const slow = await startUpstream(() => undefined);
  const other = await startTestGateway({ upstream: slow.url });
  const socket = net.connect(other.port, '127.0.0.1');
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
  });
  const one = bytesOf({ method: 'GET', body: '', chunked: false }, 0);
  socket.write(one.repeat(80));
  await closed;
  expect(slow.requests.length).toBeLessThanOrEqual(1);
  await other.stop();
  await slow.close();
});
