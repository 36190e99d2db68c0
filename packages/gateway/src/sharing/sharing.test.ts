import { createFakeClock } from '@cordon/kernel/testing';
import { sampleEntry } from '@cordon/policy/testing';
import { appEntry, type EntryInputOf } from '@cordon/policy';
import { afterEach, describe, expect, test } from 'vitest';
import { LocalCounters } from '../limit-counters.ts';
import {
  startTestGateway,
  startUpstream,
  TEST_TOKEN,
  type TestGateway,
  tokenHash,
  type UpstreamStub,
} from '../testing.ts';
import { encodeNote, parseNote } from './budget-note.ts';
import { countRecords } from './record-count.ts';
import { VendorBudgets } from './vendor-budgets.ts';
import { parseRetryAfter, parseVendorLimit } from './vendor-limit.ts';

const NOW = Date.UTC(2026, 0, 1);
const EPOCH = NOW / 1000 + 600;

describe('what vendors say', () => {
  test.each([
    [
      'GitHub',
      {
        'x-ratelimit-limit': '5000',
        'x-ratelimit-remaining': '4999',
        'x-ratelimit-reset': `${EPOCH}`,
        'x-ratelimit-resource': 'core',
      },
      { bucket: 'core', limit: 5000, remaining: 4999, resetAt: NOW + 600_000 },
    ],
    [
      'Okta',
      { 'x-rate-limit-limit': '600', 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': `${EPOCH}` },
      { bucket: '', limit: 600, remaining: 0, resetAt: NOW + 600_000 },
    ],
    [
      'seconds from now',
      { 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '7', 'x-ratelimit-reset': '30' },
      { bucket: '', limit: 100, remaining: 7, resetAt: NOW + 30_000 },
    ],
    [
      'milliseconds (Linear)',
      { 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '7', 'x-ratelimit-reset': `${NOW + 5_000}` },
      { bucket: '', limit: 100, remaining: 7, resetAt: NOW + 5_000 },
    ],
    [
      'draft 10',
      {
        ratelimit: '"burst";r=90;t=10, "day";r=5;t=600',
        'ratelimit-policy': '"burst";q=100;w=60, "day";q=1000;w=86400',
      },
      { bucket: 'day', limit: 1000, remaining: 5, resetAt: NOW + 600_000 },
    ],
    [
      'draft 07',
      { ratelimit: 'limit=100, remaining=50, reset=50' },
      { bucket: '', limit: 100, remaining: 50, resetAt: NOW + 50_000 },
    ],
    [
      'an hour at most',
      { 'x-ratelimit-limit': '9', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '999999' },
      { bucket: '', limit: 9, remaining: 0, resetAt: NOW + 3_600_000 },
    ],
    ['nonsense', { 'x-ratelimit-limit': 'many', 'x-ratelimit-remaining': '-1', 'x-ratelimit-reset': '' }, undefined],
    [
      'a limit of nothing',
      { 'x-ratelimit-limit': '0', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '5' },
      undefined,
    ],
  ])('%s', (_name, headers, expected) => {
    expect(parseVendorLimit(Object.entries(headers).flat(), NOW)).toEqual(expected);
  });

  test.each([
    ['7', NOW + 7_000],
    ['Thu, 01 Jan 2026 00:00:09 GMT', NOW + 9_000],
    ['soon', undefined],
  ])('Retry-After: %s', (text, expected) => {
    expect(parseRetryAfter(['Retry-After', text], NOW)).toBe(expected);
  });

  test.each([null, [], ['k', 1, 2], ['k', 1, -2, 3, []], ['k', 1, 'x', 3, []]])('%j is no note', (value) => {
    expect(parseNote(value)).toBeUndefined();
  });

  test('a note is read as it was written', () => {
    const note = { key: 'k', limit: 5, remaining: 1, resetAt: 9, seen: ['i'] };
    expect(parseNote(JSON.parse(JSON.stringify(encodeNote(note))))).toEqual(note);
  });
});

describe('shares', () => {
  const clock = createFakeClock();
  const app = (sharing: EntryInputOf<'app'>['sharing'] = {}) => appEntry.parse(sampleEntry('app', { sharing }));
  const of = (integrationId: string, entry = app()) => ({ app: entry, owner: '', operation: 'op', integrationId });
  const say = (remaining: number): string[] =>
    Object.entries({
      'x-ratelimit-limit': '100',
      'x-ratelimit-remaining': `${remaining}`,
      'x-ratelimit-reset': '60',
    }).flat();

  function admitted(budgets: VendorBudgets, call: ReturnType<typeof of>, tries = 50): number {
    let count = 0;
    while (count < tries && budgets.check(call) === undefined) count += 1;
    return count;
  }

  test('nobody is held back while plenty is left', () => {
    const budgets = new VendorBudgets(clock, new LocalCounters(clock));
    budgets.learn(of('a'), 200, say(21));
    expect(admitted(budgets, of('a'))).toBe(50);
  });

  test('a greedy integration leaves the others their part of the reserve, and a newcomer too', () => {
    const budgets = new VendorBudgets(clock, new LocalCounters(clock));
    budgets.learn(of('calm'), 200, say(30));
    budgets.learn(of('greedy'), 200, say(20));
    expect(admitted(budgets, of('greedy'))).toBe(6);
    expect(budgets.check(of('greedy'))).toMatchObject({ why: 'share' });
    expect(admitted(budgets, of('calm'))).toBe(6);
    expect(admitted(budgets, of('newcomer'))).toBe(5);
    clock.advance(60_000);
    expect(budgets.check(of('greedy'))).toBeUndefined();
  });

  test('weights', () => {
    const entry = app({ weights: { big: 3 } });
    const budgets = new VendorBudgets(clock, new LocalCounters(clock));
    budgets.learn(of('small', entry), 200, say(20));
    budgets.learn(of('big', entry), 200, say(20));
    expect([admitted(budgets, of('big', entry)), admitted(budgets, of('small', entry))]).toEqual([12, 4]);
  });

  test('nothing left: nobody runs into the vendor’s refusal; each credential has a limit of its own', () => {
    const budgets = new VendorBudgets(clock, new LocalCounters(clock));
    budgets.learn(of('a'), 200, say(0));
    expect(budgets.check(of('b'))).toMatchObject({ why: 'exhausted', retryAt: clock.now() + 60_000 });
    expect(budgets.check({ ...of('c'), owner: 'c' })).toBeUndefined();
  });

  test('Retry-After pauses the operation that was refused, not the others', () => {
    const budgets = new VendorBudgets(clock, new LocalCounters(clock));
    budgets.learn(of('a'), 429, ['retry-after', '5']);
    expect(budgets.check(of('b'))).toMatchObject({ why: 'paused' });
    expect(budgets.check({ ...of('b'), operation: 'other' })).toBeUndefined();
    clock.advance(5_001);
    expect(budgets.check(of('b'))).toBeUndefined();
  });

  test('switched off, it only passes on', () => {
    const entry = app({ mode: 'off' });
    const budgets = new VendorBudgets(clock, new LocalCounters(clock));
    budgets.learn(of('a', entry), 429, [...say(0), 'retry-after', '5']);
    expect(budgets.check(of('a', entry))).toBeUndefined();
  });
});

describe('records', () => {
  test.each([
    ['', 0],
    ['[]', 0],
    ['[1,2,3]', 3],
    ['[{"a":[1,2,3,4]},{"b":","}]', 2],
    ['{"id":1,"tags":["a","b","c"]}', 1],
    ['{"items":[{"id":1,"labels":[{"x":1},{"x":2},{"x":3}]},{"id":2}],"next":"]"}', 2],
    ['{"data":{"users":[{"n":"\\"]"},{},{}]}}', 3],
    [' { "ok" : true , "members" : [ { } , { } ] } ', 2],
    [']', 1],
    ['"unended', 1],
  ])('%s has %i', (text, expected) => {
    expect(countRecords(Buffer.from(text))).toBe(expected);
  });
});

describe('through the gateway', () => {
  let upstream: UpstreamStub;
  let gw: TestGateway;
  afterEach(async () => {
    await gw.stop();
    await upstream.close();
  });
  const second = 'cordon_at_second_integration_token_x';
  const as = (token: string): Promise<Response> =>
    fetch(`${gw.url}/github/x`, { headers: { authorization: `Bearer ${token}` } });

  test('the vendor is never asked beyond its limit, and both integrations get something', async () => {
    let left = 100;
    let refusedByVendor = 0;
    upstream = await startUpstream((_request, _body, response) => {
      left -= 1;
      if (left < 0) refusedByVendor += 1;
      response
        .writeHead(left < 0 ? 429 : 200, {
          'content-type': 'application/json',
          'x-ratelimit-limit': '100',
          'x-ratelimit-remaining': `${Math.max(0, left)}`,
          'x-ratelimit-reset': `${Math.floor(Date.now() / 1000) + 600}`,
        })
        .end('{}');
    });
    gw = await startTestGateway({
      upstream: upstream.url,
      entries: {
        'integration:int-2': sampleEntry('integration', { id: 'int-2', clientId: 'client-2' }),
        'grant:grant-2': sampleEntry('grant', {
          id: 'grant-2',
          integrationId: 'int-2',
          select: [{ kind: 'access', access: 'any' }],
        }),
        [`token:${tokenHash(second)}`]: sampleEntry('token', {
          integrationId: 'int-2',
          clientId: 'client-2',
          expiresAt: 4_000_000_000_000,
        }),
      },
    });
    expect((await as(second)).status).toBe(200);
    let served = 0;
    let refused: Response | undefined;
    for (let count = 0; count < 150; count++) {
      const response = await as(TEST_TOKEN);
      if (response.status === 200) served += 1;
      else refused ??= response;
      await response.arrayBuffer().catch(() => undefined);
    }
    expect([served, refused?.status, refusedByVendor]).toEqual([85, 429, 0]);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(500);
    expect((await as(second)).status).toBe(200);
  });

  test('records and bytes of answers end with their quota of the day', async () => {
    upstream = await startUpstream((_request, _body, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('[{"a":1},{"a":2},{"a":3}]');
    });
    gw = await startTestGateway({
      upstream: upstream.url,
      entries: { 'limit:limit-1': sampleEntry('limit', { rate: null, quota: { recordsPerDay: 7 } }) },
    });
    const statuses: number[] = [];
    for (let count = 0; count < 5; count++) statuses.push((await as(TEST_TOKEN)).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    gw.control.publish({
      set: { 'limit:limit-1': sampleEntry('limit', { rate: null, quota: { bytesOutPerDay: 30 } }) },
    });
    await expect.poll(() => gw.gateway.health().version).toBe(gw.control.snapshot.version);
    const after: number[] = [];
    for (let count = 0; count < 4; count++) after.push((await as(TEST_TOKEN)).status);
    expect(after).toEqual([200, 200, 429, 429]);
  });
});
