import { randomBytes } from 'node:crypto';
import { createDeidentifier } from '@cordon/classifier';
import { sampleEntry } from '@cordon/policy/testing';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { startTestGateway, startUpstream, TEST_TOKEN, type TestGateway, type UpstreamStub } from './testing.ts';

/** Rules that ask for a person, tell people, and take out what can be put back by permission. */

const IBAN = 'DE89370400440532013000';
const EMAIL = 'ada.byron@acme-mail.com';
const SSN = '536-22-1234';
const SECRET = randomBytes(32);

let upstream: UpstreamStub;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await startUpstream((request, _body, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(request.url === '/people' ? JSON.stringify({ iban: IBAN, email: EMAIL }) : '{"ok":true}');
  });
  const rule = (id: string, name: string, more: object) => [
    `inspection:${id}`,
    sampleEntry('inspection', { id, name, ...more }),
  ];
  gateway = await startTestGateway({
    upstream: upstream.url,
    entries: Object.fromEntries([
      rule('why', 'Bank details need a reason', { class: 'payment.iban', direction: 'request', action: 'justify' }),
      rule('hold', 'National numbers wait', { class: 'identifier.*', direction: 'request', action: 'quarantine' }),
      rule('tell', 'Tell us', { class: 'contact.email', direction: 'request', action: 'notify' }),
      rule('token', 'Tokens', { category: 'user.financial', class: '*', direction: 'response', action: 'tokenise' }),
    ]),
  });
  const sealed = gateway.envelope.seal(SECRET, 'token-key:k1');
  gateway.control.publish({ set: { 'token-key:k1': { id: 'k1', sealed } } });
});
afterEach(() => {
  upstream.requests.length = 0;
});
afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const post = (body: object, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}/github/notes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_TOKEN}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const problem = async (response: Response): Promise<unknown> => response.json();
const until = (seen: () => Promise<void>) => vi.waitFor(seen, { timeout: 10_000, interval: 50 });

test('a rule that asks why refuses with a problem that says how to answer', async () => {
  const refused = await post({ iban: IBAN });
  expect(refused.status).toBe(403);
  expect(await problem(refused)).toMatchObject({
    code: 'gateway.justification_required',
    classes: ['payment.iban'],
    rules: [{ id: 'why', name: 'Bank details need a reason' }],
    justify: { header: 'Cordon-Justification', path: '/api/v1/dlp/passes' },
  });
  expect(upstream.requests).toEqual([]);
});

test.each([
  ['too short to be one', 'because', 403],
  ['a reason', 'Refund of order 1007, asked by the customer', 200],
])('a justification with the call: %s', async (_name, said, status) => {
  expect((await post({ iban: IBAN }, { 'cordon-justification': said })).status).toBe(status);
});

test('the reason is in the event, and never reaches the vendor', async () => {
  await post({ iban: IBAN }, { 'cordon-justification': 'Refund of order 1008' });
  expect(upstream.requests.at(-1)?.headers['cordon-justification']).toBeUndefined();
  const events = JSON.stringify(await gateway.events());
  expect(events).toContain('"justification":"Refund of order 1008"');
  expect(events).toContain('"rule":"why"');
  expect(events).not.toContain(IBAN);
});

test('a pass that was given in Cordon lets the next call through until it ends', async () => {
  const pass = (expiresAt: number) => ({ id: 'p1', ruleId: 'why', integrationId: 'int-1', expiresAt });
  gateway.control.publish({ set: { 'inspection-pass:p1': pass(4_000_000_000_000) } });
  await until(async () => expect((await post({ iban: IBAN })).status).toBe(200));
  gateway.control.publish({ set: { 'inspection-pass:p1': pass(1) } });
  await until(async () => expect((await post({ iban: IBAN })).status).toBe(403));
});

test('quarantine takes no reason from the caller, only a release', async () => {
  const refused = await post({ ssn: SSN }, { 'cordon-justification': 'I really need to send this' });
  expect(await problem(refused)).toMatchObject({ code: 'gateway.quarantined' });
  const pass = { id: 'p2', ruleId: 'hold', integrationId: 'int-1', expiresAt: 4_000_000_000_000 };
  gateway.control.publish({ set: { 'inspection-pass:p2': pass } });
  await until(async () => expect((await post({ ssn: SSN })).status).toBe(200));
});

test('what is told passes, with the rule in its event', async () => {
  expect((await post({ email: EMAIL })).status).toBe(200);
  expect(JSON.stringify(await gateway.events())).toContain('"action":"notify","rule":"tell"');
});

test('tokens come out the same each time and can be read back with the key', async () => {
  const read = async (): Promise<string> => {
    const answer = await fetch(`${gateway.url}/github/people`, { headers: { authorization: `Bearer ${TEST_TOKEN}` } });
    return answer.text();
  };
  await until(async () => expect(await read()).toContain('cdn1.k1.'));
  const first = await read();
  expect(first).toBe(await read());
  expect(first).not.toContain(IBAN);
  const token = /cdn1\.k1\.[\w-]+/.exec(first)?.[0] ?? '';
  const tokens = createDeidentifier({ id: 'k1', secret: SECRET });
  expect(tokens.detokenise(token, 'user.financial.bank_account')).toBe(IBAN);
});
