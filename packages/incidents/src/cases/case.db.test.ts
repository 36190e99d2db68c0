import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type Actor, createSecretEnvelope, kernelMigrations, migrate, readAudit } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type IncidentTables, incidentsMigrations } from '../tables.ts';
import { createCaseCommands, openCase } from './case-commands.ts';
import { createCasePorts } from './case-ports.ts';
import { listCases, listEntries, listEvidence, listLinks, listTasks, loadCase } from './case-store.ts';
import { createEvidence } from './evidence.ts';
import { createChannelCommands, listMessages, queueMessage, sendMessages } from './message.ts';
import { metricsOf } from './case.ts';
import { ocsfIncident } from './ocsf-export.ts';
import { stixBundle } from './stix-export.ts';

const ADA: Actor = { kind: 'person', id: 'ada', name: 'Ada', roles: ['owner'] };
const EVE: Actor = { kind: 'person', id: 'eve', name: 'Eve', roles: ['auditor'] };
const clock = createFakeClock();
const envelope = createSecretEnvelope({ keys: [randomBytes(32)] });
const logger = createTestLogger();
let made: TestDatabase;

beforeAll(async () => {
  made = await createTestDatabase();
  await migrate(made.db, [kernelMigrations, incidentsMigrations]);
});
afterAll(() => made.drop());

const setUp = () => ({
  cases: createCaseCommands({ db: made.db, clock }),
  evidence: createEvidence({ db: made.db, clock, envelope }),
  channels: createChannelCommands({ db: made.db, clock, envelope }),
});

const LINKS = [
  { kind: 'alert' as const, ref: 'a1', name: 'Odd call' },
  { kind: 'integration' as const, ref: 'i1', name: 'sync' },
  { kind: 'person' as const, ref: 'p1', name: 'Eve' },
];

describe('a case from its opening to its end', () => {
  test('runs its clocks, keeps its parts, and closes after its review', async () => {
    const { cases, evidence } = setUp();
    const detectedAt = clock.now();
    const opened = await cases.open(ADA, {
      title: 'Token stolen',
      severity: 'high',
      tlp: 'red',
      occurredAt: detectedAt - 60_000,
      detectedAt,
      links: LINKS,
    });
    clock.advance(5_000);
    await cases.mark(ADA, opened.id, { mark: 'contained', note: 'cut off' });
    await expect(cases.mark(ADA, opened.id, { mark: 'contained', note: '' })).rejects.toThrow(/already/);
    await cases.addTask(ADA, opened.id, { title: 'Ask the vendor', assignee: null, dueAt: null, kind: 'task' });
    await cases.update(ADA, opened.id, { roles: { commander: 'Ada' }, statusPage: 'We look into it.' });
    const file = await evidence.add(ADA, opened.id, {
      name: 'log.txt',
      mediaType: 'text/plain',
      content: Buffer.from('seen'),
    });
    await expect(cases.close(ADA, opened.id, 'done')).rejects.toThrow(/after its review/);
    const actions = [{ title: 'Shorter tokens', assignee: null, dueAt: null }];
    await cases.review(ADA, opened.id, {
      whatHappened: 'A token was stolen.',
      rootCause: 'a log',
      wentWell: '',
      wentBadly: '',
      actions,
    });
    const closed = await cases.close(ADA, opened.id, 'all done');
    expect(closed).toMatchObject({ status: 'closed', roles: { commander: 'Ada' }, statusPage: 'We look into it.' });
    expect(metricsOf(closed)).toEqual({
      detectMs: 60_000,
      acknowledgeMs: 0,
      containMs: 5_000,
      notifyMs: null,
      recoverMs: null,
    });
    expect((await listTasks(made.db, opened.id)).map(({ kind, title }) => `${kind}: ${title}`)).toEqual([
      'task: Ask the vendor',
      'review-action: Shorter tokens',
    ]);
    expect((await listEntries(made.db, opened.id)).map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['status', 'note', 'evidence']),
    );
    expect(await listCases(made.db, { link: { kind: 'alert', ref: 'a1' }, limit: 5 })).toHaveLength(1);
    const trail = await readAudit(made.db, { limit: 50, target: { type: 'case', id: opened.id } });
    expect(trail.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['case.opened', 'case.contained', 'case.evidence_added', 'case.reviewed', 'case.closed']),
    );
    expect(trail.find(({ action }) => action === 'case.evidence_added')?.detail).toMatchObject({ sha256: file.sha256 });
  });

  test('one cause opens one case, and whoever only reads cannot write', async () => {
    const { cases } = setUp();
    const open = () =>
      made.db.transaction((tx) => openCase(tx, ADA, { title: 'Same cause', severity: 'low' }, clock.now(), 'alert:x'));
    const [first, second] = [await open(), await open()];
    expect([first.isNew, second.isNew, second.id]).toEqual([true, false, first.id]);
    await expect(cases.open(EVE, { title: 'Not mine', severity: 'low' })).rejects.toThrow(/case.write/);
  });

  test("a playbook's note, task and mark are written once, however often they are tried", async () => {
    const { cases } = setUp();
    const { id } = await cases.open(ADA, { title: 'Tried twice', severity: 'low' });
    const { acts, reads } = createCasePorts({ db: made.db, clock });
    for (let tries = 0; tries < 2; tries++) {
      await acts.caseNote(id, 'k1', 'once');
      await acts.caseTask(id, 'k2', { title: 'once', dueHours: 2 });
      await acts.caseMark(id, 'k3', 'recovered');
    }
    expect((await listEntries(made.db, id)).filter(({ text }) => text === 'once')).toHaveLength(1);
    expect(await listTasks(made.db, id)).toHaveLength(1);
    expect((await loadCase(made.db, id)).status).toBe('recovered');
    expect([await reads.caseEntry(id, 'k1'), await reads.caseEntry(id, 'none')]).toEqual([true, false]);
  });
});

