import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileDescription } from './compile.ts';
import { OpenApiError } from './errors.ts';
import { createOperations } from './operations.ts';

const keyword = fc.constantFrom(
  'type',
  'nullable',
  'enum',
  'const',
  'properties',
  'required',
  'items',
  'prefixItems',
  'additionalProperties',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'if',
  'then',
  'else',
  'pattern',
  'patternProperties',
  'format',
  'minimum',
  'exclusiveMinimum',
  'maximum',
  'multipleOf',
  'minLength',
  'maxItems',
  'uniqueItems',
  'readOnly',
  'writeOnly',
  '$ref',
  '$id',
  '$schema',
  '$anchor',
  '$defs',
  '$dynamicRef',
  'discriminator',
  'unevaluatedProperties',
  'dependentRequired',
  'dependentSchemas',
  'contains',
  'minContains',
  'propertyNames',
  '__proto__',
  'constructor',
  'default',
  '$data',
  '$async',
);
const word = fc.constantFrom(
  'string',
  'object',
  'array',
  'integer',
  'null',
  'a',
  'b',
  '(a+)+$',
  '(?=x)',
  '[',
  'uuid',
  'date-time',
  'regex',
  '#/components/schemas/A',
  '#/components/schemas/B',
  '#',
  '#/paths',
  'http://evil.example/',
  's0',
  's99',
  '__proto__',
  'constructor',
);
const { schema } = fc.letrec((tie) => ({
  schema: fc.oneof({ maxDepth: 5 }, fc.boolean(), fc.dictionary(keyword, tie('value'), { maxKeys: 5 })),
  value: fc.oneof(
    { maxDepth: 5 },
    word,
    fc.integer({ min: -2, max: 5 }),
    fc.constant(null),
    fc.boolean(),
    tie('schema'),
    fc.array(tie('schema'), { maxLength: 3 }),
    fc.array(word, { maxLength: 3 }),
    fc.dictionary(word, tie('schema'), { maxKeys: 3 }),
  ),
}));

test.each([['3.0.3'], ['3.1.0']])('no schema of OpenAPI %s makes compiling or checking throw', (openapi) => {
  fc.assert(
    fc.property(schema, schema, schema, fc.jsonValue({ maxDepth: 3 }), (a, b, body, value) => {
      const operation = {
        operationId: 'x',
        parameters: [
          { name: 'q', in: 'query', schema: a },
          { name: 'h', in: 'header', schema: b },
        ],
        requestBody: {
          content: {
            'application/json': { schema: body },
            'application/x-www-form-urlencoded': { schema: a },
            'multipart/form-data': { schema: b },
          },
        },
        responses: { 200: { content: { 'application/json': { schema: body } } } },
      };
      const document = { openapi, paths: { '/x': { post: operation } }, components: { schemas: { A: a, B: b } } };
      const operations = createOperations(compileDescription(Buffer.from(JSON.stringify(document))).blob);
      const [x] = operations.list;
      if (!x) throw new Error('operation was lost');
      const bytes = Buffer.from(JSON.stringify(value));
      const query = new URLSearchParams('q=1&q=a&q[a]=2');
      const found = [
        operations.checkParameters(x, { path: {}, query, header: () => 'text' }),
        operations.checkBody(x, 'application/json', bytes),
        operations.checkBody(x, 'application/x-www-form-urlencoded', Buffer.from('a=1&b[c]=2')),
        operations.checkBody(x, 'multipart/form-data; boundary=B', Buffer.from('--B--')),
        operations.checkResponse(x, 200, 'application/json', bytes),
      ];
      expect(found.every((list) => Array.isArray(list) && list.length <= 10)).toBe(true);
    }),
    { numRuns: 150 },
  );
});

test('no document makes compiling throw anything but its own errors', () => {
  const key = fc.constantFrom(
    'openapi',
    'paths',
    '/a/{b}',
    '/a',
    'get',
    'post',
    'parameters',
    'requestBody',
    'responses',
    'content',
    'schema',
    '$ref',
    'servers',
    'url',
    'name',
    'in',
    'info',
    'title',
    'components',
    '200',
  );
  const leaf = fc.constantFrom('3.0.0', '3.1.0', '#/paths', '#', 'query', 'path', 'b', '/a', null, 1, true);
  const { node } = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 7, withCrossShrink: true },
      leaf,
      fc.dictionary(key, tie('node'), { maxKeys: 5 }),
      fc.array(tie('node'), { maxLength: 3 }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(key, node), (paths) => {
      const text = JSON.stringify({ openapi: '3.0.0', paths, components: paths });
      let outcome: unknown;
      try {
        outcome = createOperations(compileDescription(Buffer.from(text)).blob).list.length;
      } catch (error) {
        outcome = error;
      }
      expect(typeof outcome === 'number' || outcome instanceof OpenApiError).toBe(true);
    }),
    { numRuns: 500 },
  );
});
