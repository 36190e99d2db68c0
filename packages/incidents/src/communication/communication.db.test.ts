import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Actor, createSecretEnvelope, kernelMigrations, migrate, readAudit } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCaseCommands } from '../cases/case-commands.ts';
import { listEntries, listLinks, loadCase } from '../cases/case-store.ts';
import { createChannelCommands, sendMessages } from '../cases/message.ts';
import { incidentsMigrations } from '../tables.ts';
import { caseDuties, createDutyCommands, type DutyContext, warnOfDuties } from './case-duties.ts';
import { createContactCommands, escalate, isReachable, listContacts, testDueContacts } from './contact.ts';
import { loadDuties } from './duty.ts';
import { receiveNotice } from './notice.ts';
import { fieldsOf, loadTemplates, render } from './template.ts';

const CONTENT = join(dirname(fileURLToPath(import.meta.url)), '../../../../content');
const ADA: Actor = { kind: 'person', id: 'ada', name: 'Ada', roles: ['owner'] };
const EVE: Actor = { kind: 'person', id: 'eve', name: 'Eve', roles: ['auditor'] };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const clock = createFakeClock();
const envelope = createSecretEnvelope({ keys: [randomBytes(32)] });
const logger = createTestLogger();
let made: TestDatabase;
let duties: DutyContext;
const posts: string[] = [];

beforeAll(async () => {
  made = await createTestDatabase();
  await migrate(made.db, [kernelMigrations, incidentsMigrations]);
  duties = {
    db: made.db,
    clock,
    book: loadDuties(join(CONTENT, 'duties')),
    contractTerms: async () => [
      { id: 'contract:1', title: 'Acme', source: 'Contract, 7.2', recipient: 'Acme', hours: 24, owedBy: 'theirs' },
    ],
  };
  const channels = createChannelCommands({ db: made.db, clock, envelope });
  for (const name of ['incidents', 'second'])
    await channels.add(ADA, { kind: 'chat', name, url: `https://chat.example.com/${name}`, privateAddresses: [] });
});
afterAll(() => made.drop());

const send = () =>
  sendMessages({
    db: made.db,
    clock,
    logger,
    envelope,
    postJson: async (url, body) => {
      posts.push(`${url.pathname} ${body}`);
      return 200;
    },
    resolve: async () => '192.0.2.1',
  });
const openOne = (title: string) => createCaseCommands({ db: made.db, clock }).open(ADA, { title, severity: 'high' });

