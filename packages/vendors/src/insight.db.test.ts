import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Actor, createSecretEnvelope, kernelMigrations, migrate, readAudit } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadClauses } from './contract/clause.ts';
import { InputInvalid } from './errors.ts';
import { createExportCommands, type ExportCommands } from './export/export-commands.ts';
import { verifyPdf } from './export/pdf.ts';
import { assessmentResults } from './export/made-oscal-schema.ts';
import { createFileReader } from './files/file-reader.ts';
import { sendQueued } from './mail/mail-queue.ts';
import {
  checkBadClients,
  type ClientGrant,
  createBadClientCommands,
  listBadClients,
} from './monitoring/bad-clients.ts';
import { createFeedCommands, type FeedContext, listFeeds, pollFeeds } from './monitoring/feeds.ts';
import type { HostObservation } from './monitoring/host.ts';
import { dueNow, listHosts } from './monitoring/host-store.ts';
import { listNews } from './monitoring/news.ts';
import { type CaseNotice, listNotices, receiveVendorNotice } from './monitoring/notices.ts';
import { watchHosts } from './monitoring/watch-hosts.ts';
import { loadForms } from './questionnaire/form.ts';
import { loadRules } from './score/contradiction.ts';
import type { Observed } from './score/observed.ts';
import { loadRegions } from './score/regions.ts';
import { createScoreCommands, type ScoreCommands } from './score/score-commands.ts';
import { listScores } from './score/score-store.ts';
import { loadWeights } from './score/weights.ts';
import { createVendors, type Vendors, vendorsMigrations } from './vendors.ts';

const OWNER: Actor = { kind: 'person', id: '018f0000-0000-7000-8000-000000000001', name: 'Ada', roles: ['owner'] };
const DEVELOPER: Actor = {
  kind: 'person',
  id: '018f0000-0000-7000-8000-000000000002',
  name: 'Dev',
  roles: ['developer'],
};
const APP = '018f0000-0000-7000-8000-0000000000a1';
const DAY_MS = 86_400_000;
const CONTENT = fileURLToPath(new URL('../../../content/', import.meta.url));
/** NIST's schema, put there by hand: it is fetched for tests, not kept here. */
const OSCAL_SCHEMA = fileURLToPath(
  new URL('../../../../shared/corpora/oscal/oscal_assessment-results_schema.json', import.meta.url),
);

let database: TestDatabase;
let vendors: Vendors;
let scores: ScoreCommands;
let exports: ExportCommands;
let context: FeedContext;
let vendorId = '';
const clock = createFakeClock();
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 9)] });
const cases: CaseNotice[] = [];
let feed = '{"version":1}';
const good: HostObservation = {
  at: 0,
  isPlain: false,
  addresses: ['192.0.2.1'],
  problem: null,
  certificate: null,
  versions: { TLSv1: false, 'TLSv1.1': false, 'TLSv1.2': true, 'TLSv1.3': true },
  caa: null,
  securityTxt: {
    state: 'valid',
    contacts: ['mailto:security@acme.example'],
    policy: null,
    expires: 2_000_000_000_000,
  },
};
const old = { ...good, versions: { ...good.versions, TLSv1: true } } as HostObservation;
let shown: HostObservation = old;
const observed: Observed = {
  data: [{ app: 'acme', appId: APP, dataClass: 'payment.card', label: 'restricted', values: 5_000 }],
  grants: [{ id: 'g1', integrationId: 'i1', integration: 'sync', app: 'acme', reach: 'all' }],
  calls: 12_000,
  staticKeys: [{ id: 'k1', appId: APP, app: 'acme', kind: 'header', createdAt: clock.now() - 200 * DAY_MS }],
  posture: [{ connectionId: 'c1', connection: 'acme', check: 'x.mfa', title: 'MFA is not required', severity: 'high' }],
};

