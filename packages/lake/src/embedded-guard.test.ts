import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sessionPrefix } from './embedded-engine.ts';
import { readStatement } from './embedded-guard.ts';
import { createEvents, ddlNames } from './lake-schema.ts';

const FUNCTIONS = new Set([
  'file',
  'url',
  's3',
  'remote',
  'mysql',
  'numbers',
  'merge',
  'executable',
  'input',
  'values',
]);

describe('readStatement', () => {
  test.each([
    'SELECT 1',
    'SELECT count() FROM numbers(10)',
    "SELECT 'file(''x'')' AS a",
    "SELECT 'it\\'s' FROM events WHERE raw = {p1:String} LIMIT 1;",
    'SHOW TABLES',
    'WITH x AS (SELECT 1) SELECT * FROM x FORMAT JSONEachRow',
    'CREATE TABLE a (b String) ENGINE = MergeTree ORDER BY b',
    'ALTER TABLE events DROP PARTITION 20261122',
    ...createEvents(ddlNames('cordon', { kind: 'single' })),
  ])('takes %s', (sql) => {
    expect(readStatement(sql, FUNCTIONS)).toHaveProperty('statement');
  });

  test.each([
    ["SELECT * FROM file('/etc/passwd')", 'file()'],
    ["SELECT * FROM FILE ('/etc/passwd')", 'FILE()'],
    ["SELECT * FROM `file`('/etc/passwd')", 'file()'],
    ['SELECT * FROM "url"(\'http://x\')', 'url()'],
    ["SELECT file('/etc/passwd')", 'file()'],
    ["INSERT INTO FUNCTION file('/tmp/x') SELECT 1", 'FUNCTION is refused'],
    ["INSERT INTO TABLE FUNCTION url('http://x') SELECT 1", 'FUNCTION is refused'],
    ["CREATE TABLE a AS s3('http://x')", 's3()'],
    ['CREATE TABLE a (b String) ENGINE = File(CSV)', 'engine File'],
    ['CREATE TABLE a (b String) ENGINE URL(x)', 'engine URL'],
    ["CREATE DATABASE a ENGINE = Filesystem('/')", 'engine Filesystem'],
    ['SELECT * FROM `/etc/passwd`', 'not taken'],
    ['SELECT * FROM "x.csv"', 'not taken'],
    ['SELECT * FROM default.x', 'reads files'],
    ['SELECT * FROM `default`.x', 'reads files'],
    ['SELECT * FROM cordon.{t:Identifier}', 'values, not names'],
    ["SELECT 1 INTO OUTFILE '/tmp/x'", 'OUTFILE'],
    ["INSERT INTO a FROM INFILE '/tmp/x' FORMAT CSV", 'INFILE'],
    ["BACKUP TABLE a TO Disk('x')", 'start with "BACKUP"'],
    ['SYSTEM SHUTDOWN', 'start with "SYSTEM"'],
    ['SET readonly = 0', 'start with "SET"'],
    ['USE default', 'start with "USE"'],
    ['SELECT 1; DROP TABLE events', 'Multi-statements'],
    ['SELECT 1 -- x', 'Comments'],
    ['SELECT /* x */ 1', 'Comments'],
    ['SELECT 1 # x', 'Comments'],
    ["SELECT $x$' $x$", 'Heredocs'],
    ['SELECT ‘a’', 'ASCII'],
    ["SELECT 'open", 'does not end'],
    [
      "CREATE TABLE a (b String) ENGINE = MergeTree ORDER BY b SETTINGS disk = disk(type = local, path = '/')",
      'disk()',
    ],
    ['', 'empty'],
  ])('refuses %s', (sql, message) => {
    expect(readStatement(sql, FUNCTIONS)).toMatchObject({ refusal: { message: expect.stringContaining(message) } });
  });

  test('an insert with data is split at its format, and the data is not read as SQL', () => {
    expect(readStatement('INSERT INTO c.t (a, `b`) FORMAT JSONEachRow\n{"a":"file(\'x\') --"}', FUNCTIONS)).toEqual({
      statement: { kind: 'insert', table: 'c.t', columns: ['a', 'b'], format: 'JSONEachRow' },
    });
  });

  test('an insert into the overlay is refused too', () => {
    expect(readStatement('INSERT INTO default.t FORMAT JSONEachRow\n{}', FUNCTIONS)).toHaveProperty('refusal');
  });
});

describe('sessionPrefix', () => {
  const limits = {
    readSlots: 1,
    writeSlots: 1,
    waitersMax: 1,
    queryMemoryBytesMax: 1000,
    querySecondsMax: 10,
    resultBytesMax: 100,
  };
  const prefix = (settings: [string, string][], params: [string, string][] = [], database = 'cordon') =>
    sessionPrefix({ sql: '', database, settings: new Map(settings), params: new Map(params) }, limits);

  test('caps what a request asks for, and locks last', () => {
    expect(
      prefix([
        ['readonly', '1'],
        ['max_execution_time', '99'],
        ['max_memory_usage', '5'],
      ]),
    ).toBe(
      'USE cordon; SET max_execution_time = 10, max_memory_usage = 5, max_result_bytes = 100, async_insert = 0, readonly = 1; ',
    );
  });

  test('nothing runs in the overlay database', () => {
    expect(prefix([], [], 'default')).toMatch(/^USE system;/);
    expect(() => prefix([], [], 'x; DROP DATABASE cordon')).toThrow('database name');
  });

  test.each([
    [[["a'b", '1']], []],
    [[], [["a'b", '1']]],
  ] as [[string, string][], [string, string][]][])('refuses a name that is none', (settings, params) => {
    expect(() => prefix(settings, params)).toThrow('name is not taken');
  });

  test('no value ends its literal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (setting, param) => {
        const sql = prefix([['log_queries', setting]], [['p1', param]]);
        const outside = sql.replaceAll(/x?'(?:[^'\\]|\\[\s\S]|'')*'/g, 'L');
        expect(outside).toMatch(/^USE cordon; SET param_p1 = L, log_queries = (?:L|-?\d+(?:\.\d+)?), [\w =,]+; $/);
      }),
    );
  });
});
