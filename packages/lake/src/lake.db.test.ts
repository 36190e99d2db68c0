import { createLogger } from '@cordon/kernel';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleCall } from './event-sample.ts';
import { openLake } from './lake.ts';
import { createTestLake, type TestLake } from './lake-fixture.ts';
import type { OcsfEvent } from './ocsf-events.ts';

const NOW = Date.UTC(2026, 10, 23, 12);
const MINUTE = 60_000;

let test_: TestLake;

beforeAll(async () => {
  test_ = await createTestLake({ clock: { now: () => NOW } });
});
afterAll(() => test_.close());

const range = { from: NOW - 30 * 24 * 60 * MINUTE, to: NOW + MINUTE };

function calls(count: number, over: (index: number) => Parameters<typeof sampleCall>[0]): OcsfEvent[] {
  return Array.from({ length: count }, (_, index) => sampleCall(over(index)));
}

describe('ingest', () => {
  test('a batch sent again changes nothing, also when it grew or lies over two days', async () => {
    const label = 'again';
    const events = calls(300, (index) => ({ id: `again-${index}`, time: NOW - index * 10 * MINUTE, gatewayId: label }));
    const first = await test_.lake.ingest({ id: 'again', events: events.slice(0, 200) });
    const second = await test_.lake.ingest({ id: 'again', events: events.slice(0, 200) });
    const third = await test_.lake.ingest({ id: 'again', events });
    expect([first, second, third].map((result) => [result.accepted, result.inserted, result.duplicates])).toEqual([
      [200, 200, 0],
      [200, 0, 200],
      [300, 100, 200],
    ]);
    expect(await test_.lake.count({ ...range, query: 'gateway:again' })).toBe(300);
  });

  test('the same event in two batches at once, and twice in one, counts once', async () => {
    const events = calls(50, (index) => ({ id: `twin-${index}`, time: NOW - index, gatewayId: 'twin' }));
    await Promise.all([
      test_.lake.ingest({ id: 'twin-a', events: [...events, ...events] }),
      test_.lake.ingest({ id: 'twin-b', events }),
      test_.lake.ingest({ id: 'twin-a', events }),
    ]);
    expect(await test_.lake.count({ ...range, query: 'gateway:twin' })).toBe(50);
  });

  test.each([
    ['an id that is none', { id: "x'; DROP", events: [] }],
    ['too many events', { id: 'x', events: Array.from({ length: 50_001 }, () => sampleCall()) }],
  ])('refuses %s', async (_what, batch) => {
    await expect(test_.lake.ingest(batch)).rejects.toMatchObject({ code: 'lake.event_invalid' });
  });

  test('an empty batch is taken', async () => {
    expect(await test_.lake.ingest({ id: 'empty', events: [] })).toMatchObject({
      accepted: 0,
      inserted: 0,
      duplicates: 0,
    });
  });
});

