import { expect, test } from 'vitest';
import { callTagHolds, readTag, recordTagHolds, TAG_FIELD, tagAgent, tagRecord } from './tag.ts';

const KEY = Buffer.alloc(32, 1);
const OTHER = Buffer.alloc(32, 2);
const DRILL = '01a209db-743e-7000-a1f8-5ae5721c1866';
const RECORD = { user: 'eve', at: 1, nested: { b: 2, a: [1, null] } };

const tagged = tagRecord(KEY, DRILL, 7, RECORD);
const tag = readTag(tagged[TAG_FIELD]);

test('a record’s tag says its drill and number', () => {
  expect(tag).toMatchObject({ drillId: DRILL, number: 7 });
});

test.each<[what: string, key: Buffer, record: Record<string, unknown>, holds: boolean]>([
  ['as it was sent', KEY, tagged, true],
  [
    'with its keys in another order',
    KEY,
    { nested: { a: [1, null], b: 2 }, at: 1, user: 'eve', [TAG_FIELD]: 'x' },
    true,
  ],
  ['with another value', KEY, { ...tagged, user: 'ada' }, false],
  ['with one member more', KEY, { ...tagged, more: 1 }, false],
  ['under another drill’s key', OTHER, tagged, false],
])('a record %s', (_what, key, record, holds) => {
  if (!tag) throw new Error('no tag');
  expect(recordTagHolds(key, tag, record)).toBe(holds);
});

test.each<[what: string, key: Buffer, integration: string, holds: boolean]>([
  ['of the drill’s integration', KEY, 'i1', true],
  ['copied by another integration', KEY, 'i2', false],
  ['under another key', OTHER, 'i1', false],
])('a call’s tag %s', (_what, key, integration, holds) => {
  const found = readTag(tagAgent(KEY, DRILL, 3, 'i1'));
  if (!found) throw new Error('no tag');
  expect(callTagHolds(key, found, integration)).toBe(holds);
});

test('a record’s tag is no call’s tag, and a changed number breaks it', () => {
  if (!tag) throw new Error('no tag');
  expect(callTagHolds(KEY, tag, 'i1')).toBe(false);
  expect(recordTagHolds(KEY, { ...tag, number: 8 }, tagged)).toBe(false);
});

test.each([[undefined], [7], [''], ['v1.x.1.y'], ['cordon-drill/'], [`v2.${DRILL}.1.${'a'.repeat(43)}`]])(
  '%o is no tag',
  (text) => {
    expect(readTag(text)).toBeNull();
  },
);
