import { expect, test } from 'vitest';
import { compileDescription } from './compile.ts';
import { createOperations } from './operations.ts';

const person = {
  type: 'object',
  properties: {
    email: { type: 'string' },
    age: { type: ['integer', 'null'] },
    manager: { $ref: '#/components/schemas/Person' },
    tags: { type: 'array', items: { type: 'string' } },
  },
};
const description = {
  openapi: '3.1.0',
  info: { title: 'People', version: '1' },
  paths: {
    '/people': {
      get: {
        operationId: 'list',
        responses: {
          200: {
            description: 'ok',
            content: {
              'application/json': { schema: { type: 'array', items: { $ref: '#/components/schemas/Person' } } },
            },
          },
        },
      },
      post: {
        operationId: 'add',
        requestBody: {
          content: {
            'application/json': {
              schema: {
                allOf: [{ $ref: '#/components/schemas/Person' }, { properties: { note: { type: 'string' } } }],
              },
            },
          },
        },
        responses: { 204: { description: 'done' } },
      },
    },
  },
  components: { schemas: { Person: person } },
};

test('fields of bodies, also of schemas that contain themselves', () => {
  const { blob } = compileDescription(Buffer.from(JSON.stringify(description)));
  const operations = createOperations(blob);
  const [list, add] = operations.list;
  const read = operations.fields(list!).read; // the description has two operations
  expect(read).toEqual(
    expect.arrayContaining([
      { path: '[].email', type: 'string' },
      { path: '[].age', type: 'number' },
      { path: '[].tags[]', type: 'string' },
      { path: '[].manager.manager.email', type: 'string' },
    ]),
  );
  expect(read.length).toBeLessThan(50);
  expect(operations.fields(list!).write).toEqual([]);
  expect(operations.fields(add!).write.map(({ path }) => path)).toEqual(expect.arrayContaining(['email', 'note']));
});
