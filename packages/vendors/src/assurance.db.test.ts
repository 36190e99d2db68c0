import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { AccessDenied, createSecretEnvelope, kernelMigrations, migrate, readAudit, verifyAudit } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Assurance, createAssurance } from './assurance.ts';
import { listRuns } from './attestation/audit-store.ts';
import { attestationFacts, type Attestation } from './attestation/attestation.ts';
import { listAttestations } from './attestation/attestation-store.ts';
import { listWarnings, warnOwners } from './attestation/assurance-warnings.ts';
import { loadChecklists } from './attestation/checklist.ts';
import { loadAttestationKinds } from './attestation/kind.ts';
import type { EstatePort } from './context.ts';
import { loadClauses } from './contract/clause.ts';
import { FileRefused, InputInvalid, LinkInvalid, NotFound, PortalSessionEnded, StateConflict } from './errors.ts';
import { createFileReader } from './files/file-reader.ts';
import { makePdf } from './files/made-files.ts';
import { sendQueued } from './mail/mail-queue.ts';
import { listEntries } from './pentest/finding-entry.ts';
import { listFindings, loadFinding } from './pentest/finding-store.ts';
import { loadSeverityPolicy } from './pentest/severity-policy.ts';
import { listFindingLinks } from './portal/link.ts';
import { loadForms } from './questionnaire/form.ts';
import { openFile } from './register/file-store.ts';
import { tablesOf } from './tables.ts';
import { createVendors, type Vendors, vendorsMigrations } from './vendors.ts';

const OWNER = { kind: 'person', id: '018f0000-0000-7000-8000-000000000001', name: 'Ada', roles: ['owner'] } as const;
const AUDITOR = { ...OWNER, name: 'Ann', roles: ['auditor'] } as const;
const INTEGRATION = '018f0000-0000-7000-8000-0000000000b1';
const DAY_MS = 86_400_000;
const CONTENT = fileURLToPath(new URL('../../../content/', import.meta.url));
const KINDS = loadAttestationKinds(CONTENT);

let database: TestDatabase;
let vendors: Vendors;
let assurance: Assurance;
let vendorId = '';
let otherId = '';
const clock = createFakeClock(Date.UTC(2026, 0, 15));
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] });
const estate: EstatePort = { listApps: async () => [], cutOff: async () => [], stillReach: async () => [] };
let sent: { to: string; subject: string; text: string }[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.db, [kernelMigrations, vendorsMigrations]);
  const context = {
    db: database.db,
    clock,
    envelope,
    random: randomBytes,
    files: createFileReader(),
    clauses: loadClauses(CONTENT),
    forms: loadForms(CONTENT),
    estate,
    publicUrl: 'https://cordon.example',
  };
  vendors = createVendors(context);
  assurance = createAssurance({
    ...context,
    kinds: KINDS,
    checklists: loadChecklists(CONTENT),
    severityPolicy: loadSeverityPolicy(CONTENT),
    integrationName: async (id) => (id === INTEGRATION ? 'sync' : null),
  });
  vendorId = (await vendors.register.create(OWNER, { name: 'Acme Cloud', owner: 'ada@example.com' })).id;
  otherId = (await vendors.register.create(OWNER, { name: 'Other', owner: 'Bob' })).id;
});
afterAll(async () => {
  await verifyAudit(database.db);
  await database.drop();
});

const post = async () => {
  sent = [];
  const send = async (mail: { to: string; subject: string; text: string }) => {
    sent.push(mail);
  };
  while ((await sendQueued(database.db, { envelope, now: clock.now(), send })) > 0);
  return sent;
};
const warn = () =>
  warnOwners(database.db, {
    envelope,
    now: clock.now(),
    kinds: KINDS,
    publicUrl: 'https://cordon.example',
    addressOfOwner: async (owner) => (owner === 'Bob' ? 'bob@example.com' : null),
  });
const pdf = (name: string, text: string) => ({ name, bytes: makePdf(text) });
const soc2 = (from: string, until: string): string =>
  `SOC 2 Type II Report\n\nFor the period ${from} to ${until}\n\nIndependent Service Auditor's Report\n\nWe have examined the description of the Acme Cloud Platform system and controls relevant to security and availability.\n\nIn our opinion, in all material respects, the controls operated effectively.\n\nHartley & Moss LLP\n`;
