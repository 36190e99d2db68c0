import { createServer, type Server } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import {
  type Actor,
  appendAudit,
  createSecretEnvelope,
  kernelMigrations,
  keyRingFromText,
  migrate,
  type SecretEnvelope,
} from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { auditSource } from './audit-source.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { createLog, type MerkleLog } from './log.ts';
import { findLog, latestCheckpoint, loadLog, rewrapProofKeys } from './log-store.ts';
import { isConsistent } from './merkle.ts';
import { cosign, decodeKey, encodeKey, noteKey } from './note.ts';
import { proofMigrations } from './index.ts';
import { verifyRecordProof } from './record-proof.ts';
import { verifyExport } from './trail-export.ts';
import { askWitnesses, createWitnessCommands, listWitnesses } from './witness.ts';

const ADA: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['owner'] };
const BOB: Actor = { kind: 'person', id: 'p2', name: 'Bob', roles: ['security'] };
const START = 1_790_000_000_000;
const logger = createTestLogger();
const ring = (fill: number): string => Buffer.alloc(32, fill).toString('base64');

let home: TestDatabase;
let clock: ReturnType<typeof createFakeClock>;
let envelope: SecretEnvelope;
let log: MerkleLog;

beforeEach(async () => {
  home = await createTestDatabase();
  await migrate(home.db, [kernelMigrations, proofMigrations]);
  clock = createFakeClock(START);
  envelope = createSecretEnvelope(keyRingFromText(ring(1)));
  const source = auditSource(home.db);
  log = createLog({ db: home.db, envelope, clock, name: 'audit', origin: 'cordon.example.com/audit', source });
});
afterEach(() => home.drop());

async function act(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    clock.advance(1_000);
    const target = { type: 'thing', id: String(index) };
    await home.db.transaction((tx) => appendAudit(tx, { actor: ADA, action: 'thing.done', target, at: clock.now() }));
  }
}

/** What somebody with every right on the database could do. */
async function tamper(...statements: string[]): Promise<void> {
  await home.db.transaction(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx.tables());
    for (const statement of statements) await sql.raw(statement).execute(tx.tables());
  });
}

async function* again(lines: readonly string[]): AsyncIterable<string> {
  yield* lines;
}

async function exported(): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of log.export()) lines.push(line);
  return lines;
}

/** Three checkpoints over 12 records; returns the public key as an auditor keeps it. */
async function threeCheckpoints(): Promise<string> {
  for (const count of [5, 3, 4]) {
    await act(count);
    await log.advance();
    clock.advance(600_000);
  }
  return encodeKey((await loadLog(home.db, 'audit')).key);
}

test('an export of an honest trail is whole, with nothing but the public key', async () => {
  const key = decodeKey(await threeCheckpoints());
  await act(2); // not signed yet, so not in the export
  const report = await verifyExport(again(await exported()), { key });
  expect(report).toMatchObject({ log: 'cordon.example.com/audit', records: 12, checkpoints: 3, uncovered: 0 });
  expect(await log.check()).toEqual({ records: 12 });
});

test('a log without news signs nothing new', async () => {
  await threeCheckpoints();
  const before = await latestCheckpoint(home.db, 'audit');
  clock.advance(60_000);
  expect(await log.advance()).toBe(12);
  expect(await latestCheckpoint(home.db, 'audit')).toEqual(before);
});

