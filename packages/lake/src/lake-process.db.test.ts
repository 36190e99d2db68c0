import { createLogger, systemClock } from '@cordon/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleCall } from './event-sample.ts';
import { openLake } from './lake.ts';
import { createTestLake, type TestLake } from './lake-fixture.ts';
import { spawnLake } from './lake-spawn.ts';

let test_: TestLake;

beforeAll(async () => {
  test_ = await createTestLake();
});
afterAll(() => test_.close());

interface Answer {
  readonly status: number;
  readonly code: string | null;
  readonly text: string;
}

async function ask(
  sql: string,
  options: { readonly url?: string; readonly password?: string; readonly init?: RequestInit } = {},
): Promise<Answer> {
  const response = await fetch(`${test_.process.url}/?database=cordon${options.url ?? ''}`, {
    method: 'POST',
    headers: { 'X-ClickHouse-User': 'cordon', 'X-ClickHouse-Key': options.password ?? test_.password },
    body: sql,
    ...options.init,
  });
  return {
    status: response.status,
    code: response.headers.get('x-clickhouse-exception-code'),
    text: await response.text(),
  };
}

describe('the HTTP interface', () => {
  test.each([
    ['a number', 'SELECT 1 + 1', '', '2\n'],
    ['a format clause', 'SELECT 1 AS a FORMAT JSONEachRow', '', '{"a":1}\n'],
    ['a default format', 'SELECT 1 AS a', '&default_format=JSONEachRow', '{"a":1}\n'],
    [
      'a text parameter',
      'SELECT {p:String}',
      `&param_p=${encodeURIComponent("a'; DROP TABLE events; --")}`,
      "a\\'; DROP TABLE events; --\n",
    ],
    [
      'a list parameter',
      'SELECT {p:Array(String)} AS a FORMAT JSONEachRow',
      `&param_p=${encodeURIComponent("['x','y\\'']")}`,
      '{"a":["x","y\'"]}\n',
    ],
    ['a setting', "SELECT getSetting('max_threads')", '&max_threads=1', '1\n'],
    ['settings of the HTTP layer', 'SELECT 1', '&wait_end_of_query=1&http_headers_progress_interval_ms=5', '1\n'],
  ])('answers %s', async (_what, sql, url, text) => {
    expect(await ask(sql, { url })).toEqual({ status: 200, code: null, text });
  });

  test('one request leaves nothing behind for the next', async () => {
    await ask('SELECT {p:String}', { url: '&param_p=x&max_threads=1&readonly=1' });
    expect(await ask("SELECT getSetting('readonly')")).toMatchObject({ text: '0\n' });
    expect(await ask('SELECT {p:String}')).toMatchObject({ status: 400, code: '456' });
  });

  test.each([
    ['a wrong password', 'SELECT 1', '', 'wrong-wrong-wrong-wrong', 403, '516'],
    ['a syntax error', 'SELECT FROM WHERE', '', undefined, 400, '62'],
    ['an unknown table', 'SELECT * FROM nothing', '', undefined, 404, '60'],
    ['an unknown setting', 'SELECT 1', '&no_such_setting=1', undefined, 404, '115'],
    ['a file', "SELECT * FROM file('/etc/passwd', LineAsString)", '', undefined, 403, '497'],
    ['a file as a table', "SELECT * FROM '/etc/passwd'", '', undefined, 404, '60'],
    ['a file as a name', 'SELECT * FROM `/etc/passwd`', '', undefined, 403, '497'],
    ['the overlay', 'SELECT * FROM default.passwd', '', undefined, 403, '497'],
    [
      'a table outside when no database is named',
      "SELECT * FROM '/etc/passwd'",
      '&database=default',
      undefined,
      404,
      '60',
    ],
    ['two statements', 'SELECT 1; SELECT 2', '', undefined, 400, '62'],
    ['a write in a read', 'CREATE TABLE a (b UInt8) ENGINE = Memory', '&readonly=1', undefined, 403, '164'],
    ['too long a query', 'SELECT sleep(3)', '&max_execution_time=1', undefined, 500, '159'],
    [
      'too much memory',
      'SELECT groupArray(number) FROM numbers(50000000)',
      '&max_memory_usage=5000000',
      undefined,
      500,
      '241',
    ],
    ['a session', 'SELECT 1', '&session_id=x', undefined, 501, '48'],
  ])('refuses %s with its code', async (_what, sql, url, password, status, code) => {
    const answer = await ask(sql, { url, ...(password !== undefined && { password }) });
    expect(answer).toMatchObject({ status, code });
    expect(answer.text).toMatch(/^Code: \d+\. DB::Exception: .+ \([A-Z_]+\) \(version .+\)\n$/s);
    expect(answer.text).not.toContain('root:');
  });

  test('GET reads only, and /ping needs no password', async () => {
    const auth = `Basic ${Buffer.from(`cordon:${test_.password}`).toString('base64')}`;
    const get = (sql: string) =>
      fetch(`${test_.process.url}/?query=${encodeURIComponent(sql)}`, { headers: { authorization: auth } });
    expect(await (await get('SELECT 7')).text()).toBe('7\n');
    expect((await get('CREATE DATABASE x')).status).toBe(403);
    expect(await (await fetch(`${test_.process.url}/ping`)).text()).toBe('Ok.\n');
  });
});

