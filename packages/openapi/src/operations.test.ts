import { describe, expect, test } from 'vitest';
import { compileDescription } from './compile.ts';
import { createOperations } from './operations.ts';

const shop = `
openapi: 3.0.3
info: { title: Shop, version: '2' }
servers: [{ url: https://api.shop.example/v1 }]
paths:
  /items:
    parameters:
      - { name: X-Shop, in: header, required: true, schema: { type: string, minLength: 2 } }
    get:
      operationId: items/list
      parameters:
        - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 100 } }
        - { name: ids, in: query, schema: { type: array, items: { type: integer } } }
        - { name: tags, in: query, explode: false, schema: { type: array, items: { type: string, enum: [a, b] } } }
        - { name: filter, in: query, style: deepObject, schema: { type: object, properties: { state: { type: string, enum: [open] } } } }
        - { name: where, in: query, content: { application/json: { schema: { type: object, required: [x] } } } }
      responses:
        '200': { content: { application/json: { schema: { type: array, items: { $ref: '#/components/schemas/Item' } } } } }
        4XX: { content: { application/json: { schema: { type: object, required: [error] } } } }
    post:
      operationId: items/create
      requestBody: { $ref: '#/components/requestBodies/Item' }
      responses: { '201': { description: ok } }
  /items/{id}:
    get:
      parameters: [{ name: id, in: path, required: true, schema: { type: string, format: uuid } }]
      responses: { default: { description: any } }
  /charges:
    post:
      operationId: charges/create
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded:
            schema:
              type: object
              required: [amount]
              properties:
                amount: { type: integer }
                card: { type: object, properties: { number: { type: string, maxLength: 19 } } }
                expand: { type: array, items: { type: string, maxLength: 5 } }
      responses: {}
  /upload:
    post:
      operationId: upload
      requestBody:
        content: { multipart/form-data: { schema: { $ref: '#/components/schemas/Upload' } } }
      responses: {}
components:
  requestBodies:
    Item: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Item' } } } }
  schemas:
    Upload: { type: object, required: [file], properties: { file: { type: string, format: binary } } }
    Item:
      type: object
      required: [id, title, secret]
      additionalProperties: false
      properties:
        id: { type: integer, readOnly: true }
        secret: { type: string, writeOnly: true }
        title: { type: string, maxLength: 10 }
        note: { type: string, nullable: true }
        kind: { type: string, enum: [x, y], nullable: true }
        price: { type: number, minimum: 0, exclusiveMinimum: true }
        code: { type: string, pattern: '^(a+)+$' }
        owner: { oneOf: [{ type: string }, { type: integer }] }
        parent: { nullable: true, allOf: [{ $ref: '#/components/schemas/Item' }] }
        when: { type: string, format: date-time }
`;

const { blob, problems } = compileDescription(Buffer.from(shop));
const operations = createOperations(blob, { upstream: 'https://api.shop.example/v1' });

const operation = (id: string) => {
  const found = operations.get(id);
  if (!found) throw new Error(`no operation ${id}`);
  return found;
};
const parameters = (id: string, query: string, shopHeader: string | undefined = 'ok', path = {}) =>
  operations
    .checkParameters(operation(id), {
      path,
      query: new URLSearchParams(query),
      header: (name) => (name === 'x-shop' ? shopHeader : undefined),
    })
    .map((item) => `${item.in}${item.pointer} ${item.keyword}`);
const body = (id: string, content: unknown, type: string | null = 'application/json') =>
  operations
    .checkBody(operation(id), type, Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)))
    .map((item) => `${item.pointer} ${item.keyword}: ${item.message}`);

test('the description is clean', () => {
  expect(problems).toEqual([]);
});