describe('somebody with every right on the database', () => {
  test.each([
    ['changes a record', [`update audit_trail set record = replace(record, '"3"', '"9"') where seq = 4`], /changed/, 4],
    ['removes a record', ['delete from audit_trail where seq = 6'], /removed|only 5/, 6],
    [
      'removes a record and closes the gap',
      [
        'delete from audit_trail where seq = 6',
        `update audit_trail set record = replace(record, '"seq":' || seq, '"seq":' || (seq - 1)), seq = seq - 1 where seq > 6`,
      ],
      /changed, replaced or reordered|missing|only 11/,
      6,
    ],
    [
      'swaps two records',
      [
        `update audit_trail a set record = replace(b.record, '"seq":' || b.seq, '"seq":' || a.seq)
         from audit_trail b where (a.seq, b.seq) in ((7, 8), (8, 7))`,
      ],
      /reordered/,
      7,
    ],
    ['removes the end', ['delete from audit_trail where seq > 9', 'update audit_head set seq = 9'], /only 9/, 10],
  ])('%s: the export and the check of the running log find it', async (_what, statements, message, seq) => {
    const key = decodeKey(await threeCheckpoints());
    await tamper(...statements);
    await expect(exported().then((lines) => verifyExport(again(lines), { key }))).rejects.toThrow(message);
    await expect(log.check()).rejects.toMatchObject({ code: 'proof.broken', detail: { record: seq } });
  });

  test('writes a record of the past: it stands behind a checkpoint that is younger', async () => {
    const key = decodeKey(await threeCheckpoints());
    const target = { type: 'thing', id: 'late' };
    const at = START + 2_000;
    await home.db.transaction((tx) => appendAudit(tx, { actor: ADA, action: 'thing.done', target, at }));
    await log.advance();
    const lines = await exported();
    await expect(verifyExport(again(lines), { key })).rejects.toThrow(/Record 13 is back-dated/);
  });

  test('writes a trail of their own and lets the log sign it: a kept checkpoint contradicts', async () => {
    const key = decodeKey(await threeCheckpoints());
    const kept = (await latestCheckpoint(home.db, 'audit'))?.note ?? '';
    await tamper(
      `update audit_trail set record = replace(record, '"3"', '"9"') where seq = 4`,
      'delete from proof_nodes',
      'delete from proof_checkpoints',
      'update proof_logs set size = 0',
    );
    await log.advance();
    const lines = await exported();
    // Signed by the right key, so without memory nobody can tell; a checkpoint that was kept, or a witness, can.
    expect(await verifyExport(again(lines), { key })).toMatchObject({ records: 12 });
    await expect(verifyExport(again(lines), { key, kept })).rejects.toThrow(
      /not those of the checkpoint that you kept/,
    );
  });

  test('cuts the log back to an older state: a kept checkpoint contradicts', async () => {
    const key = decodeKey(await threeCheckpoints());
    const kept = (await latestCheckpoint(home.db, 'audit'))?.note ?? '';
    const lines = await exported();
    const older = lines.slice(0, lines.findIndex((line) => line.includes('"checkpoint"')) + 1);
    expect(await verifyExport(again(older), { key })).toMatchObject({ records: 5 });
    await expect(verifyExport(again(older), { key, kept })).rejects.toThrow(/shorter than the 12 records/);
  });
});

