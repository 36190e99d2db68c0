import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileDescription } from './compile.ts';
import { createLearner, type ObservedCall } from './learner.ts';
import { createOperations } from './operations.ts';
import { looksVariable } from './variable-segment.ts';

const call = (method: string, path: string, overrides: Partial<ObservedCall> = {}): ObservedCall => ({
  method,
  path,
  query: new URLSearchParams(),
  requestType: null,
  requestBody: undefined,
  status: 200,
  responseType: null,
  responseBody: undefined,
  ...overrides,
});

const learned = (calls: readonly ObservedCall[]) => {
  const learner = createLearner();
  for (const item of calls) learner.observe(item);
  const proposal = learner.propose({ title: 'Learned', server: 'https://api.example.com' });
  return { ...proposal, paths: Object.keys(proposal.description['paths'] as object) };
};
const compiled = (calls: readonly ObservedCall[]) =>
  createOperations(compileDescription(Buffer.from(JSON.stringify(learned(calls).description))).blob);

test.each([
  ['42', true],
  ['0190a6a4-0000-7000-8000-000000000000', true],
  ['cus_9s6XKzkNRiz8i3', true],
  ['jo@example.com', true],
  ['C024BE91L', true],
  ['deadbeef00112233', true],
  ['users', false],
  ['v1', false],
  ['2010-04-01', false],
  ['chat.postMessage', false],
  ['oauth2', false],
])('%s looks variable: %s', (text, expected) => {
  expect(looksVariable(text)).toBe(expected);
});

describe('paths', () => {
  test('values become parameters named for what precedes them', () => {
    const { paths, operations } = learned([
      call('GET', '/v1/customers/1'),
      call('GET', '/v1/customers/2'),
      call('DELETE', '/v1/customers/3'),
      call('GET', '/v1/customers/1/orders/77'),
      call('GET', '/v1/customers'),
    ]);
    expect(paths).toEqual(['/v1/customers', '/v1/customers/{customer}', '/v1/customers/{customer}/orders/{order}']);
    expect(operations).toBe(4);
  });

  test('too many words in one place are values', () => {
    const letters = 'abcdefghijklmnopqrstuvwxyz'.split('');
    const words = letters.flatMap((a) => letters.map((b) => `team-${a}${b}`));
    expect(learned(words.map((word) => call('GET', `/teams/${word}/members`))).paths).toEqual([
      '/teams/{team}/members',
    ]);
  });

  test('calls that failed, odd methods and doubtful paths teach nothing', () => {
    const calls = [call('GET', '/a', { status: 404 }), call('PROPFIND', '/b'), call('GET', '/c/../d')];
    expect(learned(calls)).toMatchObject({ paths: [], calls: 0 });
  });
});

describe('bodies', () => {
  const post = (requestBody: unknown) => call('POST', '/items', { requestType: 'application/json', requestBody });

  test('the proposal accepts what was seen and refuses another type', () => {
    const seen = Array.from({ length: 12 }, (_, n) => ({
      title: `t${n}`,
      price: n / 2,
      at: '2026-01-01T00:00:00Z',
      tags: ['x'],
      ...(n > 5 ? { note: null } : {}),
    }));
    const operations = compiled(seen.map(post));
    const check = (body: unknown) =>
      operations
        .checkBody(operations.list[0] as never, 'application/json', Buffer.from(JSON.stringify(body)))
        .map(({ pointer, keyword }) => `${pointer} ${keyword}`);
    for (const body of seen) expect(check(body)).toEqual([]);
    expect(check({ ...seen[0], title: 1 })).toEqual(['/title type']);
    expect(check({ ...seen[0], at: 'soon' })).toEqual(['/at format']);
    expect(check({ ...seen[0], title: undefined })).toEqual(['/title required']);
  });

  test('values are not kept, nor names that are values', () => {
    const secret = 'hunter2-hunter2';
    const body = { password: secret, 'jo@example.com': { role: secret } };
    const text = JSON.stringify(
      learned([post(body), call('GET', `/users/${secret}12`, { query: new URLSearchParams({ q: secret }) })]),
    );
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain('jo@example.com');
  });
});

test('whatever was seen resolves and fits in the proposal', () => {
  const segment = fc.constantFrom('users', 'items', '1', '22', 'search', 'a b'.replace(' ', '%20'));
  const calls = fc.array(
    fc.record({ path: fc.array(segment, { minLength: 1, maxLength: 3 }), body: fc.jsonValue({ maxDepth: 3 }) }),
    { minLength: 1, maxLength: 15 },
  );
  fc.assert(
    fc.property(calls, (list) => {
      const safe = list.map(({ path, body }) => ({
        path: `/${path.join('/')}`,
        body: JSON.parse(
          JSON.stringify(body, (key: string, value: unknown) =>
            key === '__proto__' || (typeof value === 'number' && !Number.isSafeInteger(value)) ? 1 : value,
          ),
        ) as unknown,
      }));
      const operations = compiled(
        safe.map(({ path, body }) => call('POST', path, { requestType: 'application/json', requestBody: body })),
      );
      for (const { path, body } of safe) {
        const found = operations.resolve('POST', path);
        const text = JSON.stringify(body);
        const violations =
          found.kind === 'operation' && !text.includes('__proto__')
            ? operations.checkBody(found.operation, 'application/json', Buffer.from(text))
            : [];
        expect([found.kind, violations]).toEqual(['operation', []]);
      }
    }),
    { numRuns: 50 },
  );
});