const proposed = (attestation: Attestation) =>
  attestationFacts.parse(Object.fromEntries(attestation.reading.proposals.map(({ fact, value }) => [fact, value])));

describe('attestations', () => {
  test('a report is read with its passages, corrected and confirmed by a person; only then it counts', async () => {
    const made = await assurance.attestations.add(
      OWNER,
      vendorId,
      pdf('soc2-2024.pdf', soc2('January 1, 2024', 'December 31, 2024')),
    );
    expect(made).toMatchObject({ kind: 'soc2-type2', state: 'proposed', facts: null, validUntil: null });
    const period = made.reading.proposals.find(({ fact }) => fact === 'periodEnd');
    expect(period).toMatchObject({
      value: '2024-12-31',
      passages: [{ page: 1, text: expect.stringContaining('For the period January 1, 2024 to December 31, 2024') }],
    });
    const facts = { ...proposed(made), level: 'security' };
    const done = await assurance.attestations.confirm(OWNER, made.id, { kind: 'soc2-type2', facts });
    expect(done).toMatchObject({
      state: 'confirmed',
      validFrom: '2024-01-01',
      validUntil: '2025-12-31',
      decidedBy: 'Ada',
    });
    const trail = await readAudit(database.db, { limit: 5 });
    expect(JSON.stringify(trail)).toContain('"corrected":["level"]');
  });

  test('what a kind needs must be given, and an auditor only reads', async () => {
    const made = await assurance.attestations.add(OWNER, otherId, {
      name: 'iso.txt',
      bytes: Buffer.from('Certificate of ISO/IEC 27001:2022 for Other, number to follow, by somebody.'),
    });
    expect(made.kind).toBe('iso-27001');
    const empty = attestationFacts.parse({});
    await expect(assurance.attestations.confirm(OWNER, made.id, { kind: 'iso-27001', facts: empty })).rejects.toThrow(
      /needs: scope, certificate, auditor, expiresOn/,
    );
    await expect(assurance.attestations.confirm(AUDITOR, made.id, { kind: 'iso-27001', facts: empty })).rejects.toThrow(
      /needs|not allowed/i,
    );
    await expect(assurance.attestations.reject(AUDITOR, made.id, 'not theirs')).rejects.toThrow(AccessDenied);
    expect(await assurance.attestations.readAs(OWNER, made.id, 'fedramp')).toMatchObject({
      kind: 'fedramp',
      state: 'proposed',
    });
    expect(await assurance.attestations.reject(OWNER, made.id, 'not theirs')).toMatchObject({
      state: 'rejected',
      facts: null,
    });
    await expect(assurance.attestations.readAs(OWNER, made.id, 'c5')).rejects.toThrow(StateConflict);
  });

  test.each([
    ['starts a program', makePdf('SOC 2', '/OpenAction << /S /Launch /F (cmd.exe) >>'), 'vendors.file_active_content'],
    [
      'runs a script',
      makePdf('SOC 2', '/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>'),
      'vendors.file_active_content',
    ],
    ['is none', Buffer.from('%PDF-1.7 broken'), 'vendors.file_broken'],
  ])('a PDF that %s is refused and nothing is kept', async (_, bytes, code) => {
    const before = (await listAttestations(database.db)).length;
    const failed = assurance.attestations.add(OWNER, vendorId, { name: 'report.pdf', bytes });
    await expect(failed).rejects.toThrow(FileRefused);
    await expect(failed).rejects.toMatchObject({ code });
    expect(await listAttestations(database.db)).toHaveLength(before);
  });

  test('a scan is kept, says that it holds no text, and is filled by hand', async () => {
    const made = await assurance.attestations.add(
      OWNER,
      otherId,
      { name: 'scan.pdf', bytes: makePdf(' ') },
      'soc2-type1',
    );
    expect(made).toMatchObject({
      kind: 'soc2-type1',
      reading: { proposals: [], remarks: [expect.stringContaining('no text')] },
    });
    const facts = attestationFacts.parse({ scope: 'Other', asOf: '2025-12-01', auditor: 'X', opinion: 'unqualified' });
    expect(await assurance.attestations.confirm(OWNER, made.id, { kind: 'soc2-type1', facts })).toMatchObject({
      validUntil: '2026-11-30',
    });
  });

  test('a gap between two reports is told to the owner once, and a bridge letter ends it', async () => {
    const made = await assurance.attestations.add(
      OWNER,
      vendorId,
      pdf('soc2-2025.pdf', soc2('March 1, 2025', 'December 31, 2025')),
    );
    await assurance.attestations.confirm(OWNER, made.id, { kind: 'soc2-type2', facts: proposed(made) });
    expect(await warn()).toBe(1);
    expect(await warn()).toBe(0);
    const [mail] = await post();
    expect(mail).toMatchObject({
      to: 'ada@example.com',
      text: expect.stringContaining('covers 2025-01-01 to 2025-02-28 (59 days)'),
    });
    const [warning] = await listWarnings(database.db, vendorId);
    expect(warning).toMatchObject({ topic: `attestation:${made.id}:gap:2025-01-01`, mailedTo: 'ada@example.com' });
    const letter = pdf(
      'bridge.pdf',
      'Bridge letter\n\nThis letter covers the period from January 1, 2025 to February 28, 2025. No material changes occurred.',
    );
    const bridge = await assurance.attestations.add(OWNER, vendorId, letter);
    expect(bridge.kind).toBe('bridge-letter');
    await assurance.attestations.confirm(OWNER, bridge.id, { kind: 'bridge-letter', facts: proposed(bridge) });
    clock.advance(DAY_MS);
    expect(await warn()).toBe(0);
  });

  test('the file is sealed, and comes back as it was given', async () => {
    const [one] = await listAttestations(database.db, vendorId);
    const row = await tablesOf(database.db)
      .selectFrom('vendor_files')
      .selectAll()
      .where('id', '=', one?.fileId ?? '')
      .executeTakeFirstOrThrow();
    expect(row.sealed).toMatch(/^cse1\./);
    const { bytes } = await openFile(database.db, envelope, vendorId, row.id);
    expect(Buffer.from(bytes).subarray(0, 5).toString()).toBe('%PDF-');
  });
});

