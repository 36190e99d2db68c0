import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXPORT_EVENTS_MAX, type ExportRequest } from './export.ts';
import { createTestLake, sampleCall, type TestLake } from './testing.ts';

const NOW = Date.now();
const EVENTS = 2_300;
let test_: TestLake;

beforeAll(async () => {
  test_ = await createTestLake();
  const events = Array.from({ length: EVENTS }, (_, index) =>
    sampleCall({
      id: `e${String(index).padStart(5, '0')}`,
      // Several share a moment, so that pages end among them.
      time: NOW - Math.floor(index / 7) * 1_000,
      app: index % 2 === 0 ? { id: 'app-slack', name: 'Slack' } : { id: 'app-github', name: 'GitHub' },
    }),
  );
  await test_.lake.ingest({ id: 'export', events });
}, 120_000);
afterAll(() => test_.close());

async function read(request: ExportRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await test_.lake.export(request)) chunks.push(Buffer.from(chunk as Buffer | string)); // a byte stream yields either
  return Buffer.concat(chunks);
}
const uidsOf = (bytes: Buffer): string[] =>
  bytes
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { metadata: { uid: string } }).metadata.uid); // as this test wrote it

test('NDJSON has every event that the search finds, once, over several pages', async () => {
  const uids = uidsOf(
    await read({ format: 'ndjson', limit: EXPORT_EVENTS_MAX.ndjson, query: 'app:slack or app:github' }),
  );
  expect(uids.length).toBe(EVENTS);
  expect(new Set(uids).size).toBe(EVENTS);
});

test('a limit that ends within a page holds', async () => {
  expect(uidsOf(await read({ format: 'ndjson', limit: 1_500 })).length).toBe(1_500);
});

test('Parquet comes from the engine, with typed columns', async () => {
  const bytes = await read({ format: 'parquet', limit: EVENTS, query: 'app:slack' });
  expect([bytes.subarray(0, 4).toString(), bytes.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1']);
  // The footer's length lies before the last mark; its schema names the columns.
  const footer = bytes.subarray(-8 - bytes.readUInt32LE(bytes.length - 8), -8).toString('latin1');
  expect(footer).toContain('actor_email');
  expect(footer).toContain('event_id');
  const all = await read({ format: 'parquet', limit: EVENTS });
  expect(all.length).toBeGreaterThan(bytes.length);
});

test.each([
  ['an export of nothing', { format: 'ndjson', limit: 0 }, 'has 1 to'],
  ['one that is too large', { format: 'parquet', limit: EXPORT_EVENTS_MAX.parquet + 1 }, 'has 1 to'],
  ['a search that is none', { format: 'ndjson', limit: 1, query: 'app:(slack' }, 'not closed'],
] as const)('%s is refused before anything is sent', async (_name, request, message) => {
  await expect(test_.lake.export(request)).rejects.toThrow(message);
});