describe('duties of a case', () => {
  test('are judged from facts, count down, warn once before and once after, and keep who sent what', async () => {
    const commands = createDutyCommands(duties);
    await commands.setOrganisation(ADA, { facts: { controller: true, in_eu: true, processor: false }, moments: {} });
    const of = await openOne('Data leaked');
    const gdpr = async () => (await caseDuties(duties, of.id)).duties.find(({ duty }) => duty === 'gdpr-33');
    expect(await gdpr()).toMatchObject({ applies: null, open: ['personal_data', 'risk'] });
    await commands.setFacts(ADA, of.id, { facts: { personal_data: true, risk: true }, moments: {} });
    expect(await gdpr()).toMatchObject({ applies: true, dueAt: of.detectedAt + 72 * HOUR_MS, sent: null });
    expect(await warnOfDuties(duties)).toBe(0);
    clock.advance(60 * HOUR_MS);
    expect(await warnOfDuties(duties)).toBe(1);
    expect(await warnOfDuties(duties)).toBe(0);
    clock.advance(13 * HOUR_MS);
    expect(await warnOfDuties(duties)).toBe(1);
    await send();
    expect(posts.filter((one) => one.startsWith('/incidents')).map((one) => /Due soon|Overdue/.exec(one)?.[0])).toEqual(
      ['Due soon', 'Overdue'],
    );
    const place = { duty: 'gdpr-33', stage: 'notification' };
    await expect(commands.sent(EVE, of.id, place, { to: 'CNIL', reference: '', note: '' })).rejects.toThrow(
      /case.write/,
    );
    await commands.sent(ADA, of.id, place, { to: 'CNIL', reference: 'N-4711', note: 'by their portal' });
    expect(await gdpr()).toMatchObject({ sent: { by: 'Ada', detail: { to: 'CNIL', reference: 'N-4711' } } });
    expect((await loadCase(made.db, of.id)).notifiedAt).toBe(clock.now());
    await expect(commands.waive(ADA, of.id, place, 'no longer needed')).rejects.toThrow(/already/);
    const audit = await readAudit(made.db, { after: 0, limit: 500 });
    expect(audit.filter(({ action }) => action === 'duty.sent')).toHaveLength(1);
  });

  test('what a vendor owes us counts, and does not pass for what we sent', async () => {
    const of = await openOne('Vendor was late');
    const commands = createDutyCommands(duties);
    await commands.setFacts(ADA, of.id, { facts: { vendor_at_fault: true }, moments: {} });
    const found = (await caseDuties(duties, of.id)).duties.find(({ duty }) => duty === 'contract:1');
    expect(found).toMatchObject({ applies: true, owedBy: 'theirs', dueAt: of.detectedAt + 24 * HOUR_MS });
    await commands.sent(ADA, of.id, { duty: 'contract:1', stage: 'notice' }, { to: 'us', reference: '', note: '' });
    expect((await loadCase(made.db, of.id)).notifiedAt).toBeNull();
  });

  test('every duty names a template that is there, and it is filled in from the case', async () => {
    const templates = loadTemplates(join(CONTENT, 'messages'));
    const named = duties.book.duties.flatMap(({ stages }) => stages.flatMap(({ template }) => template ?? []));
    expect(named.filter((name) => !templates.some(({ id }) => id === name))).toEqual([]);
    const of = await openOne('Filled in');
    const { facts, links } = await caseDuties(duties, of.id);
    for (const template of templates) {
      const fields = fieldsOf({ of, links, facts, now: clock.now(), recipient: 'them' });
      const { subject, text } = render(template, fields);
      expect(`${subject}${text}`).not.toMatch(/\{\{|undefined/);
    }
  });
});

describe('contacts', () => {
  const context = { db: () => made.db };
  const setUp = () => {
    const contacts = {
      db: context.db(),
      clock,
      envelope,
      random: randomBytes,
      publicUrl: 'https://cordon.example.com',
    };
    return { contacts, commands: createContactCommands(contacts) };
  };

  test('a test goes step by step until somebody confirms by the link, and the confirmation is kept', async () => {
    const { contacts, commands } = setUp();
    const { id } = await commands.put(ADA, {
      kind: 'vendor',
      name: 'Acme security',
      about: 'Acme',
      steps: [
        { channel: 'incidents', waitMinutes: 30 },
        { channel: 'second', waitMinutes: 30 },
      ],
    });
    await expect(commands.put(ADA, { kind: 'app', name: 'No way', steps: [{ channel: 'absent' }] })).rejects.toThrow(
      /add it under Channels/,
    );
    posts.length = 0;
    await commands.test(ADA, id);
    await escalate(contacts);
    await escalate(contacts);
    await send();
    expect(posts.map((one) => one.split(' ', 1)[0])).toEqual(['/incidents']);
    clock.advance(31 * 60_000);
    await escalate(contacts);
    await send();
    expect(posts.map((one) => one.split(' ', 1)[0])).toEqual(['/incidents', '/second']);
    const token = /confirm#([\w-]+)/.exec(posts[1] ?? '')?.[1] ?? '';
    await expect(commands.confirm('x'.repeat(32), 'Mallory')).rejects.toThrow(/unknown or too old/);
    expect(await commands.confirm(token, 'Bob of Acme')).toEqual({ contact: 'Acme security' });
    const [found] = await listContacts(made.db);
    expect(found).toMatchObject({ confirmedBy: 'Bob of Acme', confirmedAt: clock.now() });
    expect(found && isReachable(found, clock.now())).toBe(true);
    expect(found && isReachable(found, clock.now() + 91 * DAY_MS)).toBe(false);
    clock.advance(DAY_MS);
    expect(await escalate(contacts)).toBe(0);
    await commands.put(ADA, { kind: 'vendor', name: 'Acme security', steps: [{ channel: 'second' }] }, id);
    expect((await listContacts(made.db))[0]).toMatchObject({ confirmedAt: null, confirmedBy: null });
  });

  test('reached from a case, both the question and who confirmed stand in its timeline', async () => {
    const { contacts, commands } = setUp();
    const steps = [{ channel: 'second' }];
    const { id } = await commands.put(ADA, { kind: 'vendor', name: 'Northwind', steps });
    const of = await openOne('Reached');
    posts.length = 0;
    await commands.reach(ADA, id, of.id, { subject: 'Which records?', text: 'Please name them.' });
    await escalate(contacts);
    await send();
    await commands.confirm(/confirm#([\w-]+)/.exec(posts[0] ?? '')?.[1] ?? '', 'Nora');
    const told = (await listEntries(made.db, of.id)).filter(({ kind }) => kind === 'message').map(({ text }) => text);
    expect(told).toEqual(
      expect.arrayContaining([
        'Northwind is asked to confirm: Which records?',
        'Nora confirmed for Northwind: Which records?',
      ]),
    );
  });

  test('is tested by itself when the last test is too long ago', async () => {
    const { contacts, commands } = setUp();
    await commands.put(ADA, { kind: 'regulator', name: 'CNIL', testDays: 30, steps: [{ channel: 'second' }] });
    const before = await testDueContacts(contacts, commands);
    clock.advance(30 * DAY_MS);
    expect(await testDueContacts(contacts, commands)).toBeGreaterThan(before);
    expect((await listContacts(made.db)).find(({ name }) => name === 'CNIL')?.testedAt).toBe(clock.now());
  });
});

const CSAF = JSON.stringify({
  document: {
    category: 'csaf_security_advisory',
    csaf_version: '2.0',
    title: 'Token theft in Acme Sync',
    publisher: { category: 'vendor', name: 'Acme', namespace: 'https://acme.example' },
    tracking: { id: 'ACME-2026-1', initial_release_date: '2025-12-30T10:00:00Z' },
    notes: [{ category: 'summary', text: 'Refresh tokens were taken.' }],
  },
  vulnerabilities: [{ cve: 'CVE-2026-0001', scores: [{ cvss_v3: { baseScore: 9.1 } }] }],
});

describe('a vendor’s notice', () => {
  const receive = (input: Parameters<typeof receiveNotice>[2]) =>
    receiveNotice(
      {
        db: made.db,
        clock,
        envelope,
        blastRadius: async (vendor) => ({
          vendor: { ref: vendor, name: vendor, isKnown: vendor === 'Acme' },
          links: [
            { kind: 'app', ref: 'a1', name: 'acme-crm' },
            { kind: 'integration', ref: 'i1', name: 'sync' },
          ],
        }),
      },
      ADA,
      input,
    );

  test.each([
    [
      'a mail',
      {
        form: 'mail',
        content:
          'From: Acme Security <psirt@acme.example>\r\nSubject: Unauthorized\r\n access to tokens\r\nDate: Tue, 30 Dec 2025 10:00:00 +0000\r\nMessage-ID: <1@acme.example>\r\n\r\nPlease rotate.',
      },
      { title: 'acme.example: Unauthorized access to tokens', severity: 'high' },
    ],
    [
      'a forwarded text',
      { form: 'mail', content: 'We had ransomware.', vendor: 'Acme' },
      { title: 'Acme: We had ransomware.', severity: 'critical' },
    ],
    [
      'a form',
      { form: 'form', vendor: 'Acme', title: 'Leak', text: 'All of it', severity: 'medium', reference: '' },
      { title: 'Acme: Leak', severity: 'medium' },
    ],
    [
      'a CSAF document',
      { form: 'csaf', content: CSAF },
      { title: 'Acme: Token theft in Acme Sync', severity: 'critical' },
    ],
  ] as const)('%s opens one case with what the vendor reaches', async (_name, input, expected) => {
    const first = await receive(input);
    expect(first.isNew).toBe(true);
    expect((await receive(input)).caseId).toBe(first.caseId);
    expect(await loadCase(made.db, first.caseId)).toMatchObject({ ...expected, origin: 'vendor-notice' });
    const links = await listLinks(made.db, first.caseId);
    expect(links.map(({ kind }) => kind).sort()).toEqual(['app', 'integration', 'vendor']);
    const entries = await listEntries(made.db, first.caseId);
    expect(entries.some(({ text }) => text.includes('1 apps and 1 integrations'))).toBe(true);
  });

  test.each([
    ['a mail from nobody', { form: 'mail', content: 'hello' }, /name the vendor/],
    ['no JSON', { form: 'csaf', content: '<xml/>' }, /not JSON/],
    ['CSAF 1.2', { form: 'csaf', content: CSAF.replace('"2.0"', '"1.2"') }, /no CSAF 2.0/],
  ] as const)('%s is refused with a reason', async (_name, input, why) => {
    await expect(receive(input)).rejects.toThrow(why);
  });
});
