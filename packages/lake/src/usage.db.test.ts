import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleCall } from './event-sample.ts';
import { createTestLake, type TestLake } from './lake-fixture.ts';
import type { CallDetail } from './usage.ts';

const HOUR_MS = 3_600_000;
const START = Math.floor(1_790_000_000_000 / HOUR_MS) * HOUR_MS;
const INTEGRATION = '019b0000-0000-7000-8000-00000000a001';
const APP = '019b0000-0000-7000-8000-00000000b001';
const NOTHING: CallDetail = {
  hour: false,
  moment: false,
  address: false,
  assurance: false,
  listener: false,
  path: false,
  findings: false,
  boundaries: [],
};
const scope = { from: START - HOUR_MS, to: START + 100 * HOUR_MS };
let made: TestLake;

/** Ten calls, an hour apart: reads let through but the last, which was not granted. */
beforeAll(async () => {
  made = await createTestLake();
  const events = Array.from({ length: 10 }, (_, index) =>
    sampleCall({
      id: `019b0000-0000-7000-8000-0000000001${String(index).padStart(2, '0')}`,
      time: START + index * HOUR_MS + 1,
      request: { method: 'GET', path: `/repos/acme/r${index % 2}`, bytes: 10 },
      source: { ip: index < 5 ? '10.0.0.1' : '10.0.0.2' },
      assurance: 'm1',
      listener: 'path',
      ...(index === 9
        ? { decision: 'deny' as const, reason: 'gateway.not_authorized', reasonText: 'no' }
        : {
            findings: [
              { class: 'payment.card', direction: 'response' as const, count: 3, action: 'redact' as const },
              { class: 'contact.email', direction: 'request' as const, count: 1, action: 'log' as const },
            ],
          }),
    }),
  );
  await made.lake.ingest({ id: 'b1', events });
});
afterAll(() => made.close());

test('use is counted for each operation, refusals for want of a grant apart', async () => {
  expect(await made.lake.usage.usage(scope)).toEqual([
    {
      integrationId: INTEGRATION,
      appId: APP,
      operation: 'repos/get',
      allowed: 9,
      refused: 1,
      days: new Set(Array.from({ length: 9 }, (_, index) => Math.floor((START + index * HOUR_MS) / 86_400_000))).size,
      firstAt: START + 1,
      lastAt: START + 9 * HOUR_MS + 1,
    },
  ]);
  expect(await made.lake.usage.usage({ ...scope, appId: 'another' })).toEqual([]);
});

test('exposure sums calls and values of each class', async () => {
  const rows = await made.lake.usage.exposure(scope);
  expect(rows.map(({ dataClass, calls, values }) => [dataClass, calls, values])).toEqual([
    ['payment.card', 9, 27],
    ['contact.email', 9, 9],
  ]);
});

describe('calls are grouped by what matters', () => {
  test.each<[string, Partial<CallDetail>, number]>([
    ['nothing but what was decided', {}, 2],
    ['the hour', { hour: true }, 10],
    ['the moment', { moment: true }, 10],
    ['the address', { address: true }, 3],
    ['the path', { path: true }, 3],
    ['how the client proved itself', { assurance: true }, 2],
    ['what expires in between', { boundaries: [START + 3 * HOUR_MS] }, 3],
    ['what was found', { findings: true }, 2],
  ])('%s', async (_name, detail, groups) => {
    const found = await made.lake.usage.callGroups(scope, { ...NOTHING, ...detail });
    expect(found).toHaveLength(groups);
    expect(found.reduce((sum, { calls }) => sum + calls, 0)).toBe(10);
  });

  test('with the facts of the call, as far as they were asked for', async () => {
    const detail = { ...NOTHING, assurance: true, listener: true, path: true, address: true, findings: true };
    const found = await made.lake.usage.callGroups(scope, detail);
    expect(found.find(({ decision }) => decision === 'deny')).toMatchObject({
      assurance: 'm1',
      listener: 'path',
      path: '/repos/acme/r1',
      template: '/repos/{owner}/{repo}',
      address: '10.0.0.2',
      reason: 'gateway.not_authorized',
      findings: [],
    });
    expect(found[0]?.findings).toEqual(['contact.email request', 'payment.card response']);
  });
});

test('calls come one by one in their order, with what limits count', async () => {
  const calls = await made.lake.usage.timedCalls(scope);
  expect(calls.map(({ at }) => at)).toEqual(Array.from({ length: 10 }, (_, index) => START + index * HOUR_MS + 1));
  expect(calls[9]).toMatchObject({
    integrationId: INTEGRATION,
    appId: APP,
    operation: 'repos/get',
    address: '10.0.0.2',
    reason: 'gateway.not_authorized',
    requestBytes: 10,
  });
  expect(
    calls.every(({ durationMs, responseBytes, records }) =>
      [durationMs, responseBytes, records].every((one) => one >= 0),
    ),
  ).toBe(true);
});
