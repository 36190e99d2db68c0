import { createClassifier, createDeidentifier } from '@cordon/classifier';
import { type Actor, kernelMigrations, migrate, readAudit, StepUpRequired, type WorkflowSteps } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { type InspectionEntry, type InspectionEntryInput, inspectionEntry, resolveInspection } from '@cordon/policy';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { DlpConflict, NotShown } from './errors.ts';
import { createIncidentCommands } from './incident-commands.ts';
import { type Incident, listIncidents, listNotes, loadIncident } from './incident-store.ts';
import { dlpMigrations } from './migrations.ts';
import type { ActRequest, DlpTools, ReadRecord, RecordPage } from './ports.ts';
import { createRemedyWorkflow, enforceScan } from './remedy-run.ts';
import { listRemedies } from './remedy-store.ts';
import { createScanCommands, startDueScans } from './scan-commands.ts';
import { createScanWorkflow } from './scan-run.ts';
import { loadScan } from './scan-store.ts';

const CARD = '4111 1111 1111 1111';
const IBAN = 'DE89370400440532013000';
const PAGE = 2;
const clock = createFakeClock(Date.UTC(2026, 5, 1));
const classifier = createClassifier();
const ada = (): Actor => ({ kind: 'person', id: 'p1', name: 'Ada', roles: ['security'], strongAuthAt: clock.now() });
const at = (day: number): string => new Date(Date.UTC(2026, 4, day)).toISOString();

/** A tool with pages of records and a journal of acts, as connectors show one. */
class FakeTool implements DlpTools {
  readonly records = new Map<string, ReadRecord>();
  readonly files = new Map<string, string>();
  /** What reached the vendor. */
  readonly acts: string[] = [];
  readonly pagesRead: number[] = [];
  readonly #journal = new Map<string, string>();
  dieOnPage = Infinity;
  dieAfterActs = Infinity;

  add(id: string, text: string, more: Partial<ReadRecord> = {}): void {
    const record: ReadRecord = {
      object: 'message',
      id,
      content: { text },
      updatedAt: at(1),
      sharing: 'internal',
      ...more,
    };
    this.records.set(id, record);
  }

  list = async () => [
    {
      connectionId: 'c1',
      app: 'slack',
      name: 'slack-main',
      active: true,
      streams: ['messages'],
      incremental: new Set<string>(),
      way: (object: string, action: string) =>
        object === 'message' && (action === 'redact' || action === 'delete' || action === 'tokenise')
          ? { action: action === 'delete' ? 'delete-message' : 'change-message', canUndo: action !== 'delete' }
          : null,
    },
  ];

  async *readPages({ position }: { readonly position?: unknown }): AsyncGenerator<RecordPage> {
    const all = [...this.records.values()];
    for (let from = typeof position === 'number' ? position : 0; from < all.length; from += PAGE) {
      if (from / PAGE >= this.dieOnPage) {
        this.dieOnPage = Infinity;
        throw new Error('killed');
      }
      this.pagesRead.push(from);
      const next = from + PAGE < all.length ? from + PAGE : null;
      yield { records: all.slice(from, from + PAGE), position: next, seen: {}, problems: [] };
    }
  }

  async *readFile(_connectionId: string, download: string): AsyncGenerator<Buffer> {
    const text = this.files.get(download);
    if (text === undefined) throw new NotShown('The tool does not give this file.');
    yield Buffer.from(text);
  }

  inputFor = async (_connectionId: string, action: string, record: ReadRecord) =>
    action === 'delete-message' ? { id: record.id } : { id: record.id, text: JSON.stringify(record.content ?? null) };

  act = async ({ action, input, mode, key }: ActRequest) => {
    const id = String(input['id']);
    if (mode === 'verify') return { runId: key, outcome: this.records.has(id) ? 'not_done' : 'done', error: null };
    if (!this.#journal.has(key)) {
      this.#journal.set(key, id);
      this.acts.push(`${mode} ${action} ${id}`);
      const record = this.records.get(id);
      if (action === 'delete-message') this.records.delete(id);
      else if (record && mode === 'run')
        this.records.set(id, { ...record, content: JSON.parse(String(input['text'])) });
      if (this.acts.length === this.dieAfterActs) {
        this.dieAfterActs = Infinity;
        throw new Error('killed');
      }
    }
    return { runId: `run-${key}`, outcome: 'done', error: null };
  };
}

