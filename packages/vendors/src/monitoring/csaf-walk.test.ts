import { describe, expect, test } from 'vitest';
import { fileNameOf, readCsaf } from './csaf-document.ts';
import { AddressRefused, walkProvider, type WalkState } from './csaf-walk.ts';
import { makeCsaf, makeProvider, type MadeEntry } from './made-csaf.ts';

const BASE = 'https://csaf.example';
const NOW = Date.parse('2026-02-01T00:00:00Z');
const entry = (id: string, updated: string, name = `2026/${fileNameOf(id)}`): MadeEntry => ({
  name,
  content: makeCsaf(id),
  updated,
});
const TWO = [entry('ACME-2026-1', '2026-01-20T00:00:00Z'), entry('ACME-2026-2', '2026-01-25T00:00:00Z')];

/** Walks files by path as a server would give them; returns which ids were taken, and the state. */
async function walk(
  files: ReadonlyMap<string, string>,
  { url = `${BASE}/`, before = null as WalkState | null, now = () => NOW, fail = '' } = {},
) {
  const taken: string[] = [];
  const fetchBytes = async (address: string, bytesMax: number): Promise<Buffer> => {
    const { origin, pathname } = new URL(address);
    if (fail !== '' && pathname.endsWith(fail)) throw new Error('the connection broke');
    const file = origin === BASE ? files.get(pathname) : undefined;
    if (file === undefined) throw new AddressRefused(404);
    if (Buffer.byteLength(file) > bytesMax) throw new Error('the feed is too large');
    return Buffer.from(file);
  };
  const state = await walkProvider(url, before, { fetchBytes, clock: { now } }, async ({ document }) => {
    taken.push(document.trackingId);
  });
  return { taken, state };
}

describe.each(['directory', 'rolie'] as const)('a provider by %s', (by) => {
  test('is read oldest first, with hashes checked and signatures seen; nothing is read twice', async () => {
    const first = await walk(makeProvider(BASE, TWO, by));
    expect(first.taken).toEqual(['ACME-2026-1', 'ACME-2026-2']);
    expect(first.state).toMatchObject({ listed: 2, read: 2, hashed: 2, signed: 2, refused: [], isMore: false });
    const again = await walk(makeProvider(BASE, TWO, by), { before: first.state });
    expect([again.taken, again.state.read]).toEqual([[], 0]);
    const changed = [...TWO, entry('ACME-2026-3', '2026-01-25T00:00:00Z')];
    const third = await walk(makeProvider(BASE, changed, by), { before: again.state });
    expect(third.taken).toEqual(['ACME-2026-3']);
  });

  test('is not asked for its history', async () => {
    const old = entry('ACME-2020-1', '2020-01-20T00:00:00Z');
    expect((await walk(makeProvider(BASE, [old, ...TWO], by))).taken).toEqual(['ACME-2026-1', 'ACME-2026-2']);
  });

  test('goes on where a walk was cut short', async () => {
    const many = Array.from({ length: 130 }, (_, at) => entry(`A-${1_000 + at}`, '2026-01-20T00:00:00Z'));
    const files = makeProvider(BASE, many, by);
    const first = await walk(files);
    const second = await walk(files, { before: first.state });
    expect([first.taken.length, first.state.isMore, second.taken.length, second.state.isMore]).toEqual([
      100,
      true,
      30,
      false,
    ]);
    expect(new Set([...first.taken, ...second.taken]).size).toBe(130);
  });

  test('a connection that breaks ends the walk there, and nothing is lost', async () => {
    const files = makeProvider(BASE, TWO, by);
    const first = await walk(files, { fail: 'acme-2026-2.json' });
    expect([first.taken, first.state.isMore]).toEqual([['ACME-2026-1'], true]);
    expect(first.state.refused).toEqual([expect.stringContaining('the connection broke')]);
    expect((await walk(files, { before: first.state })).taken).toEqual(['ACME-2026-2']);
  });
});

const without = (drop: string) => {
  const files = makeProvider(BASE, TWO, 'directory');
  files.delete(drop);
  return files;
};

