import net from 'node:net';
import { once } from 'node:events';
import tls from 'node:tls';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HELLO_BYTES_MAX, readClientHello } from './client-hello.ts';

/** The first bytes of a real client. */
async function realHello(servername: string | undefined, ALPNProtocols: string[]): Promise<Buffer> {
  const server = net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo; // listening on a port
  const client = tls.connect({
    port,
    host: '127.0.0.1',
    ALPNProtocols,
    ...(servername === undefined ? {} : { servername }),
  });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  client.destroy();
  server.close();
  return bytes;
}

test('reads name and protocols of a real client, however it is cut', async () => {
  const bytes = await realHello('api.example.com', ['h2', 'http/1.1']);
  expect(readClientHello(bytes)).toEqual({
    kind: 'hello',
    hello: { serverName: 'api.example.com', alpn: ['h2', 'http/1.1'] },
  });
  for (let cut = 0; cut < bytes.length; cut++)
    expect(readClientHello(bytes.subarray(0, cut))).toEqual({ kind: 'more' });
});

test('a client without a name has none', async () => {
  expect(readClientHello(await realHello(undefined, ['http/1.1']))).toMatchObject({
    kind: 'hello',
    hello: { serverName: null },
  });
});

test.each([
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['another handshake', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
  ['a hello larger than any', Buffer.from([22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff])],
])('%s is no ClientHello', (_name, bytes) => {
  expect(readClientHello(bytes)).toEqual({ kind: 'not-tls' });
});

test('never throws and never asks for ever', async () => {
  const good = await realHello('api.example.com', ['h2']);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, value) => {
      const bent = Buffer.from(good);
      bent[at] = value;
      expect(['hello', 'more', 'not-tls']).toContain(readClientHello(bent).kind);
    }),
  );
  expect(readClientHello(Buffer.alloc(HELLO_BYTES_MAX * 3, 22)).kind).toBe('not-tls');
});
