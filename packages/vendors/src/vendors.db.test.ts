import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { AccessDenied, createSecretEnvelope, kernelMigrations, migrate, readAudit, verifyAudit } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EstatePort } from './context.ts';
import { loadClauses } from './contract/clause.ts';
import { listContractClocks } from './contract/contract-commands.ts';
import {
  CodeWrong,
  FileRefused,
  InputInvalid,
  LinkInvalid,
  NameTaken,
  NotFound,
  PortalSessionEnded,
  StateConflict,
  TooManyAttempts,
} from './errors.ts';
import { createFileReader } from './files/file-reader.ts';
import { makeDocx, makePdf } from './files/made-files.ts';
import { sendQueued } from './mail/mail-queue.ts';
import { type MailServer, startMailServer } from './mail/made-mail-server.ts';
import { createSmtpSender } from './mail/smtp-sender.ts';
import { loadForms } from './questionnaire/form.ts';
import { importQuestionnaire } from './questionnaire/import.ts';
import { makeCaiq } from './questionnaire/made-caiq.ts';
import { remindVendors } from './questionnaire/reminders.ts';
import { openFile } from './register/file-store.ts';
import { concentrate } from './register/fourth-parties.ts';
import { listDependences, listSubprocessors, listTasks, listVendors } from './register/vendor-store.ts';
import { rewrapVendorSecrets } from './rewrap.ts';
import { tablesOf } from './tables.ts';
import { createVendors, type Vendors, vendorsMigrations } from './vendors.ts';

const OWNER = { kind: 'person', id: '018f0000-0000-7000-8000-000000000001', name: 'Ada', roles: ['owner'] } as const;
const DEVELOPER = { ...OWNER, name: 'Dev', roles: ['developer'] } as const;
const APPS = ['018f0000-0000-7000-8000-0000000000a1', '018f0000-0000-7000-8000-0000000000a2'] as const;
const DAY_MS = 86_400_000;
const CONTENT = fileURLToPath(new URL('../../../content/', import.meta.url));

let database: TestDatabase;
let vendors: Vendors;
let mail: MailServer;
const clock = createFakeClock();
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] });
const cut: string[] = [];
const estate: EstatePort = {
  listApps: async () => [
    { id: APPS[0], name: 'github', title: 'GitHub', host: 'api.github.com' },
    { id: APPS[1], name: 'github-eu', title: 'GitHub', host: 'api.eu.github.com' },
  ],
  cutOff: async (_actor, appIds, reason) => {
    cut.push(reason);
    return appIds.map((id) => ({ integrationId: id, name: 'sync', scope: 'integration' as const, cutOffId: id }));
  },
  stillReach: async () => [],
};

beforeAll(async () => {
  database = await createTestDatabase();
  mail = await startMailServer();
  await migrate(database.db, [kernelMigrations, vendorsMigrations]);
  vendors = createVendors({
    db: database.db,
    clock,
    envelope,
    random: randomBytes,
    files: createFileReader(),
    clauses: loadClauses(CONTENT),
    forms: loadForms(CONTENT),
    estate,
    publicUrl: 'https://cordon.example',
  });
});
afterAll(async () => {
  await verifyAudit(database.db);
  await mail.stop();
  await database.drop();
});

const post = () => {
  const send = createSmtpSender({ url: mail.url, from: 'Cordon <cordon@example.com>' });
  return sendQueued(database.db, { envelope, now: clock.now(), send });
};
const upload = (name: string, bytes: Uint8Array | string) => ({
  name,
  bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
});
const tokenOf = (text: string): string => /#([\w-]{43})/.exec(text)?.[1] ?? '';

async function enter(token: string, address: string): Promise<string> {
  clock.advance(60_000);
  await vendors.portal.sendCode(token);
  await post();
  const code = /\b\d{6}\b/.exec((await mail.take(address)).text)?.[0] ?? '';
  return (await vendors.portal.enter(token, code)).session;
}

