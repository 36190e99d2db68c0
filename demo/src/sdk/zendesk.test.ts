import { Readable } from 'node:stream';
import { TEST_TOKEN, type UpstreamStub } from '@cordon/gateway/testing';
import { createClient, type ZendeskClient } from 'node-zendesk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leaksToken, type SdkStage, startSdkStage, startVendorStub } from './sdk-stage.ts';

const basic = Buffer.from('bot@example.com/token:zendesk-api-token').toString('base64');
const ticket = (id: number) => ({ id, subject: `Ticket ${id}` });

let vendor: UpstreamStub;
let stage: SdkStage;
let zendesk: ZendeskClient;

beforeAll(async () => {
  vendor = await startVendorStub({
    authorization: `Basic ${basic}`,
    refusal: { error: "Couldn't authenticate you" },
    routes: [
      {
        method: 'GET',
        path: /^\/api\/v2\/tickets\.json$/,
        answer: ({ url, origin }) => {
          const isSecond = url.searchParams.get('page') === '2';
          const next = isSecond ? null : `${origin}/api/v2/tickets.json?page=2`;
          return { body: { tickets: isSecond ? [ticket(3)] : [ticket(1), ticket(2)], next_page: next, count: 3 } };
        },
      },
      {
        method: 'POST',
        path: /^\/api\/v2\/tickets\.json$/,
        answer: () => ({ status: 201, body: { ticket: ticket(4) } }),
      },
      { method: 'GET', path: /^\/api\/v2\/tickets\/1\.json$/, answer: () => ({ body: { ticket: ticket(1) } }) },
      {
        method: 'POST',
        path: /^\/api\/v2\/uploads\.json$/,
        answer: ({ body }) => ({
          status: 201,
          body: { upload: { token: body.toString('utf8') === 'hello' ? 'up-1' : '' } },
        }),
      },
    ],
  });
  stage = await startSdkStage({
    app: 'zendesk',
    upstream: vendor.url,
    operations: [
      { id: 'ListTickets', method: 'get', path: '/api/v2/tickets.json' },
      {
        id: 'CreateTicket',
        method: 'post',
        path: '/api/v2/tickets.json',
        body: { type: 'application/json', required: ['ticket'] },
      },
      { id: 'ShowTicket', method: 'get', path: '/api/v2/tickets/{ticket_id}.json' },
      { id: 'DeleteTicket', method: 'delete', path: '/api/v2/tickets/{ticket_id}.json' },
      { id: 'UploadFiles', method: 'post', path: '/api/v2/uploads.json', body: { type: 'application/binary' } },
    ],
    credential: { kind: 'basic', secret: 'bot@example.com/token:zendesk-api-token' },
    granted: ['ListTickets', 'CreateTicket', 'ShowTicket', 'UploadFiles'],
    limited: 'ShowTicket',
  });
  zendesk = createClient({ token: TEST_TOKEN, oauth: true, endpointUri: `${stage.url}/api/v2` });
});

afterAll(async () => {
  await stage?.stop();
  await vendor?.close();
});

test('reads tickets page by page, through links that lead back to the gateway, and creates one', async () => {
  const tickets = await zendesk.tickets.list();
  expect(tickets.map(({ id }) => id)).toEqual([1, 2, 3]);
  const created = await zendesk.tickets.create({ ticket: { subject: 'From Cordon', comment: { body: 'hello' } } });
  expect(created.result.id).toBe(4);
  await expect
    .poll(() => stage.decisions())
    .toEqual(['ListTickets allowed', 'ListTickets allowed', 'CreateTicket allowed']);
  expect(leaksToken(vendor.requests)).toBe(false);
});

test('uploads a file', async () => {
  const file: unknown = Readable.from('hello');
  // Typed as a Buffer, but it takes a stream or the path of a file.
  const answer: unknown = await zendesk.attachments.upload(file as Buffer, { filename: 'note.txt', binary: true });
  expect(answer).toEqual({ upload: { token: 'up-1' } });
});

test('a call that was never granted is an error that quotes Cordon', async () => {
  await expect(zendesk.tickets.delete(1)).rejects.toThrow(/Zendesk Error \(403\): .*no grant/);
});

test('over the limit the package resolves, and the result is an error', async () => {
  await zendesk.tickets.show(1);
  const { result } = await zendesk.tickets.show(1);
  expect(result).toBeInstanceOf(Error);
  expect(result).toMatchObject({ statusCode: 429, result: { code: 'gateway.rate_limited' } });
});
