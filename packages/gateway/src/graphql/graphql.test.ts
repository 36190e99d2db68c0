import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { graphql as octokitGraphql, GraphqlResponseError } from '@octokit/graphql';
import { LinearClient } from '@linear/sdk';
import { createEmulator, type Emulator } from 'emulate';
import { buildSchema, graphql } from 'graphql';
import { sampleEntry } from '@cordon/policy/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  startTestGateway,
  startUpstream,
  TEST_TOKEN,
  type TestGateway,
  type UpstreamStub,
  VENDOR_SECRET,
} from '../testing.ts';

/** The vendors' own clients against GraphQL servers that execute, through the gateway. */

const CARD = '4111 1111 1111 1111';
/** The part of GitHub's schema that the test asks for. */
const SDL = `
  type Query { viewer: User! repository(owner: String!, name: String!): Repository search(query: String!): Int! }
  type User { login: String! email: String! }
  type Repository { name: String! description: String issues(first: Int, last: Int): IssueConnection! }
  type IssueConnection { nodes: [Issue!]! totalCount: Int! }
  type Issue { id: ID! title: String! body: String! author: User }
  type Mutation { createIssue(input: CreateIssueInput!): CreateIssuePayload }
  input CreateIssueInput { repositoryId: ID! title: String! body: String }
  type CreateIssuePayload { issue: Issue clientMutationId: String }
`;
const schema = buildSchema(SDL);
const issue = {
  id: 'I_1',
  title: 'First',
  body: `paid with ${CARD}`,
  author: { login: 'ada', email: 'ada@example.com' },
};
const rootValue = {
  viewer: { login: 'ada', email: 'ada@example.com' },
  repository: ({ name }: { name: string }) => ({
    name,
    description: 'A repository',
    issues: { nodes: [issue], totalCount: 1 },
  }),
  search: 0,
  createIssue: ({ input }: { input: { title: string } }) => ({ issue: { ...issue, title: input.title } }),
};

let upstream: UpstreamStub;
let gateway: TestGateway;
let linear: Emulator;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return typeof address === 'object' && address ? address.port : 0;
}

beforeAll(async () => {
  upstream = await startUpstream((request, body, response) => {
    const url = new URL(request.url ?? '/', 'http://upstream');
    const sent =
      request.method === 'GET'
        ? {
            query: url.searchParams.get('query') ?? '',
            variables: JSON.parse(url.searchParams.get('variables') ?? '{}'),
          }
        : (JSON.parse(body.toString('utf8')) as {
            query: string;
            variables?: Record<string, unknown>;
            operationName?: string;
          });
    const one = (call: typeof sent) =>
      graphql({ schema, rootValue, source: call.query, variableValues: call.variables as Record<string, unknown> });
    const work = Array.isArray(sent) ? Promise.all((sent as (typeof sent)[]).map(one)) : one(sent);
    void work.then((result) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result)),
    );
  });
  linear = await createEmulator({ service: 'linear', port: await freePort() });
  const sdl = Buffer.from(SDL);
  const sha256 = createHash('sha256').update(sdl).digest('hex');
  const local = { plaintext: 'allow' as const, privateAddresses: ['127.0.0.1', '::1'] };
  gateway = await startTestGateway({
    upstream: upstream.url,
    app: { name: 'github', graphql: {}, unknownOperations: 'refuse' },
    grant: {
      select: [
        { kind: 'operations', ids: ['graphql.query.viewer', 'graphql.query.search'] },
        { kind: 'path', method: 'QUERY', path: '/repository/**' },
      ],
    },
    blobs: new Map([[sha256, sdl]]),
    entries: {
      'graphql-schema:app-1': { id: 'app-1', sha256, bytes: sdl.length },
      'grant:writes': sampleEntry('grant', {
        id: 'writes',
        select: [{ kind: 'path', method: 'MUTATION', path: '/createIssue/**' }],
        resourceScope: [{ parameter: 'input.repositoryId', values: ['R_1'] }],
      }),
      'app:app-2': sampleEntry('app', {
        id: 'app-2',
        name: 'linear',
        upstream: linear.url.replace('localhost', '127.0.0.1'),
        ...local,
        graphql: { batchMax: 2 },
      }),
      'grant:linear': sampleEntry('grant', {
        id: 'linear',
        appId: 'app-2',
        select: [{ kind: 'path', method: 'QUERY', path: '/teams/**' }],
      }),
      'app:app-3': sampleEntry('app', {
        id: 'app-3',
        name: 'batching',
        upstream: upstream.url,
        ...local,
        graphql: { batchMax: 2, introspection: 'allow' },
      }),
      'grant:batching': sampleEntry('grant', {
        id: 'batching',
        appId: 'app-3',
        select: [{ kind: 'access', access: 'read' }],
      }),
    },
  });
}, 30_000);

