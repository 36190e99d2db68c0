import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createLogger, systemClock } from '@cordon/kernel';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Spool } from './spool.ts';
import { HEARTBEAT_AGE_MS_MAX, listSegments } from './spool-folder.ts';
import { decodeSegment, encodeLine } from './spool-line.ts';
import { SpoolShipper } from './spool-shipper.ts';

const logger = createLogger({ role: 'test', level: 'silent' });
let root = '';
let spools: Spool[] = [];

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'cordon-spool-'));
  spools = [];
});
afterEach(() => {
  for (const spool of spools) spool.close();
  fs.rmSync(root, { recursive: true, force: true });
});

function open(options: { bytesMax?: number; segmentBytesMax?: number } = {}): Spool {
  const spool = new Spool({ root, clock: systemClock, logger, ...options });
  spools.push(spool);
  return spool;
}

function append(spool: Spool, json: string, strict = false): Promise<Error | undefined> {
  return new Promise((resolve) => {
    spool.append(json, strict, resolve);
  });
}

function onDisk(spool: Spool): string[] {
  return listSegments(spool.folder).flatMap((segment) =>
    decodeSegment(fs.readFileSync(segment.path)).ndjson.toString().split('\n').filter(Boolean),
  );
}

interface Sent {
  key: string;
  lines: string[];
}

function shipper(spool: Spool, answer: (key: string) => number): { shipper: SpoolShipper; sent: Sent[] } {
  const sent: Sent[] = [];
  const send = async (key: string, ndjson: Buffer): Promise<number> => {
    sent.push({ key, lines: ndjson.toString().split('\n').filter(Boolean) });
    return answer(key);
  };
  return { shipper: new SpoolShipper({ spool, send, logger, random: () => 0.5 }), sent };
}

test.each([[false], [true]])('an event is in the file when append calls back (strict: %s)', async (strict) => {
  const spool = open();
  expect(await append(spool, '{"a":1}', strict)).toBeUndefined();
  expect(onDisk(spool)).toEqual(['{"a":1}']);
});

test('events of one tick are written together, in order', async () => {
  const spool = open();
  await Promise.all(['1', '2', '3'].map((json, index) => append(spool, json, index === 1)));
  expect(onDisk(spool)).toEqual(['1', '2', '3']);
});

test('sealing in the midst of syncs loses no callback and closes no descriptor too early', async () => {
  const errors: string[] = [];
  const loud = createLogger({
    role: 'test',
    level: 'error',
    destination: { write: (line: string) => void errors.push(line) },
  });
  const spool = new Spool({ root, clock: systemClock, logger: loud, segmentBytesMax: 200 });
  spools.push(spool);
  const results = await Promise.all(
    Array.from({ length: 200 }, async (_item, index) => {
      for (let wait = 0; wait < index % 7; wait++) await new Promise((resolve) => setImmediate(resolve));
      if (index % 5 === 0) spool.seal();
      return append(spool, JSON.stringify({ index }), index % 2 === 0);
    }),
  );
  expect(results.every((error) => error === undefined)).toBe(true);
  expect(errors).toEqual([]);
  expect(onDisk(spool)).toHaveLength(200);
});

test('a full spool says so before it is overrun, and then refuses', async () => {
  const spool = open({ bytesMax: 10_000 });
  const line = JSON.stringify('x'.repeat(90));
  let stored = 0;
  while (!spool.full) {
    expect(await append(spool, line)).toBeUndefined();
    stored += 1;
  }
  // Ten kilobytes less the reserve, at 102 bytes a line; the reserve still takes calls in flight.
  expect(stored).toBe(94);
  expect(await append(spool, line)).toBeUndefined();
  expect(await append(spool, JSON.stringify('y'.repeat(400)))).toBeInstanceOf(Error);
  expect(onDisk(spool)).toHaveLength(95);
});

test('a batch that the worker took is deleted, one that it did not take is sent again with the same key', async () => {
  const spool = open();
  await append(spool, '{"n":1}');
  let status = 503;
  const { shipper: ships, sent } = shipper(spool, () => status);
  await ships.ship();
  expect(onDisk(spool)).toEqual(['{"n":1}']);
  status = 200;
  await append(spool, '{"n":2}');
  await ships.ship();
  expect(onDisk(spool)).toEqual([]);
  expect(spool.bytes).toBe(0);
  expect(sent.map(({ lines }) => lines)).toEqual([['{"n":1}'], ['{"n":1}'], ['{"n":2}']]);
  expect(sent[0]!.key).toBe(sent[1]!.key);
  expect(sent[2]!.key).not.toBe(sent[1]!.key);
  expect(ships.stats).toMatchObject({ shippedEvents: 2, shippedBatches: 2, failures: 1 });
});

