import { expect, test } from 'vitest';
import type { RestoreAction } from './app-port.ts';
import type { BackupRecord } from './backup-record.ts';
import type { FileFacts } from './file-bytes.ts';
import { planRestore } from './restore-plan.ts';

/** A dry run of files: what is uploaded, and what can't be, is said before. */

const file = (id: string, title = 'offer.pdf'): BackupRecord => ({
  stream: 'files',
  object: 'file',
  id,
  parentId: null,
  title,
  updatedAt: null,
  content: null,
  facts: null,
});
const facts = (bytes: number | null, notRead: string | null = null): FileFacts => ({
  version: 'v1',
  bytes,
  sha256: bytes === null ? null : 'digest',
  parts: 1,
  notRead,
});
const action = (op: 'create' | 'update', name: string, fileBytesMax: number | null): RestoreAction => ({
  op,
  name,
  object: 'file',
  note: null,
  fileBytesMax,
});
const UPLOADS = [action('create', 'restore-file', 100), action('update', 'replace-file', 100)];

async function one(
  live: readonly BackupRecord[],
  of: FileFacts | null,
  options: { readonly actions?: readonly RestoreAction[]; readonly differs?: boolean } = {},
) {
  const { items, same } = await planRestore({
    wanted: [file('a')],
    live,
    removeExtra: false,
    actions: options.actions ?? UPLOADS,
    newIds: new Map(),
    bytesOf: () => Promise.resolve(of),
    differs: () => Promise.resolve(options.differs ?? false),
  });
  return same === 1 ? 'same' : `${items[0]?.op} ${items[0]?.action}: ${items[0]?.note}`;
}

test.each<[string, Promise<string>, string]>([
  ['gone', one([], facts(40)), 'create restore-file: Uploads 40 bytes.'],
  ['empty and gone', one([], facts(0)), 'create restore-file: Uploads 0 bytes.'],
  ['gone, and never read', one([], facts(null, 'refused')), 'cannot null: The snapshot has no bytes of it: refused.'],
  ['gone, and no file', one([], null), 'cannot null: The snapshot has no bytes of it.'],
  [
    'gone, and too large',
    one([], facts(101)),
    "cannot null: It has 101 bytes, and the tool's interface takes 100: restore it to a file.",
  ],
  ['with other bytes', one([file('a')], facts(40), { differs: true }), 'update replace-file: Uploads 40 bytes.'],
  ['with another name', one([file('a', 'x')], facts(40)), 'update replace-file: Uploads 40 bytes.'],
  ['as it was', one([file('a')], facts(40)), 'same'],
  ['there, where nothing of its bytes is known', one([file('a')], null, { differs: true }), 'same'],
  [
    'gone, where the tool takes no bytes',
    one([], facts(40), { actions: [] }),
    "cannot null: The tool's interface has no way to create a record of file.",
  ],
])('a file that is %s', async (_what, outcome, expected) => {
  expect(await outcome).toBe(expected);
});
