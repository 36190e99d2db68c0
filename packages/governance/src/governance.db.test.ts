import { createClassifier } from '@cordon/classifier';
import { type Actor, createSecretEnvelope, kernelMigrations, migrate, StepUpRequired } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApproverSame, ChangeWaiting, DataUnknown } from './errors.ts';
import { createFieldCategories } from './field-category.ts';
import { ensureFingerprintKey, forgetPrint, loadFingerprintKey, rotateFingerprintKey } from './fingerprint-key.ts';
import { listFlows } from './flow-store.ts';
import { createInventory } from './inventory.ts';
import { listFields, listSets } from './inventory-store.ts';
import { createLabelCommands } from './label-commands.ts';
import { governanceMigrations } from './migrations.ts';
import { BodyObserver } from './observer.ts';
import { listSpreads } from './print-store.ts';
import { scan } from './scan.ts';
import { parseObservations, takeObservations } from './take-observations.ts';
import { tablesOf } from './tables.ts';
import { loadTaxonomy } from './taxonomy.ts';
import { createFakePublisher } from './testing.ts';

const clock = createFakeClock();
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] });
const taxonomy = loadTaxonomy();
const categories = createFieldCategories(taxonomy.names);
const classifier = createClassifier();
const { entries, publish } = createFakePublisher();
const ada: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['security'], strongAuthAt: clock.now() };
const bob: Actor = { kind: 'person', id: 'p2', name: 'Bob', roles: ['owner'], strongAuthAt: clock.now() };

let data: TestDatabase;
const deps = () => ({ db: data.db, clock, envelope, categories, policy: taxonomy.policy, publish, classifier });

beforeAll(async () => {
  data = await createTestDatabase();
  await migrate(data.db, [kernelMigrations, governanceMigrations]);
  await ensureFingerprintKey(deps());
});
afterAll(() => data.drop());

/** As the gateway does: bodies through classifier and observer, then the line over the wire. */
async function pass(
  app: string,
  template: string,
  direction: 'read' | 'write',
  body: unknown,
  options: { readonly key?: string; readonly integration?: string } = {},
): Promise<string> {
  const observer = new BodyObserver();
  observer.setKey(await loadFingerprintKey(data.db, envelope));
  const bytes = Buffer.from(JSON.stringify(body));
  clock.advance(1_000);
  observer.observe({
    app: { id: `id-${app}`, name: app },
    integration: { id: options.integration ?? 'sync', name: 'Sync' },
    operation: { id: `${direction}${template}`, template },
    direction,
    bytes,
    contentType: 'application/json',
    findings: classifier.scan(bytes, { contentType: 'application/json' }),
    at: clock.now(),
  });
  const wire = observer
    .drain()
    .map((line) => JSON.stringify(line))
    .join('\n');
  const { lines, refused } = parseObservations(wire);
  expect(refused).toBe(0);
  await takeObservations(deps(), options.key ?? `batch-${clock.now()}`, lines);
  return wire;
}

const person = { id: 7, name: 'Jane Miller', email: 'jane.miller@acme-corp.io', iban: 'DE89370400440532013000' };

test('a record read from one app and written to another is one spread and a flow; nothing of it is stored', async () => {
  const wire = await pass('crm', '/v1/customers', 'read', { data: [person] });
  await pass('chat', '/api/chat.postMessage', 'write', { channel: 'C1', text: `New: ${person.email.toUpperCase()}` });
  expect(wire).not.toContain('jane');
  expect(wire).not.toContain('DE89');

  const [spread] = await listSpreads(data.db, { appsMin: 2, limit: 10 });
  expect(spread).toMatchObject({ kind: 'email', apps: ['chat', 'crm'], places: 2 });
  const inventory = createInventory(deps());
  const { places } = await inventory.findSpread(ada, 'Jane.Miller@acme-corp.io');
  expect(places.map(({ app, object, direction }) => [app, object, direction])).toEqual([
    ['crm', 'customer', 'read'],
    ['chat', 'message', 'write'],
  ]);
  const flows = await listFlows(data.db, {});
  expect(flows.filter(({ how }) => how === 'inferred')).toMatchObject([
    {
      from: { app: 'crm', object: 'customer' },
      to: { app: 'chat', object: 'message' },
      records: 1,
      fields: { text: 1 },
    },
  ]);
  expect(flows.filter(({ how }) => how === 'inline')).toHaveLength(2);
  expect(await inventory.overlaps(ada)).toMatchObject({ pairs: [{ a: 'chat', b: 'crm', records: 1 }] });

  const dump = await everything();
  for (const value of ['jane', 'acme-corp', 'DE89', '0532013000'])
    expect(dump.toLowerCase()).not.toContain(value.toLowerCase());
});

