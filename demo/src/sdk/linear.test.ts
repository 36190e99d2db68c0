import { TEST_TOKEN } from '@cordon/gateway/testing';
import { LinearClient, LinearError } from '@linear/sdk';
import type { Emulator } from 'emulate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SdkStage, startEmulator, startSdkStage } from './sdk-stage.ts';

let emulator: Emulator;
let stage: SdkStage;
let linear: LinearClient;

beforeAll(async () => {
  emulator = await startEmulator('linear', {
    organization: { name: 'Acme', url_key: 'acme' },
    users: [{ email: 'admin@example.com', name: 'Admin', admin: true }],
    teams: [{ key: 'ENG', name: 'Engineering', states: [{ name: 'Todo', type: 'unstarted' }] }],
    issues: ['one', 'two', 'three'].map((title) => ({ team: 'ENG', title, state: 'Todo' })),
    tokens: [{ token: 'lin_api_of_cordon', user: 'admin@example.com', scopes: ['read', 'write'] }],
  });
  stage = await startSdkStage({
    app: 'linear',
    upstream: emulator.url.replace('localhost', '127.0.0.1'),
    settings: { graphql: {} },
    credential: { kind: 'bearer', secret: 'lin_api_of_cordon' },
    select: [
      { kind: 'path', method: 'QUERY', path: '/teams/**' },
      { kind: 'path', method: 'QUERY', path: '/issues/**' },
      { kind: 'path', method: 'MUTATION', path: '/issueCreate/**' },
      { kind: 'path', method: 'QUERY', path: '/organization/**' },
    ],
    limited: 'graphql.query.organization',
  });
  linear = new LinearClient({ accessToken: TEST_TOKEN, apiUrl: `${stage.url}/graphql` });
});

afterAll(async () => {
  await stage?.stop();
  await emulator?.close();
});

const ISSUES =
  'query($after: String) { issues(first: 2, after: $after) { nodes { title } pageInfo { hasNextPage endCursor } } }';

interface Page {
  readonly issues: { nodes: { title: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

test('reads issues page by page and creates one', async () => {
  const titles: string[] = [];
  let after: string | null = null;
  do {
    const { issues }: Page = await linear.client.request<Page, { after: string | null }>(ISSUES, { after });
    titles.push(...issues.nodes.map(({ title }) => title));
    after = issues.pageInfo.hasNextPage ? issues.pageInfo.endCursor : null;
  } while (after !== null);
  // The emulator brings one of its own.
  expect(titles).toHaveLength(4);
  expect(titles).toEqual(expect.arrayContaining(['one', 'two', 'three']));
  const { teams } = await linear.client.request<{ teams: { nodes: { id: string }[] } }, Record<string, unknown>>(
    '{ teams { nodes { id } } }',
    {},
  );
  const { issueCreate } = await linear.client.request<{ issueCreate: { success: boolean } }, Record<string, unknown>>(
    'mutation($input: IssueCreateInput!) { issueCreate(input: $input) { success issue { title } } }',
    { input: { teamId: teams.nodes[0]?.id, title: 'four' } },
  );
  expect(issueCreate.success).toBe(true);
});

test('a field that was never granted is a LinearError that quotes Cordon', async () => {
  const call = linear.viewer;
  await expect(call).rejects.toBeInstanceOf(LinearError);
  await expect(call).rejects.toThrow(/no grant/);
});

test('over the limit it is a LinearError with status 429', async () => {
  const ask = () => linear.client.request('{ organization { id name } }', {});
  await ask();
  await expect(ask()).rejects.toThrow(/limit/i);
});