afterAll(async () => {
  await gateway?.stop();
  await linear?.close();
  await upstream?.close();
});

const octokit = () =>
  octokitGraphql.defaults({ baseUrl: `${gateway.url}/github`, headers: { authorization: `token ${TEST_TOKEN}` } });

async function post(body: unknown, path = '/github/graphql', type = 'application/json') {
  const response = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_TOKEN}`, 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test('Octokit reads what is granted, and inspection takes out what may not pass', async () => {
  const query =
    'query ($owner: String!, $name: String!) { repository(owner: $owner, name: $name) { name issues(first: 5) { nodes { title body } } } }';
  const answer = await octokit()<{ repository: { name: string; issues: { nodes: { body: string }[] } } }>(query, {
    owner: 'acme',
    name: 'web',
  });
  expect(answer.repository.name).toBe('web');
  expect(answer.repository.issues.nodes[0]!.body).not.toContain(CARD);
  expect(upstream.requests.at(-1)!.headers.authorization).toBe(`Bearer ${VENDOR_SECRET}`);
  const event = (await gateway.events()).at(-1) as { api: { operation: string } };
  expect(event.api.operation).toMatch(/^graphql\.query\.repository/);
});

test('one document asks for each of its fields', async () => {
  const before = upstream.requests.length;
  const refused = await octokit()(
    'mutation { createIssue(input: { repositoryId: "R_2", title: "x" }) { issue { id } } }',
  ).catch((error: unknown) => error);
  expect(refused).toMatchObject({ status: 403, response: { data: { code: 'gateway.not_authorized' } } });
  expect(upstream.requests).toHaveLength(before);
  expect(refused).not.toBeInstanceOf(GraphqlResponseError);
});

test('a scoped grant holds for the argument that it names, and for no other', async () => {
  const create = (repositoryId: string) =>
    post({
      query: 'mutation ($input: CreateIssueInput!) { createIssue(input: $input) { issue { title } } }',
      variables: { input: { repositoryId, title: 'Mine' } },
    });
  expect(await create('R_1')).toMatchObject({
    status: 200,
    body: { data: { createIssue: { issue: { title: 'Mine' } } } },
  });
  expect(await create('R_2')).toMatchObject({
    status: 403,
    body: { errors: [{ extensions: { code: 'gateway.not_authorized' } }] },
  });
});

test.each([
  ['an unknown field', { query: '{ viewer { password } }' }, 'gateway.graphql_invalid'],
  ['an unknown argument', { query: '{ viewer(all: true) { login } }' }, 'gateway.graphql_invalid'],
  [
    'a variable of the wrong type',
    { query: 'query ($q: String!) { search(query: $q) }', variables: { q: 5 } },
    'gateway.graphql_invalid',
  ],
  ['introspection', { query: '{ __schema { queryType { name } } }' }, 'gateway.graphql_introspection_refused'],
  ['a batch', [{ query: '{ viewer { login } }' }], 'gateway.graphql_too_large'],
  [
    'two keys of one name',
    '{"query":"{ viewer { login } }","query":"{ search(query: \\"x\\") }"}',
    'gateway.graphql_invalid',
  ],
  ['another spelling', { query: '{ viewer { login } }', Query: '{ secret }' }, 'gateway.graphql_invalid'],
  ['a stored document', { documentId: 'abc' }, 'gateway.graphql_invalid'],
  ['no JSON', 'query', 'gateway.graphql_invalid'],
])('%s is refused before the vendor sees it', async (_what, body, code) => {
  const before = upstream.requests.length;
  expect((await post(body)).body).toMatchObject({ code, errors: [{ extensions: { code } }] });
  expect(upstream.requests).toHaveLength(before);
});

test.each([['/github/graphql/'], ['/github/GraphQL'], ['/github/%67raphql']])(
  '%s is judged as GraphQL too',
  async (path) => {
    expect((await post({ query: '{ __schema { types { name } } }' }, path)).body).toMatchObject({
      code: 'gateway.graphql_introspection_refused',
    });
  },
);

test('a document in the address of a POST is refused', async () => {
  const path = `/github/graphql?query=${encodeURIComponent('{ secret }')}`;
  expect((await post({ query: '{ viewer { login } }' }, path)).body).toMatchObject({ code: 'gateway.graphql_invalid' });
});

test('GET is for queries', async () => {
  const get = async (query: string): Promise<Record<string, unknown>> => {
    const url = `${gateway.url}/github/graphql?query=${encodeURIComponent(query)}&variables=%7B%7D`;
    const response = await fetch(url, { headers: { authorization: `Bearer ${TEST_TOKEN}` } });
    return (await response.json()) as Record<string, unknown>;
  };
  expect(await get('{ viewer { login } }')).toEqual({ data: { viewer: { login: 'ada' } } });
  const write = 'mutation { createIssue(input: { repositoryId: "R_1", title: "x" }) { clientMutationId } }';
  expect(await get(write)).toMatchObject({ code: 'gateway.graphql_method_refused' });
});

test('a persisted query is judged by its document, which goes on with it', async () => {
  const query = '{ viewer { login } }';
  const sha256Hash = createHash('sha256').update(query).digest('hex');
  const extensions = { persistedQuery: { version: 1, sha256Hash } };
  expect((await post({ extensions })).body).toMatchObject({ errors: [{ message: 'PersistedQueryNotFound' }] });
  expect((await post({ extensions, query: '{ search(query: "x") }' })).body).toMatchObject({
    code: 'gateway.graphql_invalid',
  });
  expect((await post({ extensions, query })).body).toEqual({ data: { viewer: { login: 'ada' } } });
  expect((await post({ extensions })).body).toEqual({ data: { viewer: { login: 'ada' } } });
  expect(JSON.parse(upstream.requests.at(-1)!.body.toString('utf8'))).toMatchObject({ query });
});

test('a batch passes where the app takes one, each document judged', async () => {
  const read = { query: '{ viewer { login } }' };
  expect((await post([read, read], '/batching/graphql')).body).toEqual([
    { data: { viewer: { login: 'ada' } } },
    { data: { viewer: { login: 'ada' } } },
  ]);
  const write = { query: 'mutation { createIssue(input: { repositoryId: "R_1", title: "x" }) { clientMutationId } }' };
  expect((await post([read, write], '/batching/graphql')).status).toBe(403);
  expect((await post([read, read, read], '/batching/graphql')).status).toBe(400);
});

test('the Linear SDK reads teams through the gateway, and nothing else', async () => {
  const client = new LinearClient({ accessToken: TEST_TOKEN, apiUrl: `${gateway.url}/linear/graphql` });
  const answer = await client.client.rawRequest<{ teams: { nodes: { key: string }[] } }, Record<string, unknown>>(
    'query Teams($first: Int) { teams(first: $first) { nodes { id key name } } }',
    { first: 5 },
  );
  expect(Array.isArray(answer.data?.teams.nodes)).toBe(true);
  await expect(client.client.rawRequest('query { viewer { id email } }', {})).rejects.toThrow(/no grant/);
});
