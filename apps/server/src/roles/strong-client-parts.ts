import { createHash, hkdfSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { findApp, findIntegration, publishUnlocked } from '@cordon/estate';
import type { IdentityDeps, OauthServer } from '@cordon/identity';
import type { Clock, Database, Logger } from '@cordon/kernel';
import type { RoleConfig } from '../supervisor/role-config.ts';

const HEADERS_MS_MAX = 10_000;
const REQUEST_MS_MAX = 60_000;
const HEADER_BYTES_MAX = 32 * 1024;

/** What identity is told of addresses, certificates and nonces. */
export function clientSettings({ control, gateway, clients, internalKey, signOnPrivateHosts }: RoleConfig) {
  return {
    signOnPrivateHosts,
    gatewayUrl: gateway.publicUrl,
    ...(control.mtls === null ? {} : { mtlsUrl: control.mtls.publicUrl }),
    clients: {
      ...clients,
      // The same in every control process, and nothing that gateways could make.
      nonceSecret: Buffer.from(hkdfSync('sha256', internalKey, '', 'cordon token endpoint nonce', 32)).toString('hex'),
    },
  };
}

/** What identity asks of the estate. */
export function clientPorts(
  db: Database,
  clock: Clock,
): Required<Pick<IdentityDeps, 'findIntegration' | 'hasApp' | 'onUnlocked'>> {
  return {
    async findIntegration(id) {
      const found = await findIntegration(db, { id });
      return found && { name: found.name, ownerId: found.owner.id, active: found.status === 'active' };
    },
    hasApp: async (name) => (await findApp(db, { name })) !== null,
    onUnlocked: (tx, address) => publishUnlocked(tx, createHash('sha256').update(address).digest('hex'), clock.now()),
  };
}

/** The address that asks for client certificates (RFC 8705): the authorization server and nothing else. */
export async function openMtlsListener(
  { control }: RoleConfig,
  oauth: OauthServer,
  logger: Logger,
): Promise<{ stop(): Promise<void> } | null> {
  const { mtls } = control;
  if (mtls === null) return null;
  const server = createServer(
    {
      cert: mtls.cert,
      key: mtls.key,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      // Asked for, not insisted on: who needs one is decided by how the client is registered.
      requestCert: true,
      rejectUnauthorized: false,
      headersTimeout: HEADERS_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      handshakeTimeout: HEADERS_MS_MAX,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    (request, response) => {
      const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
      if (!path.startsWith('/oauth/') && !path.startsWith('/.well-known/')) {
        response.writeHead(404, { 'content-type': 'text/plain' }).end('Only the authorization server answers here.\n');
        return;
      }
      oauth.handle(request, response, 'mtls').catch((error: unknown) => {
        logger.error({ err: error }, 'the authorization server failed');
        response.destroy();
      });
    },
  );
  server.on('tlsClientError', (error) => logger.debug({ err: error }, 'a TLS handshake failed'));
  server.listen({ host: control.host, port: mtls.port });
  await once(server, 'listening');
  return {
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
