import { TEST_TOKEN } from '@cordon/gateway/testing';
import type { Emulator } from 'emulate';
import twilio from 'twilio';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SdkStage, startEmulator, startSdkStage } from './sdk-stage.ts';

const ACCOUNT = 'AC00000000000000000000000000000000';
const FROM = '+15551234567';
const MESSAGES = '/2010-04-01/Accounts/{AccountSid}/Messages.json';
const FORM = 'application/x-www-form-urlencoded';

/** As docs/sdk/twilio.md has it: the client has no base URL, its HTTP client does. */
class ThroughCordon extends twilio.RequestClient {
  readonly #gateway: string;

  constructor(gateway: string) {
    super();
    this.#gateway = gateway;
  }

  override request<T>(options: Parameters<typeof twilio.RequestClient.prototype.request<T>>[0]) {
    const { pathname, search } = new URL(options.uri);
    return super.request<T>({ ...options, uri: `${this.#gateway}${pathname}${search}` });
  }
}

let emulator: Emulator;
let stage: SdkStage;
let client: ReturnType<typeof twilio>;

beforeAll(async () => {
  emulator = await startEmulator('twilio', {
    account: { sid: ACCOUNT, auth_token: 'twilio-auth-token', friendly_name: 'Acme' },
    phone_numbers: [{ phone_number: FROM, friendly_name: 'Support' }],
  });
  stage = await startSdkStage({
    app: 'twilio',
    upstream: emulator.url.replace('localhost', '127.0.0.1'),
    operations: [
      { id: 'ListMessage', method: 'get', path: MESSAGES },
      { id: 'CreateMessage', method: 'post', path: MESSAGES, body: { type: FORM, required: ['To'] } },
      { id: 'CreateCall', method: 'post', path: MESSAGES.replace('Messages', 'Calls'), body: { type: FORM } },
      { id: 'FetchAccount', method: 'get', path: '/2010-04-01/Accounts/{Sid}.json' },
    ],
    credential: { kind: 'basic', secret: `${ACCOUNT}:twilio-auth-token` },
    granted: ['ListMessage', 'CreateMessage', 'FetchAccount'],
    limited: 'FetchAccount',
  });
  client = twilio(ACCOUNT, TEST_TOKEN, { httpClient: new ThroughCordon(stage.url) });
});

afterAll(async () => {
  await stage?.stop();
  await emulator?.close();
});

test('sends messages and reads them page by page', async () => {
  for (const text of ['one', 'two', 'three']) {
    const sent = await client.messages.create({ from: FROM, to: '+15550002222', body: text });
    expect(sent.sid).toMatch(/^SM/);
  }
  const listed = await client.messages.list({ pageSize: 2 });
  expect(listed.map(({ body }) => body).toSorted()).toEqual(['one', 'three', 'two']);
  const lists = async () => (await stage.decisions()).filter((decision) => decision === 'ListMessage allowed').length;
  await expect.poll(lists).toBeGreaterThanOrEqual(2);
});

test('a call that was never granted is a RestException with the sentence of Cordon', async () => {
  const call = client.calls.create({ from: FROM, to: '+15550002222', url: 'https://example.com/twiml' });
  await expect(call).rejects.toBeInstanceOf(twilio.RestException);
  await expect(call).rejects.toMatchObject({
    status: 403,
    code: 'gateway.not_authorized',
    message: expect.stringMatching(/no grant/),
  });
});

test('over the limit it is a RestException with status 429', async () => {
  await client.api.v2010.accounts(ACCOUNT).fetch();
  await expect(client.api.v2010.accounts(ACCOUNT).fetch()).rejects.toMatchObject({
    status: 429,
    code: 'gateway.rate_limited',
  });
});