describe('the register', () => {
  test('apps become vendors, one for the apps of one maker', async () => {
    expect(await vendors.register.adoptApps(OWNER)).toEqual({ created: 1, linked: 0 });
    expect(await vendors.register.adoptApps(OWNER)).toEqual({ created: 0, linked: 0 });
    expect(await listVendors(database.db)).toMatchObject([{ name: 'GitHub', stage: 'intake', appIds: [...APPS] }]);
    expect(await vendors.register.importList(OWNER, [{ name: 'github' }, { name: 'Acme', tier: 'high' }])).toEqual({
      created: 1,
      existing: ['github'],
    });
    await expect(vendors.register.create(OWNER, { name: 'ACME' })).rejects.toThrow(NameTaken);
    await expect(vendors.register.create(DEVELOPER, { name: 'Other' })).rejects.toThrow(AccessDenied);
    await expect(vendors.register.create(OWNER, { name: '' })).rejects.toThrow(InputInvalid);
  });

  test.each([
    ['csv', 'Sub-processor,Location,Purpose\n"Amazon Web Services, Inc.",USA,Hosting\nTwilio Ltd.,Ireland,Messages\n'],
    [
      'markdown',
      '| Entity Name | Country | Service |\n| --- | --- | --- |\n| Amazon Web Services | USA | Hosting |\n| Twilio | Ireland | Messages |\n',
    ],
    [
      'a page',
      '<table><tr><th>Subprocessor</th><th>Location</th><th>Activities</th></tr><tr><td><b>Amazon Web Services, Inc.</b></td><td>USA</td><td>Hosting</td></tr><tr><td>Twilio&nbsp;Ltd</td><td>Ireland</td><td>Messages</td></tr></table>',
    ],
  ])('subprocessors are read from %s', async (_, text) => {
    const [vendor] = await listVendors(database.db);
    await vendors.register.setSubprocessors(OWNER, vendor?.id ?? '', upload('list.csv', text));
    expect(await listSubprocessors(database.db, vendor?.id ?? '')).toMatchObject([
      { key: 'amazon-web-services', country: 'USA', purpose: 'Hosting' },
      { key: 'twilio', country: 'Ireland', purpose: 'Messages' },
    ]);
  });

  test('fourth parties are concentrated over vendors', async () => {
    const github = (await listVendors(database.db)).find(({ name }) => name === 'GitHub');
    await vendors.register.setSubprocessors(
      OWNER,
      github?.id ?? '',
      upload('list.txt', 'Amazon Web Services - hosting\nOther GmbH'),
    );
    const graph = concentrate(await listDependences(database.db));
    expect(graph[0]).toMatchObject({ key: 'amazon-web-services', concentration: 1 });
    expect(graph[0]?.vendors).toHaveLength(2);
    expect(graph.find(({ key }) => key === 'twilio')?.concentration).toBe(0.5);
  });

  test('a vendor goes through its stages, and offboarding cuts it off and ends with the last task', async () => {
    const vendor = await vendors.register.create(OWNER, { name: 'Leaving', appIds: [APPS[1]] });
    await expect(vendors.register.moveTo(OWNER, vendor.id, 'monitoring', 'too fast')).rejects.toThrow(StateConflict);
    expect(await vendors.register.moveTo(OWNER, vendor.id, 'assessment', 'we begin')).toMatchObject({
      stage: 'assessment',
    });
    await vendors.register.setSecurityTxt(
      OWNER,
      vendor.id,
      '# hi\nContact: mailto:security@example.com\nExpires: 2027-01-01T00:00:00Z\n',
    );
    const { proofs } = await vendors.register.offboard(OWNER, vendor.id, 'contract ended');
    expect([proofs.length, cut]).toEqual([1, ['vendor Leaving offboarded: contract ended']]);
    const tasks = await listTasks(database.db, vendor.id);
    expect(tasks.map(({ kind, doneAt }) => [kind, doneAt !== null])).toEqual([
      ['cut_off', true],
      ['return', false],
      ['deletion', false],
      ['certificate', false],
      ['accounts', false],
    ]);
    let stage = '';
    for (const { id, kind } of tasks)
      if (kind !== 'cut_off') ({ stage } = await vendors.register.finishTask(OWNER, vendor.id, id, 'seen it'));
    expect(stage).toBe('ended');
    const target = { type: 'vendor', id: vendor.id };
    expect((await readAudit(database.db, { target, limit: 20 })).map(({ action }) => action)).toContain(
      'vendor.cut_off',
    );
  });

  test('files are sealed and hashed; hostile ones are not kept', async () => {
    const [acme] = await listVendors(database.db);
    const bytes = makePdf('Our policy.');
    const { id, sha256 } = await vendors.register.addFile(OWNER, acme?.id ?? '', upload('../../etc/pa"ss.pdf', bytes));
    const row = await tablesOf(database.db)
      .selectFrom('vendor_files')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    expect([row.name, row.sha256, row.sealed.includes('PDF')]).toEqual(['pa_ss.pdf', sha256, false]);
    expect((await openFile(database.db, envelope, acme?.id ?? '', id)).bytes).toEqual(Buffer.from(bytes));
    await expect(openFile(database.db, envelope, '018f0000-0000-7000-8000-000000000000', id)).rejects.toThrow(NotFound);
    const macros = makeDocx('x', { 'word/vbaProject.bin': 'x' });
    await expect(vendors.register.addFile(OWNER, acme?.id ?? '', upload('x.docx', macros))).rejects.toThrow(
      FileRefused,
    );
  });
});

