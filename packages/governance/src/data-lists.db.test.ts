import { type Actor, kernelMigrations, migrate } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DataUnknown, InputInvalid } from './errors.ts';
import { exportFideslang } from './fideslang.ts';
import { describeFlow, LEGAL_BASES } from './flow-commands.ts';
import { listFlows } from './flow-store.ts';
import { governanceMigrations } from './migrations.ts';
import { listProcessing } from './processing-record.ts';
import { createRetentionCommands } from './retention-commands.ts';
import { listExceptions, listHolds } from './retention-exemptions.ts';
import { tablesOf } from './tables.ts';

const clock = createFakeClock();
const ada: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['security'], strongAuthAt: clock.now() };
const eve: Actor = { kind: 'person', id: 'p2', name: 'Eve', roles: ['auditor'] };
const at = new Date(clock.now());

let data: TestDatabase;

beforeAll(async () => {
  data = await createTestDatabase();
  await migrate(data.db, [kernelMigrations, governanceMigrations]);
  const tables = tablesOf(data.db);
  const seen = {
    label: 'confidential',
    label_reasons: '[]',
    pinned_label: null,
    pinned_by: null,
    first_seen: at,
    last_seen: at,
  };
  await tables
    .insertInto('data_set')
    .values({ ...seen, app: 'crm', object: 'customer', records: 2 })
    .execute();
  await tables
    .insertInto('data_field')
    .values({
      ...seen,
      app: 'crm',
      object: 'customer',
      path: '[].email',
      type: 'string',
      category: 'user.contact.email',
      category_from: 'name',
      subject: 'customer',
      samples: 2,
      detections: '{}',
      sources: '{}',
    })
    .execute();
  await tables
    .insertInto('data_flow')
    .values({
      id: 'f1',
      from_app: 'crm',
      from_object: 'customer',
      to_app: '',
      to_object: '',
      integration_id: 'i1',
      integration_name: 'Sync',
      how: 'inline',
      fields: '{"[].email":2}',
      purpose: null,
      legal_basis: null,
      safeguard: null,
      first_seen: at,
      last_seen: at,
    })
    .execute();
});
afterAll(() => data.drop());

test('a flow gets its purpose and basis from a person who may say it, and the record holds both', async () => {
  const deps = { db: data.db, clock };
  const said = { purpose: 'Support of customers', legalBasis: LEGAL_BASES[1], safeguard: null };
  await expect(describeFlow(deps, eve, 'f1', said)).rejects.toMatchObject({ code: 'kernel.access_denied' });
  await expect(describeFlow(deps, ada, 'f9', said)).rejects.toThrow(DataUnknown);
  await expect(describeFlow(deps, ada, 'f1', { ...said, purpose: 'x' })).rejects.toThrow(InputInvalid);
  expect(await listProcessing(data.db)).toMatchObject([{ missing: ['purpose', 'legal basis', 'time limit'] }]);
  await describeFlow(deps, ada, 'f1', said);
  expect(await listFlows(data.db, {})).toMatchObject([{ purpose: 'Support of customers', legalBasis: 'contract' }]);
  expect(await listProcessing(data.db)).toMatchObject([
    { activity: 'Sync', subjects: ['customer'], categories: ['user.contact.email'], missing: ['time limit'] },
  ]);
  const { dataset } = await exportFideslang(data.db);
  expect(dataset).toMatchObject([{ fides_key: 'crm', collections: [{ name: 'customer' }] }]);
});

test('holds and exceptions are listed, those that are over too', async () => {
  const workflows = { enqueue: () => Promise.reject(new Error('nothing runs here')) };
  const retention = createRetentionCommands({ db: data.db, clock, workflows });
  const rule = await retention.addRule(ada, {
    name: 'R',
    settings: { clock: 'createdAt', days: 30, action: 'report' },
  });
  const hold = await retention.hold(ada, { name: 'Case 7', scope: { app: 'crm' }, reason: 'a court asked' });
  await retention.except(ada, rule.id, {
    scope: { object: 'customer' },
    reason: 'an audit',
    expiresAt: clock.now() + 1,
  });
  expect(await listHolds(data.db)).toMatchObject([{ id: hold.id, placedBy: 'Ada', releasedAt: null }]);
  expect(await listExceptions(data.db, rule.id)).toMatchObject([{ reason: 'an audit', scope: { object: 'customer' } }]);
  await retention.release(ada, hold.id);
  expect(await listHolds(data.db)).toMatchObject([{ name: 'Case 7', releasedBy: 'Ada' }]);
});
