import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readStatement } from './embedded-guard.ts';
import { LakeError } from './errors.ts';
import { EVENT_COLUMNS, INSERT_COLUMNS } from './lake-schema.ts';
import { compileQuery } from './query-compile.ts';
import { FIELDS } from './query-fields.ts';
import { ParamBag } from './query-params.ts';
import { parseQuery } from './query-parser.ts';

const NOW = Date.UTC(2026, 10, 23, 12);

function compile(query: string): { sql: string; values: unknown[] } {
  const params = new ParamBag();
  const node = parseQuery(query);
  const sql = node ? compileQuery(node, params, NOW) : '0';
  return { sql, values: Object.values(params.values) };
}

describe('compileQuery', () => {
  test.each([
    ['operation:repos/get', '(lowerUTF8(operation) = lowerUTF8({p1:String}))', ['repos/get']],
    [
      'app:git*',
      '(lowerUTF8(app_name) LIKE lowerUTF8({p1:String}) OR lowerUTF8(app_id) LIKE lowerUTF8({p1:String}))',
      ['git%'],
    ],
    ['operation:"a*"', '(lowerUTF8(operation) = lowerUTF8({p1:String}))', ['a*']],
    ['path:100%_*', '(lowerUTF8(path) LIKE lowerUTF8({p1:String}))', ['100\\%\\_%']],
    ['reason:*', "(reason != '')", []],
    ['severity>=high', '(severity_id >= {p1:Float64})', [4]],
    ['severity:3', '(severity_id = {p1:Float64})', [3]],
    ['class:api-activity', '(class_uid = {p1:Float64})', [6003]],
    ['http_status:4xx', '(http_status >= {p1:Float64} AND http_status < {p2:Float64})', [400, 500]],
    ['latency:1s..', '(duration_ms >= {p1:Float64})', [1000]],
    ['request_bytes:1kb..2mb', '(request_bytes >= {p1:Float64} AND request_bytes <= {p2:Float64})', [1024, 2_097_152]],
    [
      'method!=(GET, HEAD)',
      '(NOT ((lowerUTF8(method) = lowerUTF8({p1:String})) OR (lowerUTF8(method) = lowerUTF8({p2:String}))))',
      ['GET', 'HEAD'],
    ],
    [
      'data_class:payment-card',
      'arrayExists(x -> lowerUTF8(x) = lowerUTF8({p1:String}), data_classes)',
      ['payment-card'],
    ],
    ['data_class:*', 'notEmpty(data_classes)', []],
    ['id:e1', '(event_id = {p1:String})', ['e1']],
    [
      'src_ip:10.0.0.0/8',
      '(src_ip >= {p1:IPv6} AND src_ip <= {p2:IPv6})',
      ['0000:0000:0000:0000:0000:ffff:0a00:0000', '0000:0000:0000:0000:0000:ffff:0aff:ffff'],
    ],
    [
      'time:yesterday',
      "(time >= fromUnixTimestamp64Milli({p1:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({p2:Int64}, 'UTC'))",
      [Date.UTC(2026, 10, 22), Date.UTC(2026, 10, 23)],
    ],
    ['time>=now-15m', "(time >= fromUnixTimestamp64Milli({p1:Int64}, 'UTC'))", [NOW - 900_000]],
    [
      'actor.user.groups.0.name:*',
      'JSONHas(raw, {p1:String}, {p2:String}, {p3:String}, {p4:Int32}, {p5:String})',
      ['actor', 'user', 'groups', 1, 'name'],
    ],
    ['raw.count>5', '(JSONHas(raw, {p1:String}) AND JSONExtractFloat(raw, {p1:String}) > {p2:Float64})', ['count', 5]],
    ['invoice', '(hasAllTokens(words, {p1:Array(String)}))', [['invoice']]],
    [
      'ada@example.com',
      '(hasAllTokens(words, {p1:Array(String)}) AND positionCaseInsensitiveUTF8(raw, {p2:String}) > 0)',
      [['ada', 'example', 'com'], 'ada@example.com'],
    ],
    ['invo*', '(words LIKE {p1:String})', ['%invo%']],
    ['019b0000-0000-7000-8000-00000000a001', '(has(uuids, {p1:String}))', ['019b0000-0000-7000-8000-00000000a001']],
  ])('%s', (query, sql, values) => {
    expect(compile(query)).toEqual({ sql, values });
  });

  test.each([
    ['integraton:sync', 0, 'Did you mean integration?'],
    ['lattency>5', 0, 'Did you mean latency?'],
    ['https://example.com', 0, 'put it in quotes'],
    ['severity:huge', 9, 'Write one of: unknown, informational'],
    ['severity:constructor', 9, 'Write one of'],
    ['latency:fast', 8, 'no number'],
    ['latency:..', 8, 'at least one end'],
    ['app>5', 4, 'holds text'],
    ['src_ip:github', 7, 'no address'],
    ['src_ip:10.0.0.0/33', 7, 'prefix'],
    ['src_ip>10.0.0.1', 7, 'holds addresses'],
    ['time:soon', 5, 'no time'],
    ['a*', 0, 'needs 3 letters'],
    ['""', 0, 'empty'],
    [`raw.${'a.'.repeat(20)}b:1`, 0, 'A path may have'],
  ])('refuses %s and points at it', (query, position, message) => {
    expect(() => compile(query)).toThrow(
      expect.objectContaining({
        code: 'lake.query_invalid',
        message: expect.stringContaining(message),
        detail: expect.objectContaining({ position }),
      }),
    );
  });

  test('every field of the table compiles', () => {
    const sample = {
      'named-number': '1',
      number: '1',
      address: '10.0.0.1',
      time: 'today',
      text: 'x',
      id: 'x',
      list: 'x',
    };
    for (const { name, field } of FIELDS) expect(compile(`${name}:${sample[field.kind]}`).sql).toMatch(/\{p1:/);
  });
});

/** All words that a compiled search may hold. Anything else came from the text, and must not be there. */
const WORDS = new Set([
  ...Object.keys(EVENT_COLUMNS),
  ...INSERT_COLUMNS,
  ...'words uuids x AND OR NOT LIKE if has notEmpty arrayExists hasAllTokens lowerUTF8 positionCaseInsensitiveUTF8'.split(
    ' ',
  ),
  ...'JSONType JSONExtractString JSONExtractRaw JSONExtractFloat JSONHas replaceOne toString toIPv6'.split(' '),
  ...'fromUnixTimestamp64Milli String Array Float64 Int64 Int32 IPv6'.split(' '),
]);
const LITERALS = new Set(['', '::', '::ffff:', 'UTC', 'String']);

function foreignParts(sql: string): string[] {
  const foreign: string[] = [];
  const rest = sql.replaceAll(/'([^'\\]*)'/g, (_whole, literal: string) => {
    if (!LITERALS.has(literal)) foreign.push(literal);
    return ' ';
  });
  for (const word of rest.match(/[A-Za-z_]\w*/g) ?? []) {
    if (!WORDS.has(word) && !/^p\d+$/.test(word)) foreign.push(word);
  }
  for (const number of rest.match(/(?<!\w)\d+/g) ?? []) if (number !== '0') foreign.push(number);
  for (const sign of rest.match(/[^\w\s(){}:,=!<>-]/g) ?? []) foreign.push(sign);
  return foreign;
}

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    "'; DROP TABLE events; --",
    "') OR 1=1 --",
    '{p1:String}',
    "x' UNION ALL SELECT * FROM file('/etc/passwd')",
    '\\',
    "\\'",
    '`',
    '$$',
    '/*',
    '\0',
  ),
);
const piece = fc.oneof(
  hostile,
  hostile.map((text) => JSON.stringify(text)),
  fc.constantFrom(
    '(',
    ')',
    ',',
    'or',
    'and',
    'not',
    '-',
    'in',
    ':',
    '>=',
    '!=',
    '*',
    '..',
    'app:',
    'raw.',
    'time:now-1d',
    'src_ip:10.0.0.0/8',
  ),
  fc
    .tuple(
      fc.constantFrom(...FIELDS.map(({ name }) => name), 'raw.a', 'a.b', 'x'),
      fc.constantFrom(':', '=', '!=', '>', '<='),
      hostile,
    )
    .map((parts) => parts.join('')),
  fc
    .tuple(
      fc.constantFrom(...FIELDS.map(({ name }) => name)),
      hostile.map((text) => JSON.stringify(text)),
    )
    .map(([name, text]) => `${name}:${text}`),
);

/** A refusal is an answer; anything else that is thrown fails the property. */
function compileOrRefuse(query: string): ReturnType<typeof compile> | undefined {
  try {
    return compile(query);
  } catch (error) {
    if (error instanceof LakeError) return undefined;
    throw error;
  }
}

describe('no text becomes SQL', () => {
  test('whatever is searched for, the statement is made of our own words', () => {
    let compiled = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.constantFrom(' ', ''), (pieces, glue) => {
        const result = compileOrRefuse(pieces.join(glue));
        if (!result) return;
        compiled++;
        expect(foreignParts(result.sql)).toEqual([]);
        expect(readStatement(`SELECT 1 FROM events WHERE ${result.sql}`, new Set(['file', 'url']))).toHaveProperty(
          'statement',
        );
      }),
      { numRuns: 3000 },
    );
    // The property must have met statements, not refusals alone.
    expect(compiled).toBeGreaterThan(300);
  });
});
