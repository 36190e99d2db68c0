import { type Actor, createSecretEnvelope, kernelMigrations, migrate, readAudit, StepUpRequired } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createOwnDetectorCommands, type OwnDetectorCommands } from './detector-commands.ts';
import { ownDetectorInput } from './detector-input.ts';
import { listOwnDetectors, readPackedDetector } from './detector-store.ts';
import { OwnDetectorConflict, OwnDetectorInvalid, OwnDetectorUnknown } from './errors.ts';
import { createLiveClassifier, type LiveClassifier } from './live-classifier.ts';
import { ownDetectorMigrations } from './migrations.ts';

const clock = createFakeClock(Date.UTC(2026, 5, 1));
const ada = (): Actor => ({ kind: 'person', id: 'p1', name: 'Ada', roles: ['owner'], strongAuthAt: clock.now() });
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] });
const logger = createTestLogger();

let test_: TestDatabase;
let commands: OwnDetectorCommands;
let live: LiveClassifier;
/** What gateways were told, by key. */
const told = new Map<string, unknown>();

beforeAll(async () => {
  test_ = await createTestDatabase();
  await migrate(test_.db, [kernelMigrations, ownDetectorMigrations]);
  commands = createOwnDetectorCommands({
    db: test_.db,
    clock,
    envelope,
    logger,
    publish: async (_tx, { set = [], remove = [] }) => {
      for (const [key, value] of set) told.set(key, value);
      for (const key of remove) told.delete(key);
    },
  });
  live = await createLiveClassifier({ db: test_.db, envelope, logger });
});

afterAll(async () => {
  live.stop();
  await test_.drop();
});

const common = { title: 'Ours', label: 'restricted', category: 'user' } as const;
const make = (input: object) => commands.create(ada(), ownDetectorInput.parse({ ...common, ...input }));
const found = async (text: string): Promise<string[]> => {
  await live.refresh();
  return live.scan(Buffer.from(text)).map(({ type }) => type);
};

async function* lines(values: Iterable<string>): AsyncIterable<string> {
  yield* values;
}

test('a dictionary is in force at once, in this process and at gateways', async () => {
  const made = await make({ kind: 'dictionary', name: 'projects', terms: ['Blue Heron', 'Kestrel'] });
  expect(made.count).toBe(2);
  expect(await found('the blue heron flies')).toEqual(['custom:projects']);
  const entry = told.get(`own-detector:${made.id}`) as { sha256: string; bytes: number };
  expect((await readPackedDetector(test_.db, entry.sha256))?.length).toBe(entry.bytes);
});

test('a list is kept as hashes only, and counted once for each value', async () => {
  const made = await make({ kind: 'exact', name: 'customers' });
  expect(told.has(`own-detector:${made.id}`)).toBe(false);
  const given = await commands.give(ada(), made.id, {
    kind: 'values',
    lines: lines(['CUST-0001-77', 'cust 0001 77', 'CUST-0002-78', 'x']),
  });
  expect(given.count).toBe(2);
  expect(await found('about CUST 0002 78')).toEqual(['custom:customers']);
  const packed = await readPackedDetector(test_.db, given.sha256 ?? '');
  expect(packed?.toString('latin1')).not.toMatch(/cust/i);
  expect(JSON.stringify(await readAudit(test_.db, { limit: 50 }))).not.toMatch(/0001/);
});

test('another list takes the place of the first', async () => {
  const id = (await listOwnDetectors(test_.db)).find(({ name }) => name === 'customers')?.id ?? '';
  await commands.give(ada(), id, { kind: 'values', lines: lines(['CUST-0009-99']) });
  expect(await found('about CUST 0002 78')).toEqual([]);
  expect(await found('about CUST 0009 99')).toEqual(['custom:customers']);
});

test('one that is off finds nothing and is at no gateway; it can be taken up again', async () => {
  const { id } = await make({ kind: 'regex', name: 'tickets', pattern: 'OPS-[0-9]{4}' });
  await commands.change(ada(), id, { enabled: false });
  expect(await found('see OPS-1234')).toEqual([]);
  expect(told.has(`own-detector:${id}`)).toBe(false);
  await commands.change(ada(), id, { enabled: true, pattern: 'OPS-[0-9]{5}' });
  expect(await found('see OPS-12345')).toEqual(['custom:tickets']);
  await commands.remove(ada(), id);
  expect(await found('see OPS-12345')).toEqual([]);
  expect((await readAudit(test_.db, { limit: 50 })).map(({ action }) => action)).toEqual(
    expect.arrayContaining([
      'own_detector.created',
      'own_detector.changed',
      'own_detector.given',
      'own_detector.removed',
    ]),
  );
});

test.each([
  ['a name that is taken', { kind: 'dictionary', name: 'projects', terms: ['other'] }, OwnDetectorConflict],
  ['an expression outside RE2', { kind: 'regex', name: 'bad', pattern: 'a(?=b)' }, OwnDetectorInvalid],
])('%s is refused, and nothing is left of it', async (_what, input, error) => {
  const before = await listOwnDetectors(test_.db);
  await expect(make(input)).rejects.toThrow(error);
  expect(await listOwnDetectors(test_.db)).toEqual(before);
});

test('content of another kind, of nothing, and for nobody is refused', async () => {
  const [projects] = (await listOwnDetectors(test_.db)).filter(({ name }) => name === 'projects');
  const { id: empty } = await make({ kind: 'exact', name: 'empty' });
  const give = (id: string, values: string[]) => commands.give(ada(), id, { kind: 'values', lines: lines(values) });
  await expect(give(projects?.id ?? '', ['CUST-0001-77'])).rejects.toThrow(OwnDetectorInvalid);
  await expect(give(empty, ['x', ''])).rejects.toThrow(OwnDetectorInvalid);
  await expect(give('nobody', ['CUST-0001-77'])).rejects.toThrow(OwnDetectorUnknown);
  await expect(commands.give(ada(), empty, { kind: 'document', text: 'short', least: 0.3 })).rejects.toThrow(
    OwnDetectorInvalid,
  );
});

test('a change needs a fresh factor', async () => {
  const old: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['owner'] };
  await expect(
    commands.create(old, ownDetectorInput.parse({ ...common, kind: 'exact', name: 'late' })),
  ).rejects.toThrow(StepUpRequired);
});

test('a text is tried with all of them', async () => {
  const findings = await commands.try(ada(), 'Blue Heron of ada.quill@acme-widgets.io');
  expect(findings.map(({ type }) => type)).toEqual(['custom:projects', 'email']);
});