/** Steps as the engine runs them after a kill: what ended is remembered, what died runs again. */
class Engine {
  readonly #done = new Map<string, unknown>();
  isDead = false;
  steps = (workflowId: string): WorkflowSteps => ({
    workflowId,
    sleep: async () => undefined,
    step: async <T>(name: string, work: () => Promise<T>): Promise<T> => {
      const key = `${workflowId} ${name}`;
      if (this.isDead) throw new Error('killed');
      if (!this.#done.has(key)) {
        try {
          this.#done.set(key, await work());
        } catch (error) {
          this.isDead = error instanceof Error && error.message === 'killed';
          throw error;
        }
      }
      return this.#done.get(key) as T; // the same step wrote it
    },
  });
}

let data: TestDatabase;
let tool: FakeTool;
let engine: Engine;
let rules: InspectionEntry[];
let told: Incident[];
let queue: { name: string; id: string; input: unknown }[];

beforeAll(async () => {
  data = await createTestDatabase();
  await migrate(data.db, [kernelMigrations, dlpMigrations]);
});
afterAll(() => data.drop());
beforeEach(async () => {
  for (const table of ['dlp_incident', 'dlp_scan', 'dlp_mark'] as const)
    await data.db.tables<Record<string, never>>().deleteFrom(table).execute();
  [tool, engine, rules, told, queue] = [new FakeTool(), new Engine(), [], [], []];
});

const rule = (more: Partial<InspectionEntryInput>): void => {
  const id = `r${rules.length}`;
  rules.push(
    inspectionEntry.parse({ id, name: `rule ${id}`, class: '*', direction: 'at-rest', action: 'log', ...more }),
  );
};
const deps = () => ({
  db: data.db,
  clock,
  logger: createTestLogger(),
  classifier,
  tools: tool,
  workflows: {
    enqueue: async (_tx: unknown, { name }: { name: string }, id: string, input: unknown) =>
      void queue.push({ name, id, input }),
  },
  tokens: async () => createDeidentifier({ id: 'k1', secret: Buffer.alloc(32, 7) }),
  targets: async () => [{ connectionId: 'c1', app: 'slack', name: 'slack-main', streams: ['messages'] }],
});
const scanner = () =>
  createScanWorkflow({
    ...deps(),
    files: { read: async (bytes) => ({ parts: [{ where: 'text', bytes, contentType: 'text/plain' }] }) },
    judgement: {
      load: async () => ({ rules: (place) => resolveInspection(rules, { direction: 'at-rest', ...place }) }),
    },
    onFound: async (_tx, incident) => void told.push(incident),
    enforce: (scan) => enforceScan(deps(), scan),
  });
const start = (mode: 'full' | 'incremental' = 'full', enforce = false) =>
  createScanCommands(deps()).start(ada(), { connectionId: 'c1', mode, enforce });
const runScan = async (id: string): Promise<unknown> => scanner().run({ scanId: id }, engine.steps(id));
const scan = async (mode: 'full' | 'incremental' = 'full', enforce = false) => {
  const { id } = await start(mode, enforce);
  await runScan(id);
  return loadScan(data.db, id);
};
const incidents = () => createIncidentCommands(deps());
const remedy = async (action: 'redact' | 'tokenise' | 'delete' | 'unshare') => {
  const [incident] = await listIncidents(data.db);
  const { ids } = await incidents().remediate(ada(), { ids: [incident?.id ?? ''], action });
  return { ids, incidentId: incident?.id ?? '' };
};
const runRemedies = (ids: readonly string[]) =>
  createRemedyWorkflow(deps()).run({ ids }, engine.steps(`remedy ${ids[0]}`));

