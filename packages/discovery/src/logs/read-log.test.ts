import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { loadCatalogue } from '../catalogue.ts';
import { LOG_FORMATS, readLog } from './read-log.ts';
import { LINE_BYTES_MAX } from './split-lines.ts';

const NOW = Date.UTC(2026, 10, 24);
const DAY = Date.UTC(2026, 10, 23);
const catalogue = loadCatalogue(fileURLToPath(new URL('../../../../content/catalogue/', import.meta.url)));
const file = (name: string): string => fileURLToPath(new URL(`../../testdata/${name}`, import.meta.url));

const ADA = 'ada@meridian.example';
const BOB = 'bob@meridian.example';

test.each([
  [
    'squid',
    'squid.log',
    { lines: 7, bad: 1, skipped: 1 },
    [
      ['slack', ADA, 5070],
      ['otter-ai', ADA, 150_700],
      ['wetransfer', '10.1.2.4', 900],
      ['chatgpt', 'bob', 777],
    ],
  ],
  [
    'zscaler',
    'zscaler.log',
    { lines: 5, bad: 1, skipped: 1 },
    [
      ['asana', ADA, 14_133],
      ['claude', 'eve@meridian.example', 3000],
      ['notion', ADA, 30],
    ],
  ],
  [
    'netskope',
    'netskope.json.log',
    { lines: 4, bad: 1, skipped: 1 },
    [
      ['otter-ai', ADA, 6144],
      ['figma', ADA, 500],
    ],
  ],
  [
    'netskope',
    'netskope.w3c.log',
    { lines: 4, bad: 1, skipped: 1 },
    [
      ['otter-ai', ADA, 300],
      ['google-workspace', '10.0.0.5', 300],
    ],
  ],
  [
    'cloudflare-gateway',
    'cloudflare.log',
    { lines: 5, bad: 1, skipped: 1 },
    [
      ['otter-ai', ADA, 0],
      ['openai-api', BOB, 0],
      ['grammarly', '10.0.0.7', 0],
    ],
  ],
  [
    'bind',
    'bind.log',
    { lines: 5, bad: 1, skipped: 2 },
    [
      ['otter-ai', '10.0.0.5', 0],
      ['trello', '10.0.0.6', 0],
    ],
  ],
  [
    'unbound',
    'unbound.log',
    { lines: 5, bad: 1, skipped: 2 },
    [
      ['otter-ai', '10.0.0.5', 0],
      ['canva', '10.0.0.6', 0],
    ],
  ],
  [
    'zeek',
    'zeek.log',
    { lines: 9, bad: 1, skipped: 5 },
    [
      ['otter-ai', '10.0.0.5', 0],
      ['hugging-face', '10.0.0.7', 0],
      ['pastebin', '10.0.0.8', 2010],
    ],
  ],
  [
    'mbox',
    'mail.mbox',
    { bad: 1 },
    [
      ['otter-ai', ADA, 0],
      ['figma', BOB, 0],
    ],
  ],
  ['mail-trace', 'trace.csv', { lines: 4, bad: 1, skipped: 2 }, [['otter-ai', ADA, 0]]],
  [
    'expenses',
    'expenses.csv',
    { lines: 5, bad: 1, skipped: 1 },
    [
      ['notion', ADA, 0],
      ['dropbox', BOB, 0],
    ],
  ],
] as const)('%s: %s', async (format, name, counts, uses) => {
  const report = await readLog(createReadStream(file(name)), { format, catalogue, now: NOW });
  expect(report).toMatchObject(counts);
  expect(report.uses.map(({ app, who, bytes }) => [app, who, bytes])).toEqual(uses);
  expect(report.uses.filter(({ firstAt }) => firstAt < DAY - 366 * 86_400_000 || firstAt > NOW + 86_400_000)).toEqual(
    [],
  );
  expect(report.badLines.length).toBe(report.bad);
});

test('every format has a file that is read', () => {
  const read = [
    'squid',
    'zscaler',
    'netskope',
    'w3c',
    'cloudflare-gateway',
    'bind',
    'zeek',
    'unbound',
    'mbox',
    'mail-trace',
    'expenses',
  ];
  expect(LOG_FORMATS.map(({ name }) => name).toSorted()).toEqual(read.toSorted());
});

