import { detectionMigrations, listAlerts } from '@cordon/detection';
import { createPassCommands, dlpMigrations, listIncidents, type PublishEntries, sweepPasses } from '@cordon/dlp';
import { estateMigrations } from '@cordon/estate';
import { startTestGateway, startUpstream, TEST_TOKEN } from '@cordon/gateway/testing';
import { AccessDenied, type Actor, kernelMigrations, migrate } from '@cordon/kernel';
import { createFakeClock, createTestDatabase } from '@cordon/kernel/testing';
import { ocsfEvent } from '@cordon/lake';
import { sampleEntry } from '@cordon/policy/testing';
import { expect, test, vi } from 'vitest';
import { takeStoppedCalls } from './dlp-calls.ts';

const IBAN = 'DE89370400440532013000';
const MINUTE_MS = 60_000;
const dev: Actor = { kind: 'person', id: 'p1', name: 'Dev', roles: ['developer'] };

test('a call that a rule stops is an incident and an alert, and passes for a time once somebody said why', async () => {
  const database = await createTestDatabase();
  const { db } = database;
  await migrate(db, [kernelMigrations, estateMigrations, detectionMigrations, dlpMigrations]);
  const clock = createFakeClock(Date.now());
  const upstream = await startUpstream((_request, _body, response) => response.end('{}'));
  const rule = (id: string, action: 'justify' | 'quarantine', dataClass: string) =>
    sampleEntry('inspection', { id, name: id, class: dataClass, direction: 'request', action });
  const gateway = await startTestGateway({
    upstream: upstream.url,
    entries: {
      'inspection:why': rule('why', 'justify', 'payment.iban'),
      'inspection:hold': rule('hold', 'quarantine', 'identifier.*'),
    },
  });
  const publish: PublishEntries = async (_tx, { set = [], remove = [] }) =>
    gateway.control.publish({ set: Object.fromEntries(set), remove: [...remove] });
  const passes = createPassCommands({
    db,
    clock,
    publish,
    rule: async (id) => ({ id, name: id, action: id === 'why' ? 'justify' : 'quarantine', passMinutes: 30 }),
  });
  const post = async (body: object): Promise<number> => {
    const headers = { authorization: `Bearer ${TEST_TOKEN}`, 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    return (await fetch(`${gateway.url}/github/notes`, init)).status;
  };
  const take = async (): Promise<void> => {
    const events = (await gateway.events()).map((event) => ocsfEvent.parse(event));
    await takeStoppedCalls({ db, clock }, events);
  };
  const until = (seen: () => Promise<void>) => vi.waitFor(seen, { timeout: 10_000, interval: 50 });

  expect(await post({ iban: IBAN })).toBe(403);
  expect(await post({ ssn: '536-22-1234' })).toBe(403);
  await take();
  await take(); // the same batch again, as after a crash
  const byRule = async () =>
    Object.fromEntries((await listIncidents(db)).map(({ rule: { id }, status, times }) => [id, `${status} ${times}`]));
  expect(await byRule()).toEqual({ why: 'waiting 1', hold: 'open 1' });
  expect(await listAlerts(db, { limit: 10 })).toHaveLength(2);

  const wish = { integrationId: 'int-1', appId: null, reason: 'refund of order 1007' };
  await expect(passes.give(dev, { ...wish, ruleId: 'hold' })).rejects.toThrow(AccessDenied);
  const pass = await passes.give(dev, { ...wish, ruleId: 'why' });
  expect(pass.expiresAt.getTime() - clock.now()).toBe(30 * MINUTE_MS);
  await until(async () => expect(await post({ iban: IBAN })).toBe(200));
  expect(await byRule()).toMatchObject({ why: 'justified 1' });
  clock.advance(31 * MINUTE_MS);
  await sweepPasses({ db, clock, publish });
  await until(async () => expect(await post({ iban: IBAN })).toBe(403));

  await gateway.stop();
  await upstream.close();
  await database.drop();
});