test('a scan finds cards in records and files, tells people, and keeps only masked evidence', async () => {
  tool.add('m1', `card ${CARD} please`, { title: `Card ${CARD}` });
  tool.add('m2', 'lunch?');
  tool.add('f1', '', { object: 'file', download: '/f1', mediaType: 'text/plain' });
  tool.files.set('/f1', `transfer to ${IBAN}`);
  const done = await scan();
  expect(done).toMatchObject({ status: 'done', streams: [{ records: 3, files: 1, found: 2, unreadable: {} }] });
  const found = await listIncidents(data.db);
  const states = Object.fromEntries(found.map(({ recordId, action, status }) => [recordId, `${action}, ${status}`]));
  expect(states).toEqual({ f1: 'log, open', m1: 'notify, open' });
  const stored = JSON.stringify([found, await listNotes(data.db, found[0]?.id ?? '')]);
  expect(stored.replaceAll(/\s/g, '')).not.toContain(CARD.replaceAll(' ', ''));
  expect(stored).not.toContain(IBAN);
  expect(stored).toContain('1111');
  expect(told.map(({ recordId }) => recordId).toSorted()).toEqual(['f1', 'm1']);
});

test('a scan that was killed goes on behind its last page, and counts each page once', async () => {
  for (let n = 1; n <= 6; n++) tool.add(`m${n}`, `card ${CARD}`);
  tool.dieOnPage = 2;
  const { id } = await start();
  await expect(runScan(id)).rejects.toThrow('killed');
  expect((await loadScan(data.db, id)).streams[0]).toMatchObject({ status: 'reading', records: 4, found: 4 });
  engine.isDead = false;
  await runScan(id);
  expect(tool.pagesRead).toEqual([0, 2, 4]);
  expect(await loadScan(data.db, id)).toMatchObject({ status: 'done', streams: [{ records: 6, found: 6 }] });
  const all = await listIncidents(data.db);
  expect(all.map(({ times }) => times)).toEqual([1, 1, 1, 1, 1, 1]);
});

test('an incremental scan skips what did not change, and closes what was cleaned', async () => {
  tool.add('m1', `card ${CARD}`);
  tool.add('m2', `card ${CARD}`);
  await scan();
  clock.advance(3_600_000);
  tool.add('m1', 'card removed', { updatedAt: new Date(clock.now()).toISOString() });
  const second = await scan('incremental');
  expect(second.streams).toMatchObject([{ records: 1, skipped: 1 }]);
  const states = Object.fromEntries((await listIncidents(data.db)).map(({ recordId, status }) => [recordId, status]));
  expect(states).toEqual({ m1: 'gone', m2: 'open' });
});

test('a file that cannot be read is counted with its reason, and the scan is partial about nothing else', async () => {
  tool.add('f1', '', { object: 'file', download: '/gone', mediaType: 'text/plain' });
  const done = await scan();
  expect(done).toMatchObject({ status: 'partial', streams: [{ unreadable: { not_shown: 1 } }] });
});

test('decided stays decided until there is more', async () => {
  tool.add('m1', `card ${CARD}`);
  await scan();
  const [incident] = await listIncidents(data.db);
  await incidents().decide(ada(), incident?.id ?? '', { decision: 'dismiss', note: 'a test card of ours' });
  await scan();
  expect((await listIncidents(data.db)).map(({ status }) => status)).toEqual(['dismissed']);
  tool.add('m1', `card ${CARD} and 5555 5555 5555 4444`);
  await scan();
  expect((await listIncidents(data.db)).map(({ status }) => status)).toEqual(['open']);
  await incidents().decide(ada(), incident?.id ?? '', { decision: 'justify', note: 'a customer sent it to us' });
  await expect(
    incidents().decide(ada(), incident?.id ?? '', { decision: 'justify', note: 'once more' }),
  ).rejects.toThrow(DlpConflict);
  expect((await listNotes(data.db, incident?.id ?? '')).map(({ what }) => what)).toEqual([
    'found',
    'dismiss',
    'found again',
    'justify',
  ]);
});

test('redaction changes the text, reads again, and leaves evidence under a hash', async () => {
  tool.add('m1', `card ${CARD} of Ada`);
  await scan();
  const { ids, incidentId } = await remedy('redact');
  await runRemedies(ids);
  expect(tool.records.get('m1')?.content).toEqual({ text: 'card [payment.card removed] of Ada' });
  expect(await listRemedies(data.db, incidentId)).toMatchObject([{ status: 'verified', action: 'redact' }]);
  expect((await loadIncident(data.db, incidentId)).status).toBe('remediated');
  const [done] = await listRemedies(data.db, incidentId);
  const trail = await readAudit(data.db, { after: 0, limit: 500 });
  expect(trail.filter(({ action }) => action === 'dlp.remedy_verified').at(-1)?.detail).toMatchObject({
    evidence: done?.evidenceSha256,
  });
});

