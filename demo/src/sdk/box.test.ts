import { Readable } from 'node:stream';
import { TEST_TOKEN, type UpstreamStub } from '@cordon/gateway/testing';
import { BoxClient, BoxDeveloperTokenAuth } from 'box-node-sdk';
import { BoxApiError } from 'box-node-sdk/box';
import { BaseUrls, BoxRetryStrategy, NetworkSession } from 'box-node-sdk/networking';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leaksToken, type SdkStage, startSdkStage, startVendorStub } from './sdk-stage.ts';

const entry = (number: number) => ({ type: 'file', id: String(number), etag: '1', name: `file-${number}.txt` });

let vendor: UpstreamStub;
let stage: SdkStage;
let box: BoxClient;

beforeAll(async () => {
  vendor = await startVendorStub({
    authorization: 'Bearer box-access-token',
    refusal: { type: 'error', status: 401, code: 'unauthorized', message: 'Unauthorized' },
    routes: [
      {
        method: 'GET',
        path: /^\/2\.0\/folders\/0\/items$/,
        answer: ({ url }) => {
          const from = Number(url.searchParams.get('offset') ?? 0);
          const entries = [1, 2, 3].slice(from, from + 2).map((number) => entry(number));
          return { body: { total_count: 3, offset: from, limit: 2, entries } };
        },
      },
      { method: 'GET', path: /^\/2\.0\/files\/1$/, answer: () => ({ body: entry(1) }) },
      {
        method: 'POST',
        path: /^\/api\/2\.0\/files\/content$/,
        answer: ({ body }) => ({
          status: 201,
          body: { total_count: 1, entries: body.includes('hello from a file') ? [entry(4)] : [] },
        }),
      },
    ],
  });
  stage = await startSdkStage({
    app: 'box',
    upstream: vendor.url,
    operations: [
      { id: 'get_folders_id_items', method: 'get', path: '/2.0/folders/{folder_id}/items' },
      { id: 'get_files_id', method: 'get', path: '/2.0/files/{file_id}' },
      { id: 'put_files_id', method: 'put', path: '/2.0/files/{file_id}', body: { type: 'application/json' } },
      {
        id: 'post_files_content',
        method: 'post',
        path: '/2.0/files/content',
        body: { type: 'multipart/form-data', required: ['attributes', 'file'] },
      },
    ],
    // Uploads go to another host of Box: https://upload.box.com/api
    settings: { hosts: [{ role: 'upload', upstream: `${vendor.url}/api` }] },
    credential: { kind: 'bearer', secret: 'box-access-token' },
    granted: ['get_folders_id_items', 'get_files_id', 'post_files_content'],
    limited: 'get_files_id',
  });
  const auth = new BoxDeveloperTokenAuth({ token: TEST_TOKEN });
  const networkSession = new NetworkSession({ retryStrategy: new BoxRetryStrategy({ maxAttempts: 0 }) });
  box = new BoxClient({ auth, networkSession }).withCustomBaseUrls(
    new BaseUrls({ baseUrl: stage.url, uploadUrl: `${stage.url}~upload`, oauth2Url: `${stage.url}/oauth2` }),
  );
});

afterAll(async () => {
  await stage?.stop();
  await vendor?.close();
});

test('lists a folder page by page', async () => {
  const names: string[] = [];
  for (let offset = 0, total = 1; offset < total;) {
    const page = await box.folders.getFolderItems('0', { queryParams: { offset, limit: 2 } });
    names.push(...(page.entries ?? []).map(({ name }) => name ?? ''));
    total = page.totalCount ?? 0;
    offset += 2;
  }
  expect(names).toEqual(['file-1.txt', 'file-2.txt', 'file-3.txt']);
  expect(leaksToken(vendor.requests)).toBe(false);
});

test('uploads a file through the upload host', async () => {
  const uploaded = await box.uploads.uploadFile({
    attributes: { name: 'file-4.txt', parent: { id: '0' } },
    file: Readable.from(Buffer.from('hello from a file')),
  });
  expect(uploaded.entries?.[0]?.id).toBe('4');
  await expect.poll(() => stage.decisions()).toContain('post_files_content allowed');
});

test('a call that was never granted is a BoxApiError that carries the problem document', async () => {
  const call = box.files.updateFileById('1', { requestBody: { name: 'renamed.txt' } });
  await expect(call).rejects.toBeInstanceOf(BoxApiError);
  await expect(call).rejects.toMatchObject({
    responseInfo: {
      statusCode: 403,
      code: expect.stringContaining('gateway.not_authorized'),
      body: { detail: expect.stringMatching(/no grant/) },
    },
  });
});

test('over the limit it is a BoxApiError with status 429', async () => {
  await box.files.getFileById('1');
  await expect(box.files.getFileById('1')).rejects.toMatchObject({ responseInfo: { statusCode: 429 } });
});
