import { expect, test } from 'vitest';
import { createClassifier } from './classifier.ts';

const listing = createClassifier({ exhaustive: true, minConfidence: 0.25 });
const inline = createClassifier({});

test.each([
  ['A9 C5 D4 9F EB D3', 'mac-address'],
  ['01 02 03 04 05 06 07 ab', 'mac-address'],
  ['ab:cd:ef:01:23:45:67:89', 'mac-address'],
  ['FF-FF-FF-FF-FF-FF', 'mac-address'],
  ['0102.0304.0506.07ab', 'mac-address'],
  ['3c22fb910a7e', 'mac-address'],
  ['"ada quill"@acme-widgets.io', 'email'],
  ['ada@[185.199.108.153]', 'email'],
  ['40° 26′ 46″ N, 79° 58′ 56.2″ W', 'geo-coordinates'],
  ['(-71, -146)', 'geo-coordinates'],
])('a value that is %s from end to end is listed as %s', (value, type) => {
  expect(listing.scan(Buffer.from(value)).map((found) => found.type)).toContain(type);
});

test.each([
  '00:00:00:00:00:00',
  '123456789012',
  'A9 C5-D4 9F EB D3',
  '"ada quill" at acme-widgets.io',
  'ada@[185.199.108.353]',
  'ada@[185.199.108]',
  '95° 26′ 46″ N, 79° 58′ 56″ W',
  '71, 146',
])('%s is neither a hardware address nor a mail address nor a place', (value) => {
  const types = listing.scan(Buffer.from(value)).map((found) => found.type);
  expect(types).not.toContain('mac-address');
  expect(types).not.toContain('email');
  expect(types).not.toContain('geo-coordinates');
});

test('what only a whole value can be is not looked for inline', () => {
  expect(inline.scan(Buffer.from('3c22fb910a7e'))).toEqual([]);
  expect(inline.scan(Buffer.from('dump: A9 C5 D4 9F EB D3 and on'))).toEqual([]);
});