beforeAll(async () => {
  database = await createTestDatabase();
  const { db } = database;
  await migrate(db, [kernelMigrations, vendorsMigrations]);
  const base = { db, clock, envelope, publicUrl: 'https://cordon.example' };
  const clauses = loadClauses(CONTENT);
  vendors = createVendors({
    ...base,
    random: randomBytes,
    files: createFileReader(),
    clauses,
    forms: loadForms(CONTENT),
    estate: { listApps: async () => [], cutOff: async () => [], stillReach: async () => [] },
  });
  scores = createScoreCommands({
    ...base,
    clauses,
    weights: loadWeights(CONTENT),
    regions: loadRegions(CONTENT),
    rules: loadRules(CONTENT),
    observe: async (appIds) =>
      appIds.length > 0 ? observed : { ...observed, data: [], grants: [], staticKeys: [], posture: [], calls: 0 },
  });
  exports = createExportCommands({ ...base, random: randomBytes });
  context = {
    ...base,
    hostsOf: async (appIds) =>
      appIds.map(() => ({
        host: 'api.us.acme.example',
        port: 443,
        isPlain: false,
        app: 'acme',
        privateAddresses: [],
        authorities: [],
      })),
    reach: () => ({ lookup: () => undefined, checkHost: () => undefined, authorities: [] }),
    probe: async (_target, _reach, now) => ({ ...shown, at: now }),
    openCase: async (_actor, notice) => {
      cases.push(notice);
      return { caseId: `case-${cases.length}`, reach: '1 app, 1 integration' };
    },
    fetchBytes: async () => Buffer.from(feed),
  };
  const made = await vendors.register.create(OWNER, {
    name: 'Acme',
    website: 'https://www.acme.example',
    owner: 'Olga <olga@example.com>',
    regions: ['EU'],
    appIds: [APP],
  });
  vendorId = made.id;
});
afterAll(async () => database.drop());

async function mailed(): Promise<string[]> {
  const texts: string[] = [];
  const send = async (mail: { to: string; text: string }): Promise<void> => void texts.push(`${mail.to} ${mail.text}`);
  await sendQueued(database.db, { envelope, now: clock.now(), send });
  return texts;
}

describe('hosts', () => {
  test('of apps and website are looked at, kept, and are news to the owner once', async () => {
    expect(await watchHosts(context)).toBe(2);
    expect(await watchHosts(context)).toBe(0);
    const hosts = await listHosts(database.db, vendorId);
    expect(hosts.map(({ host, source }) => [host, source])).toEqual([
      ['api.us.acme.example', 'app acme'],
      ['www.acme.example', 'website'],
    ]);
    const [mail] = await mailed();
    expect(mail).toContain('olga@example.com');
    expect(mail).toContain('TLS 1.0');
    clock.advance(13 * 3_600_000);
    await watchHosts(context);
    expect(await listNews(database.db, vendorId)).toHaveLength(2);
  });

  test('that are mended are news too, and what they publish is kept', async () => {
    shown = good;
    await dueNow(database.db, vendorId, clock.now());
    await watchHosts(context);
    const [news] = await listNews(database.db, vendorId);
    expect(news).toMatchObject({ severity: 'info', title: expect.stringContaining('Mended') });
    shown = old;
    clock.advance(1);
    await dueNow(database.db, vendorId, clock.now());
    await watchHosts(context);
  });
});

