import { type Actor, IntegrationId, PersonId } from '@cordon/kernel';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer } from '../test-server.ts';
import { createFakeIdentity, type FakeIdentity } from '../testing.ts';

const SYSTEM: Actor = { kind: 'system', name: 'test' };
const KNOWN = IntegrationId.create();

let fake: FakeIdentity;
let server: FastifyInstance;
let headers: Record<string, string>;

beforeAll(async () => {
  fake = await createFakeIdentity({
    checkIntegration: async (_actor, id) => {
      if (id !== KNOWN) throw new Error('unknown integration');
    },
  });
  ({ server } = await startTestServer(fake));
  const expiresAt = fake.clock.now() + 3_600_000;
  const made = await fake.identity.apiTokens.create(SYSTEM, { name: 'ci', roles: ['security'], expiresAt });
  headers = { authorization: `Bearer ${made.value}` };
});
afterAll(async () => {
  await server.close();
  await fake.test.drop();
});

const send = (method: 'GET' | 'POST' | 'PUT', url: string, payload?: object) =>
  server.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });

test('a client is made with all its settings, shown without its secret, rotated and ended', async () => {
  const made = await send('POST', '/api/v1/oauth-clients', {
    integrationId: KNOWN,
    name: 'Nightly sync',
    auth: { method: 'client_secret_basic' },
    binding: 'dpop',
    tokenTtlS: 900,
    expiresAt: new Date(fake.clock.now() + 86_400_000).toISOString(),
  });
  expect(made.statusCode).toBe(201);
  const { client, secret } = made.json();
  expect(client).toMatchObject({ binding: 'dpop', tokenTtlS: 900, status: 'active', integrationId: KNOWN });
  const shown = await send('GET', `/api/v1/oauth-clients/${client.id}`);
  expect(shown.body).not.toContain(secret);
  expect(shown.json().secrets).toHaveLength(1);
  const rotated = await send('POST', `/api/v1/oauth-clients/${client.id}/rotate-secret`, { overlapHours: 1 });
  expect(rotated.json().secret).not.toBe(secret);
  expect((await send('GET', `/api/v1/oauth-clients/${client.id}`)).json().secrets).toHaveLength(2);
  const ended = await send('POST', `/api/v1/oauth-clients/${client.id}/revoke`, { reason: 'no longer used' });
  expect(ended.json()).toEqual({ tokens: 0 });
  const again = await send('POST', `/api/v1/oauth-clients/${client.id}/rotate-secret`, {});
  expect(again.json()).toMatchObject({ code: 'identity.client_not_found' });
});

test('a client for an integration that the estate doesn’t know is refused', async () => {
  const body = { integrationId: IntegrationId.create(), name: 'x', auth: { method: 'client_secret_basic' } };
  expect((await send('POST', '/api/v1/oauth-clients', body)).statusCode).toBe(500);
});

test.each([
  ['a token that isn’t live', '/api/v1/tokens/revoke', { hash: 'a'.repeat(64), reason: 'stolen' }, 404],
  ['no reason', '/api/v1/tokens/revoke', { hash: 'a'.repeat(64) }, 400],
  ['all of an integration', '/api/v1/tokens/revoke-all', { integrationId: KNOWN, reason: 'stolen' }, 200],
])('revoking: %s', async (_what, url, body, status) => {
  expect((await send('POST', url, body)).statusCode).toBe(status);
});

test('live tokens are listed by their hash', async () => {
  const found = await send('GET', `/api/v1/tokens?integrationId=${KNOWN}`);
  expect(found.json()).toEqual({ tokens: [], next: null });
  expect((await send('GET', '/api/v1/tokens')).statusCode).toBe(400);
});

test('signing keys are rotated by an owner with a fresh factor only', async () => {
  expect((await send('POST', '/api/v1/signing-keys/rotate')).statusCode).toBe(403);
  const owner = { kind: 'person', id: PersonId.create(), name: 'x', roles: ['owner'] } as const;
  await fake.identity.signingKeys.rotate(owner);
  expect(await fake.identity.signingKeys.publicKeys()).toHaveLength(2);
});