test.each([
  [
    'a changed record',
    (lines: string[]) => lines.with(3, (lines[3] ?? '').replace('thing.done', 'thing.gone')),
    /changed/,
  ],
  ['a removed record', (lines: string[]) => lines.toSpliced(3, 1), /removed/],
  ['two records swapped', (lines: string[]) => lines.with(3, lines[4] ?? '').with(4, lines[3] ?? ''), /removed|moved/],
  ['a repeated record', (lines: string[]) => lines.toSpliced(3, 0, lines[3] ?? ''), /moved or repeated/],
  ['no checkpoint', (lines: string[]) => lines.filter((line) => !line.includes('"checkpoint"')), /no checkpoint/],
  ['a line cut short', (lines: string[]) => lines.with(3, (lines[3] ?? '').slice(0, 20)), /no JSON/],
  ['something else', () => ['{"a":1}'], /doesn't start/],
])('an export with %s says so', async (_what, change, message) => {
  const key = decodeKey(await threeCheckpoints());
  await expect(verifyExport(again(change(await exported())), { key })).rejects.toThrow(message);
});

test('records behind the last checkpoint are counted as what nothing vouches for', async () => {
  const key = decodeKey(await threeCheckpoints());
  const report = verifyExport(again((await exported()).slice(0, -1)), { key });
  await expect(report).resolves.toMatchObject({ records: 12, uncovered: 4 });
});

test('one record is proved alone, and no other passes for it', async () => {
  const key = decodeKey(await threeCheckpoints());
  const proof = await log.proveRecord(7);
  expect(verifyRecordProof(proof, key)).toMatchObject({ index: 6, size: 12 });
  expect(JSON.parse(verifyRecordProof(proof, key).record)).toMatchObject({ seq: 7 });
  const other = (await log.proveRecord(8)).split('\n')[1] ?? '';
  expect(() => verifyRecordProof(proof.replace(/^extra .*$/m, other), key)).toThrow(/not the one at place 6/);
  await expect(log.proveRecord(13)).rejects.toMatchObject({ code: 'proof.not_found' });
  await expect(log.proveRecord(0)).rejects.toMatchObject({ code: 'proof.not_found' });
});

test('the signing key moves under a new key-encryption key and goes on signing', async () => {
  const key = decodeKey(await threeCheckpoints());
  const newer = createSecretEnvelope(keyRingFromText(`${ring(2)}\n${ring(1)}`));
  expect(await rewrapProofKeys(home.db, newer)).toBe(1);
  expect(await rewrapProofKeys(home.db, newer)).toBe(0);
  const source = auditSource(home.db);
  log = createLog({
    db: home.db,
    envelope: createSecretEnvelope(keyRingFromText(ring(2))),
    clock,
    name: 'audit',
    origin: 'renamed.example.com/audit',
    source,
  });
  await act(1);
  await log.advance();
  expect(await verifyExport(again(await exported()), { key })).toMatchObject({ records: 13 });
  expect((await findLog(home.db, 'audit'))?.key.name).toBe('cordon.example.com/audit');
});

describe('a witness', () => {
  let server: Server;
  let url: string;
  const pair = generateKeyPairSync('ed25519');
  const own = noteKey('witness.example/w1', pair.publicKey);
  /** The state that c2sp.org/tlog-witness asks a witness to keep. */
  let known: { size: number; root: Buffer };
  let misbehave: string | null;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const [status, type, body] = answer(Buffer.concat(parts).toString('utf8'));
        response.writeHead(status, { 'content-type': type }).end(body);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  });
  afterAll(() => server.close());
  beforeEach(() => {
    known = { size: 0, root: Buffer.alloc(0) };
    misbehave = null;
  });

  function answer(body: string): [number, string, string] {
    if (misbehave === 'down') return [503, 'text/plain', ''];
    const gap = body.indexOf('\n\n');
    const [old = '', ...hashes] = body.slice(0, gap).split('\n');
    const checkpoint = parseCheckpoint(body.slice(gap + 2));
    if (old !== `old ${known.size}`) return [409, 'text/x.tlog.size', `${known.size}\n`];
    const proof = hashes.map((hash) => Buffer.from(hash, 'base64'));
    const consistent = known.size === 0 ? proof.length === 0 : isConsistent(known, checkpoint, proof);
    if (!consistent) return [422, 'text/plain', ''];
    known = checkpoint;
    const text = misbehave === 'other text' ? checkpoint.note.text.replace('\n', 'x\n') : checkpoint.note.text;
    return [200, 'text/plain', `${cosign(text, own, pair.privateKey, clock.now())}\n`];
  }

  const ask = () => askWitnesses({ db: home.db, clock, logger, log: 'audit' });
  const add = () =>
    createWitnessCommands({ db: home.db, clock }).add(ADA, {
      name: 'w1',
      url: `${url}/`,
      vkey: encodeKey(own, 'cosignature'),
    });

  test('cosigns each checkpoint after the one before it, and the export can ask for it', async () => {
    await add();
    await act(5);
    await log.advance();
    await ask();
    await act(6);
    await log.advance();
    await ask();
    expect(known.size).toBe(12); // the witness's own record of being added is in the trail too
    const key = decodeKey(encodeKey((await loadLog(home.db, 'audit')).key));
    const lines = await exported();
    expect(await verifyExport(again(lines), { key, witnesses: { keys: [own], min: 1 } })).toMatchObject({
      witnesses: 1,
    });
    const stranger = noteKey('witness.example/w2', generateKeyPairSync('ed25519').publicKey);
    const strict = verifyExport(again(lines), { key, witnesses: { keys: [stranger], min: 1 } });
    await expect(strict).rejects.toThrow(/Only 0 of 1 witnesses/);
    expect((await listWitnesses(home.db))[0]?.logs).toMatchObject([{ log: 'audit', size: 12, error: null }]);
  });

  test('that knows more or less than we think is asked from what it knows', async () => {
    await add();
    await act(5);
    await log.advance();
    await ask();
    await tamper('update proof_witness_state set size = 2');
    await act(3);
    await log.advance();
    await ask();
    expect(known.size).toBe(9);
  });

  test.each(['down', 'other text'])('that is %s is reported, and asked again', async (how) => {
    await add();
    await act(2);
    await log.advance();
    misbehave = how;
    await ask();
    expect((await listWitnesses(home.db))[0]?.logs[0]?.error).toMatch(/status 503|not genuine/);
    misbehave = null;
    await act(1);
    await log.advance();
    await ask();
    expect((await listWitnesses(home.db))[0]?.logs[0]).toMatchObject({ error: null, size: 4 });
  });

  test('that saw another history refuses, and it shows', async () => {
    await add();
    await act(5);
    await log.advance();
    await ask();
    await tamper(
      `update audit_trail set record = replace(record, '"3"', '"9"') where seq = 5`,
      'delete from proof_nodes',
      'delete from proof_checkpoints',
      'update proof_logs set size = 0',
    );
    await act(2);
    await log.advance();
    await ask();
    expect((await listWitnesses(home.db))[0]?.logs[0]?.error).toMatch(/422/);
  });

  test('is added by an owner only, with an address and a key that are ones', async () => {
    const commands = createWitnessCommands({ db: home.db, clock });
    const good = { name: 'w1', url, vkey: encodeKey(own) };
    await expect(commands.add(BOB, good)).rejects.toMatchObject({ code: 'kernel.access_denied' });
    await expect(commands.add(ADA, { ...good, url: 'ftp://x.example' })).rejects.toThrow(/Not a witness/);
    await expect(commands.add(ADA, { ...good, url: 'https://a:b@x.example' })).rejects.toThrow(/no password/);
    await expect(commands.add(ADA, { ...good, vkey: 'w1+00000000+AAAA' })).rejects.toThrow(/no verifier key/);
    const { id } = await commands.add(ADA, good);
    await expect(commands.add(ADA, good)).rejects.toThrow(/exists/);
    await commands.remove(ADA, id);
    await expect(commands.remove(ADA, id)).rejects.toMatchObject({ code: 'proof.not_found' });
  });
});
