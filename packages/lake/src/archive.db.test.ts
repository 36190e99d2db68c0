import { uuidv7 } from '@cordon/kernel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sampleCall } from './event-sample.ts';
import { createTestLake, type TestLake } from './lake-fixture.ts';

const NOW = Date.UTC(2026, 5, 15, 12);
const HOUR_MS = 3_600_000;
let from: TestLake;
let to: TestLake;

beforeAll(async () => {
  [from, to] = await Promise.all([
    createTestLake({ clock: { now: () => NOW } }),
    createTestLake({ clock: { now: () => NOW } }),
  ]);
});
afterAll(() => Promise.all([from.close(), to.close()]));

const everything = { from: 0, to: NOW + HOUR_MS };

test('what one lake reads out, another takes in, event for event', async () => {
  const times = Array.from({ length: 500 }, (_, at) => NOW - at * 60_000);
  await from.lake.ingest({ id: 'first', events: times.map((time) => sampleCall({ time, id: uuidv7(time) })) });
  const groups = await from.lake.archive.groups();
  expect(groups.filter(({ table }) => table === 'events').reduce((sum, { rows }) => sum + rows, 0)).toBe(500);
  for (const group of groups) {
    for (let part = 0; part < group.parts; part++) {
      const { columns, lines } = await from.lake.archive.read(group, part);
      await to.lake.archive.write(group.table, columns, lines, `${group.table}-${group.group}-${part}`);
      await to.lake.archive.write(group.table, columns, lines, `${group.table}-${group.group}-${part}`);
    }
  }
  expect(await to.lake.count(everything)).toBe(500);
  const [page, copy] = await Promise.all([from, to].map(({ lake }) => lake.search({ ...everything, limit: 500 })));
  expect(copy?.events).toEqual(page?.events);
  expect(await to.lake.archive.groups()).toEqual(groups);
});

test('only the hour that an event falls into changes', async () => {
  const before = await from.lake.archive.groups();
  await from.lake.ingest({ id: 'late', events: [sampleCall({ time: NOW - 2 * HOUR_MS, id: uuidv7(NOW) })] });
  const known = new Set(before.map(({ table, group, fingerprint }) => `${table}/${group}/${fingerprint}`));
  const changed = (await from.lake.archive.groups()).filter(
    ({ table, group, fingerprint }) => !known.has(`${table}/${group}/${fingerprint}`),
  );
  expect(changed).toMatchObject([{ table: 'events', group: (NOW - 2 * HOUR_MS) / 1_000 }]);
});

test('an unknown table or column is refused, and everything can be cleared', async () => {
  await expect(to.lake.archive.write('system', ['name'], ['["x"]'], 't')).rejects.toThrow(/no table/);
  await expect(to.lake.archive.write('events', ['nothing'], ['["x"]'], 't')).rejects.toThrow(/no column/);
  await to.lake.archive.clear();
  expect(await to.lake.archive.rows()).toBe(0);
});