describe('questionnaires', () => {
  const form = {
    title: 'Own',
    sections: [
      {
        title: 'One',
        questions: [
          { id: 'q1', text: 'Do you store card data in your systems?', kind: 'yes-no-na' },
          { id: 'q2', text: 'How is card data protected?', kind: 'text', showIf: { question: 'q1', is: ['Yes'] } },
          { id: 'q3', text: 'Which regions host the service?', kind: 'choices', options: ['EU', 'US'] },
        ],
      },
    ],
  };
  let id = '';
  let vendorId = '';
  let token = '';

  test('a link is mailed; guessed ones find nothing; the code is needed and wears out', async () => {
    vendorId = (await listVendors(database.db)).find(({ name }) => name === 'Acme')?.id ?? '';
    id = (await vendors.questionnaires.createOwn(OWNER, vendorId, form)).id;
    const sent = await vendors.questionnaires.send(OWNER, id, {
      email: 'vera@vendor.example',
      language: 'de',
      dueAt: clock.now() + 5 * DAY_MS,
    });
    expect(await post()).toBe(1);
    const message = await mail.take('vera@vendor.example');
    expect(message.text).toContain('Konto');
    token = tokenOf(message.text);
    expect(sent.url).toBe(`https://cordon.example/portal#${token}`);
    expect(await vendors.portal.look(token)).toMatchObject({
      title: 'Own',
      email: 'v***@vendor.example',
      language: 'de',
    });
    for (const guess of [randomBytes(32).toString('base64url'), '', 'x', null, `${token}a`]) {
      await expect(vendors.portal.look(guess)).rejects.toThrow(LinkInvalid);
    }
    await vendors.portal.sendCode(token);
    await expect(vendors.portal.sendCode(token)).rejects.toThrow(TooManyAttempts);
    await post();
    const right = /\b\d{6}\b/.exec((await mail.take('vera@vendor.example')).text)?.[0] ?? '';
    const wrong = right === '000000' ? '000001' : '000000';
    for (let attempt = 0; attempt < 5; attempt += 1)
      await expect(vendors.portal.enter(token, wrong)).rejects.toThrow(CodeWrong);
    await expect(vendors.portal.enter(token, right)).rejects.toThrow(CodeWrong);
  });

  test('answers branch, are kept, delegated, and submitted when complete', async () => {
    const session = await enter(token, 'vera@vendor.example');
    await expect(vendors.portal.read('nonsense')).rejects.toThrow(PortalSessionEnded);
    expect((await vendors.portal.read(session)).visible).toEqual(['q1', 'q3']);
    expect((await vendors.portal.answer(session, 'q1', { answer: 'Yes' })).visible).toEqual(['q1', 'q2', 'q3']);
    await expect(vendors.portal.answer(session, 'q3', { answer: ['Mars'] })).rejects.toThrow(InputInvalid);
    await expect(vendors.portal.answer(session, 'q9', { answer: 'x' })).rejects.toThrow(NotFound);
    await vendors.portal.delegate(session, { email: 'dan@vendor.example', questions: ['q2'] });
    await post();
    const theirs = await enter(tokenOf((await mail.take('dan@vendor.example')).text), 'dan@vendor.example');
    expect(
      (await vendors.portal.read(theirs)).sections.flatMap(({ questions }) => questions.map((one) => one.id)),
    ).toEqual(['q2']);
    const file = await vendors.portal.attach(
      theirs,
      upload('policy.txt', 'Card data is encrypted with AES-256 in all of our systems and databases.'),
    );
    await vendors.portal.answer(theirs, 'q2', { answer: 'Encrypted', files: [file.id] });
    await expect(vendors.portal.answer(theirs, 'q1', { answer: 'No' })).rejects.toThrow(NotFound);
    await expect(vendors.portal.submit(theirs)).rejects.toThrow(StateConflict);
    await expect(vendors.portal.submit(session)).rejects.toThrow(/q3/);
    await vendors.portal.answer(session, 'q3', { answer: ['EU'] });
    await vendors.portal.comment(session, 'q3', 'From January also US.');
    await vendors.portal.submit(session);
    await expect(vendors.portal.answer(session, 'q1', { answer: 'No' })).rejects.toThrow(StateConflict);
  });

  test('evidence is cited for a question', async () => {
    const [best] = await vendors.questionnaires.suggest(OWNER, id, 'q2');
    expect(best).toMatchObject({ fileName: 'policy.txt', page: 1 });
    expect(best?.text).toContain('AES-256');
  });

  test('a follow-up sends it back; then the review ends', async () => {
    await vendors.questionnaires.review(OWNER, id, 'q2', { verdict: 'follow_up', comment: 'Which keys?' });
    expect((await vendors.questionnaires.finishReview(OWNER, id)).state).toBe('sent');
    const session = await enter(token, 'vera@vendor.example');
    expect((await vendors.portal.read(session)).comments.map(({ text }) => text)).toEqual([
      'From January also US.',
      'Which keys?',
    ]);
    await vendors.portal.answer(session, 'q2', { answer: 'AES-256, keys in an HSM' });
    await vendors.portal.submit(session);
    await expect(vendors.questionnaires.finishReview(OWNER, id)).rejects.toThrow(/not reviewed/);
    for (const question of ['q1', 'q2', 'q3'])
      await vendors.questionnaires.review(OWNER, id, question, { verdict: 'accepted' });
    expect((await vendors.questionnaires.finishReview(OWNER, id)).state).toBe('reviewed');
  });

  test('the next year is proposed and compared; reminders go to live links only; revoked links end at once', async () => {
    clock.advance(300 * DAY_MS);
    const next = await vendors.questionnaires.createOwn(OWNER, vendorId, form);
    await vendors.questionnaires.send(OWNER, next.id, { email: 'vera@vendor.example', dueAt: clock.now() + DAY_MS });
    await post();
    const fresh = tokenOf((await mail.take('vera@vendor.example')).text);
    const session = await enter(fresh, 'vera@vendor.example');
    expect(
      (await vendors.portal.read(session)).proposals.map(({ questionId, value }) => [questionId, value.answer]),
    ).toContainEqual(['q3', ['EU']]);
    await vendors.portal.answer(session, 'q1', { answer: 'No' });
    const { changes } = await vendors.questionnaires.compare(OWNER, next.id);
    expect(changes.find((one) => one.id === 'q1')).toMatchObject({ change: 'changed' });
    const remind = () =>
      remindVendors(database.db, { envelope, now: clock.now(), publicUrl: 'https://cordon.example' });
    expect([await remind(), await remind()]).toEqual([1, 0]);
    await post();
    expect(tokenOf((await mail.take('vera@vendor.example')).text)).toBe(fresh);
    await expect(vendors.portal.look(token)).rejects.toThrow(LinkInvalid); // expired long ago
    const { linkId } = await vendors.questionnaires.send(OWNER, next.id, { email: 'eve@vendor.example' });
    await post();
    const theirs = tokenOf((await mail.take('eve@vendor.example')).text);
    const open = await enter(theirs, 'eve@vendor.example');
    await vendors.questionnaires.revokeLink(OWNER, next.id, linkId);
    await expect(vendors.portal.look(theirs)).rejects.toThrow(LinkInvalid);
    await expect(vendors.portal.read(open)).rejects.toThrow(LinkInvalid);
  });

  test("a CAIQ is imported, answered, and exported in the publisher's layout", async () => {
    const blank = makeCaiq({ unanswered: true });
    const { questionnaire } = await vendors.questionnaires.createFromWorkbook(
      OWNER,
      vendorId,
      upload('caiq.xlsx', blank.bytes),
    );
    const filled = makeCaiq({
      columns: ['id', 'answer', 'question', 'implementation', 'ownership', 'responsibilities'],
    });
    expect(
      await vendors.questionnaires.fillFromWorkbook(OWNER, questionnaire.id, upload('back.xlsx', filled.bytes)),
    ).toEqual({ filled: 261, unknown: [] });
    const { bytes, problems } = await vendors.questionnaires.export(OWNER, questionnaire.id);
    const back = await importQuestionnaire(createFileReader(), bytes);
    expect(problems).toEqual([]);
    expect(
      back.questions.map(({ id: one, answer, ownership, implementation }) => [one, answer, ownership, implementation]),
    ).toEqual(filled.questions.map((one) => [one.id, one.answer, one.ownership, one.implementation]));
  });

  test('MVSP is built in and exported as a workbook of its own', async () => {
    const { id: mvsp, form: built } = await vendors.questionnaires.createBuiltIn(OWNER, vendorId, 'mvsp');
    expect(built.sections.flatMap(({ questions }) => questions)).toHaveLength(25);
    await vendors.questionnaires.answer(OWNER, mvsp, '1.1', { answer: 'Yes', note: 'policy published' });
    const { bytes } = await vendors.questionnaires.export(OWNER, mvsp);
    const mapped = await importQuestionnaire(createFileReader(), bytes, {
      sheet: 'Minimum Viable Secure Product',
      columns: { id: 'A', question: 'B', answer: 'C', implementation: 'E' },
    });
    expect(mapped.questions[0]).toMatchObject({ id: '1.1', answer: 'Yes', implementation: 'policy published' });
  });
});

