import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitJson, EVENT_BYTES_MAX } from './split-json.ts';

async function split(text: string, size = text.length || 1): Promise<string[]> {
  async function* chunks(): AsyncGenerator<string> {
    for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
  }
  return Array.fromAsync(splitJson(chunks()));
}

test.each([
  ['lines', '{"a":1}\n{"a":2}\n', ['{"a":1}', '{"a":2}']],
  ['no line feed at the end', '{"a":1}\n{"a":2}', ['{"a":1}', '{"a":2}']],
  ['blank lines and CRLF', '\r\n{"a":1}\r\n\r\n{"a":2}\r\n', ['{"a":1}', '{"a":2}']],
  ['an array', '[{"a":1}, {"a":[1,2]}]', ['{"a":1}', '{"a":[1,2]}']],
  ['a pretty array', '[\n  {\n    "a": "]}"\n  },\n  {}\n]\n', ['{\n    "a": "]}"\n  }', '{}']],
  ['pretty values one after another', '{\n "a": 1\n}\n{\n "a": 2\n}\n', ['{\n "a": 1\n}', '{\n "a": 2\n}']],
  ['quotes in text', String.raw`{"a":"\"[{\\"}` + '\n{}', [String.raw`{"a":"\"[{\\"}`, '{}']],
  ['an empty array', '[]', []],
  ['nothing', '', []],
  ['a line that is no JSON', 'oops\n{"a":1}', ['oops', '{"a":1}']],
])('%s', async (_what, text, expected) => {
  expect(await split(text)).toEqual(expected);
  expect(await split(text, 1)).toEqual(expected);
});

test('gives back what was written, however it is cut', async () => {
  const values = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(values, fc.boolean(), fc.integer({ min: 1, max: 40 }), async (list, asArray, size) => {
      const text = asArray ? JSON.stringify(list, null, 2) : list.map((value) => JSON.stringify(value)).join('\n');
      const found = await split(text, size);
      expect(found.map((one): unknown => JSON.parse(one))).toEqual(JSON.parse(JSON.stringify(list)));
    }),
  );
});

test('refuses an event without end', async () => {
  await expect(split(`{"a":"${'x'.repeat(EVENT_BYTES_MAX)}`, 65_536)).rejects.toThrow('larger');
});
