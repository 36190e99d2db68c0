import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createSecretEnvelope } from '@cordon/kernel';
import type { WebhookEntryInput } from '@cordon/policy';
import { sampleEntry } from '@cordon/policy/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../testing.ts';
import { AWS_KEY, CARD } from '../test-saas.ts';
import { readScheme } from './test-scheme.ts';

const ID = '018f0000-0000-7000-8000-000000000001';
const SECRET = 'first-secret';
const NEXT = 'second-secret';
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 9)] });
const folders: string[] = [];
let running: TestGateway | undefined;

afterEach(async () => {
  await running?.stop();
  running = undefined;
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
});

function endpoint(overrides: Partial<WebhookEntryInput> = {}): WebhookEntryInput {
  return sampleEntry('webhook', {
    id: ID,
    scheme: readScheme('github'),
    secrets: [{ id: 'one', sealed: envelope.seal(SECRET, `webhook:${ID}`) }],
    ...overrides,
  });
}

async function start(overrides: Partial<WebhookEntryInput> = {}, more: Record<string, unknown> = {}, dataDir?: string) {
  running = await startTestGateway({
    upstream: 'http://127.0.0.1:9',
    entries: { [`webhook:${ID}`]: endpoint(overrides), ...more },
    deps: { envelope },
    ...(dataDir ? { config: { dataDir } } : {}),
  });
  return running;
}

const sign = (body: string, secret = SECRET): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

