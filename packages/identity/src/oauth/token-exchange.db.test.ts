import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { IntegrationId, readAudit, systemClock } from '@cordon/kernel';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFakeIdentity, type FakeIdentity } from '../testing.ts';
import { hashSecret } from '../token-secret.ts';
import type { NewClient } from './clients.ts';
import type { OauthServer } from './oauth-server.ts';

const OWNER = { kind: 'person', id: '01890000-0000-7000-8000-000000000001', name: 'Ada', roles: ['owner'] } as const;
const GATEWAY = 'https://gateway.example';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** Of integrations that aren't the usual one's. */
const owners = new Map<string, string>();
let fake: FakeIdentity;
let http: Server;
let oauth: OauthServer;
let issuer: string;

beforeAll(async () => {
  http = createServer((request, response) => void oauth.handle(request, response));
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  issuer = `http://localhost:${(http.address() as AddressInfo).port}`; // listening on TCP
  fake = await createFakeIdentity({
    clock: systemClock,
    findIntegration: async (id) => ({ name: 'sync', ownerId: owners.get(id) ?? OWNER.id, active: true }),
    hasApp: async (name) => name === 'bank' || name === 'github',
    config: { publicUrl: issuer, gatewayUrl: GATEWAY },
  });
  oauth = await fake.identity.startOauthServer();
});
afterAll(async () => {
  http.closeAllConnections();
  http.close();
  await oauth.stop();
  await fake.test.drop();
});

const live = (token: unknown) => fake.identity.tokens.find(hashSecret(String(token)).toString('hex'));

async function makeClient(input: Omit<NewClient, 'integrationId' | 'name'>) {
  const integrationId = IntegrationId.create();
  const made = await fake.identity.oauthClients.create(OWNER, { integrationId, name: 'sync', ...input });
  return { id: made.client.id, secret: made.secret ?? '', integrationId };
}

const configure = (id: string, auth: client.ClientAuth) =>
  client.discovery(new URL(issuer), id, {}, auth, { execute: [client.allowInsecureRequests] });