test('a contract is checked, its clock confirmed by a person and handed on', async () => {
  const [vendor] = await listVendors(database.db);
  const text =
    'Vendor shall notify Customer of any security incident within three (3) business days after becoming aware of it.';
  const contract = await vendors.contracts.add(OWNER, vendor?.id ?? '', upload('dpa.docx', makeDocx(text)));
  expect(await listContractClocks(database.db)).toMatchObject([
    { clause: 'breach-notice', businessDays: 3, hours: null, isConfirmed: false },
  ]);
  await vendors.contracts.confirm(OWNER, contract.id, 'breach-notice', {
    verdict: 'confirmed',
    hours: 72,
    note: 'side letter',
  });
  expect(await listContractClocks(database.db)).toMatchObject([{ hours: 72, businessDays: null, isConfirmed: true }]);
  await vendors.contracts.confirm(OWNER, contract.id, 'breach-notice', { verdict: 'rejected' });
  expect(await listContractClocks(database.db)).toEqual([]);
});

test('a new key-encryption key takes over files, texts and links, and the old one is needed no more', async () => {
  const [old, fresh] = [Buffer.alloc(32, 7), Buffer.alloc(32, 8)];
  const both = createSecretEnvelope({ keys: [fresh, old] });
  const ids = await tablesOf(database.db).selectFrom('vendor_files').select(['id', 'vendor_id']).execute();
  while ((await rewrapVendorSecrets(database.db, both)) > 0);
  const alone = createSecretEnvelope({ keys: [fresh] });
  expect(ids.length).toBeGreaterThan(3);
  for (const { id, vendor_id: vendorId } of ids) await openFile(database.db, alone, vendorId, id);
  expect(await rewrapVendorSecrets(database.db, both)).toBe(0);
});