test('evidence is sealed in its row, read back whole, and found when it was exchanged', async () => {
  const { cases, evidence } = setUp();
  const { id } = await cases.open(ADA, { title: 'With a file', severity: 'low' });
  const [one, two] = [
    await evidence.add(ADA, id, { name: 'one', mediaType: 'text/plain', content: Buffer.from('the first file') }),
    await evidence.add(ADA, id, { name: 'two', mediaType: 'text/plain', content: Buffer.from('the second file') }),
  ];
  const rows = made.db.tables<IncidentTables>();
  const row = await rows
    .selectFrom('incident_evidence')
    .select('sealed')
    .where('id', '=', one.id)
    .executeTakeFirstOrThrow();
  expect(row.sealed).not.toContain('first');
  expect((await evidence.read(ADA, id, one.id)).content.toString()).toBe('the first file');
  await rows.updateTable('incident_evidence').set({ sealed: row.sealed }).where('id', '=', two.id).execute();
  await expect(evidence.read(ADA, id, two.id)).rejects.toMatchObject({ code: 'kernel.secret_unreadable' });
  const forged = envelope.seal('something else', `evidence:${one.id}`);
  await rows.updateTable('incident_evidence').set({ sealed: forged }).where('id', '=', one.id).execute();
  await expect(evidence.read(ADA, id, one.id)).rejects.toMatchObject({ code: 'incidents.evidence_broken' });
});

