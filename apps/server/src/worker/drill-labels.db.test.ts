import { type DetectionEvent } from '@cordon/detection';
import { drillsMigrations, TAG_FIELD } from '@cordon/drills';
import { type Actor, createSecretEnvelope, kernelMigrations, migrate, systemClock } from '@cordon/kernel';
import { createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { apiActivity } from '@cordon/lake';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDrillParts } from '../roles/drill-parts.ts';
import { createDrillLabels, FORGED_LABEL } from './drill-labels.ts';
import { type Observed, ownEvent, vendorEvent } from './observed-event.ts';

/** Which events the worker takes for a drill's: none by their word alone. */

const ADA: Actor = { kind: 'person', id: 'ada', name: 'Ada', roles: ['owner'] };
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] });
let made: TestDatabase;
let drillId: string;
let label: ReturnType<typeof createDrillLabels>;

beforeAll(async () => {
  made = await createTestDatabase();
  await migrate(made.db, [kernelMigrations, drillsMigrations]);
  const workflows = { enqueue: () => Promise.resolve() };
  const { drillParts } = await createDrillParts({ db: made.db, clock: systemClock, envelope, workflows });
  drillId = (await drillParts.drills.create(ADA, { scenario: 'snowflake-2024', mode: 'tabletop' })).id;
  label = createDrillLabels({ db: made.db, clock: systemClock, envelope });
});
afterAll(() => made.drop());

function call(userAgent: string, labels?: readonly string[]): Observed {
  const facts = {
    id: '01a209db-743e-7000-a1f8-5ae5721c1801',
    time: 1,
    role: 'gateway',
    operation: 'x',
    source: {},
    gatewayId: 'g',
    snapshotVersion: 1,
  };
  const request = { method: 'GET', path: '/x', userAgent, requestId: 'r', bytes: 0 };
  return ownEvent(apiActivity({ ...facts, request, decision: 'allow', durationMs: 1, ...(labels && { labels }) }));
}
function record(raw: Record<string, unknown>): Observed {
  const ocsf = {
    class_uid: 3002,
    activity_id: 1,
    category_uid: 3,
    type_uid: 300_201,
    time: 1,
    metadata: { uid: 'e', version: '1.6.0', product: { name: 'Okta', vendor_name: 'Okta' } },
  };
  const seen: DetectionEvent = { id: 'e', time: 1, product: 'okta', service: 'system', raw, ocsf };
  const event = vendorEvent(seen, 1);
  if (typeof event === 'string') throw new Error(event);
  return event;
}
const outcome = async (observed: Observed) => {
  const [one] = await label([observed]);
  return [one?.drill, one?.stored.metadata.labels];
};

test('an event that claims nothing stays as it is', async () => {
  const plain = [call('curl/8'), record({ a: 1 })];
  expect(await label(plain)).toBe(plain);
});

test.each<[what: string, observed: () => Observed]>([
  ['a record with a made-up tag', () => record({ [TAG_FIELD]: `v1.${drillId}.1.${'a'.repeat(43)}` })],
  ['a record that only says so', () => record({ [TAG_FIELD]: true })],
  ['a call with a made-up tag', () => call(`cordon-drill/v1.${drillId}.1.${'a'.repeat(43)}`)],
  [
    'a call of a drill that is none',
    () => call(`cordon-drill/v1.01a209db-743e-7000-a1f8-5ae5721c1899.1.${'a'.repeat(43)}`),
  ],
])('%s is marked as forged, and counts as real', async (_what, observed) => {
  expect(await outcome(observed())).toEqual([undefined, [FORGED_LABEL]]);
});

test('the label itself, brought along, is taken away', async () => {
  expect(await outcome(call('curl/8', [`drill:${drillId}`, 'kept']))).toEqual([undefined, ['kept']]);
});