test('a batch that the worker refuses for good is set aside and does not hold up the rest', async () => {
  const spool = open({ segmentBytesMax: 10 });
  await append(spool, '{"bad":1}');
  await append(spool, '{"good":1}');
  let first = true;
  const { shipper: ships } = shipper(spool, () => (first ? ((first = false), 422) : 200));
  await ships.ship();
  expect(ships.stats).toMatchObject({ rejectedBatches: 1, shippedBatches: 1 });
  expect(fs.readdirSync(spool.folder).filter((name) => name.endsWith('.rejected'))).toHaveLength(1);
});

test('a torn last line is dropped, a broken line is kept aside, the rest is shipped', async () => {
  const whole = encodeLine('{"n":1}');
  const broken = encodeLine('{"n":2}').replace('2', '3');
  const torn = encodeLine('{"n":4}').slice(0, -5);
  const content = decodeSegment(Buffer.from(whole + broken + whole + torn));
  expect(content).toMatchObject({ events: 2, corrupt: 1, torn: true });
  expect(content.ndjson.toString()).toBe('{"n":1}\n{"n":1}\n');
});

test('any cut through a segment loses only the line it goes through', () => {
  fc.assert(
    fc.property(fc.array(fc.json(), { minLength: 1, maxLength: 20 }), fc.nat(), (documents, at) => {
      const bytes = Buffer.from(documents.map((json) => encodeLine(JSON.stringify(json))).join(''));
      const cut = at % (bytes.length + 1);
      const content = decodeSegment(bytes.subarray(0, cut));
      const complete = bytes.subarray(0, cut).toString('latin1').split('\n').length - 1;
      expect(content.events).toBe(complete);
      expect(content.corrupt).toBe(0);
    }),
  );
});

test('a flipped bit never passes as an event', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.integer({ min: 0, max: 7 }), (json, at, bit) => {
      const bytes = Buffer.from(encodeLine(JSON.stringify(json)));
      bytes[at % (bytes.length - 1)]! ^= 1 << bit;
      const text = decodeSegment(bytes).ndjson.toString();
      expect(text === '' || text === `${JSON.stringify(json)}\n`).toBe(true);
      expect(decodeSegment(bytes).events).toBeLessThanOrEqual(0);
    }),
  );
});

/** A folder as a process leaves it that is gone: its pid belongs to nobody any more. */
function orphan(lines: string, ageMs: number): string {
  const { pid } = spawnSync('true');
  const folder = path.join(root, `p${pid}-1-0123abcd`);
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, '00000001-01890000-0000-7000-8000-000000000001.spool'), lines);
  const at = (Date.now() - ageMs) / 1000;
  fs.utimesSync(folder, at, at);
  return folder;
}

test('the spool of a dead process is adopted, shipped under its own keys and removed', async () => {
  orphan(encodeLine('{"left":1}') + encodeLine('{"left":2}').slice(0, 12), HEARTBEAT_AGE_MS_MAX + 1_000);
  const spool = open();
  expect(spool.adopt()).toBe(1);
  expect(spool.bytes).toBeGreaterThan(0);
  const { shipper: ships, sent } = shipper(spool, () => 200);
  await ships.ship();
  expect(sent).toEqual([{ key: '01890000-0000-7000-8000-000000000001', lines: ['{"left":1}'] }]);
  spool.close();
  spools = [];
  expect(fs.readdirSync(root)).toEqual([]);
});

test('of two processes that adopt at once, one gets the folder', () => {
  orphan(encodeLine('{}'), HEARTBEAT_AGE_MS_MAX + 1_000);
  const [first, second] = [open(), open()];
  expect([first.adopt(), second.adopt()]).toEqual([1, 0]);
});

test('neither a living process nor a fresh heartbeat is robbed', () => {
  const living = open();
  orphan(encodeLine('{}'), 0);
  expect(living.adopt()).toBe(0);
  const other = open();
  expect(other.adopt()).toBe(0);
  expect(fs.existsSync(living.folder)).toBe(true);
});
