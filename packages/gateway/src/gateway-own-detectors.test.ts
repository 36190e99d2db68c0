import { createHash, randomBytes } from 'node:crypto';
import { packOwnRule, type OwnRule } from '@cordon/classifier';
import { sampleEntry } from '@cordon/policy/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answer } from './test-saas.ts';
import { startTestGateway, startUpstream, TEST_TOKEN, type TestGateway, type UpstreamStub } from './testing.ts';

const key = randomBytes(32);
let upstream: UpstreamStub;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await startUpstream(answer);
  gateway = await startTestGateway({
    upstream: upstream.url,
    entries: {
      'inspection:own': sampleEntry('inspection', {
        id: 'own',
        name: 'Nothing of our own leaves',
        class: 'custom.*',
        direction: 'request',
        action: 'block',
      }),
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

/** The entry as control makes it; its bytes are at control unless they are held back. */
function offer(name: string, rule: OwnRule, held = false): { readonly sha256: string; readonly packed: Buffer } {
  const { packed } = packOwnRule(rule, key);
  const sha256 = createHash('sha256').update(packed).digest('hex');
  if (!held) gateway.control.blobs.set(sha256, packed);
  const sealed = gateway.envelope.seal(key, 'own-detector-key:key-1');
  gateway.control.publish({
    set: {
      [`own-detector:${name}`]: sampleEntry('own-detector', {
        id: name,
        name,
        sha256,
        bytes: packed.length,
        keyId: 'key-1',
        sealed,
      }),
    },
  });
  return { sha256, packed };
}

async function post(note: string): Promise<{ readonly status: number; readonly classes: unknown }> {
  const response = await fetch(`${gateway.url}/github/items`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ note }),
  });
  const body = (await response.json()) as { classes?: unknown };
  return { status: response.status, classes: body.classes };
}

const paper = Array.from({ length: 120 }, (_, index) => `word${(index * 7919) % 1009}`).join(' ');

test.each([
  ['projects', { kind: 'dictionary', terms: ['Blue Heron'] }, 'we ship blue heron today', 'we ship grey heron today'],
  ['tickets', { kind: 'regex', pattern: 'OPS-[0-9]{4}' }, 'see OPS-1234', 'see OPS-12'],
  ['customers', { kind: 'exact', values: ['CUST-0001-77'] }, 'about cust 0001 77', 'about cust 0001 78'],
  ['merger', { kind: 'document', text: paper, least: 0.3 }, `As told: ${paper}`, 'As told: nothing of the kind'],
] as const)('a call with what %s looks for is blocked, others pass', async (name, rule, held, passed) => {
  expect((await post(held)).status).toBe(200);
  offer(name, rule);
  await expect.poll(async () => (await post(held)).status).toBe(403);
  expect((await post(held)).classes).toEqual([`custom.${name}`]);
  expect((await post(passed)).status).toBe(200);
});

test('what was taken away is looked for no more', async () => {
  gateway.control.publish({ remove: ['own-detector:projects'] });
  await expect.poll(async () => (await post('we ship blue heron today')).status).toBe(200);
  expect((await post('see OPS-1234')).status).toBe(403);
});

test('while the bytes of one are missing the others stay in force, and it comes when they do', async () => {
  const { sha256, packed } = offer('vessels', { kind: 'dictionary', terms: ['Grey Seal'] }, true);
  expect((await post('see OPS-1234')).status).toBe(403);
  expect((await post('the grey seal sails')).status).toBe(200);
  gateway.control.blobs.set(sha256, packed);
  await expect.poll(async () => (await post('the grey seal sails')).status, { timeout: 10_000 }).toBe(403);
});
