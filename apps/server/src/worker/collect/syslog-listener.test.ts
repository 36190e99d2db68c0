import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import type { SourceCredential, SourceRecord } from '@cordon/detection';
import { createAuthority, issueServerCertificate } from '@cordon/kernel';
import { createFakeClock, createTestLogger } from '@cordon/kernel/testing';
import { afterEach, expect, test, vi } from 'vitest';
import type { SourceIngest } from '../source-ingest.ts';
import { createMessageQueue, type MessageQueue } from './message-queue.ts';
import { type Listener, startSyslogListener } from './syslog-listener.ts';

const run = promisify(execFile);
const clock = createFakeClock(Date.UTC(2026, 10, 23, 12));
const logger = createTestLogger();
const source: SourceCredential = { id: 's1', name: 'net', product: 'syslog', status: 'active', rateMax: 5_000 };
const names = { dns: ['localhost'], ip: ['127.0.0.1'] };
const authority = await createAuthority('test', Date.now());
const tls = await issueServerCertificate(authority, names, Date.now());
const hasLogger = await run('logger', ['--version']).then(
  () => true,
  () => false,
);

let taken: SourceRecord[] = [];
let isAway = false;
let queue: MessageQueue | null = null;
let listener: Listener | null = null;

const ingest: SourceIngest = {
  async take(_source, records) {
    if (isAway) throw new Error('the lake is away');
    taken.push(...records);
    return { accepted: records.length, duplicates: 0, failed: [] };
  },
  replay: async () => 0,
};

afterEach(async () => {
  isAway = false;
  await listener?.stop();
  await queue?.stop();
  [listener, queue, taken] = [null, null, []];
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

async function listen(transport: 'udp' | 'tcp' | 'tls', peers: string[] = []): Promise<number> {
  const port = await freePort();
  queue = createMessageQueue({ source, ingest, logger });
  const collect = { kind: 'syslog' as const, transport, port, peers };
  listener = await startSyslogListener({ source, collect, host: '127.0.0.1', tls, queue, clock, logger });
  return port;
}

const texts = (): unknown[] => taken.map(({ text }) => (JSON.parse(text) as { text: string }).text);
const has = (wanted: readonly string[]) => vi.waitFor(() => expect(texts()).toEqual(wanted), { timeout: 10_000 });

test.runIf(hasLogger).each([
  ['udp', ['--udp', '--rfc5424']],
  ['udp', ['--udp', '--rfc3164']],
  ['tcp', ['--tcp', '--rfc5424']],
  ['tcp', ['--tcp', '--octet-count', '--rfc5424']],
] as const)('util-linux logger over %s with %j', async (transport, options) => {
  const port = await listen(transport);
  const server = ['--server', '127.0.0.1', '--port', String(port), '--tag', 'probe', '--priority', 'auth.err'];
  await run('logger', [...server, ...options, 'somebody knocked']);
  await has(['somebody knocked']);
  expect(JSON.parse(taken[0]?.text ?? '')).toMatchObject({ facility: 'auth', severity: 'error', app: 'probe' });
});

test('TLS by a sender that checks the certificate', async () => {
  const port = await listen('tls');
  const socket = connectTls({ host: '127.0.0.1', port, ca: authority.cert, servername: 'localhost' });
  await once(socket, 'secureConnect');
  const message = '<14>1 2026-11-23T10:00:00Z h a - - - over TLS';
  socket.end(`${message.length} ${message}`);
  await has(['over TLS']);
  expect(socket.authorized).toBe(true);
});

test('two equal messages are two events, and the last one needs no end', async () => {
  const port = await listen('tcp');
  connect(port, '127.0.0.1').end('<13>same\n<13>same\n<13>last');
  await has(['same', 'same', 'last']);
  expect(new Set(taken.map(({ externalId }) => externalId)).size).toBe(3);
});

test.each(['tcp', 'udp'] as const)('%s: who is no peer is not heard', async (transport) => {
  const port = await listen(transport, ['10.0.0.0/8', '2001:db8::1']);
  if (transport === 'tcp') {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('<13>stranger\n');
    await once(socket, 'close');
  } else {
    const socket = createSocket('udp4');
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.send('<13>stranger', port, '127.0.0.1', () => resolve());
    await promise;
    socket.close();
  }
  await queue?.stop();
  expect(taken).toEqual([]);
});

test('while the lake is away nothing that TCP took is lost, and the sender is made to wait', async () => {
  const port = await listen('tcp');
  isAway = true;
  const count = 60_000;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const lines = Array.from({ length: count }, (_, n) => `<13>message ${n} ${'x'.repeat(1_000)}\n`);
  socket.end(lines.join(''));
  await vi.waitFor(() => expect(queue?.isFull()).toBe(true), { timeout: 10_000 });
  expect(socket.writableLength).toBeGreaterThan(0);
  isAway = false;
  await vi.waitFor(() => expect(taken.length).toBe(count), { timeout: 25_000 });
  expect(new Set(texts()).size).toBe(count);
});

test('UDP can not wait: what finds no room is counted', async () => {
  const port = await listen('udp');
  isAway = true;
  while (queue?.offer({ text: '{}' }));
  const socket = createSocket('udp4');
  let dropped = 0;
  await vi.waitFor(
    () => {
      socket.send('<13>too much', port, '127.0.0.1');
      dropped += listener?.takeDropped() ?? 0;
      expect(dropped).toBeGreaterThan(0);
    },
    { timeout: 10_000 },
  );
  socket.close();
  isAway = false;
});
