import { kernelMigrations, migrate, readAudit, type WorkflowSteps } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCutOffWorkflow } from './cut-off.ts';
import { insertCutOff, listCutOffs } from './cut-off-store.ts';
import { saveReport } from './gateway-status.ts';
import { estateMigrations } from './migrations.ts';

const EPOCH = 7;
const INTEGRATION = { id: '018f0000-0000-7000-8000-0000000000aa', name: 'sync' };
const clock = createFakeClock();
let made: TestDatabase;

beforeAll(async () => {
  made = await createTestDatabase();
  await migrate(made.db, [kernelMigrations, estateMigrations]);
});
afterAll(() => made.drop());

const report = (gatewayId: string, epoch: number) =>
  saveReport(made.db, { gatewayId, pid: 1, version: 1, epoch, appliedAt: clock.now() + 40 }, clock.now());

/** Runs each step twice, as a crash right after a step's commit makes happen. */
const TWICE: WorkflowSteps = {
  step: async (_name, work) => {
    await work();
    return work();
  },
  sleep: async () => undefined,
  workflowId: 'w-1',
};

async function follow() {
  const integration = { ...INTEGRATION, id: crypto.randomUUID() };
  const decidedAt = clock.now();
  const cutOffId = await made.db.transaction((tx) =>
    insertCutOff(tx, { integrationId: integration.id, epoch: EPOCH, at: decidedAt }),
  );
  const workflow = createCutOffWorkflow({ db: made.db, clock, pause: async () => undefined });
  await workflow.run({ cutOffId, epoch: EPOCH, decidedAt, integration }, TWICE);
  const audit = await readAudit(made.db, { limit: 10, target: { type: 'integration', id: integration.id } });
  return { cutOff: (await listCutOffs(made.db, integration.id))[0], audit };
}

test('a cut-off that every live gateway reported is recorded once, with how long each took', async () => {
  await report('gw-a', EPOCH);
  await report('gw-b', EPOCH + 1);
  const { cutOff, audit } = await follow();
  expect(cutOff?.reachedAt).toBe(clock.now());
  expect(cutOff?.gateways.map(({ delayMs }) => delayMs)).toEqual([40, 40]);
  expect(audit.map(({ action }) => action)).toEqual(['integration.cut_off_reached']);
});

test('one that a live gateway never reported is not called reached; the gateway is named', async () => {
  await report('gw-a', EPOCH);
  await report('gw-b', EPOCH - 1);
  const { cutOff, audit } = await follow();
  expect(cutOff?.reachedAt).toBeNull();
  expect(audit.map(({ action }) => action)).toEqual(['integration.cut_off_unconfirmed']);
  expect(audit[0]?.detail).toMatchObject({ missing: ['gw-b/1'], gateways: [{ id: 'gw-a/1' }] });
});
