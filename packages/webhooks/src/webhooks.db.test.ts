import { randomBytes, randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { AccessDenied, createSecretEnvelope, kernelMigrations, migrate, readAudit } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { type WebhookEntry, webhookEntry } from '@cordon/policy';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { WebhookContext } from './context.ts';
import { type AttemptFacts, createDeliverer, type Deliverer, type SendAnswer, type SendRequest } from './deliverer.ts';
import { createDeliveryCommands, type DeliveryCommands } from './delivery-commands.ts';
import { LEASE_MS, listDeliveries } from './delivery-store.ts';
import type { EndpointInput } from './endpoint.ts';
import { createEndpointCommands, type EndpointCommands } from './endpoint-commands.ts';
import { listEndpoints, loadEndpoint } from './endpoint-store.ts';
import { ContentErased, EndpointExists, EndpointInvalid } from './errors.ts';
import { type ReceivedDelivery, takeDeliveries } from './received.ts';
import { loadSchemes } from './scheme-catalogue.ts';
import { webhookMigrations } from './tables.ts';
import { refreshEntries, sweepDeliveries } from './upkeep.ts';

const APP = '018f0000-0000-7000-8000-00000000000a';
const INTEGRATION = '018f0000-0000-7000-8000-00000000000b';
const OWNER = { kind: 'person', id: 'p-1', name: 'Ada', roles: ['owner'] } as const;
const APP_OWNER = { kind: 'person', id: 'p-2', name: 'Bob', roles: ['app-owner'] } as const;
const DAY_MS = 86_400_000;

const clock = createFakeClock();
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] });
const published = new Map<string, WebhookEntry>();
const recorded: AttemptFacts[] = [];
const sent: SendRequest[] = [];
let answers: (() => SendAnswer | Error)[] = [];
let integrationStatus = 'active';
let database: TestDatabase;
let context: WebhookContext;
let endpoints: EndpointCommands;
let deliveries: DeliveryCommands;
let count = 0;

const ok: SendAnswer = { status: 200, headers: {}, body: Buffer.from('fine') };
const failed: SendAnswer = { status: 500, headers: { 'content-type': 'text/plain' }, body: Buffer.from('boom') };

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.db, [kernelMigrations, webhookMigrations]);
  context = {
    db: database.db,
    clock,
    envelope,
    schemes: await loadSchemes(fileURLToPath(new URL('../../../content/webhooks/', import.meta.url))),
    random: randomBytes,
    checkSchema: (text) => void JSON.parse(text),
    checkSecret: (_scheme, secret) => {
      if (secret.startsWith('odd')) throw new Error('does not fit');
    },
    estate: {
      publish: async (_tx, { set = [], remove = [] }) => {
        for (const [key, entry] of set) published.set(key, webhookEntry.parse(entry));
        for (const key of remove) published.delete(key);
      },
      app: async (id) => (id === APP ? { id, name: 'github', ownerId: APP_OWNER.id } : null),
      integration: async (id) => (id === INTEGRATION ? { id, name: 'sync', status: integrationStatus } : null),
    },
  };
  endpoints = createEndpointCommands(context);
  deliveries = createDeliveryCommands({ ...context, mask: (body) => body.toString('utf8').replace('hello', '*****') });
});
afterAll(() => database.drop());
beforeEach(() => {
  sent.length = 0;
  recorded.length = 0;
  answers = [];
  integrationStatus = 'active';
});

