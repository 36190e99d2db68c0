import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileDescription } from './compile.ts';
import { StateUnreadable } from './errors.ts';
import { createLearner, observedForm, type ObservedCall } from './learner.ts';
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
  ['qWeRtYpLmKoIjNhB', true],
  ['getOrganizationMembershipSettings', false],
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

const answer = (body: unknown) => ({ responseType: 'application/json', responseBody: body });

describe('words that are names of records', () => {
  const repo = (owner: string, name: string) =>
    call('GET', `/repos/${owner}/${name}`, answer({ full_name: `${owner}/${name}`, private: false, stars: 3 }));

  test('three that lead to the same are one parameter', () => {
    const names = ['octo/site', 'octo/docs', 'octo/blog', 'acme/shop', 'acme/site', 'acme/docs', 'initech/tps'];
    const { paths, evidence } = learned(names.map((name) => repo(...(name.split('/') as [string, string]))));
    expect(paths).toEqual(['/repos/{repo}/{id}']);
    expect(evidence[0]).toMatchObject({ calls: 7, confidence: 'low' });
  });

  test.each([
    [
      'different members',
      [
        { id: 1, email: 'a' },
        { id: 1, members: [] },
        { id: 1, budget: 2, closed: true },
      ],
    ],
    [
      'one envelope, different records',
      [
        { data: [{ a: 1, b: 1 }], next: 1 },
        { data: [{ c: 1, d: 1 }], next: 1 },
        { data: [{ e: 1, f: 1 }], next: 1 },
      ],
    ],
    ['nothing to tell them apart by', ['ok', 'ok', 'ok']],
  ])('%s: they stay words', (_, bodies) => {
    const words = ['users', 'groups', 'projects'];
    const calls = words.map((word, index) => call('GET', `/${word}`, answer(bodies[index])));
    expect(learned(calls).paths).toEqual(['/groups', '/projects', '/users']);
  });
});

describe('learning in several places', () => {
  const order = (n: number) =>
    call('POST', `/orders/${n}/lines`, {
      requestType: 'application/json',
      requestBody: { sku: 'x', amount: n },
      ...answer({ id: n }),
    });
  const stateOf = (calls: readonly ObservedCall[]) => {
    const learner = createLearner();
    for (const item of calls) learner.observe(item);
    return JSON.parse(JSON.stringify(learner.state())) as unknown;
  };

  test('states join to what one learner would know', () => {
    const all = Array.from({ length: 24 }, (_, n) => order(n));
    const joined = createLearner();
    joined.absorb(stateOf(all.slice(0, 9)));
    joined.absorb(stateOf(all.slice(9)));
    const options = { title: 'Learned', server: 'https://api.example.com' };
    const { paths: _, ...expected } = learned(all);
    expect(joined.propose(options)).toEqual(expected);
    const again = createLearner();
    again.absorb(JSON.parse(JSON.stringify(joined.state())));
    expect(again.propose(options)).toEqual(expected);
  });

  test('says who taught what, and which type is odd', () => {
    const learner = createLearner();
    learner.absorb(stateOf(Array.from({ length: 150 }, (_, n) => order(n))), 'orders-sync');
    const junk = call('POST', '/orders/7/lines', {
      requestType: 'application/json',
      requestBody: { sku: { $gt: '' }, amount: 1, admin: true },
    });
    learner.absorb(stateOf([junk]), 'rogue');
    const { evidence } = learner.propose({ title: 'T', server: 'https://api.example.com' });
    const [lines] = evidence;
    expect(lines).toMatchObject({
      method: 'POST',
      path: '/orders/{order}/lines',
      confidence: 'high',
      teachers: [
        { id: 'orders-sync', calls: 150 },
        { id: 'rogue', calls: 1 },
      ],
    });
    const field = (path: string) => lines?.fields.find((one) => one.in === 'request' && one.path === path);
    expect(field('admin')).toMatchObject({ teachers: ['rogue'], seen: 1 });
    expect(field('sku')).toMatchObject({ odd: [{ type: 'object', teachers: ['rogue'] }] });
    expect(field('amount')).toMatchObject({ teachers: ['orders-sync', 'rogue'], required: true, odd: [] });
  });

  test.each([
    [null],
    [{}],
    [{ v: 1 }],
    [{ v: 1, root: { m: [['GET', { n: -1 }]] } }],
    [{ v: 1, root: { w: [['a']] } }],
  ])('refuses %j as a state', (state) => {
    expect(() => createLearner().absorb(state)).toThrow(StateUnreadable);
  });

  test('a closed description refuses members that were not seen', () => {
    const learner = createLearner();
    for (let n = 0; n < 12; n++) learner.observe(order(n));
    const { description } = learner.propose({ title: 'T', server: 'https://api.example.com', closed: true });
    const operations = createOperations(compileDescription(Buffer.from(JSON.stringify(description))).blob);
    const check = (body: unknown) =>
      operations
        .checkBody(operations.list[0] as never, 'application/json', Buffer.from(JSON.stringify(body)))
        .map(({ keyword }) => keyword);
    expect(check({ sku: 'y', amount: 2 })).toEqual([]);
    expect(check({ sku: 'y', amount: 2, admin: true })).toEqual(['additionalProperties']);
  });
});

test('no value becomes an enum, an example or a default, and none is kept', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 12, maxLength: 30 }), { minLength: 1, maxLength: 5 }), (values) => {
      const learner = createLearner();
      for (const value of values)
        learner.observe(
          call('POST', '/notes', { requestType: 'application/json', requestBody: { text: `zq${value}zq` } }),
        );
      const text = JSON.stringify([learner.state(), learner.propose({ title: 'T', server: 'https://a.example' })]);
      expect(text).not.toMatch(/"(?:enum|example|examples|default|const)"|zq/);
    }),
  );
});

test('nested names of forms are left out', () => {
  expect(observedForm('a=1&a=x&b=true&c[d]=1')).toEqual({ a: [1, 'x'], b: true });
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
