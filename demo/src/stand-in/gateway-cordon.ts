import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { startTestGateway, type TestGateway } from '@cordon/gateway/testing';
import type { PemPair } from '@cordon/kernel';
import { compileDescription } from '@cordon/openapi';
import { z } from 'zod';
import type { CordonClient } from '../cordon-client.ts';
import type { EmulatedApp } from '../estate.ts';
import type { GatewayAddress } from '../integration.ts';
import { integrationIn } from './stand-in-cordon.ts';

const TOKEN_MS = 3_600_000;

/** The real gateway with everything but control behind it. */
export interface GatewayCordon extends CordonClient {
  readonly test: TestGateway;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo; // a string only for pipes
      server.close(() => resolve(port));
    });
  });
}

/** OCSF's name for the integration, as far as a test needs it. */
const eventSchema = z.looseObject({
  class_uid: z.int(),
  actor: z.looseObject({ app_name: z.string().optional() }).optional(),
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Starts a gateway of this repository and publishes to it what the scenarios ask for, as control would. */
export async function startGatewayCordon(tls: PemPair): Promise<GatewayCordon> {
  const test = await startTestGateway({
    upstream: 'http://127.0.0.1:9',
    app: { name: 'unused' },
    config: { appPorts: { host: '127.0.0.1', tls } },
  });
  const integrations = new Map<string, { name: string; purpose: string }>();
  const secrets = new Map<string, string>();
  let ids = 0;
  const nextId = (kind: string): string => `${kind}-${(ids += 1) + 100}`;
  /** Resolves when the gateway has applied the change. */
  const publish = async (change: Parameters<typeof test.control.publish>[0]): Promise<void> => {
    const { version } = test.control.publish(change);
    while ((test.gateway.health().version ?? 0) < version) await new Promise((resolve) => setImmediate(resolve));
  };
  const entryOf = (id: string, status: 'active' | 'revoked'): Record<string, unknown> => ({
    [`integration:${id}`]: { id, ...integrations.get(id), ownerId: 'person-1', clientId: id, status },
  });

  const addApp = async (app: EmulatedApp): Promise<{ id: string; gateway: GatewayAddress }> => {
    const id = nextId('app');
    const { blob, sha256: digest } = compileDescription(await readFile(app.openapi));
    test.control.blobs.set(digest, blob);
    const port = app.listener === 'prefix' ? null : await freePort();
    const { scheme, secret } = app.credential;
    const sealed = test.envelope.seal(secret, `credential:${id}`);
    const entry = {
      id,
      name: app.name,
      title: app.title,
      upstream: app.baseUrl,
      plaintext: 'allow',
      privateAddresses: ['127.0.0.1'],
      port,
      description: { sha256: digest, bytes: blob.length },
      credential: { kind: 'bearer', sealed, scheme },
      validateResponses: 'enforce',
    };
    await publish({ set: { [`app:${id}`]: entry } });
    const prefixUrl = `${test.url}/${app.name}`;
    const own = `https://localhost:${port}`;
    if (app.listener === 'prefix') return { id, gateway: { prefixUrl } };
    return { id, gateway: { prefixUrl, ...(app.listener === 'port' ? { portUrl: own } : { tlsPortUrl: own }) } };
  };

  return {
    test,
    addApp,
    registerIntegration: async ({ name, purpose }) => {
      const id = nextId('int');
      integrations.set(id, { name, purpose });
      await publish({ set: entryOf(id, 'active') });
      return { id };
    },
    grant: (integrationId, appId, operations) => {
      const id = nextId('grant');
      const select = [{ kind: 'operations', ids: operations }];
      return publish({ set: { [`grant:${id}`]: { id, name: 'default', integrationId, appId, select } } });
    },
    limit: ({ name, integrationId, appId, count, periodMs }) => {
      const id = nextId('limit');
      const rate = { count, periodMs, burst: count };
      return publish({ set: { [`limit:${id}`]: { id, name, scope: { integrationId, appId }, rate } } });
    },
    inspect: ({ name, appId, dataClass, direction, action }) => {
      const id = nextId('rule');
      return publish({ set: { [`inspection:${id}`]: { id, name, appId, class: dataClass, direction, action } } });
    },
    createCredentials: (integrationId) => {
      const clientSecret = randomBytes(24).toString('base64url');
      secrets.set(clientSecret, integrationId);
      return Promise.resolve({ clientId: integrationId, clientSecret });
    },
    token: async ({ clientId, clientSecret }) => {
      if (secrets.get(clientSecret) !== clientId) throw new Error('no such client');
      const token = `cordon_at_${randomBytes(24).toString('base64url')}`;
      const entry = { integrationId: clientId, clientId, expiresAt: Date.now() + TOKEN_MS };
      await publish({ set: { [`token:${sha256(token)}`]: entry } });
      return { value: token, lifetimeMs: TOKEN_MS };
    },
    revoke: (integrationId) => {
      test.control.publish({ set: entryOf(integrationId, 'revoked'), revoke: true });
      return Promise.resolve();
    },
    cutOffReach: () => Promise.resolve({ complete: true, gateways: 1, delayMsMax: 0 }),
    searchEvents: async (query) => {
      const name = integrationIn(query);
      const events = z.array(eventSchema).parse(await test.events());
      return { count: events.filter((event) => event.class_uid === 6003 && event.actor?.app_name === name).length };
    },
  };
}
