import { TEST_TOKEN, type UpstreamStub } from '@cordon/gateway/testing';
import jsforce from 'jsforce';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leaksToken, type SdkStage, startSdkStage, startVendorStub } from './sdk-stage.ts';

const DATA = '/services/data/{version}';
const account = (number: number) => ({
  attributes: { type: 'Account', url: '' },
  Id: `001${number}`,
  Name: `Account ${number}`,
});

let vendor: UpstreamStub;
let stage: SdkStage;
let salesforce: jsforce.Connection;

beforeAll(async () => {
  vendor = await startVendorStub({
    authorization: 'Bearer session-of-salesforce',
    refusal: [{ errorCode: 'INVALID_SESSION_ID', message: 'Session expired or invalid' }],
    routes: [
      {
        method: 'GET',
        path: /^\/services\/data\/v60\.0\/query$/,
        answer: () => ({
          body: {
            totalSize: 3,
            done: false,
            nextRecordsUrl: '/services/data/v60.0/query/01g-2000',
            records: [account(1), account(2)],
          },
        }),
      },
      {
        method: 'GET',
        path: /^\/services\/data\/v60\.0\/query\/01g-2000$/,
        answer: () => ({ body: { totalSize: 3, done: true, records: [account(3)] } }),
      },
      {
        method: 'POST',
        path: /^\/services\/data\/v60\.0\/sobjects\/(\w+)$/,
        answer: ({ match }) => ({
          status: 201,
          body: { id: match[1] === 'ContentVersion' ? '0681' : '0019', success: true, errors: [] },
        }),
      },
      { method: 'PATCH', path: /^\/services\/data\/v60\.0\/sobjects\/Account\/0011$/, answer: () => ({ status: 204 }) },
    ],
  });
  const records = `${DATA}/sobjects/{sObject}`;
  stage = await startSdkStage({
    app: 'salesforce',
    upstream: vendor.url,
    operations: [
      { id: 'query', method: 'get', path: `${DATA}/query` },
      { id: 'queryMore', method: 'get', path: `${DATA}/query/{queryLocator}` },
      { id: 'createRecord', method: 'post', path: records, body: { type: 'application/json' } },
      { id: 'updateRecord', method: 'patch', path: `${records}/{recordId}`, body: { type: 'application/json' } },
      { id: 'deleteRecord', method: 'delete', path: `${records}/{recordId}` },
    ],
    credential: { kind: 'bearer', secret: 'session-of-salesforce' },
    granted: ['query', 'queryMore', 'createRecord', 'updateRecord'],
    // jsforce repeats what is safe to repeat for 15 seconds; an update is told at once.
    limited: 'updateRecord',
  });
  salesforce = new jsforce.Connection({ instanceUrl: stage.url, accessToken: TEST_TOKEN, version: '60.0' });
});

afterAll(async () => {
  await stage?.stop();
  await vendor?.close();
});

test('queries page by page and creates records', async () => {
  const names: string[] = [];
  let page = await salesforce.query<{ Name: string }>('SELECT Id, Name FROM Account');
  names.push(...page.records.map(({ Name }) => Name));
  while (!page.done && page.nextRecordsUrl !== undefined) {
    page = await salesforce.queryMore<{ Name: string }>(page.nextRecordsUrl);
    names.push(...page.records.map(({ Name }) => Name));
  }
  expect(names).toEqual(['Account 1', 'Account 2', 'Account 3']);
  expect(await salesforce.sobject('Account').create({ Name: 'Acme' })).toMatchObject({ id: '0019', success: true });
  await expect.poll(() => stage.decisions()).toEqual(['query allowed', 'queryMore allowed', 'createRecord allowed']);
  expect(leaksToken(vendor.requests)).toBe(false);
});

test('uploads a file as a ContentVersion', async () => {
  const VersionData = Buffer.from('hello from a file').toString('base64');
  const file = { Title: 'note', PathOnClient: 'note.txt', VersionData };
  expect(await salesforce.sobject('ContentVersion').create(file)).toMatchObject({ id: '0681' });
});

test.each([
  ['that was never granted', () => salesforce.sobject('Account').destroy('0011'), 'gateway.not_authorized', /no grant/],
  [
    'over the limit',
    () => salesforce.sobject('Account').update({ Id: '0011', Name: 'Acme' }),
    'gateway.rate_limited',
    /limit/i,
  ],
])('a call %s is an HttpApiError with the sentence of Cordon', async (_, call, code, sentence) => {
  if (code === 'gateway.rate_limited') await call();
  await expect(call()).rejects.toMatchObject({ message: expect.stringMatching(sentence), data: { code } });
});