describe('own audits', () => {
  test('an occurrence ends in findings and makes the next one', async () => {
    const plan = { checklist: 'integration-review', owner: 'ada@example.com', firstDueOn: '2026-01-20' };
    const audit = await assurance.audits.plan(OWNER, vendorId, plan);
    await expect(assurance.audits.plan(OWNER, vendorId, { ...plan, checklist: 'none' })).rejects.toThrow(InputInvalid);
    const [run] = await listRuns(database.db, [audit.id]);
    const runId = run?.id ?? '';
    await expect(assurance.audits.attach(OWNER, runId, 'purpose', pdf('a.pdf', 'proof'))).rejects.toThrow(
      StateConflict,
    );
    for (const { id } of audit.checklist.items) {
      const outcome = id === 'credentials' ? ('fail' as const) : ('pass' as const);
      await assurance.audits.record(OWNER, runId, id, { outcome, note: `looked at ${id}` });
    }
    await assurance.audits.attach(OWNER, runId, 'purpose', pdf('a.pdf', 'proof of purpose'));
    const done = await assurance.audits.complete(OWNER, runId);
    expect(done).toMatchObject({ nextDueOn: '2026-07-20', findings: [expect.any(String)] });
    const finding = await loadFinding(database.db, done.findings[0] ?? '');
    expect(finding).toMatchObject({
      severity: 'high',
      side: 'own',
      owner: 'ada@example.com',
      state: 'open',
      dueOn: '2026-02-15',
      auditRunId: runId,
    });
    await expect(assurance.audits.complete(OWNER, runId)).rejects.toThrow(StateConflict);
    expect((await listRuns(database.db, [audit.id])).map(({ dueOn, doneAt }) => [dueOn, doneAt === null])).toEqual([
      ['2026-07-20', true],
      ['2026-01-20', false],
    ]);
  });

  test('an occurrence that nothing made is made by the worker, once', async () => {
    const audit = await assurance.audits.plan(OWNER, otherId, {
      checklist: 'vendor-yearly',
      owner: 'Bob',
      firstDueOn: '2023-06-30',
      everyMonths: 12,
    });
    const [run] = await listRuns(database.db, [audit.id]);
    await tablesOf(database.db)
      .withTables<{ vendor_audit_runs: { id: string; done_at: Date | null } }>()
      .updateTable('vendor_audit_runs')
      .set({ done_at: new Date(clock.now()) })
      .where('id', '=', run?.id ?? '')
      .execute();
    await warn();
    await warn();
    expect((await listRuns(database.db, [audit.id])).map(({ dueOn }) => dueOn)).toEqual(['2026-06-30', '2023-06-30']);
    await assurance.audits.end(OWNER, audit.id);
    await expect(assurance.audits.end(OWNER, audit.id)).rejects.toThrow(StateConflict);
  });
});

