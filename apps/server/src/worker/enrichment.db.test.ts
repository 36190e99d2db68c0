import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detectionMigrations, listAlerts, loadSourceCredential, createSourceCommands } from '@cordon/detection';
import {
  createThreatCommands,
  enrichmentMigrations,
  listThreatLists,
  readEnrichmentState,
  threatListInput,
} from '@cordon/enrichment';
import { estateMigrations } from '@cordon/estate';
import { governanceMigrations } from '@cordon/governance';
import { identityMigrations } from '@cordon/identity';
import { type Actor, createSecretEnvelope, kernelMigrations, migrate, systemClock } from '@cordon/kernel';
import { createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { createTestLake, type TestLake } from '@cordon/lake/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DetectionContent, loadDetectionContent } from '../detection-content.ts';
import { type Enrichment, startEnrichment } from './enrichment-duties.ts';
import { createSourceIngest, type SourceIngest } from './source-ingest.ts';
import { sweepThreats } from './threat-sweep.ts';
import { createWatch, type Watch } from './watch.ts';

const logger = createTestLogger();
const ada: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['security'] };
const NOW = systemClock.now();
const LIVES = { from: NOW - 3_600_000, to: NOW + 3_600_000 };

let data: TestDatabase;
let lake: TestLake;
let folder: string;
let content: DetectionContent;
let enrichment: Enrichment;
let watch: Watch;
let ingest: SourceIngest;
let sourceId: string;

beforeAll(async () => {
  data = await createTestDatabase();
  const { db } = data;
  await migrate(db, [
    kernelMigrations,
    identityMigrations,
    estateMigrations,
    detectionMigrations,
    enrichmentMigrations,
    governanceMigrations,
  ]);
  lake = await createTestLake();
  folder = await mkdtemp(join(tmpdir(), 'cordon-enrichment-'));
  const own = join(folder, 'own.csv');
  // Documentation networks: nobody else places them.
  await writeFile(own, '198.51.100.0/24,SE\n203.0.113.0/24,BR\n192.0.2.0/24,AS64500,Rent a server\n');
  const flags = join(folder, 'flags.csv');
  await writeFile(flags, '192.0.2.128/25,hosting\n');
  content = await loadDetectionContent(logger);
  enrichment = await startEnrichment({
    db,
    clock: systemClock,
    logger,
    networkFiles: [own, flags],
    people: async () => [{ id: 'p-bo', email: 'Bo@Example.com', name: 'Bo' }],
  });
  const { enrich } = enrichment;
  watch = createWatch({ ruleSet: content.ruleSet, db, lake: lake.lake, clock: systemClock, logger, enrich });
  ingest = createSourceIngest({ db, parsers: content.parsers, watch, clock: systemClock });
  const sources = createSourceCommands({
    db,
    clock: systemClock,
    envelope: createSecretEnvelope({ keys: [Buffer.alloc(32, 4)] }),
    random: (bytes) => Buffer.alloc(bytes, 7),
    knowsProduct: () => true,
  });
  sourceId = (await sources.create(ada, { name: 'okta', product: 'okta/system', rateMax: 100 })).source.id;
}, 120_000);
afterAll(async () => {
  await enrichment.stop();
  await lake.close();
  await data.drop();
  await rm(folder, { recursive: true, force: true });
});

const signIn = (id: string, address: string, minutesAgo: number, agent = 'Mozilla/5.0 (X11; Linux) Firefox/140.0') => ({
  text: JSON.stringify({
    uuid: id,
    published: new Date(NOW - minutesAgo * 60_000).toISOString(),
    eventType: 'user.session.start',
    actor: { id: '00u1', type: 'User', alternateId: 'bo@example.com', displayName: 'Bo' },
    client: { ipAddress: address, userAgent: { rawUserAgent: agent } },
    outcome: { result: 'SUCCESS' },
  }),
});

async function take(...records: { text: string }[]) {
  const source = await loadSourceCredential(data.db, sourceId);
  expect(source).not.toBeNull();
  return source ? ingest.take(source, records) : null;
}
const count = (query: string): Promise<number> => lake.lake.count({ query, ...LIVES });

test('country, network, client and person are columns that a search finds', async () => {
  await take(signIn('e1', '198.51.100.7', 50), signIn('e2', '8.8.8.8', 49, 'curl/8.5'));
  expect(await count('country:SE actor.email:bo@example.com')).toBe(1);
  expect(await count('country:us asn:15169 network:hosting client:curl')).toBe(1);
  expect(await count('client:Firefox')).toBe(1);
  const { events } = await lake.lake.search({ query: 'client:curl', ...LIVES, limit: 1 });
  expect(events[0]?.event).toMatchObject({
    src_endpoint: { location: { country: 'US' }, autonomous_system: { number: 15_169, name: 'Google LLC' } },
    unmapped: { enrichment: { person: { uid: 'p-bo', name: 'Bo' }, client: { kind: 'script', name: 'curl' } } },
  });
});