/** All rows of all tables, as text. */
async function everything(): Promise<string> {
  const names = ['data_set', 'data_field', 'data_print', 'data_flow', 'data_sketch', 'data_document'] as const;
  const rows = await Promise.all(names.map((name) => tablesOf(data.db).selectFrom(name).selectAll().execute()));
  return JSON.stringify(rows, (_key, value: unknown) => (Buffer.isBuffer(value) ? value.toString('latin1') : value));
}

test('the same batch twice counts once', async () => {
  await pass('desk', '/api/tickets', 'read', [{ subject: 'x', requester_email: 'a.b@acme-corp.io' }], { key: 'same' });
  await pass('desk', '/api/tickets', 'read', [{ subject: 'x', requester_email: 'a.b@acme-corp.io' }], { key: 'same' });
  expect(await listFields(data.db, 'desk', 'ticket')).toMatchObject([
    { path: '[].requester_email', samples: 1, detections: { email: 1 } },
    { path: '[].subject', samples: 1 },
  ]);
});

test('a write before the read is no flow; another integration’s is only possible', async () => {
  await pass('desk', '/api/tickets', 'write', { requester_email: 'early@acme-corp.io' });
  await pass('crm', '/v1/customers', 'read', { email: 'early@acme-corp.io' });
  await pass('crm', '/v1/customers', 'read', { email: 'late@acme-corp.io' }, { integration: 'other' });
  await pass('mail', '/v1/contacts', 'write', { email: 'late@acme-corp.io' });
  const flows = (await listFlows(data.db, {})).filter(({ how }) => how !== 'inline');
  expect(flows.map(({ from, to, how }) => `${from.app} ${to.app} ${how}`).toSorted()).toEqual([
    'crm chat inferred',
    'crm mail possible',
  ]);
});

test('labels come from what is found, travel along flows, and go to gateways', async () => {
  const result = await scan(deps());
  expect(result.changed).toEqual(
    expect.arrayContaining([
      { app: 'crm', object: 'customer', from: 'internal', to: 'restricted' },
      { app: 'chat', object: 'message', from: 'internal', to: 'restricted' },
    ]),
  );
  const [chat] = await listSets(data.db, { app: 'chat' });
  expect(chat?.labelReasons[0]).toEqual({ because: 'flow', text: 'from crm customer', label: 'restricted' });
  expect(entries.get('data-label:id-crm')).toEqual({
    id: 'id-crm',
    label: 'restricted',
    operations: { 'read/v1/customers': 'restricted' },
  });
  const fields = await listFields(data.db, 'crm', 'customer');
  expect(fields.find(({ path }) => path === 'data[].iban')).toMatchObject({
    category: 'user.financial.bank_account',
    label: 'restricted',
    subject: 'customer',
  });
  expect((await scan(deps())).changed).toEqual([]);
});

