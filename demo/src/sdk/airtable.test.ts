import { TEST_TOKEN, type UpstreamStub } from '@cordon/gateway/testing';
import Airtable from 'airtable';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leaksToken, type SdkStage, startSdkStage, startVendorStub } from './sdk-stage.ts';

const TABLE = '/v0/{baseId}/{tableIdOrName}';
const records = ['one', 'two', 'three'].map((Name, index) => ({
  id: `rec${index}`,
  createdTime: '',
  fields: { Name },
}));

let vendor: UpstreamStub;
let stage: SdkStage;
let base: Airtable.Base;

beforeAll(async () => {
  vendor = await startVendorStub({
    authorization: 'Bearer pat-of-airtable',
    refusal: { error: { type: 'AUTHENTICATION_REQUIRED', message: 'Authentication required' } },
    routes: [
      {
        method: 'GET',
        path: /^\/v0\/app1\/Tasks\/?$/,
        answer: ({ url }) => {
          const from = Number(url.searchParams.get('offset') ?? 0);
          const page = records.slice(from, from + 2);
          return { body: { records: page, ...(from + 2 < records.length ? { offset: String(from + 2) } : {}) } };
        },
      },
      {
        method: 'POST',
        path: /^\/v0\/app1\/Tasks\/?$/,
        answer: ({ body }) => {
          const { fields } = JSON.parse(body.toString('utf8')) as { fields: { Name: string } };
          return { body: { id: 'rec9', createdTime: '', fields } };
        },
      },
      { method: 'GET', path: /^\/v0\/app1\/Tasks\/rec0$/, answer: () => ({ body: records[0] }) },
    ],
  });
  const path = `${TABLE}/{recordId}`;
  stage = await startSdkStage({
    app: 'airtable',
    upstream: vendor.url,
    operations: [
      { id: 'listRecords', method: 'get', path: TABLE },
      // The package adds with a slash at the end, which the published path doesn't have.
      {
        id: 'createRecords',
        method: 'post',
        path: `${TABLE}/`,
        body: { type: 'application/json', required: ['fields'] },
      },
      { id: 'getRecord', method: 'get', path },
      { id: 'deleteRecord', method: 'delete', path },
    ],
    credential: { kind: 'bearer', secret: 'pat-of-airtable' },
    granted: ['listRecords', 'createRecords', 'getRecord'],
    limited: 'getRecord',
  });
  base = new Airtable({ apiKey: TEST_TOKEN, endpointUrl: stage.url, noRetryIfRateLimited: true }).base('app1');
});

afterAll(async () => {
  await stage?.stop();
  await vendor?.close();
});

test('reads all pages of a table and adds a record', async () => {
  const all = await base('Tasks').select({ pageSize: 2 }).all();
  expect(all.map((record) => record.get('Name'))).toEqual(['one', 'two', 'three']);
  expect((await base('Tasks').create({ Name: 'four' })).id).toBe('rec9');
  await expect
    .poll(() => stage.decisions())
    .toEqual(['listRecords allowed', 'listRecords allowed', 'createRecords allowed']);
  expect(leaksToken(vendor.requests)).toBe(false);
});

test('a call that was never granted is an AirtableError of its own words, with the status', async () => {
  const before = vendor.requests.length;
  await expect(base('Tasks').destroy('rec0')).rejects.toMatchObject({ error: 'NOT_AUTHORIZED', statusCode: 403 });
  expect(vendor.requests.length).toBe(before);
});

test('over the limit it is TOO_MANY_REQUESTS', async () => {
  await base('Tasks').find('rec0');
  await expect(base('Tasks').find('rec0')).rejects.toMatchObject({ error: 'TOO_MANY_REQUESTS', statusCode: 429 });
});
