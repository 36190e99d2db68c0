import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileDescription } from './compile.ts';
import { createOperations } from './operations.ts';

const describe30 = (paths: unknown, more: object = {}): Buffer =>
  Buffer.from(JSON.stringify({ openapi: '3.0.0', info: { title: 'T', version: '1' }, paths, ...more }));
const ok = { responses: {} };

describe('refused with a reason', () => {
  test.each([
    ['not JSON or YAML', 'a: b: c: [', /neither JSON nor YAML/],
    ['a list', '[]', /not an object/],
    ['a word', 'hello', /not an object/],
    ['Swagger 2.0', '{"swagger":"2.0"}', /Swagger 2\.0/],
    ['OpenAPI 4', '{"openapi":"4.0.0"}', /3\.0 and 3\.1/],
    ['no version', '{"paths":{}}', /"openapi" is ""/],
    ['no paths', '{"openapi":"3.0.0"}', /no "paths"/],
    ['no operations', '{"openapi":"3.0.0","paths":{"/a":{}}}', /no usable operation/],
    [
      'YAML that multiplies',
      `a: &a [x,x]\n${Array.from(
        { length: 30 },
        (_, n) =>
          `b${n}: &b${n} [${Array(10)
            .fill(n === 0 ? '*a' : `*b${n - 1}`)
            .join(',')}]`,
      ).join('\n')}`,
      /alias/i,
    ],
  ])('%s', (_name, text, message) => {
    expect(() => compileDescription(Buffer.from(text))).toThrow(message);
  });

  test('references without end', () => {
    const chain = Array.from({ length: 60_000 }, (_, n) => [
      `S${n}`,
      { items: { $ref: `#/components/schemas/S${n + 1}` } },
    ]);
    const schema = { $ref: '#/components/schemas/S0' };
    const paths = { '/a': { post: { ...ok, requestBody: { content: { 'application/json': { schema } } } } } };
    const description = describe30(paths, { components: { schemas: Object.fromEntries(chain) } });
    expect(() => compileDescription(description)).toThrow(/too deep/);
  });

  test('bytes that are not UTF-8, and too many', () => {
    expect(() => compileDescription(Buffer.from([0xff]))).toThrow(
      expect.objectContaining({ code: 'openapi.description_invalid' }),
    );
    expect(() => compileDescription(Buffer.from('{}'), { bytesMax: 1 })).toThrow(
      expect.objectContaining({ code: 'openapi.description_too_big' }),
    );
  });
});

describe('problems point at the place', () => {
  const get = { get: ok };
  const withBody = (schema: unknown) => ({
    '/a': { post: { ...ok, requestBody: { content: { 'application/json': { schema } } } } },
  });
  const at = '/paths/~1a/post/requestBody/content/application~1json/schema';
  test.each<[string, unknown, object]>([
    ['path without a slash', { a: get, '/b': get }, { severity: 'error', pointer: '/paths/a' }],
    ['malformed template', { '/{a': get, '/b': get }, { severity: 'error', pointer: '/paths/~1{a/get' }],
    [
      'same operationId',
      { '/a': { get: { operationId: 'x', ...ok }, put: { operationId: 'x', ...ok } } },
      { severity: 'error', pointer: '/paths/~1a/put' },
    ],
    ['same route', { '/a/{x}': get, '/a/{y}': get }, { severity: 'error', pointer: '/paths/~1a~1{y}/get' }],
    ['reference to nowhere', withBody({ $ref: '#/components/schemas/Gone' }), { severity: 'warning', pointer: at }],
    [
      'remote reference',
      withBody({ $ref: 'https://evil.example/x.json' }),
      { severity: 'warning', pointer: at, message: expect.stringContaining('not local') },
    ],
    ['file reference', withBody({ $ref: '/etc/passwd' }), { severity: 'warning', pointer: at }],
    ['look-around', withBody({ type: 'string', pattern: '(?=a)b' }), { severity: 'warning', pointer: `${at}/pattern` }],
    ['unknown type', withBody({ type: 'text' }), { severity: 'warning', pointer: `${at}/type` }],
  ])('%s', (_name, paths, problem) => {
    expect(compileDescription(describe30(paths)).problems).toContainEqual(expect.objectContaining(problem));
  });

  test('there are never too many', () => {
    const paths = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`bad${n}`, get]));
    expect(compileDescription(describe30({ ...paths, '/ok': get })).problems.length).toBeLessThanOrEqual(200);
  });
});

describe('operations', () => {
  const paths = {
    '/a/{id}': {
      get: { operationId: 'a/get', tags: ['A', 3], summary: 'Gets', deprecated: true, ...ok },
      post: ok,
      servers: [{ url: 'https://other.example' }],
    },
  };
  test('carry what policies need', () => {
    const { list } = createOperations(compileDescription(describe30(paths)).blob);
    const shared = { path: '/a/{id}', server: 'https://other.example', multiSegment: [] };
    expect(list).toEqual([
      { id: 'a/get', method: 'GET', tags: ['A'], summary: 'Gets', access: 'read', deprecated: true, ...shared },
      { id: 'POST /a/{id}', method: 'POST', tags: [], summary: '', access: 'write', deprecated: false, ...shared },
    ]);
  });

  test('the same description gives the same bytes', () => {
    expect(compileDescription(describe30(paths)).sha256).toBe(compileDescription(describe30(paths)).sha256);
  });
});

