import { createHmac } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { cefLine, syslogFrames } from './cef.ts';
import { type ForwardEvent, forwardDelayMs, forwardInput, plaintextRefusal, readSettings } from './forward.ts';
import { elasticBody, elasticOutcome, s3Object, splunkBody, webhookHeaders } from './payload.ts';

const one: ForwardEvent = {
  id: 'e1',
  time: Date.UTC(2026, 0, 2, 3, 4, 5),
  ingestedAt: Date.UTC(2026, 0, 2, 3, 4, 6),
  event: {
    class_uid: 6003,
    severity_id: 4,
    activity_name: 'Read',
    status: 'Success',
    metadata: { uid: 'e1', version: '1.8.0', product: { name: 'Git|Hub' } },
    actor: { user: { email_addr: 'ada@example.com' }, app_name: 'sync=1' },
    status_detail: 'two\nlines \\ here',
  },
};

test('a CEF line escapes what would end a field, in header and extension', () => {
  expect(cefLine(one)).toBe(
    String.raw`CEF:0|Cordon|Git\|Hub|1.8.0|6003|Read|7|rt=1767323045000 externalId=e1 act=Read outcome=Success ` +
      String.raw`reason=two\nlines \\ here suser=ada@example.com app=Git|Hub cs1=sync\=1 cs1Label=integration`,
  );
});

test('syslog frames carry their length in bytes', () => {
  const bytes = syslogFrames([{ ...one, event: { message: 'ä' } }, one], 'cordon');
  const text = bytes.toString('utf8');
  const length = Number.parseInt(text, 10);
  const rest = bytes.subarray(String(length).length + 1 + length).toString('utf8');
  expect(text).toContain(' <110>1 2026-01-02T03:04:05.000Z cordon cordon - - - CEF:0|'.slice(1));
  expect(Number.parseInt(rest, 10)).toBe(Buffer.byteLength(rest) - String(Number.parseInt(rest, 10)).length - 1);
});

test('Splunk gets seconds, the event, and its id as a field', () => {
  expect(JSON.parse(splunkBody([one], { index: 'main', sourcetype: 's' }))).toMatchObject({
    time: 1_767_323_045,
    index: 'main',
    fields: { cordon_event_id: 'e1' },
    event: one.event,
  });
});

test('Elastic gets each event under its id', () => {
  const lines = elasticBody([one], 'cordon').trimEnd().split('\n');
  expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    { create: { _index: 'cordon', _id: 'e1' } },
    { '@timestamp': '2026-01-02T03:04:05.000Z', class_uid: 6003 },
  ]);
});

describe('what the bulk API said', () => {
  const answer = (status: number) =>
    JSON.stringify({ errors: true, items: [{ create: { _id: 'e1', status, error: { type: 't', reason: 'r' } } }] });
  test.each([
    ['taken', answer(201), { refused: 0, failure: null }],
    ['there already', answer(409), { refused: 0, failure: null }],
    ['never fits', answer(400), { refused: 1, refusal: 'event e1: 400 t r', failure: null }],
    ['busy', answer(429), { refused: 0, failure: 'event e1: 429 t r' }],
    ['not allowed', answer(403), { failure: 'event e1: 403 t r' }],
    [
      'fewer answers than events',
      JSON.stringify({ errors: false, items: [] }),
      { failure: 'The bulk answer is not one.' },
    ],
    ['no JSON', '<html>', { failure: 'The bulk answer is not JSON.' }],
  ])('%s', (_name, text, expected) => {
    expect(elasticOutcome(text, 1)).toMatchObject(expected);
  });
});

test('an object of the same events has the same name, and holds them', () => {
  const [first, second] = [s3Object([one]), s3Object([one])];
  expect(first.name).toBe(second.name);
  expect(first.name).toMatch(/^2026\/01\/02\/030406000-[0-9a-f]{32}\.ndjson\.gz$/);
  expect(JSON.parse(gunzipSync(first.bytes).toString())).toEqual(one.event);
});

test('a webhook is signed as Standard Webhooks has it', () => {
  const headers = webhookHeaders('{}', { id: 'm1', key: 'k', now: 1_000_500 });
  const expected = createHmac('sha256', 'k').update('m1.1000.{}').digest('base64');
  expect(headers).toEqual({ 'webhook-id': 'm1', 'webhook-timestamp': '1000', 'webhook-signature': `v1,${expected}` });
});

const syslog = (host: string, transport: string) => readSettings('syslog', { host, port: 514, transport });
const webhook = (url: string) => readSettings('webhook', { url });
test.each([
  ['TLS', syslog('siem.example.com', 'tls'), [], false],
  ['plain to a name', syslog('siem.example.com', 'tcp'), ['10.0.0.1'], true],
  ['plain to a listed address', syslog('10.0.0.1', 'tcp'), ['10.0.0.1'], false],
  ['plain to another address', syslog('10.0.0.2', 'tcp'), ['10.0.0.1'], true],
  ['https', webhook('https://a.example/x'), [], false],
  ['http', webhook('http://a.example/x'), [], true],
  ['http to a listed address', webhook('http://[fd00::1]/x'), ['fd00::1'], false],
  ['a password in the address', webhook('https://u:p@a.example/x'), [], true],
] as const)('%s: refused %s', (_name, settings, privateAddresses, isRefused) => {
  expect(plaintextRefusal(settings, privateAddresses) !== null).toBe(isRefused);
});

test.each([
  ['no secret', { name: 'a', kind: 'splunk', settings: { url: 'https://a.example' } }],
  ['an unknown setting', { name: 'a', kind: 'syslog', settings: { host: 'a', port: 1, x: 1 } }],
  [
    'a path that climbs',
    {
      name: 'a',
      kind: 's3',
      secret: 's',
      settings: { endpoint: 'https://a.example', region: 'r', bucket: 'bucket', prefix: '/..', accessKeyId: 'k' },
    },
  ],
])('a target with %s is no target', (_name, input) => {
  expect(forwardInput.safeParse(input).success).toBe(false);
});

test('pauses double up to five minutes', () => {
  expect([0, 1, 2, 50].map(forwardDelayMs)).toEqual([1_000, 2_000, 4_000, 300_000]);
});
