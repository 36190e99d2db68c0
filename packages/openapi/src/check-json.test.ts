import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkJson, JSON_LIMITS } from './check-json.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

describe('refused', () => {
  test.each([
    ['{"a":1,"a":2}', 'duplicate-key', '/a'],
    ['{"a":1,"\\u0061":2}', 'duplicate-key', '/a'],
    ['[{"x":{"b":1,"c":{"b":1},"b":2}}]', 'duplicate-key', '/0/x/b'],
    ['{"__proto__":{}}', 'forbidden-key', '/__proto__'],
    ['{"a":{"\\u005f_proto__":1}}', 'forbidden-key', '/a/__proto__'],
    ['[1,18446744073709551616]', 'number-range', '/1'],
    ['-9223372036854775809', 'number-range', ''],
    ['1e400', 'number-range', ''],
    [`[${'1'.repeat(65)}]`, 'number-range', '/0'],
    ['[1,]', 'syntax', '/1'],
    ['{"a" 1}', 'syntax', '/a'],
    ['{a:1}', 'syntax', '/'],
    ['{"a":1,}', 'syntax', '/a'],
    ['[1 2]', 'syntax', '/0'],
    ['[1}', 'syntax', '/0'],
    ['01', 'syntax', ''],
    ['+1', 'syntax', ''],
    ['.5', 'syntax', ''],
    ['NaN', 'syntax', ''],
    ['tru', 'syntax', ''],
    ['"a', 'syntax', ''],
    ['"\t"', 'syntax', ''],
    ['"\\x"', 'syntax', ''],
    ['"\\u12g4"', 'syntax', ''],
    ['', 'syntax', ''],
    ['  ', 'syntax', ''],
    ['{} {}', 'syntax', ''],
    ['\ufeff{}', 'syntax', ''],
    ["{'a':1}", 'syntax', '/'],
    ['// note\n1', 'syntax', ''],
    ['[', 'syntax', '/0'],
    ['{', 'syntax', '/'],
  ])('%s', (text, rule, pointer) => {
    expect(checkJson(bytes(text))).toMatchObject({ rule, pointer });
  });

  test('bytes that are not UTF-8', () => {
    expect(checkJson(Buffer.from([0x22, 0xff, 0x22]))).toMatchObject({ rule: 'utf8' });
  });

  test.each([
    ['depth', `${'['.repeat(65)}${']'.repeat(65)}`, {}],
    ['depth', '['.repeat(1_000_000), {}],
    ['members', '{"a":1,"b":2,"c":3}', { membersMax: 2 }],
    ['values', '[1,2,3]', { valuesMax: 3 }],
  ])('more %s than allowed', (rule, text, limits) => {
    expect(checkJson(bytes(text), { ...JSON_LIMITS, ...limits })).toMatchObject({ rule });
  });
});

describe('accepted', () => {
  test.each([
    ['{}'],
    ['[]'],
    [' [ ] '],
    ['{"a":{"a":{"a":[]}},"b":[{"a":1},{"a":2}]}'],
    ['[0,-0,1.5,1e10,-1E-5,18446744073709551615,-9223372036854775808,0.1234567890123456789012345]'],
    ['"\\u00e9\\ud83d\\ude00\\n/\\/"'],
    ['{"":1}'],
    [`${'['.repeat(64)}${']'.repeat(64)}`],
    [`{${Array.from({ length: 40 }, (_, n) => `"k${n}":${n}`).join(',')}}`],
  ])('%s', (text) => {
    expect(checkJson(bytes(text))).toBeNull();
  });
});

const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

test('accepts what JSON.stringify writes, but for __proto__ and huge integers', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      // Lone surrogates are escaped by JSON.stringify; only __proto__ and integers beyond 64 bits are refused.
      expect([undefined, 'forbidden-key', 'number-range']).toContain(checkJson(bytes(text))?.rule);
    }),
  );
});

test('agrees with JSON.parse on what is JSON at all', () => {
  const token = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"b"',
    '1',
    '-',
    '0',
    '.5',
    'e1',
    'true',
    'null',
    ' ',
    '"\\u0061"',
    '\\',
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
      const text = tokens.join('');
      const rule = checkJson(bytes(text))?.rule;
      // Other rules may strike before the text turns out not to be JSON.
      const agrees = rule === undefined ? parses(text) : rule !== 'syntax' || !parses(text);
      expect(agrees).toBe(true);
    }),
    { numRuns: 5000 },
  );
});