describe('token exchange across integrations', () => {
  const GITHUB = `${GATEWAY}/github`;
  const BANK = `${GATEWAY}/bank`;
  const setUp = async (resources: string[] | null = [GITHUB], binding: 'dpop' | 'none' = 'dpop') => {
    const first = await makeClient({ auth: { method: 'client_secret_basic' } });
    const second = await makeClient({ auth: { method: 'client_secret_basic' }, binding });
    const reason = 'the worker goes on with what the front end began';
    const ends = { from: first.integrationId, to: second.integrationId };
    if (resources) await fake.identity.exchangePolicies.set(OWNER, { ...ends, resources, reason });
    const from = await configure(first.id, client.ClientSecretBasic(first.secret));
    const to = await configure(second.id, client.ClientSecretBasic(second.secret));
    const keys = await client.randomDPoPKeyPair('ES256');
    const proof = () => (binding === 'dpop' ? { DPoP: client.getDPoPHandle(to, keys) } : {});
    const exchange = async (resource?: string, extra: Record<string, string> = {}) => {
      const subject = await client.clientCredentialsGrant(from, resource === undefined ? {} : { resource });
      const parameters = { subject_token: subject.access_token, subject_token_type: ACCESS_TOKEN, ...extra };
      return client.genericGrantRequest(to, EXCHANGE, parameters, proof());
    };
    return { first, second, ends, exchange };
  };

  test('gives a bound token of the client’s own, for the policy’s apps, that says for whom it acts', async () => {
    const { first, second, exchange } = await setUp();
    const made = await exchange();
    const after = await live(made.access_token);
    expect(after).toMatchObject({
      integrationId: second.integrationId,
      clientId: second.id,
      audience: [GITHUB],
      cnf: { jkt: expect.any(String) },
    });
    expect(after!.expiresAt - Date.now()).toBeLessThanOrEqual(300_000);
    const [record] = (await readAudit(fake.db, { after: 0, limit: 500 })).filter(
      ({ action, actor }) => action === 'token.exchanged' && 'id' in actor && actor.id === second.id,
    );
    expect(record?.detail).toMatchObject({
      integrationId: first.integrationId,
      to: second.integrationId,
      act: { sub: second.id, act: { sub: first.id } },
    });
  });

  test('ends at once with the token that it came from, and what came of it in turn', async () => {
    const { first, exchange } = await setUp([GITHUB]);
    const one = await exchange(GITHUB);
    const other = await setUp([GITHUB]);
    const untouched = await other.exchange(GITHUB);
    expect(await live(one.access_token)).not.toBeNull();
    // Everything of the first integration ends: what crossed over to the second goes with it.
    await fake.db.transaction((tx) =>
      fake.identity.oauthClients.endAccess(tx, { integrationId: first.integrationId, actor: OWNER, reason: 'cut off' }),
    );
    expect(await live(one.access_token)).toBeNull();
    expect(await live(untouched.access_token)).not.toBeNull();
    const revoked = fake.revocations.flatMap(({ tokens }) => tokens.map(({ hash }) => hash));
    expect(revoked).toContain(hashSecret(one.access_token).toString('hex'));
    await expect(exchange(GITHUB)).rejects.toMatchObject({ status: 401 });
  });

  test('ends with the policy, and with its owners becoming two', async () => {
    const { ends, exchange, second } = await setUp();
    await exchange(GITHUB);
    owners.set(second.integrationId, 'somebody-else');
    await expect(exchange(GITHUB)).rejects.toMatchObject({ error: 'invalid_request' });
    owners.delete(second.integrationId);
    await exchange(GITHUB);
    const crossed = await exchange(GITHUB);
    await fake.identity.exchangePolicies.remove(OWNER, ends);
    expect(await live(crossed.access_token)).toBeNull();
    await expect(exchange(GITHUB)).rejects.toMatchObject({ error: 'invalid_request' });
  });

  test.each<[string, string[] | null, string | undefined, Record<string, string>, string]>([
    ['without a policy', null, GITHUB, {}, 'invalid_request'],
    ['for an app that the policy leaves out', [GITHUB], undefined, { resource: BANK }, 'invalid_target'],
    ['for an audience that the policy leaves out', [GITHUB], undefined, { audience: BANK }, 'invalid_target'],
    ['for an app that the subject token is not for', [GITHUB, BANK], GITHUB, { resource: BANK }, 'invalid_target'],
    ['of a token for other apps than the policy’s', [GITHUB], BANK, {}, 'invalid_target'],
    ['for the gateway as a whole', [GITHUB], undefined, { resource: GATEWAY }, 'invalid_target'],
    ['for a scope that the subject token lacks', [GITHUB], GITHUB, { scope: 'admin' }, 'invalid_scope'],
  ])('refused: %s', async (_what, resources, resource, extra, error) => {
    const { exchange } = await setUp(resources);
    await expect(exchange(resource, extra)).rejects.toMatchObject({ error });
  });

  test('refused: a client whose tokens anybody could use', async () => {
    const { exchange } = await setUp([GITHUB], 'none');
    await expect(exchange(GITHUB)).rejects.toMatchObject({ error: 'unauthorized_client' });
  });

  test('goes one way', async () => {
    const { first, second } = await setUp();
    expect(await fake.identity.exchangePolicies.find(second.integrationId, first.integrationId)).toEqual([]);
  });

  test('no policy spans two owners, nor names what is no app', async () => {
    const [first, second] = [IntegrationId.create(), IntegrationId.create()];
    const { exchangePolicies } = fake.identity;
    const input = { from: first, to: second, reason: 'because' };
    const refused = { code: 'identity.client_invalid' };
    await expect(exchangePolicies.set(OWNER, { ...input, resources: [GATEWAY] })).rejects.toMatchObject(refused);
    await expect(exchangePolicies.set(OWNER, { ...input, to: first, resources: [BANK] })).rejects.toMatchObject(
      refused,
    );
    owners.set(second, 'somebody-else');
    await expect(exchangePolicies.set(OWNER, { ...input, resources: [BANK] })).rejects.toMatchObject(refused);
  });
});