describe('search', () => {
  beforeAll(async () => {
    await test_.lake.ingest({
      id: 'search',
      events: calls(120, (index) => ({
        id: `01930000-0000-7000-8000-${String(index).padStart(12, '0')}`,
        // Pairs share a millisecond, so that paging must tell them apart by id.
        time: NOW - Math.floor(index / 2) * MINUTE,
        gatewayId: 'search',
        app: index % 3 === 0 ? { id: 'app-slack', name: 'Slack' } : { id: 'app-github', name: 'GitHub' },
        integration: { id: `int-${index % 4}`, name: index % 4 === 0 ? 'Ärger-Sync' : `Sync ${index % 4}` },
        person: { id: `p${index}`, email: `ada${index}@example.com` },
        source: { ip: index % 5 === 0 ? '2001:db8::7' : `10.0.${index}.1` },
        operation: index % 2 === 0 ? 'issues/list' : 'chat.postMessage',
        decision: index % 10 === 0 ? 'deny' : 'allow',
        ...(index % 10 === 0 && { reason: 'gateway.operation_not_granted', reasonText: 'Said "no"\nand meant it.' }),
        ...(index === 7 && {
          findings: [{ class: 'payment-card', direction: 'request', count: 1, action: 'log' }] as const,
        }),
        durationMs: index,
      })),
    });
  });

  test.each(['newest', 'oldest'] as const)('pages give every event once, %s first', async (order) => {
    const seen: { id: string; time: number }[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await test_.lake.search({
        ...range,
        query: 'gateway:search',
        order,
        limit: 37,
        withTotal: true,
        ...(cursor !== undefined && { cursor }),
      });
      seen.push(...page.events);
      expect(page.total).toBe(120);
      ({ cursor } = page);
      pages++;
    } while (cursor !== undefined);
    expect(pages).toBe(4);
    expect(new Set(seen.map((event) => event.id)).size).toBe(120);
    const times = seen.map((event) => event.time);
    expect(times).toEqual([...times].sort((a, b) => (order === 'newest' ? b - a : a - b)));
  });

  test.each([
    ['app:slack', 40],
    ['app:SLACK', 40],
    ['app:app-slack', 40],
    ['app:(slack or github)', 120],
    ['app!=slack', 80],
    ['-app:sl*', 80],
    ['app:sl?ck', 40],
    ['app:"sl*"', 0],
    ['app:slack decision:deny', 4],
    ['decision:deny or app:slack', 48],
    ['not (decision:deny or app:slack)', 72],
    ['severity>=medium', 12],
    ['severity:medium..high', 12],
    ['status:failure', 12],
    ['class:api-activity', 120],
    ['latency>=100', 20],
    ['latency:10..19', 10],
    ['src_ip:10.0.0.0/8', 96],
    ['src_ip:2001:db8::/32', 24],
    ['src_ip:2001:db8::7', 24],
    ['src_ip:10.0.11.*', 1],
    ['actor:ada7@example.com', 1],
    ['actor.email:ada1*@example.com', 31],
    ['data_class:payment-card', 1],
    ['data_class:*', 1],
    ['reason:*', 12],
    ['reason:""', 108],
    ['operation:chat.postMessage', 60],
    ['time>=now-10m', 22],
    ['time:2026-11-23', 120],
    ['granted', 12],
    ['"operation_not_granted"', 12],
    ['"said \\"no\\""', 12],
    ['meant', 12],
    ['nand', 0],
    ['ärger', 30],
    ['ÄRGER-SYNC', 30],
    ['gran*', 12],
    ['*rgEr', 30],
    ['"not granted"', 0],
    ['ada7@example.com', 1],
    ['integration_id', 0],
    ['01930000-0000-7000-8000-000000000007', 1],
    ['"01930000-0000-7000-8000-000000000007 x"', 0],
    ['actor.user.email_addr:ADA7@example.com', 1],
    ['raw.actor.user.uid:p7', 1],
    ['unmapped.cordon.findings.0.class:payment-card', 1],
    ['unmapped.cordon.findings.0.count>=1', 1],
    ['raw.duration:7', 1],
    ['http_request.url.path:/repos/*', 120],
    ['nothing.like.this:*', 0],
    ['nothing.like.this!=5', 120],
  ])('%s finds %i', async (query, count) => {
    expect(await test_.lake.count({ ...range, query: `gateway:search (${query})` })).toBe(count);
  });

  test('filters are literal and go together with a search', async () => {
    const filters = [
      { field: 'app', operator: ':', value: 'Slack' },
      { field: 'latency', operator: '>=', value: '60' },
    ] as const;
    expect(await test_.lake.count({ ...range, filters, query: 'gateway:search' })).toBe(20);
    expect(await test_.lake.count({ ...range, filters: [{ field: 'app', operator: ':', value: 'Sl*' }] })).toBe(0);
  });

  test.each([
    ['not base64', 'lake.cursor_invalid', { cursor: '§' }],
    [
      'of another search',
      'lake.cursor_invalid',
      {
        query: 'app:slack',
        cursor: Buffer.from(JSON.stringify({ time: 1, id: 'x', from: 1, to: 2, scope: 'y' })).toString('base64url'),
      },
    ],
    ['a limit beyond', 'lake.query_invalid', { limit: 1001 }],
    ['an empty range', 'lake.query_invalid', { from: 5, to: 5 }],
    ['a time that is none', 'lake.query_invalid', { from: Number.NaN }],
  ])('refuses a request with %s', async (_what, code, request) => {
    await expect(test_.lake.search(request)).rejects.toMatchObject({ code });
  });

  test('get gives an event as it was sent', async () => {
    const stored = await test_.lake.get('01930000-0000-7000-8000-000000000007');
    expect(stored.time).toBe(NOW - 3 * MINUTE);
    expect(stored.event).toMatchObject({ class_uid: 6003, actor: { user: { email_addr: 'ada7@example.com' } } });
    await expect(test_.lake.get('nobody')).rejects.toMatchObject({ code: 'lake.event_unknown' });
  });

  test('histogram counts every event once, by value', async () => {
    const result = await test_.lake.histogram({
      query: 'gateway:search',
      from: NOW - 60 * MINUTE,
      to: NOW + MINUTE,
      buckets: 10,
      groupBy: 'decision',
    });
    expect(result.intervalMs).toBe(10 * MINUTE);
    expect(result.buckets.reduce((sum, bucket) => sum + bucket.count, 0)).toBe(120);
    expect(result.buckets.reduce((sum, bucket) => sum + (bucket.groups?.['deny'] ?? 0), 0)).toBe(12);
    expect(
      result.buckets.every((bucket, index) => bucket.at === (result.buckets[0]?.at ?? 0) + index * result.intervalMs),
    ).toBe(true);
  });

  test('facets give the commonest values by name', async () => {
    const found = await test_.lake.facets({
      ...range,
      query: 'gateway:search',
      fields: ['app', 'severity', 'src_ip', 'data_class'],
      limit: 2,
    });
    expect(found).toMatchObject({
      app: [
        { value: 'GitHub', count: 80 },
        { value: 'Slack', count: 40 },
      ],
      severity: [
        { value: 'informational', count: 108 },
        { value: 'medium', count: 12 },
      ],
      data_class: [{ value: 'payment-card', count: 1 }],
    });
    expect(found['src_ip']?.[0]).toEqual({ value: '2001:db8::7', count: 24 });
  });

  test('traffic gives the edges of the map', async () => {
    const edges = await test_.lake.traffic({ ...range, query: 'gateway:search', by: ['app', 'integration'] });
    expect(edges).toHaveLength(8);
    expect(edges.reduce((sum, edge) => sum + edge.calls, 0)).toBe(120);
    expect(edges.reduce((sum, edge) => sum + edge.refusals, 0)).toBe(12);
    expect(edges.find((edge) => edge.app?.name === 'Slack' && edge.integration?.id === 'int-0')).toMatchObject({
      calls: 10,
      latencyP50: 54,
      lastAt: NOW,
      integration: { name: 'Ärger-Sync' },
    });
  });

  test('whatever a name holds, searching for it finds it and nothing else', async () => {
    const names = fc.sample(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), 60);
    const nasty = [
      "'; DROP TABLE events; --",
      "x' OR '1'='1",
      '{p1:String}',
      '\\',
      '\\N',
      "\\'",
      '%',
      '_',
      '\t\n\r\0',
      '',
      '€',
      '"',
      '`',
      '\u2028',
    ];
    const all = [...new Set([...nasty, ...names].map((name) => name.trim()))].filter(Boolean);
    const lower = (name: string) => name.toLowerCase();
    await test_.lake.ingest({
      id: 'names',
      events: all.map((name, index) =>
        sampleCall({ id: `names-${index}`, time: NOW, gatewayId: 'names', person: { id: `names-${index}`, name } }),
      ),
    });
    for (const name of all) {
      const query = `gateway:names actor.name:${JSON.stringify(name).replaceAll(/\\([^"\\])/g, '\\$1')}`;
      const filters = [{ field: 'actor.name', operator: ':', value: name }] as const;
      const expected = all.filter((other) => lower(other) === lower(name)).length;
      expect([name, await test_.lake.count({ ...range, filters, query: 'gateway:names' })]).toEqual([name, expected]);
      await test_.lake.count({ ...range, query });
    }
    expect(await test_.lake.count({ ...range, query: 'gateway:names' })).toBe(all.length);
  });
});

