import { expect, test } from 'vitest';
import { createJsonSchemaCheck } from './json-schema.ts';

const schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: {
    owner: { type: 'string', minLength: 1 },
    count: { type: 'integer', maximum: 100 },
    filter: { $ref: '#/$defs/filter' },
  },
  required: ['owner'],
  additionalProperties: false,
  $defs: { filter: { type: 'object', properties: { not: { $ref: '#/$defs/filter' } }, additionalProperties: false } },
};

test.each([
  [{ owner: 'acme' }, []],
  [{ owner: 'acme', count: 5, filter: { not: { not: {} } } }, []],
  [{}, [['/owner', 'required']]],
  [{ owner: 'acme', count: 101 }, [['/count', 'maximum']]],
  [{ owner: 'acme', count: '5' }, [['/count', 'type']]],
  [{ owner: 'acme', extra: 1 }, [['/extra', 'additionalProperties']]],
  [{ owner: 'acme', filter: { not: { or: {} } } }, [['/filter/not/or', 'additionalProperties']]],
  ['acme', [['', 'type']]],
])('%j', (value, expected) => {
  const found = createJsonSchemaCheck(schema).check(value);
  expect(found.map(({ pointer, keyword }) => [pointer, keyword])).toEqual(expected);
});

test.each([
  [null],
  [true],
  ['text'],
  [{ type: 'nonsense' }],
  [{ $ref: 'https://elsewhere.example/schema' }],
  [{ pattern: '(a+)+$(?=x)' }],
])('a schema of %j accepts anything rather than failing', (odd) => {
  expect(createJsonSchemaCheck(odd).check({ a: 1 })).toEqual([]);
});

test('a value that nests deeper than any call needs is refused', () => {
  let deep: unknown = 1;
  for (let n = 0; n < 100; n++) deep = { deep };
  expect(createJsonSchemaCheck({}).check(deep)).toMatchObject([{ keyword: 'depth' }]);
});