describe('OpenAPI 3.1', () => {
  const compile31 = (schema: unknown) => {
    const description = {
      openapi: '3.1.0',
      paths: {
        '/a': { post: { operationId: 'a', ...ok, requestBody: { content: { 'application/json': { schema } } } } },
      },
      components: { schemas: { S: { type: 'string' } } },
    };
    const operations = createOperations(compileDescription(Buffer.from(JSON.stringify(description))).blob);
    return (value: unknown) =>
      operations
        .checkBody(operations.list[0] as never, 'application/json', Buffer.from(JSON.stringify(value)))
        .map(({ keyword }) => keyword);
  };
  test.each<[string, unknown, unknown, unknown]>([
    ['type arrays', { type: ['string', 'null'] }, null, 1],
    ['const', { const: { a: 1 } }, { a: 1 }, { a: 2 }],
    ['prefixItems', { type: 'array', prefixItems: [{ type: 'string' }], items: false }, ['a'], ['a', 1]],
    ['siblings of $ref', { $ref: '#/components/schemas/S', maxLength: 2 }, 'ab', 'abc'],
    // oxlint-disable-next-line unicorn/no-thenable -- the keyword under test
    ['if/then', { if: { type: 'string' }, then: { minLength: 2 } }, 'ab', 'a'],
    ['unevaluatedProperties', { allOf: [{ properties: { a: {} } }], unevaluatedProperties: false }, { a: 1 }, { b: 1 }],
    ['numeric exclusive bounds', { exclusiveMinimum: 1 }, 2, 1],
    ['boolean schemas', { properties: { a: false } }, {}, { a: 1 }],
    [
      'a cycle through the body itself',
      { type: 'object', properties: { a: { $ref: '#/paths/~1a/post/requestBody/content/application~1json/schema' } } },
      { a: { a: {} } },
      { a: { a: 1 } },
    ],
  ])('%s', (_name, schema, good, bad) => {
    const check = compile31(schema);
    expect(check(good)).toEqual([]);
    expect(check(bad)).toHaveLength(1);
  });

  test.each<[string, unknown]>([
    ['refers to itself only', { $ref: '#/components/schemas/L' }],
    ['is all of itself', { allOf: [{ $ref: '#/components/schemas/L' }] }],
    ['is one of itself and another', { oneOf: [{ type: 'string' }, { $ref: '#/components/schemas/L' }] }],
    ['goes round through another', { allOf: [{ $ref: '#/components/schemas/M' }] }],
  ])('a schema that %s ends', (_name, L) => {
    const schema = { $ref: '#/components/schemas/L' };
    const paths = {
      '/a': { post: { operationId: 'a', ...ok, requestBody: { content: { 'application/json': { schema } } } } },
    };
    const schemas = { L, M: { anyOf: [{ $ref: '#/components/schemas/L' }] } };
    const { blob, problems } = compileDescription(describe30(paths, { components: { schemas } }));
    expect(problems).toMatchObject([{ severity: 'warning', message: expect.stringContaining('applies itself') }]);
    const operations = createOperations(blob);
    expect(operations.checkBody(operations.list[0] as never, 'application/json', Buffer.from('"x"'))).toEqual([]);
  });
});

const github = new URL('../../../node_modules/@octokit/openapi/generated/api.github.com.json', import.meta.url);

describe("GitHub's description", () => {
  test.skipIf(!existsSync(github))(
    'compiles without problems to a small table (skipped: @octokit/openapi absent)',
    () => {
      const { blob, problems, operations } = compileDescription(readFileSync(github));
      expect(problems).toEqual([]);
      expect(operations).toBeGreaterThan(1000);
      expect(blob.length).toBeLessThan(6 * 1024 * 1024);
      const table = createOperations(blob, { upstream: 'https://api.github.com' });
      const found = table.resolve('POST', '/repos/octocat/hello-world/issues');
      expect(found).toMatchObject({
        kind: 'operation',
        operation: { id: 'issues/create' },
        pathParams: { owner: 'octocat', repo: 'hello-world' },
      });
      const create = table.get('issues/create');
      expect(create && table.checkBody(create, 'application/json', Buffer.from('{"body":"x"}'))).toMatchObject([
        { pointer: '/title', keyword: 'required' },
      ]);
      // Every template leads back to its own operation.
      for (const { method, path, id } of table.list) {
        const resolved = table.resolve(method, path.replaceAll(/\{[^}]*\}/g, 'zzz'));
        expect(
          resolved.kind === 'operation' && resolved.operation.id === id ? id : `${id} → ${JSON.stringify(resolved)}`,
        ).toBe(id);
      }
    },
  );
});