const CSV = 'ID,Title,Severity,CVSS\nF-1,SQL injection in search,Critical,9.8\nF-2,Old cipher,Low,\n';

describe('penetration tests', () => {
  let findingId = '';
  let token = '';
  const session = async (): Promise<string> => {
    clock.advance(60_000);
    await vendors.portal.sendCode(token);
    const mail = (await post()).find(({ to }) => to === 'vera@vendor.example');
    return (await vendors.portal.enter(token, /\b\d{6}\b/.exec(mail?.text ?? '')?.[0] ?? '')).session;
  };

  test('findings come from a table by mapping, with dates by the policy', async () => {
    const upload = { name: 'findings.csv', bytes: Buffer.from(CSV) };
    const { sheets } = await assurance.pentests.outline(OWNER, upload);
    const mapping = { sheet: sheets[0]?.sheet, ...sheets[0]?.proposal };
    const input = { title: 'Yearly test', tester: 'Kestrel', testedUntil: '2026-01-10', mapping };
    const { pentest, added, problems } = await assurance.pentests.add(OWNER, vendorId, input, upload);
    expect([added, problems]).toEqual([2, []]);
    const [first, second] = await listFindings(database.db, { pentestId: pentest.id });
    expect(first).toMatchObject({
      severity: 'critical',
      dueOn: '2026-01-17',
      foundOn: '2026-01-10',
      side: 'vendor',
      cvssScore: 9.8,
    });
    expect(second).toMatchObject({ severity: 'low', dueOn: '2026-07-09' });
    findingId = first?.id ?? '';
  });

  test('an own test names its integration', async () => {
    const input = { title: 'Our test of sync', kind: 'own' as const, integrationId: INTEGRATION };
    await expect(assurance.pentests.add(OWNER, vendorId, { ...input, integrationId: null }, null)).rejects.toThrow(
      InputInvalid,
    );
    await expect(assurance.pentests.add(OWNER, vendorId, { ...input, integrationId: OWNER.id }, null)).rejects.toThrow(
      NotFound,
    );
    const { pentest } = await assurance.pentests.add(OWNER, vendorId, input, null);
    const id = await assurance.pentests.addFinding(OWNER, pentest.id, { title: 'Token in a log', severity: 'high' });
    expect(await loadFinding(database.db, id)).toMatchObject({ side: 'own', state: 'open' });
  });

  test('a finding closes only on evidence, and an acceptance ends', async () => {
    const move = (to: string, more = {}) =>
      assurance.findings.move(OWNER, findingId, { to, note: 'because of this', ...more });
    await expect(move('closed')).rejects.toThrow(/closes on evidence/);
    await expect(move('accepted')).rejects.toThrow(InputInvalid);
    await expect(move('accepted', { until: '2028-01-01' })).rejects.toThrow(InputInvalid);
    expect(await move('accepted', { until: '2026-01-18' })).toMatchObject({
      state: 'accepted',
      acceptedUntil: '2026-01-18',
    });
    clock.advance(4 * DAY_MS);
    await warn();
    expect(await loadFinding(database.db, findingId)).toMatchObject({ state: 'open', acceptedUntil: null });
    await expect(move('open')).rejects.toThrow(StateConflict);
  });

  test('the vendor sees its own open findings only, answers and attaches evidence', async () => {
    await assurance.findingPortal.invite(OWNER, vendorId, { email: 'vera@vendor.example' });
    token = /#([\w-]{43})/.exec((await post()).find(({ to }) => to === 'vera@vendor.example')?.text ?? '')?.[1] ?? '';
    expect(await vendors.portal.look(token)).toMatchObject({ title: 'Acme Cloud', leadsTo: 'findings' });
    const vera = await session();
    await assurance.findings.remark(OWNER, findingId, { text: 'internal: we doubt it' });
    await assurance.findings.remark(OWNER, findingId, { text: 'please hurry', isShared: true });
    const seen = await assurance.findingPortal.read(vera);
    expect(seen.findings.map(({ title }) => title)).toEqual(['SQL injection in search', 'Old cipher']);
    expect(JSON.stringify(seen)).not.toMatch(/internal|Token in a log|Ada|ada@/);
    expect(seen.findings[0]?.entries).toMatchObject([{ author: null, text: 'please hurry' }]);
    await assurance.findingPortal.attach(vera, findingId, pdf('fix.pdf', 'The fix is released.'));
    await assurance.findingPortal.reply(vera, findingId, { text: 'Fixed in 4.2', isFixed: true });
    expect(await loadFinding(database.db, findingId)).toMatchObject({ state: 'fixed' });
    await expect(vendors.portal.read(vera)).rejects.toThrow(NotFound);
    const [own] = (await listFindings(database.db, { vendorId })).filter(({ side }) => side === 'own');
    await expect(assurance.findingPortal.reply(vera, own?.id ?? '', { text: 'x' })).rejects.toThrow(NotFound);
    await expect(assurance.findingPortal.attach(vera, own?.id ?? '', pdf('x.pdf', 'x'))).rejects.toThrow(NotFound);
  });

  test('the owner has it tested again and closes it; reopened, it needs new evidence', async () => {
    const move = (to: string) => assurance.findings.move(OWNER, findingId, { to, note: 'because of this' });
    await move('retest');
    expect(await move('closed')).toMatchObject({ state: 'closed', closedAt: clock.now() });
    expect(await move('open')).toMatchObject({ state: 'open', closedAt: null });
    await expect(move('closed')).rejects.toThrow(/closes on evidence/);
    await assurance.findings.attach(OWNER, findingId, pdf('retest.pdf', 'It is gone.'));
    expect(await move('closed')).toMatchObject({ state: 'closed' });
    const entries = await listEntries(database.db, [findingId]);
    expect(entries.filter(({ fileName }) => fileName !== null).map(({ side, fileName }) => [side, fileName])).toEqual([
      ['vendor', 'fix.pdf'],
      ['own', 'retest.pdf'],
    ]);
  });

  test('what is overdue is told to its owner and to the vendor by its link', async () => {
    clock.advance(20 * DAY_MS);
    const { items } = { items: await listFindings(database.db, { vendorId, states: ['open'] }) };
    const low = items.find(({ title }) => title === 'Old cipher');
    await assurance.findings.change(OWNER, low?.id ?? '', { dueOn: '2026-02-01', note: 'agreed with them' });
    expect(await warn()).toBeGreaterThan(0);
    const mails = await post();
    expect(mails.filter(({ to }) => to === 'vera@vendor.example').map(({ text }) => text)).toEqual([
      expect.stringContaining(`#${token}`),
    ]);
    expect(
      mails.find(({ to, text }) => to === 'ada@example.com' && text.includes('Overdue since 2026-02-01: Old cipher')),
    ).toBeDefined();
    await warn();
    expect((await post()).filter(({ text }) => text.includes('Old cipher'))).toEqual([]);
  });

  test('revoked and expired links open nothing, and end the sessions they gave', async () => {
    const vera = await session();
    const [link] = await listFindingLinks(database.db, vendorId);
    await expect(assurance.findingPortal.revoke(OWNER, otherId, link?.id ?? '')).rejects.toThrow(NotFound);
    await assurance.findingPortal.revoke(OWNER, vendorId, link?.id ?? '');
    await expect(assurance.findingPortal.read(vera)).rejects.toThrow(LinkInvalid);
    await expect(vendors.portal.look(token)).rejects.toThrow(LinkInvalid);
    await expect(assurance.findingPortal.read('guessed')).rejects.toThrow(PortalSessionEnded);
  });

  test('the policy can be set, and counts for findings from then on', async () => {
    const policy = { critical: 3, high: 10, medium: 20, low: null, info: null };
    await expect(assurance.findings.setPolicy(OWNER, { ...policy, critical: 0 })).rejects.toThrow(InputInvalid);
    expect(await assurance.findings.setPolicy(OWNER, policy)).toEqual(policy);
    const { pentest } = await assurance.pentests.add(
      OWNER,
      otherId,
      {
        title: 'Letter',
        kind: 'letter' as const,
        testedUntil: '2026-02-01',
        findings: [{ title: 'Weak', severity: 'high' as const }],
      },
      null,
    );
    expect(await listFindings(database.db, { pentestId: pentest.id })).toMatchObject([{ dueOn: '2026-02-11' }]);
  });
});
