import { TEST_TOKEN, type UpstreamStub } from '@cordon/gateway/testing';
import { createCloudClient, ForbiddenError, RateLimitError } from 'jira.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leaksToken, type SdkStage, startSdkStage, startVendorStub } from './sdk-stage.ts';

const ISSUE = '/rest/api/3/issue/{issueIdOrKey}';
const self = 'https://acme.atlassian.net/rest/api/3/issue/1';
const issue = (number: number) => ({
  id: String(number),
  key: `OPS-${number}`,
  self,
  fields: { summary: `Issue ${number}` },
});
const basic = Buffer.from('bot@example.com:jira-api-token').toString('base64');

let vendor: UpstreamStub;
let stage: SdkStage;
let jira: ReturnType<typeof createCloudClient>;

beforeAll(async () => {
  vendor = await startVendorStub({
    authorization: `Basic ${basic}`,
    refusal: { errorMessages: ['Client must be authenticated to access this resource.'] },
    routes: [
      {
        method: 'POST',
        path: /^\/rest\/api\/3\/search\/jql$/,
        answer: ({ body }) => {
          const { nextPageToken } = JSON.parse(body.toString('utf8')) as { nextPageToken?: string };
          return nextPageToken === undefined
            ? { body: { issues: [issue(1), issue(2)], nextPageToken: 'page-2', isLast: false } }
            : { body: { issues: [issue(3)], isLast: true } };
        },
      },
      {
        method: 'POST',
        path: /^\/rest\/api\/3\/issue$/,
        answer: ({ origin }) => ({
          status: 201,
          body: { id: '4', key: 'OPS-4', self: `${origin}/rest/api/3/issue/4` },
        }),
      },
      {
        method: 'POST',
        path: /^\/rest\/api\/3\/issue\/OPS-1\/attachments$/,
        answer: ({ body }) => ({
          body: body.includes('hello from a file') ? [{ id: '7', self, filename: 'note.txt' }] : [],
        }),
      },
      { method: 'GET', path: /^\/rest\/api\/3\/issue\/OPS-1$/, answer: () => ({ body: issue(1) }) },
    ],
  });
  stage = await startSdkStage({
    app: 'jira',
    upstream: vendor.url,
    operations: [
      {
        id: 'searchAndReconsileIssuesUsingJqlPost',
        method: 'post',
        path: '/rest/api/3/search/jql',
        body: { type: 'application/json' },
      },
      {
        id: 'createIssue',
        method: 'post',
        path: '/rest/api/3/issue',
        body: { type: 'application/json', required: ['fields'] },
      },
      { id: 'getIssue', method: 'get', path: ISSUE },
      { id: 'deleteIssue', method: 'delete', path: ISSUE },
      {
        id: 'addAttachment',
        method: 'post',
        path: `${ISSUE}/attachments`,
        body: { type: 'multipart/form-data', required: ['file'] },
      },
    ],
    credential: { kind: 'basic', secret: 'bot@example.com:jira-api-token' },
    granted: ['searchAndReconsileIssuesUsingJqlPost', 'createIssue', 'getIssue', 'addAttachment'],
    limited: 'getIssue',
  });
  jira = createCloudClient({ host: stage.url, auth: { type: 'bearer', token: TEST_TOKEN }, retry: { maxAttempts: 1 } });
});

afterAll(async () => {
  await stage?.stop();
  await vendor?.close();
});

test('searches page by page and creates an issue', async () => {
  const keys: string[] = [];
  let nextPageToken: string | undefined;
  do {
    const page = await jira.issueSearch.searchAndReconsileIssuesUsingJqlPost({
      jql: 'project = OPS',
      ...(nextPageToken === undefined ? {} : { nextPageToken }),
    });
    keys.push(...(page.issues ?? []).map(({ key }) => key ?? ''));
    nextPageToken = page.nextPageToken ?? undefined;
  } while (nextPageToken !== undefined);
  expect(keys).toEqual(['OPS-1', 'OPS-2', 'OPS-3']);
  const fields = { summary: 'From Cordon', project: { key: 'OPS' }, issuetype: { name: 'Task' } };
  const created = await jira.issues.createIssue({ fields });
  expect(created.key).toBe('OPS-4');
  // A link of the vendor leads back to the gateway.
  expect(created.self).toBe(`${stage.url}/rest/api/3/issue/4`);
  expect(leaksToken(vendor.requests)).toBe(false);
});

test('attaches a file', async () => {
  const [attached] = await jira.issueAttachments.addAttachment({
    issueIdOrKey: 'OPS-1',
    attachments: { filename: 'note.txt', content: Buffer.from('hello from a file') },
  });
  expect(attached?.filename).toBe('note.txt');
});

test('a call that was never granted is a ForbiddenError whose body is the problem document', async () => {
  const call = jira.issues.deleteIssue({ issueIdOrKey: 'OPS-1' });
  await expect(call).rejects.toBeInstanceOf(ForbiddenError);
  await expect(call).rejects.toMatchObject({
    body: { code: 'gateway.not_authorized', detail: expect.stringMatching(/no grant/) },
  });
});

test('over the limit it is a RateLimitError that knows how long to wait', async () => {
  await jira.issues.getIssue({ issueIdOrKey: 'OPS-1' });
  const call = jira.issues.getIssue({ issueIdOrKey: 'OPS-1' });
  await expect(call).rejects.toBeInstanceOf(RateLimitError);
  await expect(call).rejects.toMatchObject({ retryAfterMs: expect.any(Number) });
});