describe('parameters', () => {
  test.each<[string, string[]]>([
    ['', []],
    ['limit=5', []],
    ['limit=0', ['query/limit minimum']],
    ['limit=many', ['query/limit type']],
    ['limit=5&limit=6', ['query/limit type']],
    ['ids=1&ids=2', []],
    ['ids=1', []],
    ['ids[]=1&ids[]=2', []],
    ['ids=1&ids=x', ['query/ids/1 type']],
    ['tags=a,b', []],
    ['tags=a,c', ['query/tags/1 enum']],
    ['filter[state]=open', []],
    ['filter[state]=shut', ['query/filter/state enum']],
    ['where={"x":1}', []],
    ['where={"y":1}', ['query/where/x required']],
    ['where={', ['query/where type']],
    ['undescribed=1', []],
  ])('%s', (query, expected) => {
    expect(parameters('items/list', query)).toEqual(expected);
  });

  test('headers are required and checked', () => {
    expect(parameters('items/list', '', undefined)).toEqual([]);
    expect(
      operations.checkParameters(operation('items/list'), {
        path: {},
        query: new URLSearchParams(),
        header: () => undefined,
      }),
    ).toEqual([
      { in: 'header', pointer: '/x-shop', field: 'x-shop', keyword: 'required', message: 'x-shop is required' },
    ]);
    expect(parameters('items/list', '', 'z')).toEqual(['header/x-shop minLength']);
  });

  test('path values are checked', () => {
    expect(parameters('GET /items/{id}', '', 'ok', { id: '7' })).toEqual(['path/id format']);
    expect(parameters('GET /items/{id}', '', 'ok', { id: '0190a6a4-0000-7000-8000-000000000000' })).toEqual([]);
  });
});

