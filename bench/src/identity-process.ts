import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createIdentity } from '@cordon/identity';
import { createLogger, createSecretEnvelope, openDatabase, systemClock } from '@cordon/kernel';
import { exportJWK, generateKeyPair } from 'jose';
import { type ClientMetadata, Provider } from 'oidc-provider';

/**
 * One authorization server in a process of its own, so that its CPU time is its own: Cordon's on PostgreSQL, or a bare
 * oidc-provider with its memory storage. Parameters come as one JSON argument; the port and CPU time go back by IPC.
 */
interface Parameters {
  readonly kind: 'cordon' | 'bare';
  readonly databaseUrl: string;
  readonly clients: ClientMetadata[];
}

const parameters = JSON.parse(process.argv[2] ?? '{}') as Parameters; // written by identity.ts
const logger = createLogger({ role: 'bench', level: 'error' });

async function bareServer(issuer: string): Promise<RequestListener> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' };
  const provider = new Provider(issuer, {
    jwks: { keys: [key] },
    clients: parameters.clients,
    features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true }, dPoP: { enabled: true } },
    routes: { token: '/oauth/token' },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    ttl: { ClientCredentials: 3_600 },
  });
  const handle = provider.callback();
  return (request, response) => void handle(request, response);
}

async function cordonServer(issuer: string): Promise<RequestListener> {
  const identity = createIdentity({
    db: openDatabase({ url: parameters.databaseUrl, logger }),
    clock: systemClock,
    // Signing keys are made anew by this envelope; nothing sealed is shared with the parent.
    envelope: createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] }),
    logger,
    config: { publicUrl: issuer },
    emit: () => undefined,
    onRevoked: async () => undefined,
  });
  const oauth = await identity.startOauthServer();
  return (request, response) => void oauth.handle(request, response);
}

let listener: RequestListener = (_request, response) => response.writeHead(503).end();
const server = createServer((request, response) => listener(request, response));
server.listen(0, '127.0.0.1', () => {
  void (async () => {
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // listening on TCP
    listener = parameters.kind === 'bare' ? await bareServer(issuer) : await cordonServer(issuer);
    process.send?.({ issuer });
  })();
});
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system });
});
