import { TEST_TOKEN, type UpstreamStub } from '@cordon/gateway/testing';
import { Client } from '@hubspot/api-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leaksToken, type SdkStage, startSdkStage, startVendorStub } from './sdk-stage.ts';

const CONTACTS = '/crm/v3/objects/contacts';
const JSON_BODY = { type: 'application/json', required: ['properties'] };
const stamps = { createdAt: '2026-01-01T00:00:00Z', updatedAt: '2026-01-01T00:00:00Z', archived: false };
const contacts = ['ada', 'bob', 'cyd'].map((firstname, index) => ({
  id: String(index),
  properties: { firstname },
  ...stamps,
}));

let vendor: UpstreamStub;
let stage: SdkStage;
let hubspot: Client;

beforeAll(async () => {
  vendor = await startVendorStub({
    authorization: 'Bearer pat-of-hubspot',
    refusal: { status: 'error', message: 'Authentication credentials not found', category: 'INVALID_AUTHENTICATION' },
    routes: [
      {
        method: 'GET',
        path: /^\/crm\/v3\/objects\/contacts$/,
        answer: ({ url, origin }) => {
          const from = Number(url.searchParams.get('after') ?? 0);
          const after = String(from + 2);
          const next = { after, link: `${origin}${CONTACTS}?after=${after}` };
          return { body: { results: contacts.slice(from, from + 2), ...(from + 2 < 3 ? { paging: { next } } : {}) } };
        },
      },
      {
        method: 'POST',
        path: /^\/crm\/v3\/objects\/contacts$/,
        answer: ({ body }) => {
          const { properties } = JSON.parse(body.toString('utf8')) as { properties: object };
          return { status: 201, body: { id: '9', properties, ...stamps } };
        },
      },
      { method: 'GET', path: /^\/crm\/v3\/objects\/contacts\/0$/, answer: () => ({ body: contacts[0] }) },
      {
        method: 'POST',
        path: /^\/files\/v3\/files$/,
        answer: ({ body, contentType }) => ({
          status: contentType.startsWith('multipart/form-data') && body.includes('hello from a file') ? 201 : 400,
          body: { id: 'file-1', name: 'note', access: 'PRIVATE', ...stamps },
        }),
      },
    ],
  });
  stage = await startSdkStage({
    app: 'hubspot',
    upstream: vendor.url,
    operations: [
      { id: 'contacts.getPage', method: 'get', path: CONTACTS },
      { id: 'contacts.create', method: 'post', path: CONTACTS, body: JSON_BODY },
      { id: 'contacts.getById', method: 'get', path: `${CONTACTS}/{contactId}` },
      { id: 'contacts.archive', method: 'delete', path: `${CONTACTS}/{contactId}` },
      {
        id: 'files.upload',
        method: 'post',
        path: '/files/v3/files',
        body: { type: 'multipart/form-data', required: ['file'] },
      },
    ],
    credential: { kind: 'bearer', secret: 'pat-of-hubspot' },
    granted: ['contacts.getPage', 'contacts.create', 'contacts.getById', 'files.upload'],
    limited: 'contacts.getById',
  });
  hubspot = new Client({ accessToken: TEST_TOKEN, basePath: stage.url, numberOfApiCallRetries: 0 });
});

afterAll(async () => {
  await stage?.stop();
  await vendor?.close();
});

test('reads contacts page by page and adds one', async () => {
  const all = await hubspot.crm.contacts.getAll(2);
  expect(all.map(({ properties }) => properties['firstname'])).toEqual(['ada', 'bob', 'cyd']);
  const created = await hubspot.crm.contacts.basicApi.create({ properties: { firstname: 'dan' }, associations: [] });
  expect(created.id).toBe('9');
  await expect
    .poll(() => stage.decisions())
    .toEqual(['contacts.getPage allowed', 'contacts.getPage allowed', 'contacts.create allowed']);
  expect(leaksToken(vendor.requests)).toBe(false);
});

test('uploads a file', async () => {
  const file = { data: Buffer.from('hello from a file'), name: 'note.txt' };
  const uploaded = await hubspot.files.filesApi.upload(
    file,
    undefined,
    '/notes',
    'note',
    undefined,
    '{"access":"PRIVATE"}',
  );
  expect(uploaded.id).toBe('file-1');
});

test('a call that was never granted is an ApiException that carries the sentence of Cordon', async () => {
  await expect(hubspot.crm.contacts.basicApi.archive('0')).rejects.toMatchObject({
    code: 403,
    message: expect.stringMatching(/no grant/),
  });
});

test('over the limit it is an ApiException with code 429', async () => {
  await hubspot.crm.contacts.basicApi.getById('0');
  await expect(hubspot.crm.contacts.basicApi.getById('0')).rejects.toMatchObject({ code: 429 });
});