describe('bodies', () => {
  const item = { title: 'Pen', secret: 's' };
  test.each<[string, unknown, string[]]>([
    ['complete; readOnly members need not be sent', item, []],
    ['missing', { secret: 's' }, ['/title required: title is required']],
    ['too long', { ...item, title: 'x'.repeat(11) }, ['/title maxLength: title must NOT have more than 10 characters']],
    ['extra', { ...item, extra: 1 }, ['/extra additionalProperties: extra is not allowed']],
    ['null where nullable', { ...item, note: null, kind: null, parent: null }, []],
    ['null where not', { ...item, title: null }, ['/title type: title must be string']],
    ['not in the enum', { ...item, kind: 'z' }, ['/kind enum: kind must be one of "x", "y", null']],
    ['exclusive bound', { ...item, price: 0 }, ['/price exclusiveMinimum: price must be > 0']],
    ['an alternative', { ...item, owner: 7 }, []],
    ['no alternative', { ...item, owner: true }, ['/owner type: owner must be string or integer']],
    [
      'deep in a recursion',
      { ...item, parent: { ...item, parent: { ...item, title: 1 } } },
      ['/parent/parent/title type: title must be string'],
    ],
    ['date-time', { ...item, when: 'yesterday' }, ['/when format: when must match format "date-time"']],
    [
      'backtracking pattern',
      { ...item, code: `${'a'.repeat(50_000)}!` },
      ['/code pattern: code must match pattern "^(a+)+$"'],
    ],
    ['not JSON', '{', ['/ json: body expected a key in double quotes']],
    ['duplicate key', '{"title":"a","title":"b","secret":"s"}', ['/title json: title key occurs twice']],
  ])('%s', (_name, content, expected) => {
    expect(body('items/create', content)).toEqual(expected);
  });

  test.each([
    ['another type', 'text/plain', [' mediaType: body must be sent as application/json']],
    ['no type', null, [' mediaType: body must be sent as application/json']],
    ['a JSON dialect', 'application/vnd.shop+json; charset=utf-8', []],
  ])('%s', (_name, type, expected) => {
    expect(body('items/create', item, type)).toEqual(expected);
  });

  test('a body that is required, and one nobody expects', () => {
    expect(body('items/create', '')).toEqual([' required: body is required']);
    expect(body('items/list', {})).toEqual([' unexpected: body is not expected by this operation']);
    expect(body('items/list', '')).toEqual([]);
  });

  test.each([
    ['items/create', 'application/json', []],
    ['items/create', 'image/png', ['mediaType']],
    ['items/list', 'application/json', ['unexpected']],
    ['upload', 'multipart/form-data; boundary=B', []],
  ])('a body that is not held, for %s as %s', (id, type, expected) => {
    expect(operations.checkBody(operation(id), type, null).map(({ keyword }) => keyword)).toEqual(expected);
  });

  test('values never appear in messages', () => {
    const found = operations.checkBody(
      operation('items/create'),
      'application/json',
      Buffer.from('{"title":"hunter2-hunter2","secret":"s"}'),
    );
    expect(found).toHaveLength(1);
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });

  test.each<[string, string[]]>([
    ['amount=5&card[number]=4242&expand[]=a&expand[]=b', []],
    ['amount=5&expand[0]=a&expand[1]=toolong', ['/expand/1 maxLength: item 1 must NOT have more than 5 characters']],
    ['amount=five', ['/amount type: amount must be integer']],
    ['card[number]=4242', ['/amount required: amount is required']],
    ['amount=5&card=1&card[number]=2', [' form: body has too many or contradictory form fields']],
    ['amount=5&__proto__[x]=1', []],
  ])('form %s', (text, expected) => {
    expect(body('charges/create', text, 'application/x-www-form-urlencoded')).toEqual(expected);
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  const part = (name: string) => `--B\r\nContent-Disposition: form-data; name="${name}"; filename="a"\r\n\r\ndata\r\n`;
  test.each<[string, string, string[]]>([
    ['complete', `${part('file')}--B--`, []],
    ['field missing', `${part('other')}--B--`, ['/file required: file is required']],
    ['cut short', part('file'), [' form: body is not well-formed multipart/form-data']],
  ])('multipart, %s', (_name, text, expected) => {
    expect(body('upload', text, 'multipart/form-data; boundary="B"')).toEqual(expected);
  });
});

describe('responses', () => {
  const response = (status: number, content: unknown, type: string | null = 'application/json') =>
    operations
      .checkResponse(operation('items/list'), status, type, Buffer.from(JSON.stringify(content)))
      .map(({ pointer, keyword }) => `${pointer} ${keyword}`);
  test.each<[string, number, unknown, string[]]>([
    ['readOnly is required, writeOnly is not', 200, [{ id: 1, title: 'a' }], []],
    ['readOnly missing', 200, [{ title: 'a', secret: 's' }], ['/0/id required']],
    ['a range of statuses', 404, {}, ['/error required']],
    ['a status nobody described', 500, {}, [' status']],
  ])('%s', (_name, status, content, expected) => {
    expect(response(status, content)).toEqual(expected);
  });

  test('other media types pass', () => {
    expect(response(200, 'x', 'text/html')).toEqual([]);
  });
});

describe('base path', () => {
  test.each([
    ['https://api.shop.example/v1', '/items', 'operation', '/items'],
    ['http://127.0.0.1:4000/shop/v1', '/items', 'operation', '/items'],
    ['https://api.shop.example', '/v1/items', 'operation', '/v1/items'],
    ['https://api.shop.example', '/items', 'unknown', '/items'],
    ['https://api.shop.example', '/v1/../items', 'refused', undefined],
    ['https://api.shop.example', '/v2/%2e%2e/items', 'refused', undefined],
  ])('of upstream %s: %s', (upstream, path, kind, canonical) => {
    const found = createOperations(blob, { upstream }).resolve('GET', path);
    expect(found.kind).toBe(kind);
    expect('path' in found ? found.path : undefined).toBe(canonical);
  });
});

test.each([
  ['nothing', ''],
  ['not a table', '{"format":"other"}'],
  ['cut short', blob.subarray(0, blob.length / 2)],
])('refuses %s as a table', (_name, content) => {
  expect(() => createOperations(Buffer.from(content))).toThrow(
    expect.objectContaining({ code: 'openapi.table_invalid' }),
  );
});