function makeDeliverer(): Deliverer {
  return createDeliverer({
    ...context,
    logger: createTestLogger(),
    random: () => 1,
    send: async (request) => {
      sent.push(request);
      const answer = answers.shift()?.() ?? ok;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    record: async (_tx, facts) => void recorded.push(facts),
  });
}

function input(overrides: Partial<EndpointInput> = {}): EndpointInput {
  count += 1;
  return {
    name: `hook-${count}`,
    appId: APP,
    integrationId: INTEGRATION,
    scheme: 'github',
    secret: 'vendor-secret',
    url: 'https://sync.example.com/in',
    ...overrides,
  };
}

const make = async (overrides: Partial<EndpointInput> = {}) => endpoints.create(OWNER, input(overrides));

function received(endpointId: string, overrides: Partial<ReceivedDelivery> & { body?: string } = {}): ReceivedDelivery {
  const { body = '{"text":"hello"}', ...rest } = overrides;
  const id = rest.id ?? randomUUID();
  const head = Buffer.from(JSON.stringify({ headers: [['x-github-event', 'issues']], path: '' }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  return {
    id,
    endpointId,
    receivedAt: clock.now(),
    type: 'issues',
    vendorId: '',
    replayKey: randomBytes(32).toString('hex'),
    orderKey: null,
    contentType: 'application/json',
    bytes: body.length,
    secretId: 's',
    sealed: envelope.seal(Buffer.concat([length, head, Buffer.from(body)]), `webhook-delivery:${id}`),
    ...rest,
  };
}

/** Runs what is due now, to its end. */
async function deliver(): Promise<void> {
  const one = makeDeliverer();
  await one.run();
  await one.stop();
}

const statuses = async (id: string): Promise<string[]> =>
  (await listDeliveries(database.db, id, { limit: 50 })).map(({ status }) => status).sort();

describe('an endpoint', () => {
  test('is made, published with its scheme and a sealed secret, and audited', async () => {
    const { endpoint, signingSecret } = await make({ types: ['issues'] });
    expect(signingSecret).toMatch(/^whsec_/);
    const entry = published.get(`webhook:${endpoint.id}`);
    expect(entry).toMatchObject({
      appId: APP,
      integrationId: INTEGRATION,
      types: ['issues'],
      scheme: { name: 'github' },
    });
    expect(JSON.stringify(entry)).not.toContain('vendor-secret');
    expect(envelope.open(entry!.secrets[0]!.sealed, `webhook:${endpoint.id}`).toString()).toBe('vendor-secret');
    const audit = await readAudit(database.db, { target: { type: 'webhook', id: endpoint.id }, limit: 10 });
    expect(audit.map(({ action }) => action)).toEqual(['webhook.created']);
    expect(JSON.stringify(audit)).not.toContain('secret');
  });

  test.each<[string, Partial<EndpointInput>]>([
    ['an app that is not there', { appId: INTEGRATION }],
    ['an integration that is not there', { integrationId: APP }],
    ['a scheme that is not there', { scheme: 'nobody' }],
    ['plain http', { url: 'http://sync.example.com/in' }],
    ['a schema that is none', { schema: '{' }],
    ['a secret that does not fit', { secret: 'odd-secret' }],
  ])('is refused with %s', async (_what, overrides) => {
    await expect(make(overrides)).rejects.toThrow(EndpointInvalid);
  });

  test('keeps its name to itself', async () => {
    const first = input();
    await endpoints.create(OWNER, first);
    await expect(endpoints.create(OWNER, first)).rejects.toThrow(EndpointExists);
  });

  test('is made by the owner of the app, without opening the inner network', async () => {
    await expect(endpoints.create(APP_OWNER, input())).resolves.toBeDefined();
    await expect(endpoints.create(APP_OWNER, input({ privateAddresses: ['127.0.0.1'] }))).rejects.toThrow(
      EndpointInvalid,
    );
    const other = { ...APP_OWNER, id: 'p-3' };
    await expect(endpoints.create(other, input())).rejects.toThrow(AccessDenied);
    const developer = { ...APP_OWNER, roles: ['developer'] } as const;
    await expect(endpoints.create(developer, input())).rejects.toThrow(AccessDenied);
  });

  test('has two live secrets while one is replaced, never three, and one in the end', async () => {
    const { endpoint } = await make();
    const live = (): string[] =>
      published
        .get(`webhook:${endpoint.id}`)!
        .secrets.map(({ sealed }) => envelope.open(sealed, `webhook:${endpoint.id}`).toString());
    clock.advance(1_000);
    await endpoints.rotate(OWNER, endpoint.id, { secret: 'second-secret', overlapMs: DAY_MS });
    expect(live()).toEqual(['second-secret', 'vendor-secret']);
    clock.advance(1_000);
    await endpoints.rotate(OWNER, endpoint.id, { secret: 'third-secret', overlapMs: DAY_MS });
    expect(live()).toEqual(['third-secret', 'second-secret']);
    clock.advance(DAY_MS + 1);
    await sweepDeliveries(context);
    expect(await refreshEntries(context)).toBeGreaterThan(0);
    expect(live()).toEqual(['third-secret']);
    expect(await refreshEntries(context)).toBe(0);
  });
});

describe('deliveries', () => {
  test('are taken once, whatever is sent again, and a copy goes nowhere', async () => {
    const { endpoint } = await make();
    const first = received(endpoint.id);
    const copy = received(endpoint.id, { replayKey: first.replayKey });
    expect(await takeDeliveries(database.db, [first], clock.now())).toEqual({ taken: 1, duplicates: 0, homeless: 0 });
    expect(await takeDeliveries(database.db, [first], clock.now())).toEqual({ taken: 0, duplicates: 0, homeless: 0 });
    // Two gateways that took a copy each hand them over at once.
    const others = [copy, received(endpoint.id, { replayKey: first.replayKey })];
    await Promise.all(others.map((line) => takeDeliveries(database.db, [line], clock.now())));
    expect(await statuses(endpoint.id)).toEqual(['duplicate', 'duplicate', 'waiting']);
    await deliver();
    expect(sent).toHaveLength(1);
    const homeless = received(randomUUID());
    expect(await takeDeliveries(database.db, [homeless], clock.now())).toEqual({
      taken: 0,
      duplicates: 0,
      homeless: 1,
    });
  });

  test('arrive with the body, the vendor’s event headers and a signature that the integration can check', async () => {
    const { endpoint, signingSecret } = await make();
    await endpoints.update(OWNER, endpoint.id, { url: 'https://sync.example.com/other' });
    clock.set(Date.now());
    await takeDeliveries(database.db, [received(endpoint.id)], clock.now());
    const rotated = await endpoints.rotateSigning(OWNER, endpoint.id, { overlapMs: DAY_MS });
    await deliver();
    const [request] = sent;
    expect(request).toMatchObject({ url: 'https://sync.example.com/other', headers: { 'x-github-event': 'issues' } });
    for (const secret of [signingSecret, rotated.signingSecret]) {
      expect(new Webhook(secret).verify(request!.body.toString(), { ...request!.headers })).toEqual({ text: 'hello' });
    }
    expect(recorded).toMatchObject([{ outcome: 'delivered', number: 1, status: 200, integrationName: 'sync' }]);
  });

  test('are tried again with growing waits, then die, and are sent again by hand', async () => {
    const { endpoint } = await make({ attemptsMax: 3 });
    await takeDeliveries(database.db, [received(endpoint.id)], clock.now());
    answers = [() => failed, () => new Error('refused'), () => failed];
    await deliver();
    await deliver();
    expect(sent).toHaveLength(1);
    clock.advance(5_000);
    await deliver();
    clock.advance(5_000);
    await deliver();
    expect(sent).toHaveLength(2);
    clock.advance(10_000);
    await deliver();
    expect(recorded.map(({ outcome, status }) => [outcome, status])).toEqual([
      ['waiting', 500],
      ['waiting', null],
      ['dead', 500],
    ]);
    expect(await statuses(endpoint.id)).toEqual(['dead']);
    const [dead] = await listDeliveries(database.db, endpoint.id, { limit: 1, status: 'dead' });
    const view = await deliveries.view(OWNER, endpoint.id, dead!.id);
    expect(view.content).toEqual({ headers: { 'x-github-event': 'issues' }, body: '{"text":"*****"}' });
    expect(view.attempts.map(({ number, error, body }) => [number, error, body])).toEqual([
      [3, 'The integration answered 500.', 'boom'],
      [2, 'refused', null],
      [1, 'The integration answered 500.', 'boom'],
    ]);
    expect(await deliveries.redeliverDead(OWNER, endpoint.id)).toBe(1);
    await deliver();
    expect(await statuses(endpoint.id)).toEqual(['delivered']);
    await deliveries.redeliver(OWNER, endpoint.id, dead!.id);
    await deliver();
    expect(recorded).toHaveLength(5);
  });

  test('wait as long as the integration asks, and die at once where it says Gone', async () => {
    const { endpoint } = await make();
    await takeDeliveries(database.db, [received(endpoint.id)], clock.now());
    answers = [
      () => ({ ...failed, status: 503, headers: { 'retry-after': '120' } }),
      () => ({ ...failed, status: 410 }),
    ];
    await deliver();
    clock.advance(119_000);
    await deliver();
    expect(sent).toHaveLength(1);
    clock.advance(1_000);
    await deliver();
    expect(await statuses(endpoint.id)).toEqual(['dead']);
  });

  test('of one order key go one after another, others beside them', async () => {
    const { endpoint } = await make({ order: 'endpoint' });
    const lines = [1, 2, 3].map((at) => received(endpoint.id, { receivedAt: at, orderKey: 'a', body: `"${at}"` }));
    const beside = received(endpoint.id, { receivedAt: 4, orderKey: 'b', body: '"b"' });
    await takeDeliveries(database.db, [...lines.toReversed(), beside], clock.now());
    const failsFirst = (): SendAnswer => (sent.at(-1)?.body.toString() === '"1"' ? failed : ok);
    answers = [failsFirst, failsFirst];
    await deliver();
    const bodies = (): string[] => sent.map(({ body }) => body.toString());
    expect(bodies().sort()).toEqual(['"1"', '"b"']);
    for (let round = 0; round < 4; round++) {
      clock.advance(20_000);
      await deliver();
    }
    expect(bodies().filter((body) => body !== '"b"')).toEqual(['"1"', '"1"', '"2"', '"3"']);
  });

  test('wait while the endpoint is paused or its integration is suspended', async () => {
    const { endpoint } = await make();
    await takeDeliveries(database.db, [received(endpoint.id)], clock.now());
    await endpoints.update(OWNER, endpoint.id, { status: 'paused' });
    await deliver();
    await endpoints.update(OWNER, endpoint.id, { status: 'active' });
    integrationStatus = 'suspended';
    await deliver();
    expect(sent).toHaveLength(0);
    integrationStatus = 'active';
    clock.advance(5_000);
    await deliver();
    expect(sent).toHaveLength(1);
    expect(recorded).toMatchObject([{ number: 1 }]);
  });

  test('that a dying worker held are taken up by the next, and never by two at once', async () => {
    const { endpoint } = await make();
    await takeDeliveries(database.db, [received(endpoint.id)], clock.now());
    const stuck = Promise.withResolvers<SendAnswer>();
    const dying = createDeliverer({
      ...context,
      logger: createTestLogger(),
      random: () => 1,
      send: () => stuck.promise,
      record: async () => {
        throw new Error('this worker is dead');
      },
    });
    await dying.run();
    await deliver();
    expect(sent).toHaveLength(0);
    clock.advance(LEASE_MS);
    await deliver();
    expect(sent).toHaveLength(1);
    // The first was only slow: its answer comes too late to count.
    stuck.resolve(ok);
    await dying.stop();
    expect(await statuses(endpoint.id)).toEqual(['delivered']);
    expect((await listEndpoints(database.db)).find(({ id }) => id === endpoint.id)?.counts.delivered).toBe(1);
  });

  test('lose their content when their time is over, and cannot be sent again then', async () => {
    const { endpoint } = await make({ keepDays: 1 });
    const line = received(endpoint.id);
    await takeDeliveries(database.db, [line], clock.now());
    await deliver();
    clock.advance(DAY_MS - 1);
    await sweepDeliveries(context);
    expect((await deliveries.view(OWNER, endpoint.id, line.id)).content).not.toBeNull();
    clock.advance(2);
    await sweepDeliveries(context);
    const view = await deliveries.view(OWNER, endpoint.id, line.id);
    expect([view.content, view.attempts[0]?.body]).toEqual([null, null]);
    await expect(deliveries.redeliver(OWNER, endpoint.id, line.id)).rejects.toThrow(ContentErased);
  });

  test('are shown to those who may see payloads, and sent again by those who may', async () => {
    const { endpoint } = await make();
    const line = received(endpoint.id);
    await takeDeliveries(database.db, [line], clock.now());
    const auditor = { ...OWNER, roles: ['auditor'] } as const;
    await expect(deliveries.view(auditor, endpoint.id, line.id)).rejects.toThrow(AccessDenied);
    await expect(deliveries.view({ ...APP_OWNER, id: 'p-9' }, endpoint.id, line.id)).rejects.toThrow(AccessDenied);
    await expect(deliveries.view(APP_OWNER, endpoint.id, line.id)).resolves.toBeDefined();
    await expect(deliveries.redeliver(auditor, endpoint.id, line.id)).rejects.toThrow(AccessDenied);
    await deliver();
  });
});

test('a removed endpoint takes its deliveries and its entry along', async () => {
  const { endpoint } = await make();
  await takeDeliveries(database.db, [received(endpoint.id)], clock.now());
  await endpoints.remove(OWNER, endpoint.id);
  expect(published.has(`webhook:${endpoint.id}`)).toBe(false);
  await expect(loadEndpoint(database.db, endpoint.id)).rejects.toThrow('no such webhook endpoint');
  await deliver();
  expect(sent).toHaveLength(0);
});
