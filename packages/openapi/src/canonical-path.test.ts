import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalPath } from './canonical-path.ts';

describe('accepted, in one form', () => {
  test.each([
    ['/', '/', ['']],
    ['/a/b', '/a/b', ['a', 'b']],
    ['/a/', '/a/', ['a', '']],
    ['/%61%7E%2d', '/a~-', ['a~-']],
    ['/caf%c3%a9', '/caf%C3%A9', ['café']],
    ['/a%2fb', '/a%2Fb', ['a/b']],
    ['/a%3Bb', '/a%3Bb', ['a;b']],
    ['/a%20b', '/a%20b', ['a b']],
    ['/a|b"c', '/a%7Cb%22c', ['a|b"c']],
    ['/user@example.com', '/user@example.com', ['user@example.com']],
    ['/sites/https%3A%2F%2Fexample.com%2F', '/sites/https%3A%2F%2Fexample.com%2F', ['sites', 'https://example.com/']],
    ['/...', '/...', ['...']],
    ['/.github', '/.github', ['.github']],
    ['/100%25', '/100%25', ['100%']],
  ])('%s', (raw, path, segments) => {
    expect(canonicalPath(raw)).toMatchObject({ ok: true, path, segments });
  });
});

describe('refused, because parsers disagree', () => {
  test.each([
    ['', 'not-absolute'],
    ['a/b', 'not-absolute'],
    ['http://evil/', 'not-absolute'],
    ['//evil/a', 'empty-segment'],
    ['/a//b', 'empty-segment'],
    ['/a/../b', 'dot-segment'],
    ['/a/./b', 'dot-segment'],
    ['/..', 'dot-segment'],
    ['/a/%2e%2e/b', 'dot-segment'],
    ['/a/.%2E/b', 'dot-segment'],
    ['/a/x%2F..%2Fy', 'dot-segment'],
    ['/a/%2E%2E%2Fy', 'dot-segment'],
    ['/a/%252e%252e/b', 'double-escape'],
    ['/a%252Fb', 'double-escape'],
    ['/a;x=1/b', 'matrix-parameter'],
    ['/a\\b', 'backslash'],
    ['/a%5Cb', 'backslash'],
    ['/a%00', 'control-character'],
    ['/a%0d%0aSet-Cookie:x', 'control-character'],
    ['/a b', 'character'],
    ['/caf\u00e9', 'character'],
    ['/a%', 'malformed-escape'],
    ['/a%zz', 'malformed-escape'],
    ['/a%ff', 'not-utf8'],
    ['/%c0%ae%c0%ae/', 'not-utf8'],
    ['/a?b', 'query'],
    ['/a#b', 'query'],
    [`/${'a'.repeat(9000)}`, 'too-long'],
    [`/${'a/'.repeat(300)}`, 'too-long'],
  ])('%s', (raw, reason) => {
    expect(canonicalPath(raw)).toEqual({ ok: false, reason });
  });
});

const character = fc.oneof(
  fc.constantFrom('/', '.', '%2e', '%2E', '%2f', '%25', '%5c', ';', '\\', 'a', '~', '%7e', '%c3%a9', '%ff', '{', '"'),
  fc.string({ maxLength: 3 }),
);

test('the canonical form is its own canonical form, means the same, and a WHATWG parser leaves it alone', () => {
  fc.assert(
    fc.property(fc.array(character, { maxLength: 12 }), (parts) => {
      const first = canonicalPath(`/${parts.join('')}`);
      if (!first.ok) return;
      expect(canonicalPath(first.path)).toEqual(first);
      expect(new URL(`http://upstream${first.path}`).pathname).toBe(first.path);
      expect(first.path.slice(1).split('/').map(decodeURIComponent)).toEqual(first.segments);
    }),
    { numRuns: 2000 },
  );
});
