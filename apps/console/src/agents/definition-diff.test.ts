import { expect, test } from 'vitest';
import { diffDefinitions } from './definition-diff.ts';

test.each([
  [null, { a: 1 }, ['  {', '    "a": 1', '  }']],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }, ['  {', '    "a": 1,', '    "b": 2', '  }']],
  [{ text: 'old' }, { text: 'new' }, ['  {', '-   "text": "old"', '+   "text": "new"', '  }']],
  [{ a: 1 }, { a: 1, b: 'x\u200b' }, ['  {', '-   "a": 1', '+   "a": 1,', '+   "b": "x⟨U+200B⟩"', '  }']],
])('%j becomes %j', (before, after, expected) => {
  expect(diffDefinitions(before, after).map(({ mark, text }) => `${mark} ${text}`)).toEqual(expected);
});
