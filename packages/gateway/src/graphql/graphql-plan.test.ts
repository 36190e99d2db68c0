import fc from 'fast-check';
import { graphqlSettings } from '@cordon/policy';
import { expect, test } from 'vitest';
import { Refusal } from '../errors.ts';
import { graphqlFacts } from './graphql-operation-id.ts';
import { parseDocument, planDocument } from './graphql-plan.ts';

const plan = (query: string, variables: Record<string, unknown> = {}, overrides = {}, operationName?: string) => {
  const settings = graphqlSettings.parse(overrides);
  return planDocument(parseDocument(query, settings), { operationName, variables }, settings);
};
const ids = (query: string, variables = {}, overrides = {}, name?: string): string[] =>
  plan(query, variables, overrides, name).operations.map(({ id }) => id);

test.each([
  ['{ viewer { login } }', ['graphql.query.viewer']],
  ['{ rateLimit: viewer { login } viewer { login } }', ['graphql.query.viewer']],
  [
    '{ repository(owner: "a", name: "b") { issues(first: 3) { nodes { title } pageInfo { endCursor } } } }',
    ['graphql.query.repository.issues'],
  ],
  [
    '{ repository { name issues { edges { node { author { login } } } } } }',
    ['graphql.query.repository', 'graphql.query.repository.issues.author'],
  ],
  ['{ node(id: "x") { ... on Issue { title } id } }', ['graphql.query.node']],
  ['{ nodes(ids: ["x"]) { id } }', ['graphql.query.nodes']],
  ['query Q { ...F } fragment F on Query { viewer { ...G } } fragment G on User { email }', ['graphql.query.viewer']],
  [
    'mutation { createIssue(input: {}) { issue { id } } }',
    ['graphql.mutation.createIssue', 'graphql.mutation.createIssue.issue'],
  ],
  ['subscription { issueUpdated { id } }', ['graphql.subscription.issueUpdated']],
  ['{ viewer { __typename } }', ['graphql.query.viewer']],
  ['{ __typename }', ['graphql.query.__typename']],
  ['query A { a } query B { b }', ['graphql.query.b'], 'B'],
  ['{ a @include(if: false) { secret } }', ['graphql.query.a']],
])('%s asks for %j', (query, expected, name?: string) => {
  expect(ids(query, {}, {}, name)).toEqual(expected);
});

const nested = (depth: number): string => `${'{a'.repeat(depth)}${'}'.repeat(depth)}`;
const bomb = Array.from({ length: 20 }, (_, n) => `fragment F${n} on T { ...F${n + 1} ...F${n + 1} }`).join(' ');

test.each([
  ['depth', nested(16), 'gateway.graphql_too_large'],
  ['depth that ends a stack', nested(4_000), 'gateway.graphql_invalid'],
  ['tokens', `{ ${'a '.repeat(10_001)} }`, 'gateway.graphql_invalid'],
  ['bytes', `{ a } # ${'x'.repeat(70_000)}`, 'gateway.graphql_too_large'],
  ['fields', `{ ${'a '.repeat(1_001)} }`, 'gateway.graphql_too_large'],
  ['aliases', `{ ${Array.from({ length: 31 }, (_, n) => `a${n}: a`).join(' ')} }`, 'gateway.graphql_too_large'],
  ['root fields', `{ ${'a '.repeat(21)} }`, 'gateway.graphql_too_large'],
  ['directives', `{ a ${'@x '.repeat(51)} }`, 'gateway.graphql_too_large'],
  ['cost', '{ a(first: 1000) { b(first: 1000) { c } } }', 'gateway.graphql_too_large'],
  ['fragments that multiply', `{ ...F0 } ${bomb} fragment F20 on T { a }`, 'gateway.graphql_too_large'],
  ['a fragment in itself', '{ ...F } fragment F on T { a { ...F } }', 'gateway.graphql_invalid'],
  ['a fragment that is not there', '{ ...F }', 'gateway.graphql_invalid'],
  ['two fragments of one name', '{ ...F } fragment F on T { a } fragment F on T { b }', 'gateway.graphql_invalid'],
  ['two operations of one name', 'query A { a } query A { b }', 'gateway.graphql_invalid'],
  ['several operations, none named', 'query A { a } query B { b }', 'gateway.graphql_invalid'],
  ['types', 'type Query { a: Int }', 'gateway.graphql_invalid'],
  ['nothing', '', 'gateway.graphql_invalid'],
  ['introspection', '{ __schema { types { name } } }', 'gateway.graphql_introspection_refused'],
  [
    'introspection in a fragment',
    '{ ...F } fragment F on Query { x: __type(name: "User") { name } }',
    'gateway.graphql_introspection_refused',
  ],
])('%s is refused', (_what, query, code) => {
  expect(() => plan(query)).toThrow(expect.objectContaining({ code }));
});

test('page sizes come from literals, variables and defaults', () => {
  const query = 'query ($n: Int = 7) { a(first: $n) { b(last: 2) { c } } }';
  expect(plan(query).cost).toBe(7 + 14);
  expect(plan(query, { n: 100 }).cost).toBe(100 + 200);
});

test('introspection passes where the app allows it, as an operation like any other', () => {
  expect(ids('{ __schema { types { name } } }', {}, { introspection: 'allow' })).toEqual([
    'graphql.query.__schema.types',
  ]);
});

test('arguments are parameters of an operation; what has two values has none', () => {
  const parameters = (query: string, variables = {}) => plan(query, variables).operations[0]!.parameters;
  expect(parameters('query ($o: String!) { repository(owner: $o, name: "web") { name } }', { o: 'acme' })).toEqual({
    owner: 'acme',
    name: 'web',
  });
  expect(parameters('{ a: repository(owner: "acme") { id } b: repository(owner: "evil") { id } }')).toEqual({});
  expect(parameters('{ organization(login: "a") { repository(login: "b") { id } } }')).toEqual({});
  expect(parameters('mutation ($i: I!) { createIssue(input: $i) { ok } }', { i: { teamId: 't1' } })).toEqual({
    'input.teamId': 't1',
  });
});

test('texts of the document itself are kept for those who look for attacks', () => {
  expect(Object.values(plan('{ a(q: "x OR 1=1", w: { n: ["y"] }) }').literals)).toEqual(['x OR 1=1', 'y']);
});

test.each([
  ['graphql.query.repository.issues', 'QUERY', '/repository/issues', 'read'],
  ['graphql.mutation.createIssue', 'MUTATION', '/createIssue', 'write'],
])('%s is %s %s', (id, method, path, access) => {
  expect(graphqlFacts(id)).toMatchObject({ method, path, access });
});

function outcome(query: string): string {
  try {
    return plan(query).operations.length > 0 ? 'planned' : 'nothing';
  } catch (error) {
    return error instanceof Refusal ? error.code : String(error);
  }
}

test('whatever is sent, a document is planned or refused', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '(',
    ')',
    'a',
    'query',
    '...F',
    'fragment F on T',
    '$v',
    ':',
    '"',
    '@x',
    '[',
    ']',
    '1',
    '#',
    '\n',
    '__schema',
    '"""',
    'mutation',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      expect(outcome(pieces.join(' '))).toMatch(/^(?:planned|gateway\.graphql_)/);
    }),
    { numRuns: 500 },
  );
});