test('a downgrade needs another person and a strong factor; a raise holds at once', async () => {
  const labels = createLabelCommands({ db: data.db, clock, rescan: () => scan(deps()) });
  const target = { app: 'chat', object: 'message' };
  const asked = await labels.pin(ada, { ...target, label: 'internal', reason: 'test channel only' });
  expect(asked.status).toBe('waiting');
  expect((await listSets(data.db, target))[0]?.label).toBe('restricted');
  await expect(labels.pin(bob, { ...target, label: 'public', reason: 'once more' })).rejects.toThrow(ChangeWaiting);
  await expect(labels.decide(ada, asked.id, true)).rejects.toThrow(ApproverSame);
  const weak: Actor = { kind: 'person', id: 'p2', name: 'Bob', roles: ['owner'] };
  await expect(labels.decide(weak, asked.id, true)).rejects.toThrow(StepUpRequired);
  await labels.decide(bob, asked.id, true);
  expect((await listSets(data.db, target))[0]).toMatchObject({ label: 'internal', pinnedLabel: 'internal' });
  await labels.pin(ada, { ...target, label: 'confidential', reason: 'people are named' });
  expect((await listSets(data.db, target))[0]).toMatchObject({ label: 'confidential', pinnedLabel: 'confidential' });
});

test('the first sight of a record in an app below its label', async () => {
  const labels = createLabelCommands({ db: data.db, clock, rescan: async () => undefined });
  await labels.setPlace(ada, 'wiki', { region: 'US', vendor: 'Wiki Inc.', clearance: 'internal' });
  await pass('wiki', '/api/pages', 'write', { body: `ask ${person.email}` });
  const [spread] = await listSpreads(data.db, { appsMin: 3, limit: 10 });
  expect(spread).toMatchObject({ apps: ['chat', 'crm', 'wiki'], below: expect.arrayContaining(['wiki']) });
});

test('samples of a connector give fields, places and near-duplicates, and are not kept', async () => {
  const inventory = createInventory(deps());
  const text = Array.from({ length: 80 }, (_, index) => `clause ${index} of the agreement between parties`).join(' ');
  const read = async function* (suffix: string) {
    yield { id: 'n1', object: 'note', content: { body: `${text} ${suffix}`, author_email: person.email } };
  };
  await inventory.takeSample('drive', read('first version'));
  await inventory.takeSample('notes', read('second version with more'));
  await inventory.takeSchemas('notes', [{ object: 'note', fields: [{ name: 'dateOfBirth', kind: 'date' }] }]);
  const [pair] = await inventory.nearDuplicates(ada);
  expect(new Set([pair?.a.app, pair?.b.app])).toEqual(new Set(['drive', 'notes']));
  expect(pair?.likeness).toBeGreaterThan(0.7);
  const { places } = await inventory.findSpread(ada, person.email);
  expect(places).toEqual(expect.arrayContaining([expect.objectContaining({ app: 'drive', direction: 'held' })]));
  expect(await everything()).not.toContain('agreement');
});

test('forgetting one record, and all of them by a new key', async () => {
  const inventory = createInventory(deps());
  const { print } = await inventory.findSpread(ada, 'late@acme-corp.io');
  expect(await forgetPrint(deps(), ada, Buffer.from(print, 'base64url'))).toEqual({ forgotten: 2 });
  await expect(forgetPrint(deps(), ada, Buffer.from(print, 'base64url'))).rejects.toThrow(DataUnknown);

  const old = await loadFingerprintKey(data.db, envelope);
  await rotateFingerprintKey(deps(), ada);
  expect(await listSpreads(data.db, { appsMin: 1, limit: 10 })).toEqual([]);
  expect([...entries.keys()].filter((key) => key.startsWith('fingerprint-key:'))).toHaveLength(1);
  // A gateway that has not heard of it yet brings nothing back.
  const observer = new BodyObserver();
  observer.setKey(old);
  const bytes = Buffer.from(JSON.stringify({ email: person.email }));
  const body = {
    app: { id: 'x', name: 'crm' },
    integration: { id: 's', name: 'S' },
    operation: { id: 'o', template: '/v1/customers' },
  };
  const findings = classifier.scan(bytes, { contentType: 'application/json' });
  observer.observe({ ...body, direction: 'read', bytes, contentType: 'application/json', findings, at: clock.now() });
  await takeObservations(deps(), 'stale', parseObservations(JSON.stringify(observer.drain()[0])).lines);
  expect(await listSpreads(data.db, { appsMin: 1, limit: 10 })).toEqual([]);
});
