import { createFakeClock } from '@cordon/kernel/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { startTestGateway, startUpstream, TEST_TOKEN, type TestGateway, type UpstreamStub } from '../testing.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { RetryBudget } from './retry-budget.ts';

const bearer = { authorization: `Bearer ${TEST_TOKEN}` };
const clock = createFakeClock();
let upstream: UpstreamStub;
let gw: TestGateway;
/** Statuses that the upstream answers with, one after another; 0 breaks the connection. Then 200. */
let script: number[] = [];
let held: Promise<void> = Promise.resolve();

async function start(resilience: object, limits: object = {}): Promise<void> {
  upstream = await startUpstream((request, _body, response) => {
    const status = script.shift() ?? 200;
    const respond = async (): Promise<void> => {
      await held;
      if (status === 0) request.socket.destroy();
      else response.writeHead(status, { 'content-type': 'application/json' }).end('{"a":1}');
    };
    void respond();
  });
  gw = await startTestGateway({
    upstream: upstream.url,
    app: { resilience, limits },
    deps: { clock },
    limits: { drainMs: 200 },
  });
}

afterEach(async () => {
  script = [];
  held = Promise.resolve();
  await gw?.stop();
  await upstream?.close();
});

const call = (method = 'GET'): Promise<Response> =>
  fetch(`${gw.url}/github/x`, {
    method,
    headers: method === 'GET' ? bearer : { ...bearer, 'content-type': 'application/json' },
    ...(method === 'GET' || method === 'HEAD' ? {} : { body: '{}' }),
  });

async function codeOf(response: Response): Promise<string> {
  return String(((await response.json()) as { code?: string }).code);
}

describe('repeats', () => {
  test.each([
    ['GET', [503, 502], 200, 3],
    ['HEAD', [504], 200, 2],
    ['GET', [0], 200, 2],
    ['GET', [503, 503, 503, 503], 503, 3],
    ['GET', [500], 500, 1],
    ['GET', [429], 429, 1],
    ['PUT', [503], 503, 1],
    ['DELETE', [0], 502, 1],
    ['POST', [503], 503, 1],
    ['POST', [0], 502, 1],
    ['PATCH', [502], 502, 1],
  ])('%s after %j is answered %i and sent %i times; it is one event', async (method, statuses, expected, sent) => {
    script = [...statuses];
    await start({});
    expect((await call(method)).status).toBe(expected);
    expect(upstream.requests.length).toBe(sent);
    expect((await gw.events()).length).toBe(1);
  });

  test('end when the budget is used up: a weak upstream gets no storm', async () => {
    await start({ breaker: { mode: 'off' }, retryPercent: 0 });
    script = Array.from({ length: 500 }, () => 503);
    for (let count = 0; count < 40; count++) expect((await call()).status).toBe(503);
    expect(upstream.requests.length).toBe(40 + 10);
  });

  test('a share of the calls is earned as repeats', () => {
    const budget = new RetryBudget();
    while (budget.take(1_000));
    for (let count = 0; count < 19; count++) budget.earn(10);
    expect([budget.take(1_000), budget.take(1_000)]).toEqual([true, false]);
    expect(budget.take(2_500)).toBe(true);
  });
});

describe('the breaker', () => {
  const breaker = { mode: 'on', callsMin: 4, failurePercent: 50, windowMs: 10_000, openMs: 5_000 } as const;

  test('leaves a failing upstream alone, probes with one call, and serves again', async () => {
    await start({ retriesMax: 0, breaker });
    script = [500, 500, 500, 500];
    for (let count = 0; count < 4; count++) expect((await call('POST')).status).toBe(500);
    const refused = await call('POST');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await codeOf(refused)).toBe('gateway.upstream_suspended');
    expect(upstream.requests.length).toBe(4);
    expect(gw.gateway.metrics.render()).toContain('cordon_gateway_breakers_open 1');
    clock.advance(5_000);
    const gate = Promise.withResolvers<void>();
    held = gate.promise;
    const probe = call();
    await expect.poll(() => upstream.requests.length).toBe(5);
    expect((await call()).status).toBe(503);
    gate.resolve();
    expect((await probe).status).toBe(200);
    expect((await call()).status).toBe(200);
    expect(gw.gateway.metrics.render()).toContain('cordon_gateway_breakers_open 0');
  });

  test('waits twice as long after each failed probe, and forgets what is out of its window', () => {
    const one = new CircuitBreaker();
    for (let count = 0; count < 3; count++) one.fail(breaker, 0);
    expect(one.fail(breaker, 20_000)).toBe(false);
    for (let count = 0; count < 2; count++) one.fail(breaker, 20_000);
    expect(one.fail(breaker, 20_000)).toBe(true);
    expect(one.admit(breaker, 24_999)).toBe(1);
    expect(one.admit(breaker, 25_000)).toBe(0);
    expect(one.fail(breaker, 25_000)).toBe(true);
    expect(one.admit(breaker, 30_000)).toBe(5_000);
    expect(one.state(35_000)).toBe('half-open');
    expect(one.admit(breaker, 35_000)).toBe(0);
    one.succeed(breaker, 35_001);
    expect(one.state(35_001)).toBe('closed');
  });

  test('refusals of the client’s own making open nothing', async () => {
    await start({ breaker });
    script = [404, 401, 403, 429, 404, 404];
    for (let count = 0; count < 6; count++) await call();
    expect((await call()).status).toBe(200);
  });
});

describe('calls under way', () => {
  test('are bounded, and more are refused: no queue by default', async () => {
    await start({ concurrencyMax: 2 });
    const gate = Promise.withResolvers<void>();
    held = gate.promise;
    const [first, second] = [call(), call()];
    await expect.poll(() => upstream.requests.length).toBe(2);
    const third = await call();
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await codeOf(third)).toBe('gateway.upstream_busy');
    gate.resolve();
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    expect((await call()).status).toBe(200);
  });

  test('wait for a place where the app has a queue, a bounded time', async () => {
    await start({ concurrencyMax: 1, queueMax: 1, queueMs: 60_000 });
    const gate = Promise.withResolvers<void>();
    held = gate.promise;
    const first = call();
    await expect.poll(() => upstream.requests.length).toBe(1);
    const second = call();
    await expect.poll(() => gw.gateway.health().inFlight).toBe(2);
    expect((await call()).status).toBe(503);
    gate.resolve();
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
  });

  test('end when the whole of them takes too long, repeats included', async () => {
    await start({ totalMs: 150 });
    held = Promise.withResolvers<void>().promise;
    const late = await call();
    expect(late.status).toBe(504);
    expect(await codeOf(late)).toBe('gateway.upstream_timeout');
    expect((await gw.events()).length).toBe(1);
  });

  test('end when no header comes in time', async () => {
    await start({ headersMs: 100, retriesMax: 0 });
    held = Promise.withResolvers<void>().promise;
    expect((await call()).status).toBe(504);
  });
});
