import { describe, expect, test } from 'vitest';
import { createClassifier } from './classifier.ts';

/** Bytes read through the scan's array, counted by a view that can't be read any other way. */
function countReads(text: string): number {
  let reads = 0;
  const bytes = new TextEncoder().encode(text);
  const counted = new Proxy(bytes, {
    get(target, property) {
      if (typeof property === 'string' && /^\d+$/.test(property)) reads++;
      // The proxy must hand typed-array getters their real receiver.
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  createClassifier().scan(counted, { contentType: 'text/plain' });
  return reads;
}

const HOSTILE: readonly (readonly [string, (size: number) => string])[] = [
  ['at signs', (size) => '@'.repeat(size)],
  ['addresses without an end', (size) => 'a.'.repeat(size / 2) + '@'],
  ['colons', (size) => 'a:'.repeat(size / 2)],
  ['digits', (size) => '4'.repeat(size)],
  ['grouped digits', (size) => '4111 '.repeat(size / 5)],
  ['prefixes', (size) => 'ghp_'.repeat(size / 4)],
  ['access keys', (size) => 'AKIA '.repeat(size / 5)],
  ['key headers', (size) => '-----BEGIN RSA PRIVATE KEY-----'.repeat(size / 31)],
  ['keywords', (size) => 'twitter = '.repeat(size / 10)],
  ['words of context', (size) => 'ssn '.repeat(size / 4)],
  ['quotes and backslashes', (size) => '\\"'.repeat(size / 2)],
  ['openings', (size) => '['.repeat(size)],
];

describe('hostile input stays linear', () => {
  test.each(HOSTILE)('%s: twice the bytes is about twice the reads', (_, make) => {
    const once = countReads(make(6000));
    const twice = countReads(make(12_000));
    expect(twice / once).toBeLessThan(2.6);
  });
});