test('index.txt will do where there is no changes.csv, and each document is read once', async () => {
  const files = without('/white/changes.csv');
  const first = await walk(files);
  expect(first.taken).toEqual(['ACME-2026-1', 'ACME-2026-2']);
  expect((await walk(files, { before: first.state })).taken).toEqual([]);
});

test('the metadata is found by security.txt where it is not at its well-known place', async () => {
  const files = makeProvider(BASE, TWO, 'directory');
  files.set('/csaf/provider-metadata.json', files.get('/.well-known/csaf/provider-metadata.json') ?? '');
  files.delete('/.well-known/csaf/provider-metadata.json');
  files.set('/.well-known/security.txt', 'Contact: mailto:a@b.example\nCSAF: /csaf/provider-metadata.json\n');
  expect((await walk(files)).taken).toHaveLength(2);
  expect((await walk(files, { url: `${BASE}/csaf/provider-metadata.json` })).taken).toHaveLength(2);
});

const FIRST = '/white/2026/acme-2026-1.json';
test.each<[what: string, path: string, content: string, says: string]>([
  ['another hash', `${FIRST}.sha512`, `${'0'.repeat(128)}  acme-2026-1.json`, 'its sha512 is not the one beside it'],
  ['a hash that is none', `${FIRST}.sha512`, 'moved', 'its sha512 is not the one beside it'],
  ['no CSAF', FIRST, '{}', 'its sha512'],
])('a document with %s is refused by name, and the others are read', async (_, path, content, says) => {
  const files = makeProvider(BASE, TWO, 'directory');
  files.set(path, content);
  const { taken, state } = await walk(files);
  expect(taken).toEqual(['ACME-2026-2']);
  expect(state.refused).toEqual([expect.stringContaining(`acme-2026-1.json: ${says}`)]);
});

test('a document under another name than its tracking id says is refused', async () => {
  const { taken, state } = await walk(
    makeProvider(BASE, [entry('ACME-2026-1', '2026-01-20T00:00:00Z', '2026/other.json')], 'directory'),
  );
  expect([taken, state.refused]).toEqual([[], ['other.json: its name should be acme-2026-1.json by its tracking id']]);
});

test('without hash and signature a document is read, and both are counted as absent', async () => {
  const files = without(`${FIRST}.sha512`);
  files.delete(`${FIRST}.asc`);
  expect((await walk(files)).state).toMatchObject({ read: 2, hashed: 1, signed: 1 });
});

test.each<[what: string, path: string, content: string, says: RegExp]>([
  [
    'a name that leads out',
    '/white/changes.csv',
    '"../../etc/x.json","2026-01-20T00:00:00Z"',
    /line 1 is no file name/,
  ],
  ['another host', '/white/changes.csv', '"https://evil.example/x.json","2026-01-20T00:00:00Z"', /line 1/],
  ['no time', '/white/changes.csv', '"2026/a.json","soon"', /line 1/],
  ['metadata of another kind', '/.well-known/csaf/provider-metadata.json', '{"a":1}', /no provider-metadata\.json/],
])('%s in a list ends the walk with the reason', async (_, path, content, says) => {
  const files = makeProvider(BASE, TWO, 'directory');
  files.set(path, content);
  await expect(walk(files)).rejects.toThrow(says);
});

test('the whole walk has an end in time', async () => {
  let at = NOW;
  const { state } = await walk(makeProvider(BASE, TWO, 'directory'), { now: () => (at += 9_000) });
  expect(state.refused.at(-1)).toContain('longer than 60 s');
  expect(state.isMore).toBe(true);
});

test('a document names the vendors of its product tree, and says when nothing is affected', () => {
  expect(readCsaf(makeCsaf('A-1', { vendor: 'Orbit' }))).toMatchObject({
    names: ['Orbit', 'A coordinator', 'coordinator.example'],
    severity: 'critical',
    isAffecting: true,
  });
  expect(readCsaf(makeCsaf('A-1', { status: 'known_not_affected' })).isAffecting).toBe(false);
  expect(fileNameOf('RHBA-2019:0024 A.b')).toBe('rhba-2019_0024_a_b.json');
});