test('times are those of the log, local time by its offset', async () => {
  const utc = await readLog(createReadStream(file('bind.log')), { format: 'bind', catalogue, now: NOW });
  expect(utc.uses[0]?.firstAt).toBe(Date.UTC(2026, 10, 23, 15, 30, 0, 123));
  const berlin = await readLog(createReadStream(file('bind.log')), {
    format: 'bind',
    catalogue,
    now: NOW,
    utcOffsetMs: 3_600_000,
  });
  expect(berlin.uses[0]?.firstAt).toBe(Date.UTC(2026, 10, 23, 14, 30, 0, 123));
});

test('bodies of mail leave no trace', async () => {
  const report = await readLog(createReadStream(file('mail.mbox')), { format: 'mbox', catalogue, now: NOW });
  expect(JSON.stringify(report)).not.toMatch(/hunter2|mega/);
});

test('gzip is unpacked, and its hash is of the file as it came', async () => {
  const text = Buffer.from('1763892000.123 9 10.1.2.3 TCP_MISS/200 5 GET http://slack.com/ - HIER_DIRECT/1.2.3.4 -\n');
  const one = async (bytes: Uint8Array) =>
    readLog(
      (async function* () {
        yield bytes;
      })(),
      { format: 'squid', catalogue, now: NOW },
    );
  const [plain, packed] = [await one(text), await one(gzipSync(text))];
  expect(packed.uses).toEqual(plain.uses);
  expect(packed.sha256).not.toBe(plain.sha256);
  await expect(one(gzipSync(text).subarray(0, 30))).rejects.toMatchObject({ code: 'discovery.log_unreadable' });
});

test('a file of another format is refused, one that does not exist too', async () => {
  const noise = async function* () {
    for (let n = 0; n < 5_000; n++) yield Buffer.from(`line ${n} of something else\n`);
  };
  await expect(readLog(noise(), { format: 'squid', catalogue, now: NOW })).rejects.toMatchObject({
    code: 'discovery.log_unreadable',
  });
  await expect(readLog(noise(), { format: 'nonsense', catalogue, now: NOW })).rejects.toMatchObject({
    code: 'discovery.format_unknown',
  });
});

test('lines in pieces, without an end, and far too long', async () => {
  const line = '1763892000.123 9 10.1.2.3 TCP_MISS/200 5 GET http://slack.com/ - HIER_DIRECT/1.2.3.4 -';
  const pieces = async function* () {
    for (const character of line) yield Buffer.from(character);
    yield Buffer.from('\n');
    for (let n = 0; n < 4; n++) yield Buffer.alloc(LINE_BYTES_MAX / 2, 0x61);
    yield Buffer.from(`\n${line}`);
  };
  const report = await readLog(pieces(), { format: 'squid', catalogue, now: NOW });
  expect(report).toMatchObject({ lines: 3, bad: 1, traces: 2, badLines: [{ line: 2, why: 'longer than 64 KiB' }] });
});

test('a large log with ever new users and hosts stays in constant memory', async () => {
  const LINES = 400_000;
  const many = async function* () {
    for (let n = 0; n < LINES; n += 1_000) {
      let block = '';
      for (let m = n; m < n + 1_000; m++) {
        const host = m % 2 === 0 ? 'slack.com' : `h${m}.nobody${m}.example`;
        block += `1763892000.123 9 10.1.2.3 TCP_TUNNEL/200 100 CONNECT ${host}:443 user${m} HIER_DIRECT/1.2.3.4 -\n`;
      }
      yield Buffer.from(block);
    }
  };
  const report = await readLog(many(), { format: 'squid', catalogue, now: NOW });
  expect(report).toMatchObject({ lines: LINES, traces: LINES, bad: 0 });
  expect(report.uses.length).toBeLessThanOrEqual(100_001);
  expect(report.uses.reduce((sum, { events }) => sum + events, 0)).toBe(LINES / 2);
  expect(report.unknown.length).toBe(500);
});
