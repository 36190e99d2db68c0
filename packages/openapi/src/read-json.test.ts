import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkJson, JSON_LIMITS } from './check-json.ts';
import { readJson } from './read-json.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

test.each([
  ['{"a":1,"a":2}', 'duplicate-key'],
  ['{"a":1,"\\u0061":2}', 'duplicate-key'],
  ['[{"a":1,"b":2},{"a":1,"b":2,"b":3}]', 'duplicate-key'],
  ['[{"a":1,"b":2},{"a":1,"a":2}]', 'duplicate-key'],
  ['[{"a":1,"b":2},{"b":1,"a":2,"b":3}]', 'duplicate-key'],
  ['[{"a":":","b":2},{"a":1,"a":":::"}]', 'duplicate-key'],
  ['{"__proto__":{}}', 'forbidden-key'],
  ['[{"a":1},{"__proto__":2}]', 'forbidden-key'],
  ['[1,18446744073709551616]', 'number-range'],
  ['[1e400]', 'number-range'],
  [`[${'1'.repeat(65)}]`, 'number-range'],
  [`${'['.repeat(65)}${']'.repeat(65)}`, 'depth'],
  ['[1,]', 'syntax'],
  ['\ufeff{}', 'syntax'],
  ['', 'syntax'],
])('refused as the scanner refuses it: %s', (text, rule) => {
  expect(readJson(bytes(text))).toMatchObject({ fault: { rule } });
  expect(readJson(bytes(text))).toEqual({ fault: checkJson(bytes(text)) });
});

test('limits of members and values', () => {
  expect(readJson(bytes('{"a":1,"b":2,"c":3}'), { ...JSON_LIMITS, membersMax: 2 })).toHaveProperty('fault');
  expect(readJson(bytes('[1,2,3]'), { ...JSON_LIMITS, valuesMax: 3 })).toHaveProperty('fault');
  expect(readJson(Buffer.from([0x22, 0xff, 0x22]))).toMatchObject({ fault: { rule: 'utf8' } });
});

/** Texts of objects whose keys repeat, inside and across siblings, with what misleads a reader of bytes. */
const key = fc.constantFrom('"a"', '"b"', '"c"', '"\\u0061"', '"é"', '":"', '"\\""', '"__proto__"');
const scalar = fc.constantFrom('1', '-0.5', '12345678901234567890', '1e3', 'true', 'null', '"x:\\"{"', '"\\\\"', '[]');
const space = fc.constantFrom('', ' ', '\n');
const json: fc.Arbitrary<string> = fc.letrec<{ value: string; object: string; list: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, scalar, tie('object'), tie('list')),
  object: fc
    .array(fc.tuple(key, space, tie('value'), space), { maxLength: 4 })
    .map((members) => `{${members.map(([name, a, value, b]) => `${name}${a}:${b}${value}`).join(',')}}`),
  list: fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
})).list;

/** What `checkJson` promises of these texts, written as plainly as possible. */
function repeatsOrForbids(text: string): boolean {
  let found = false;
  const members = text.replace(/"(?:[^"\\]|\\.)*"(\s*:)?/g, (token, colon?: string) => {
    if (colon !== undefined && JSON.parse(token.slice(0, -colon.length)) === '__proto__') found = true;
    return colon === undefined ? '' : ':';
  });
  const colons = members.split(':').length - 1;
  let own = 0;
  JSON.parse(text, (_name, value: unknown) => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) own += Object.keys(value).length;
    return value;
  });
  return found || own !== colons;
}

test('scanner, reader and a plain count agree on repeated keys', () => {
  fc.assert(
    fc.property(json, (text) => {
      const fault = checkJson(bytes(text));
      expect(fault !== null).toBe(repeatsOrForbids(text));
      expect(readJson(bytes(text))).toEqual(fault ? { fault } : { value: JSON.parse(text) });
    }),
    { numRuns: 2_000 },
  );
});

test('and on text that was damaged', () => {
  fc.assert(
    fc.property(json, fc.nat(), fc.constantFrom('', '"', ':', '}', ',', '\\', '9'), (text, place, damage) => {
      const at = place % (text.length + 1);
      const damaged = bytes(text.slice(0, at) + damage + text.slice(at + 1));
      const fault = checkJson(damaged);
      expect(readJson(damaged)).toEqual(fault ? { fault } : { value: JSON.parse(damaged.toString()) });
    }),
    { numRuns: 2_000 },
  );
});
