import fc from 'fast-check';
import { RE2JS } from 're2js';
import { expect, test } from 'vitest';
import { requiredLiterals } from './required-literal.ts';

test.each([
  ['change role.*to (admin|owner)', ['change role']],
  ['to (admin|owner)s', ['admin', 'owner']],
  ['(?i)ABC+d', ['abc']],
  ['\\$\\([^)]+\\)', ['$(']],
  ['left|right', ['left', 'right']],
  ['left|', []],
  ['(left|.)', []],
  ['(left|right)?', []],
  ['(?:left|right)+', ['left', 'right']],
  ['(?i:left)', []],
  ['ab?c', ['a']],
  ['ab{0,2}c', ['a']],
  ['ab{2}cde', ['cde']],
  ['[0-9]{2}', []],
  ['[ab]c', ['c']],
  ['[]a]bc', ['bc']],
  ['[[:alpha:]x]bc', ['bc']],
  ['\\bword\\b', ['word']],
  ['x(', []],
  ['\\Qa|b\\E', []],
  ['.', []],
])('%s -> %j', (source, expected) => {
  expect(requiredLiterals(source)).toEqual(expected);
});

const piece = fc.constantFrom(
  'ab',
  'C',
  '.',
  '.*',
  'x?',
  'y+',
  '(a|b)',
  '(cd)?',
  '[a-d]',
  '\\.',
  '\\s',
  '\\$',
  'z{2}',
  '|',
  '-',
  '^',
  '(?:q)',
  '(ab|C(d|.))',
  '(x|y){1,2}',
  '(|b)',
  '[^a]',
);

// Sound: whatever matches holds the literal.
test('a text that matches holds one of the literals', () => {
  const texts = fc.array(fc.constantFrom('ab', 'C', 'x', 'y', 'a', 'b', 'cd', '.', ' ', '$', 'zz', '-', 'q'), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), texts, (pieces, parts) => {
      const text = parts.join('');
      const source = pieces.join('');
      const expression = RE2JS.compile(source);
      fc.pre(expression.matcher(text).find());
      const literals = requiredLiterals(source);
      expect(literals.length === 0 || literals.some((literal) => text.toLowerCase().includes(literal))).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