describe('follow', () => {
  test('gives each event once in the order the lake took it, late ones too', async () => {
    const follower = test_.lake.follow({ query: 'gateway:follow', since: 0 });
    expect(await follower.next()).toEqual([]);
    await test_.lake.ingest({
      id: 'follow-1',
      events: calls(3, (index) => ({ id: `follow-${index}`, time: NOW - index, gatewayId: 'follow' })),
    });
    expect((await follower.next(2)).length).toBe(2);
    expect((await follower.next(2)).length).toBe(1);
    await test_.lake.ingest({
      id: 'follow-2',
      events: [sampleCall({ id: 'follow-late', time: NOW - 10 * 24 * 60 * MINUTE, gatewayId: 'follow' })],
    });
    expect((await follower.next()).map((event) => event.id)).toEqual(['follow-late']);
    expect(await follower.next()).toEqual([]);
    const resumed = test_.lake.follow({ query: 'gateway:follow', since: follower.position });
    expect((await resumed.next()).map((event) => event.id)).toContain('follow-late');
  });
});

describe('migrations', () => {
  const open = (database: string) =>
    openLake({
      url: test_.process.url,
      password: test_.password,
      database,
      logger: createLogger({ role: 'lake-test', level: 'error' }),
      clock: { now: () => NOW },
    });
  const run = (sql: string) =>
    fetch(test_.process.url, {
      method: 'POST',
      headers: { 'X-ClickHouse-User': 'cordon', 'X-ClickHouse-Key': test_.password },
      body: sql,
    });

  test('a lake that another program changed or that is newer is not touched', async () => {
    await (await open('moved')).close();
    await (await open('moved')).close();
    await run("INSERT INTO moved.migrations (version, name, checksum) VALUES (99, 'later', 'x')");
    await expect(open('moved')).rejects.toMatchObject({ code: 'lake.migration_conflict', detail: { version: 99 } });
    await (await open('edited')).close();
    await run("INSERT INTO edited.migrations (version, name, checksum) VALUES (1, 'events', 'x')");
    await expect(open('edited')).rejects.toMatchObject({ code: 'lake.migration_conflict', detail: { version: 1 } });
  });

  test('two at once both end well', async () => {
    const lakes = await Promise.all([open('twice'), open('twice')]);
    expect(await Promise.all(lakes.map((lake) => lake.ping()))).toEqual([true, true]);
    await Promise.all(lakes.map((lake) => lake.close()));
    await (await open('twice')).close();
  });

  test('an engine that is not there is unavailable, not a crash', async () => {
    const logger = createLogger({ role: 'lake-test', level: 'error' });
    const opening = openLake({ url: 'http://127.0.0.1:9', password: 'x', logger, clock: { now: () => NOW } });
    await expect(opening).rejects.toMatchObject({ code: 'lake.unavailable' });
  });
});

test('stats tell what is there', async () => {
  const stats = await test_.lake.stats();
  expect(stats.events).toBeGreaterThan(400);
  expect(stats).toMatchObject({ schemaVersion: 4, newestAt: NOW });
});