test('exports say the same as the case: STIX 2.1 with its TLP 2.0 mark, and an OCSF incident finding', async () => {
  const { cases } = setUp();
  const of = await cases.open(ADA, { title: 'Exported', severity: 'critical', tlp: 'amber+strict', links: LINKS });
  const parts = { of, links: await listLinks(made.db, of.id), evidence: await listEvidence(made.db, of.id), tasks: [] };
  const bundle = stixBundle(parts) as {
    objects: { type: string; id: string; name?: string; object_marking_refs?: string[] }[];
  };
  const incident = bundle.objects.find(({ type }) => type === 'incident');
  expect(incident?.object_marking_refs).toEqual(['marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003']);
  expect(bundle.objects.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['marking-definition', 'incident', 'identity', 'user-account', 'relationship']),
  );
  const known = new Set(bundle.objects.map(({ id }) => id));
  expect(known.size).toBe(bundle.objects.length);
  for (const { id } of bundle.objects) expect(id).toMatch(/^[a-z-]+--[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(stixBundle(parts)).toEqual(bundle);
  expect(ocsfIncident(parts)).toMatchObject({
    class_uid: 2005,
    type_uid: 200_501,
    severity_id: 5,
    finding_info_list: [{ uid: 'a1', title: 'Odd call' }],
  });
});

describe('messages', () => {
  test('mail reaches a real SMTP server once, with a Message-ID that a repeat would share', async () => {
    const mails: string[] = [];
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      onData(stream, _session, done) {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          mails.push(Buffer.concat(chunks).toString());
          done();
        });
      },
    });
    server.listen(0, '127.0.0.1');
    await once(server.server, 'listening');
    const { port } = server.server.address() as AddressInfo; // listening on a port
    const { channels, cases } = setUp();
    await channels.add(ADA, {
      kind: 'mail',
      name: 'mail',
      url: `smtp://127.0.0.1:${port}`,
      from: 'cordon@example.com',
      privateAddresses: ['127.0.0.1'],
    });
    const { id } = await cases.open(ADA, { title: 'Told', severity: 'low' });
    const message = {
      key: 'run1:step',
      caseId: id,
      channel: 'mail',
      to: ['vendor@example.com'],
      subject: 'Notice\r\nBcc: x@example.com',
      text: 'Your token was stolen.',
    };
    await queueMessage(made.db, message, clock.now());
    await queueMessage(made.db, message, clock.now());
    const deps = {
      db: made.db,
      clock,
      logger,
      envelope,
      postJson: async () => 500,
      resolve: async (host: string) => host,
    };
    await sendMessages(deps);
    await sendMessages(deps);
    await new Promise<void>((resolve) => server.close(resolve));
    expect(mails).toHaveLength(1);
    expect(mails[0]).toMatch(/^Message-ID: <run1\.step@example\.com>/m);
    expect(mails[0]).toMatch(/^Subject: Notice Bcc: x@example\.com/m);
    expect(mails[0]).toContain('Your token was stolen.');
    expect((await listMessages(made.db, id)).map(({ status }) => status)).toEqual(['sent']);
  });

  test('a chat webhook that refuses is tried again later and its address is nowhere in clear', async () => {
    const { channels, cases } = setUp();
    await channels.add(ADA, {
      kind: 'chat',
      name: 'incidents',
      url: 'https://chat.example.com/hook/s3cret',
      privateAddresses: [],
    });
    const { id } = await cases.open(ADA, { title: 'Chatted', severity: 'low' });
    await queueMessage(
      made.db,
      { key: 'k', caseId: id, channel: 'incidents', to: [], subject: '', text: 'hello' },
      clock.now(),
    );
    const bodies: string[] = [];
    let status = 503;
    const postJson = async (_url: URL, body: string) => {
      bodies.push(body);
      return status;
    };
    const deps = { db: made.db, clock, logger, envelope, postJson, resolve: async (host: string) => host };
    await sendMessages(deps);
    expect((await listMessages(made.db, id))[0]).toMatchObject({
      status: 'waiting',
      attempts: 1,
      error: 'The webhook answered 503.',
    });
    await sendMessages(deps);
    expect(bodies).toHaveLength(1);
    clock.advance(2_000);
    status = 200;
    await sendMessages(deps);
    expect(bodies.map((body) => JSON.parse(body) as unknown)).toEqual(
      [1, 2].map(() => ({ text: 'hello', idempotency_key: 'k' })),
    );
    expect((await listMessages(made.db, id))[0]?.status).toBe('sent');
    const stored = await made.db.tables<IncidentTables>().selectFrom('incident_channel').selectAll().execute();
    expect(JSON.stringify(stored) + logger.lines.join('')).not.toContain('s3cret');
    await expect(
      queueMessage(made.db, { key: 'z', caseId: id, channel: 'none', to: [], subject: '', text: 'x' }, 0),
    ).rejects.toThrow(/no channel none/);
  });
});
