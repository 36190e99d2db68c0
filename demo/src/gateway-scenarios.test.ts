import { createAuthority, createLogger, issueServerCertificate } from '@cordon/kernel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Estate, startEstate } from './estate.ts';
import { runScenarios } from './run-scenarios.ts';
import type { ScenarioResult } from './scenario.ts';
import { type GatewayCordon, startGatewayCordon } from './stand-in/gateway-cordon.ts';

let estate: Estate;
let cordon: GatewayCordon;
let results: readonly ScenarioResult[];

beforeAll(async () => {
  const now = Date.now();
  const authority = await createAuthority('Cordon demo tests', now);
  const tls = await issueServerCertificate(authority, { dns: ['localhost'], ip: ['127.0.0.1'] }, now);
  estate = await startEstate({ logger: createLogger({ role: 'demo', level: 'error' }), seed: 'gateway' });
  cordon = await startGatewayCordon(tls);
  results = await runScenarios({ cordon, estate, ca: authority.cert, progress: () => undefined });
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
  ['What the vendors saw', 'allowed'],
])('through the real gateway, %s comes out as %s', (name, outcome) => {
  expect(results.find((result) => result.name === name)).toMatchObject({ outcome, ok: true });
});

test('every call of the flood is one event', async () => {
  const events = JSON.stringify(await cordon.test.events());
  expect(events.split('"GetCharges"').length - 1).toBeGreaterThanOrEqual(60);
});