test('a token takes the value’s place, and can be put back with the key', async () => {
  tool.add('m1', `transfer to ${IBAN}`);
  await scan();
  const { ids } = await remedy('tokenise');
  await runRemedies(ids);
  const text = JSON.stringify(tool.records.get('m1')?.content);
  expect(text).not.toContain(IBAN);
  const token = /cdn1\.k1\.[\w-]+/.exec(text)?.[0] ?? '';
  const tokens = createDeidentifier({ id: 'k1', secret: Buffer.alloc(32, 7) });
  expect(tokens.detokenise(token, 'user.financial.bank_account')).toBe(IBAN);
});

test('an act is taken back where the tool has a way, and the incident is open again', async () => {
  tool.add('m1', `card ${CARD} of Ada`);
  await scan();
  const { ids, incidentId } = await remedy('redact');
  await runRemedies(ids);
  const undone = await incidents().undo(ada(), ids[0] ?? '');
  await runRemedies([undone.id]);
  expect(tool.acts.at(-1)).toBe('undo change-message m1');
  expect((await listRemedies(data.db, incidentId)).map(({ status }) => status)).toEqual(['undone', 'undone']);
  expect((await loadIncident(data.db, incidentId)).status).toBe('open');
});

test('what the tool has no way for is said, and stays in the queue', async () => {
  tool.add('m1', `card ${CARD}`);
  await scan();
  const { ids, incidentId } = await remedy('unshare');
  await runRemedies(ids);
  expect(await listRemedies(data.db, incidentId)).toMatchObject([
    { status: 'unenforceable', reason: 'slack has no way to unshare a message' },
  ]);
  expect((await loadIncident(data.db, incidentId)).status).toBe('open');
});

test('a rule acts by itself only when a scan is to enforce; a kill in the middle does each act once', async () => {
  rule({ class: 'payment.card', action: 'delete' });
  for (let n = 1; n <= 4; n++) tool.add(`m${n}`, `card ${CARD}`);
  tool.add('m9', 'nothing to see');
  await scan();
  expect(queue.filter(({ name }) => name === 'dlp.remedy')).toEqual([]);
  await scan('full', true);
  const [work] = queue.filter(({ name }) => name === 'dlp.remedy');
  const { ids } = (work?.input ?? { ids: [] }) as { ids: string[] }; // enforceScan put it there
  tool.dieAfterActs = 2;
  await expect(runRemedies(ids)).rejects.toThrow('killed');
  engine.isDead = false;
  await runRemedies(ids);
  expect(tool.acts.toSorted()).toEqual(['m1', 'm2', 'm3', 'm4'].map((id) => `run delete-message ${id}`));
  expect([...tool.records.keys()]).toEqual(['m9']);
  expect((await listIncidents(data.db)).map(({ status }) => status)).toEqual(Array(4).fill('remediated'));
});

test('acts need a fresh factor, and one at a time', async () => {
  tool.add('m1', `card ${CARD}`);
  await scan();
  const [incident] = await listIncidents(data.db);
  const weak: Actor = { kind: 'person', id: 'p2', name: 'Bob', roles: ['security'] };
  const wish = { ids: [incident?.id ?? ''], action: 'delete' as const };
  await expect(incidents().remediate(weak, wish)).rejects.toThrow(StepUpRequired);
  await incidents().remediate(ada(), wish);
  await expect(incidents().remediate(ada(), wish)).rejects.toThrow(DlpConflict);
});

test('a schedule begins incremental scans, one at a time', async () => {
  await createScanCommands(deps()).setSchedule(ada(), 'c1', { everyHours: 24, enforce: false });
  expect(await startDueScans(deps())).toBe(1);
  expect(await startDueScans(deps())).toBe(0);
  expect(queue.map(({ name }) => name)).toEqual(['dlp.scan']);
  await createScanCommands(deps()).removeSchedule(ada(), 'c1');
});