describe('the process', () => {
  test('killed again and again under load, it loses no acknowledged event and doubles none', async () => {
    const KILLS = 6;
    const acknowledged = new Set<string>();
    const stopping = new AbortController();
    let batches = 0;
    async function send(worker: number): Promise<void> {
      while (!stopping.signal.aborted) {
        const number = batches++;
        const events = Array.from({ length: 120 }, (_, index) =>
          // Twelve days, so that a batch takes twelve inserts and a kill nearly always cuts one between them.
          sampleCall({
            id: `kill-${worker}-${number}-${index}`,
            time: Date.now() - (index % 12) * 86_400_000,
            gatewayId: 'kill',
          }),
        );
        for (;;) {
          try {
            await test_.lake.ingest({ id: `kill-${worker}-${number}`, events });
            break;
          } catch {
            // As a gateway does: the same batch again until it is acknowledged.
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }
        for (const event of events) acknowledged.add(event.metadata.uid);
      }
    }
    const workers = [send(1), send(2)];
    for (let kill = 0; kill < KILLS; kill++) {
      const goal = acknowledged.size + 120 * (1 + (kill % 3));
      while (acknowledged.size < goal) await new Promise((resolve) => setTimeout(resolve, 3));
      await test_.crash();
    }
    stopping.abort();
    await Promise.all(workers);
    const found = await test_.lake.count({ query: 'gateway:kill', from: 0 });
    expect(found).toBe(acknowledged.size);
    const rows = await ask("SELECT uniqExact(event_id), count() FROM events WHERE gateway_id = 'kill'");
    expect(rows.text).toBe(`${acknowledged.size}\t${acknowledged.size}\n`);
    expect(acknowledged.size).toBeGreaterThanOrEqual(KILLS * 120);
  });

  test('SIGTERM lets what is under way end', async () => {
    const slow = ask('SELECT sleep(1), 5');
    while (
      !(
        await ask(
          "SELECT count() FROM system.processes WHERE query LIKE '%sleep(1), 5%' AND query NOT LIKE '%processes%'",
        )
      ).text.startsWith('1')
    ) {
      // The query has to be there before the signal.
    }
    const { dataDir, password, process: engine } = test_;
    await engine.stop();
    expect(await slow).toMatchObject({ status: 200, text: '0\t5\n' });
    expect(await engine.exited).toEqual({ code: 0, signal: null });
    const logger = createLogger({ role: 'lake-test', level: 'error' });
    const again = await spawnLake({ dataDir, port: engine.port, password, logger });
    expect(await test_.lake.ping()).toBe(true);
    const reopened = await openLake({ url: again.url, password, logger, clock: systemClock });
    expect((await reopened.stats()).schemaVersion).toBe(4);
    await reopened.close();
    await again.stop();
  });
});
