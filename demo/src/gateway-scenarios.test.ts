import { createAuthority, createLogger, issueServerCertificate } from '@cordon/kernel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Estate, startEstate } from './estate.ts';
import { keepWorking } from './everyday-work.ts';
import { playScenarios, prepareStage } from './run-scenarios.ts';
import type { ScenarioResult, Stage } from './scenario.ts';
import { type GatewayCordon, startGatewayCordon } from './stand-in/gateway-cordon.ts';

let estate: Estate;
let cordon: GatewayCordon;
let stage: Stage;
let results: readonly ScenarioResult[];
let clockAheadMs = 0;

beforeAll(async () => {
  const now = Date.now();
  const authority = await createAuthority('Cordon demo tests', now);
  const tls = await issueServerCertificate(authority, { dns: ['localhost'], ip: ['127.0.0.1'] }, now);
  estate = await startEstate({ logger: createLogger({ role: 'demo', level: 'error' }), seed: 'gateway' });
  cordon = await startGatewayCordon(tls);
  const progress = (): void => undefined;
  stage = await prepareStage({ cordon, estate, ca: authority.cert, progress, now: () => Date.now() + clockAheadMs });
  results = await playScenarios(stage, progress);
}, 60_000);

afterAll(async () => {
  await cordon?.test.stop();
  await estate?.stop();
});

test.each([
  ['Ordinary sync', 'allowed'],
  ['Card and key in a message', 'redacted'],
  ['Operation never granted', 'refused'],
  ['Flood', 'limited'],
  ['Body against the schema', 'refused'],
  ['Stolen token', 'cut off'],
  ['Every call recorded', 'allowed'],
  ['What the vendors saw', 'allowed'],
])('through the real gateway, %s comes out as %s', (name, outcome) => {
  expect(results.find((result) => result.name === name)).toMatchObject({ outcome, ok: true });
});

test('every call of the flood is one event', async () => {
  const events = JSON.stringify(await cordon.test.events());
  expect(events.split('"GetCharges"').length - 1).toBeGreaterThanOrEqual(60);
});

test('work goes on afterwards, with renewed tokens, until it is told to stop', async () => {
  const { context } = stage.integration('issue-sync');
  const before = await context.token();
  expect(await context.token()).toBe(before);
  clockAheadMs = 55 * 60_000;
  const stop = new AbortController();
  const requestsOf = async (app: string): Promise<number> =>
    (await estate.reports()).find((report) => report.app === app)?.requests ?? 0;
  const [github, google] = [await requestsOf('github'), await requestsOf('google')];
  const working = keepWorking(stage, { signal: stop.signal, progress: () => undefined, pauseMs: 1 });
  await expect.poll(() => requestsOf('google'), { timeout: 10_000 }).toBeGreaterThanOrEqual(google + 4);
  stop.abort();
  await working;
  expect(await requestsOf('github')).toBeGreaterThanOrEqual(github + 5);
  expect(await context.token()).not.toBe(before);
  expect((await estate.reports()).reduce((sum, report) => sum + report.violationsCount, 0)).toBe(0);
}, 20_000);