test('what an actor was never seen with is marked once, also when the batch comes again', async () => {
  // Of the newcomer's first event that alone is said; the second differs in place, network and client.
  expect(await count('first_seen:actor')).toBe(1);
  expect(await count('first_seen:country first_seen:network first_seen:client')).toBe(1);
  await take(signIn('e2', '8.8.8.8', 49, 'curl/8.5'), signIn('e3', '8.8.8.8', 48, 'curl/8.6'));
  expect(await count('first_seen:country')).toBe(1);
  expect(await count('client:curl')).toBe(2);
});

test('two countries within an hour are impossible travel, though the vendor names neither', async () => {
  await take(signIn('e4', '203.0.113.9', 30));
  await watch.settleCorrelations();
  const alerts = await listAlerts(data.db, { status: ['open'], limit: 50 });
  expect(alerts.map(({ ruleId }) => ruleId)).toContain('correlation.impossible-travel');
});

const list = (name: string, format: string, text: string, more: object = {}) =>
  threatListInput.parse({ name, format, text, source: 'a test', expiresAt: NOW + 86_400_000, ...more });

test('a list is matched on what comes, and looked for in what came', async () => {
  const threats = createThreatCommands({ db: data.db, clock: systemClock });
  const stix = JSON.stringify({
    type: 'bundle',
    id: 'bundle--1',
    objects: [
      {
        type: 'indicator',
        pattern_type: 'stix',
        name: 'Credential stuffing',
        pattern: "[ipv4-addr:value = '203.0.113.9'] OR [ipv4-addr:value = '192.0.2.0/24']",
        valid_from: '2026-01-01T00:00:00Z',
      },
      { type: 'indicator', pattern_type: 'stix', pattern: "[file:name = 'x' AND file:size > 1]" },
      { type: 'indicator', pattern: "[domain-name:value = 'gone.example']", valid_until: '2026-01-01T00:00:00Z' },
    ],
  });
  expect(await threats.import(ada, list('shared-feed', 'stix', stix))).toMatchObject({ indicators: 3, skipped: 1 });
  const deps = { db: data.db, lake: lake.lake, clock: systemClock, logger, watch };
  await sweepThreats(deps);
  expect((await listThreatLists(data.db))[0]?.sweep).toMatchObject({ found: 1, error: null });
  const found = (await listAlerts(data.db, { status: ['open'], limit: 50 })).filter(
    ({ ruleId }) => ruleId === 'standard.threat-list-match',
  );
  expect(found).toMatchObject([{ signals: 1, entity: { type: 'person', id: 'bo@example.com' } }]);

  // Looked for again: nothing doubles.
  await threats.sweep(ada, (await listThreatLists(data.db))[0]?.id ?? '', NOW - 86_400_000);
  await sweepThreats(deps);
  const again = await listAlerts(data.db, { status: ['open'], limit: 50 });
  expect(again.find(({ ruleId }) => ruleId === 'standard.threat-list-match')?.signals).toBe(1);

  await expect.poll(async () => (await readEnrichmentState(data.db))?.indicators, { timeout: 20_000 }).toBe(3);
  await take(signIn('e5', '192.0.2.200', 5));
  expect(await count('threat:shared-feed network:hosting asn:64500')).toBe(1);
});

test('a list that names a kind of network marks it and raises nothing', async () => {
  const threats = createThreatCommands({ db: data.db, clock: systemClock });
  await threats.import(ada, list('exits', 'lines', '# exits\n9.9.9.9 # quad\nnot an address\n', { meaning: 'tor' }));
  await expect.poll(async () => (await readEnrichmentState(data.db))?.indicators, { timeout: 20_000 }).toBe(4);
  await take(signIn('e6', '9.9.9.9', 4));
  expect(await count('network:tor src_ip:9.9.9.9')).toBe(1);
  expect(await count('threat:exits')).toBe(0);
});

test('the files in use are told, with their dates', async () => {
  const state = await readEnrichmentState(data.db);
  expect(state?.files.map(({ name, origin }) => [name, origin])).toEqual([
    ['@ip-location-db/geo-whois-asn-country-mmdb', 'shipped'],
    ['@ip-location-db/asn', 'shipped'],
    ['own.csv', 'own'],
    ['flags.csv', 'own'],
  ]);
  expect(state?.problems).toEqual([]);
});
