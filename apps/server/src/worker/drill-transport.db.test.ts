import { drillsMigrations } from '@cordon/drills';
import { closedTransport } from '@cordon/incidents';
import { createFakeOutside } from '@cordon/incidents/testing';
import { kernelMigrations, migrate, systemClock } from '@cordon/kernel';
import { createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDrillTransport } from './drill-transport.ts';

/** What a drill's playbook may touch: its own integration for real, everything else in appearance only. */

const DRILL = '01a209db-743e-7000-a1f8-5ae5721c1866';
let made: TestDatabase;

beforeAll(async () => {
  made = await createTestDatabase();
  await migrate(made.db, [kernelMigrations, drillsMigrations]);
  const tables = made.db.tables<Record<string, never>>();
  await sql`insert into drill (id, scenario, title, document, digest, mode, status, decide, pace, participants, facilitator, sealed_key, created_at)
    values (${DRILL}, 's', 't', '{}', 'd', 'live-fire', 'running', 'drill', 'clock', '[]', '{}', 'k', 1)`.execute(
    tables,
  );
  await sql`insert into drill_object (drill_id, kind, ref, name, made_at) values (${DRILL}, 'integration', 'own', 'own', 1)`.execute(
    tables,
  );
});
afterAll(() => made.drop());

const outside = () =>
  createFakeOutside({
    integrations: [
      { id: 'own', name: 'own', status: 'active', statusReason: null, assurance: 'm0' },
      { id: 'real', name: 'real', status: 'active', statusReason: null, assurance: 'm0' },
    ],
    people: [{ id: 'eve', name: 'Eve', email: 'eve@example.com', status: 'active', sessions: 2, factors: 1 }],
  });
const open = (base: ReturnType<typeof outside>['transport']) =>
  createDrillTransport({ db: made.db, clock: systemClock, drillId: DRILL }, base);

test('the drill’s integration is cut off in truth, another one in appearance, also after a crash', async () => {
  const world = outside();
  const first = await open(world.transport);
  await first.acts.endIntegration('own', 'suspended', 'drill');
  await first.acts.endIntegration('real', 'suspended', 'drill');
  const status = async (of: typeof first, id: string) => (await of.reads.integration(id))?.status;
  expect([await status(first, 'own'), await status(first, 'real')]).toEqual(['suspended', 'suspended']);
  expect((await world.transport.reads.integration('own'))?.status).toBe('suspended');
  expect((await world.transport.reads.integration('real'))?.status).toBe('active');
  const again = await open(world.transport);
  expect(await status(again, 'real')).toBe('suspended');
  expect((await again.reads.reach('real'))?.gateways).toEqual([]);
  await again.acts.restoreIntegration('real', 'undone');
  expect(await status(again, 'real')).toBe('active');
});

test('acts on people, tools, rules, backups and addresses are seen as done and reach nothing', async () => {
  const { reads } = outside().transport;
  // Whatever reached out would throw.
  const { acts, reads: seen } = await open(closedTransport(reads));
  expect(await acts.endSessions('eve', 'drill')).toBe(2);
  await acts.resetFactors('eve', 'drill');
  await acts.disablePerson('eve', 'drill');
  expect(await seen.person('eve')).toMatchObject({ status: 'disabled', sessions: 0, factors: 0 });
  await acts.putPolicy('p', 'forbid (principal, action, resource);', '');
  expect(await seen.rule('policy', 'p')).toEqual({ id: 'p' });
  await acts.removeRule('policy', 'p');
  expect(await seen.rule('policy', 'p')).toBeNull();
  await acts.putLimit('l', 'own', 1, 1_000);
  await acts.connector.act('okta', 'suspend-user', { user: 'eve' }, 'k1');
  expect([await seen.connectorAct('okta', 'suspend-user', 'k1'), await seen.connectorAct('okta', 'x', 'k2')]).toEqual([
    'done',
    'absent',
  ]);
  await acts.backup('restore', {}, 'b1');
  expect(await seen.backupAct('b1')).toBe('done');
  const request = { method: 'POST', url: 'https://example.com/', headers: {}, body: '', key: 'h1' };
  expect(await acts.http(request, AbortSignal.timeout(1_000))).toEqual({ status: 200, body: '{}' });
  await acts.sendMessage({ key: 'm1', caseId: null, channel: 'incidents', to: [], subject: '', text: 'hello' });
  expect(await seen.message('m1')).toEqual({ status: 'held' });
});