function send(to: TestGateway, body: string, headers: Record<string, string> = {}, suffix = ''): Promise<Response> {
  return fetch(`${to.url}/hooks/${ID}${suffix}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'issues',
      'x-hub-signature-256': sign(body),
      ...headers,
    },
    body,
  });
}

async function codeOf(answer: Response): Promise<[number, string]> {
  const problem = (await answer.json()) as { code?: string; status?: string }; // of the gateway under test
  return [answer.status, problem.code ?? problem.status ?? ''];
}

function payloadOf(delivery: Record<string, unknown>): { head: unknown; body: string } {
  const bytes = envelope.open(String(delivery['sealed']), `webhook-delivery:${String(delivery['id'])}`);
  const length = bytes.readUInt32BE(0);
  return {
    head: JSON.parse(bytes.subarray(4, 4 + length).toString('utf8')),
    body: bytes.subarray(4 + length).toString('utf8'),
  };
}

describe('a delivery', () => {
  test('is verified, stored sealed, acknowledged, shipped, and has one event', async () => {
    const gateway = await start();
    const body = '{"action":"opened"}';
    const answer = await send(gateway, body, { 'x-github-delivery': 'd-1' });
    expect(answer.status).toBe(200);
    const { id } = (await answer.json()) as { id: string }; // of the gateway under test
    const events = await gateway.events();
    expect(gateway.control.deliveries).toMatchObject([
      { id, endpointId: ID, type: 'issues', vendorId: 'd-1', bytes: body.length, orderKey: null, secretId: 'one' },
    ]);
    expect(JSON.stringify(gateway.control.deliveries)).not.toContain('opened');
    expect(payloadOf(gateway.control.deliveries[0]!)).toEqual({
      head: {
        headers: [
          ['x-github-event', 'issues'],
          ['x-github-delivery', 'd-1'],
        ],
        path: '',
      },
      body,
    });
    expect(events).toMatchObject([
      {
        class_uid: 4002,
        metadata: { uid: id, labels: ['webhook'] },
        http_response: { code: 200 },
        unmapped: { cordon: { decision: 'allow' } },
      },
    ]);
  });

  test.each<[string, string, Record<string, string>, [number, string]]>([
    [
      'with another body',
      '{"a":2}',
      { 'x-hub-signature-256': sign('{"a":1}') },
      [401, 'gateway.webhook_signature_invalid'],
    ],
    [
      'with another secret',
      '{"a":1}',
      { 'x-hub-signature-256': sign('{"a":1}', 'x') },
      [401, 'gateway.webhook_signature_invalid'],
    ],
    ['without a signature', '{"a":1}', { 'x-hub-signature-256': '' }, [401, 'gateway.webhook_signature_missing']],
    ['that is no JSON', '{"a":', {}, [400, 'gateway.webhook_invalid']],
    ['with a key twice', '{"a":1,"a":2}', {}, [400, 'gateway.webhook_invalid']],
    ['that is compressed', '{"a":1}', { 'content-encoding': 'gzip' }, [415, 'gateway.encoding_unsupported']],
  ])('%s is refused and not stored', async (_what, body, headers, expected) => {
    const gateway = await start();
    expect(await codeOf(await send(gateway, body, headers))).toEqual(expected);
    const events = await gateway.events();
    expect(gateway.control.deliveries).toEqual([]);
    expect(events).toMatchObject([
      { class_uid: 4002, unmapped: { cordon: { decision: 'deny' } }, status_code: expected[1] },
    ]);
  });

  test('is refused when it is larger than the endpoint takes, announced or not', async () => {
    const gateway = await start({ bodyBytesMax: 10 });
    expect(await codeOf(await send(gateway, '"0123456789"'))).toEqual([413, 'gateway.body_too_large']);
  });

  test('of a type nobody wants is acknowledged and goes no further', async () => {
    const gateway = await start({ types: ['push', 'pull_request*'] });
    expect(await codeOf(await send(gateway, '{}'))).toEqual([200, 'ignored']);
    expect(await codeOf(await send(gateway, '{}', { 'x-github-event': 'pull_request_review' }))).toEqual([
      200,
      'accepted',
    ]);
    const events = await gateway.events();
    expect(gateway.control.deliveries).toHaveLength(1);
    expect(events.map((event) => event['status_code'])).toEqual(['gateway.webhook_unwanted', undefined]);
  });

  test('must fit the schema, or is noted where the schema only observes', async () => {
    const schema = JSON.stringify({
      $defs: { n: { type: 'integer' } },
      type: 'object',
      properties: { n: { $ref: '#/$defs/n' } },
    });
    const strict = await start({ schema });
    expect(await codeOf(await send(strict, '{"n":"x"}'))).toEqual([400, 'gateway.webhook_invalid']);
    expect(await codeOf(await send(strict, '{"n":1}'))).toEqual([200, 'accepted']);
    await strict.stop();
    const loose = await start({ schema, validate: 'observe' });
    expect(await codeOf(await send(loose, '{"n":"x"}'))).toEqual([200, 'accepted']);
    expect(await loose.events()).toMatchObject([{ metadata: { labels: ['webhook', 'request-invalid'] } }]);
  });

  test('loses secrets and cards on its way, as the rules say', async () => {
    const gateway = await start();
    await send(gateway, JSON.stringify({ text: `${CARD} and ${AWS_KEY}` }));
    const events = await gateway.events();
    const { body } = payloadOf(gateway.control.deliveries[0]!);
    expect(body).not.toContain(AWS_KEY);
    expect(body).not.toContain('4111 1111');
    expect(JSON.stringify(events)).toContain('payment.card');
  });

  test('is refused where a rule blocks what it holds', async () => {
    const rule = sampleEntry('inspection', { class: 'payment.card', action: 'block' });
    const gateway = await start({}, { 'inspection:rule-1': rule });
    expect(await codeOf(await send(gateway, JSON.stringify({ text: CARD })))).toEqual([
      403,
      'gateway.response_blocked',
    ]);
    await gateway.gateway.flush();
    expect(gateway.control.deliveries).toEqual([]);
  });
});

describe('copies', () => {
  test('have one replay key, whatever unsigned id they claim', async () => {
    const gateway = await start();
    await send(gateway, '{"a":1}', { 'x-github-delivery': 'd-1' });
    await send(gateway, '{"a":1}', { 'x-github-delivery': 'd-2' });
    await send(gateway, '{"a":2}', { 'x-github-delivery': 'd-2' });
    await gateway.gateway.flush();
    const [first, second, third] = gateway.control.deliveries.map((delivery) => delivery['replayKey']);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  test('are told by the vendor’s id where the endpoint says so', async () => {
    const gateway = await start({ replay: 'vendor-id' });
    await send(gateway, '{"a":1}', { 'x-github-delivery': 'd-1' });
    await send(gateway, '{"a":1}', { 'x-github-delivery': 'd-2' });
    await gateway.gateway.flush();
    const [first, second] = gateway.control.deliveries.map((delivery) => delivery['replayKey']);
    expect(second).not.toBe(first);
  });
});

test('while a secret is replaced both are good, until the old one ends', async () => {
  const old = { id: 'one', sealed: envelope.seal(SECRET, `webhook:${ID}`), notAfter: Date.now() + 60_000 };
  const next = { id: 'two', sealed: envelope.seal(NEXT, `webhook:${ID}`) };
  const gateway = await start({ secrets: [next, old] });
  expect((await send(gateway, '{"a":1}')).status).toBe(200);
  expect((await send(gateway, '{"a":2}', { 'x-hub-signature-256': sign('{"a":2}', NEXT) })).status).toBe(200);
  gateway.control.publish({
    set: { [`webhook:${ID}`]: endpoint({ secrets: [next, { ...old, notAfter: Date.now() - 1 }] }) },
  });
  await expect.poll(async () => (await send(gateway, '{"a":3}')).status, { timeout: 5_000 }).toBe(401);
});

describe('an endpoint', () => {
  test.each([
    ['that nobody made', {}, '0'],
    ['that is disabled', { status: 'disabled' as const }, ''],
    ['of an app that is gone', { appId: 'app-2' }, ''],
    ['of an integration that is gone', { integrationId: 'int-2' }, ''],
  ])('%s is not there', async (_what, overrides, odd) => {
    const gateway = await start(overrides);
    const url = `${gateway.url}/hooks/${odd === '' ? ID : ID.replace('018f', '118f')}`;
    expect(await codeOf(await fetch(url, { method: 'POST', body: '{}' }))).toEqual([404, 'gateway.webhook_unknown']);
  });

  test('of a revoked integration is not there; of a suspended one it still takes deliveries', async () => {
    const gateway = await start({}, { 'integration:int-1': sampleEntry('integration', { status: 'suspended' }) });
    expect((await send(gateway, '{"a":1}')).status).toBe(200);
    const revoked = sampleEntry('integration', { status: 'revoked' });
    gateway.control.publish({ set: { 'integration:int-1': revoked }, revoke: true });
    await expect.poll(async () => (await send(gateway, '{"a":2}')).status, { timeout: 5_000 }).toBe(404);
  });

  test('whose secret cannot be opened says so, and takes nothing', async () => {
    const gateway = await start({ secrets: [{ id: 'one', sealed: envelope.seal(SECRET, 'webhook:other') }] });
    expect(await codeOf(await send(gateway, '{}'))).toEqual([503, 'gateway.webhook_unusable']);
  });
});

describe('handshakes', () => {
  test('Slack’s is answered when it is signed', async () => {
    const gateway = await start({ scheme: readScheme('slack') });
    const body = JSON.stringify({ type: 'url_verification', challenge: 'abc' });
    const at = String(Math.floor(Date.now() / 1_000));
    const signature = `v0=${createHmac('sha256', SECRET).update(`v0:${at}:${body}`).digest('hex')}`;
    const headers = { 'x-slack-signature': signature, 'x-slack-request-timestamp': at };
    const answer = await send(gateway, body, headers);
    expect([answer.status, await answer.text()]).toEqual([200, 'abc']);
    expect(await codeOf(await send(gateway, body, { ...headers, 'x-slack-signature': 'v0=00' }))).toEqual([
      401,
      'gateway.webhook_signature_invalid',
    ]);
    await gateway.gateway.flush();
    expect(gateway.control.deliveries).toEqual([]);
  });

  test('Okta’s is answered without', async () => {
    const gateway = await start({ scheme: readScheme('okta') });
    const answer = await fetch(`${gateway.url}/hooks/${ID}`, { headers: { 'x-okta-verification-challenge': 'a"b' } });
    expect(await answer.json()).toEqual({ verification: 'a"b' });
  });
});

test('what was acknowledged while the worker is away is shipped by the process that comes next', async () => {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'cordon-hooks-'));
  folders.push(dataDir);
  const first = await start({}, {}, dataDir);
  first.control.ingestMode = 'down';
  expect((await send(first, '{"a":1}')).status).toBe(200);
  await first.stop();
  expect(first.control.deliveries).toEqual([]);
  // This process lives on, so its folder would never be taken over: give it the name of one that is gone.
  const root = path.join(dataDir, 'deliveries');
  const [left = ''] = fs.readdirSync(root);
  const gone = path.join(root, 'p999999-1-00000000');
  fs.renameSync(path.join(root, left), gone);
  fs.utimesSync(gone, 0, 0);
  const second = await start({}, {}, dataDir);
  await expect.poll(() => second.control.deliveries.length, { timeout: 10_000 }).toBe(1);
});