describe('a score', () => {
  test('is the sum of its rows, kept when it changed, and holds what contradicts the answers', async () => {
    const questionnaire = await vendors.questionnaires.createBuiltIn(OWNER, vendorId, 'mvsp');
    const https = questionnaire.form.sections
      .flatMap(({ questions }) => questions)
      .find(({ text }) => text === 'HTTPS-only');
    await vendors.questionnaires.send(OWNER, questionnaire.id, { email: 'vera@acme.example' });
    await vendors.questionnaires.answer(OWNER, questionnaire.id, https?.id ?? '', { answer: 'Yes' });
    const { score, contradictions } = await scores.read(OWNER, vendorId);
    expect(score.rows.reduce((sum, { points }) => sum + points, 0)).toBe(score.residual);
    expect(contradictions.map(({ rule }) => rule).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'old-tls',
      'outside-region',
    ]);
    expect(contradictions.find(({ rule }) => rule === 'old-tls')).toMatchObject({
      said: { questionnaireId: questionnaire.id, questionId: https?.id, answers: ['Yes'] },
      evidence: [{ text: expect.stringContaining('TLS 1.0') }, { text: expect.stringContaining('TLS 1.0') }],
    });
    expect(new Set(score.rows.map(({ group }) => group))).toEqual(
      new Set(['data', 'scope', 'volume', 'questionnaire', 'transport', 'posture', 'contradiction']),
    );
    await scores.read(OWNER, vendorId);
    expect(await listScores(database.db, vendorId)).toHaveLength(1);
    await expect(scores.read(DEVELOPER, vendorId)).rejects.toThrow(/vendor.read/);
  });

  test('can be asked what if, and keeps nothing of that', async () => {
    const { score } = await scores.read(OWNER, vendorId);
    const keys = score.rows.filter(({ group }) => group === 'transport').map(({ key }) => key);
    const { before, after } = await scores.simulate(OWNER, vendorId, keys);
    expect([before.residual, after.residual < before.residual]).toEqual([score.residual, true]);
    await expect(scores.simulate(OWNER, vendorId, ['nothing'])).rejects.toThrow(InputInvalid);
    expect(await listScores(database.db, vendorId)).toHaveLength(1);
  });

  test('loses a contradiction that a person dismissed or that is no longer seen, and its history says so', async () => {
    const { score, contradictions } = await scores.read(OWNER, vendorId);
    const region = contradictions.find(({ rule }) => rule === 'outside-region');
    await scores.dismiss(OWNER, vendorId, region?.id ?? '', 'the host only answers for its name');
    shown = good;
    await dueNow(database.db, vendorId, clock.now());
    await watchHosts(context);
    clock.advance(1);
    const after = await scores.read(OWNER, vendorId);
    expect(after.score.residual).toBeLessThan(score.residual);
    expect(
      after.contradictions
        .map(({ rule, goneAt, decision }) => `${rule} ${goneAt !== null} ${decision !== null}`)
        .toSorted((a, b) => a.localeCompare(b)),
    ).toEqual(['old-tls true false', 'outside-region false true']);
    expect((await listScores(database.db, vendorId)).length).toBeGreaterThan(1);
    const target = { type: 'vendor', id: vendorId };
    const actions = (await readAudit(database.db, { target, limit: 50 })).map(({ action }) => action);
    expect(actions).toContain('vendor.contradiction_dismissed');
  });

  test('counts an accepted clause as corrected by a person', async () => {
    const text = 'Vendor shall notify Customer of any security incident within ninety-six (96) hours. '.repeat(2);
    const contract = await vendors.contracts.add(OWNER, vendorId, { name: 'dpa.txt', bytes: Buffer.from(text) });
    const row = async () =>
      (await scores.read(OWNER, vendorId)).score.rows.find(({ key }) => key === 'clause:breach-notice');
    expect((await row())?.value).toBe('weaker');
    await vendors.contracts.confirm(OWNER, contract.id, 'breach-notice', { verdict: 'confirmed', hours: 24 });
    expect((await row())?.value).toBe('present');
    await vendors.contracts.confirm(OWNER, contract.id, 'breach-notice', { verdict: 'rejected' });
    expect((await row())?.value).toBe('missing');
  });
});

