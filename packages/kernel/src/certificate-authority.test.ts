import { once } from 'node:events';
import { connect, createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { certificateEnd, createAuthority, issueServerCertificate } from './certificate-authority.ts';

test('a client that trusts the authority accepts the certificate for its names, and no other does', async () => {
  const now = Date.now();
  const authority = await createAuthority('Cordon test CA', now);
  const leaf = await issueServerCertificate(authority, { dns: ['localhost'], ip: ['127.0.0.1'] }, now);
  const server = createServer({ cert: leaf.cert, key: leaf.key, minVersion: 'TLSv1.3' }, (socket) =>
    socket.end('hello'),
  );
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server has one
  const attempt = async (options: { ca?: string; servername?: string }): Promise<string> => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ...options });
    try {
      await once(socket, 'secureConnect');
      return 'accepted';
    } catch (error) {
      return error instanceof Error && 'code' in error ? String(error.code) : 'failed';
    } finally {
      socket.destroy();
    }
  };
  expect(await attempt({ ca: authority.cert })).toBe('accepted');
  expect(await attempt({})).not.toBe('accepted');
  expect(await attempt({ ca: authority.cert, servername: 'example.org' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  expect(certificateEnd(leaf.cert)).toBeLessThan(now + 398 * 86_400_000);
  server.close();
});