describe('notices', () => {
  test('of a feed are matched by name and domain, open a case each, and are taken once', async () => {
    const feeds = createFeedCommands(context);
    const made = await feeds.create(OWNER, { name: 'isac', kind: 'notices', url: 'https://isac.example/feed.json' });
    feed = JSON.stringify({
      version: 1,
      notices: [
        {
          id: '1',
          vendor: 'ACME, Inc.',
          title: 'Support system entered',
          severity: 'high',
          occurredAt: '2025-12-30T00:00:00Z',
        },
        { id: '2', vendor: 'acme.example', title: 'Tokens stolen', severity: 'critical' },
        { id: '3', vendor: 'Nobody', title: 'Elsewhere', severity: 'low' },
      ],
      clients: [{ clientId: 'bad-client', reason: 'its maker lost its secret' }],
    });
    expect(await pollFeeds(context)).toBe(1);
    clock.advance(61 * 60_000);
    await pollFeeds(context);
    expect(cases.map(({ vendor, title }) => [vendor, title])).toEqual([
      ['Acme', 'Support system entered'],
      ['Acme', 'Tokens stolen'],
    ]);
    expect(await listNotices(database.db)).toHaveLength(3);
    const { score } = await scores.read(OWNER, vendorId);
    expect(
      score.rows
        .filter(({ group }) => group === 'breach')
        .map(({ points }) => points)
        .toSorted((a, b) => a - b),
    ).toEqual([12, 20]);
    feed = '<html>';
    clock.advance(61 * 60_000);
    await pollFeeds(context);
    expect((await listFeeds(database.db))[0]?.problem).toContain('no JSON');
    await feeds.remove(OWNER, made.id);
    expect(await listNotices(database.db, vendorId)).toHaveLength(2);
  });

  test('a compromised OAuth client with a grant here is a case and news, once for each grant', async () => {
    const grants: ClientGrant[] = [
      {
        clientId: 'bad-client',
        clientName: 'Drift',
        ref: 'c1:g1',
        text: 'Drift at Salesforce, given by Ann',
        connectionId: 'c1',
      },
    ];
    const findGrants = async () => grants;
    expect(await checkBadClients({ ...context, findGrants })).toBe(1);
    expect(await checkBadClients({ ...context, findGrants })).toBe(0);
    grants.push({ ...grants[0]!, ref: 'c1:g2' });
    expect(await checkBadClients({ ...context, findGrants })).toBe(1);
    expect((await listNews(database.db)).filter(({ kind }) => kind === 'client')).toHaveLength(2);
    expect(cases.at(-1)).toMatchObject({ vendor: 'Drift', severity: 'critical' });
  });

  test('a person names a compromised client, and takes it off again', async () => {
    const clients = createBadClientCommands({ db: database.db, clock });
    await clients.add(OWNER, { clientId: 'told-by-phone', reason: 'The vendor rang' });
    expect(await listBadClients(database.db)).toContainEqual(
      expect.objectContaining({ clientId: 'told-by-phone', reason: 'The vendor rang', told: [] }),
    );
    await clients.remove(OWNER, 'told-by-phone');
    await expect(clients.remove(OWNER, 'told-by-phone')).rejects.toThrow('no such client');
    await expect(clients.add(OWNER, { clientId: '', reason: 'x' })).rejects.toThrow(/clientId/);
  });

  test('by hand and as a CSAF document', async () => {
    const document = {
      csaf_version: '2.0',
      category: 'csaf_security_incident_response',
      title: 'Acme incident',
      publisher: { name: 'Acme', category: 'vendor', namespace: 'https://acme.example' },
      tracking: { id: 'ACME-2026-1', version: '1', initial_release_date: '2026-01-01T00:00:00Z' },
    };
    const content = JSON.stringify({ document });
    const id = await receiveVendorNotice(context, OWNER, vendorId, { form: 'csaf', content });
    expect(await receiveVendorNotice(context, OWNER, vendorId, { form: 'csaf', content })).toBe(id);
    const hand = { form: 'hand', title: 'They called', text: 'A laptop was lost.', severity: 'low' };
    await receiveVendorNotice(context, OWNER, vendorId, hand);
    await expect(receiveVendorNotice(context, DEVELOPER, vendorId, hand)).rejects.toThrow(/vendor.write/);
    expect((await listNotices(database.db, vendorId)).map(({ title }) => title)).toContain('They called');
  });
});

describe('the export', () => {
  test('is a PDF whose signature holds, by the same key each time, with the data in it', async () => {
    const first = verifyPdf((await exports.pdf(OWNER, vendorId)).bytes);
    const { name, bytes } = await exports.pdf(OWNER, vendorId);
    expect([name, verifyPdf(bytes).fingerprint]).toEqual(['Acme.pdf', first.fingerprint]);
    expect(await exports.certificate(OWNER)).toBe(first.certificate.toString());
    const document = await createFileReader().read(bytes);
    const text = document.kind === 'workbook' ? '' : document.pages.join('\n');
    for (const part of ['Vendor file: Acme', 'Score:', 'HTTPS-only: Yes', 'Tokens stolen', 'Breach notice: weaker']) {
      expect(text).toContain(part);
    }
    const target = { type: 'vendor', id: vendorId };
    expect((await readAudit(database.db, { target, limit: 3 })).map(({ action }) => action)).toContain(
      'vendor.exported',
    );
  });

  test('has the members and datatypes of OSCAL assessment results, and no others', async () => {
    const document: unknown = JSON.parse((await exports.oscal(OWNER, vendorId)).bytes.toString('utf8'));
    expect(assessmentResults.safeParse(document).error?.issues ?? []).toEqual([]);
  });

  test.skipIf(!existsSync(OSCAL_SCHEMA))('is OSCAL by the schema of NIST (skipped: schema absent)', async () => {
    const document: unknown = JSON.parse((await exports.oscal(OWNER, vendorId)).bytes.toString('utf8'));
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, unicodeRegExp: true });
    const validate = ajv.compile(JSON.parse(readFileSync(OSCAL_SCHEMA, 'utf8')) as object); // the schema's own file
    validate(document);
    expect(validate.errors ?? []).toEqual([]);
  });

  test('as OSCAL every reference leads somewhere', async () => {
    const text = (await exports.oscal(OWNER, vendorId)).bytes.toString('utf8');
    const defined = new Set([...text.matchAll(/"uuid": "([^"]+)"/g)].map(([, uuid]) => uuid));
    const named = [...text.matchAll(/"(?:subject|observation|risk)-uuid": "([^"]+)"/g)].map(([, uuid]) => uuid);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((uuid) => !defined.has(uuid))).toEqual([]);
  });
});
