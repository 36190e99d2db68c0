import { afterAll, beforeAll, expect, test } from 'vitest';
import { startVendorShim, type VendorShim } from './vendor-shim.ts';
import { VENDORS } from './vendors.ts';

const SECRET = 'the-vendors-own-secret';
const CORDON_TOKEN = 'a-token-of-cordon';

let shim: VendorShim;

beforeAll(async () => {
  shim = await startVendorShim({
    vendor: VENDORS.okta,
    secret: SECRET,
    port: 0,
    emulatorOrigin: () => undefined,
    extra: () => () => ({ status: 200, body: { served: true } }),
  });
  shim.forbid(CORDON_TOKEN);
});

afterAll(() => shim.close());

const right = { authorization: `SSWS ${SECRET}` };

test.each([
  ['the right secret', '/a', right, 200, []],
  ['no secret', '/b', {}, 401, ['credential_missing']],
  ['the right secret under another scheme', '/c', { authorization: `Bearer ${SECRET}` }, 401, ['credential_wrong']],
  [
    'a Cordon token as the secret',
    '/d',
    { authorization: `Bearer ${CORDON_TOKEN}` },
    401,
    ['credential_wrong', 'cordon_token_seen'],
  ],
  ['a Cordon token in the query', `/e?x=${CORDON_TOKEN}`, right, 200, ['cordon_token_seen']],
  ['a proof of possession meant for Cordon', '/f', { ...right, dpop: 'proof' }, 200, ['cordon_header_seen']],
  ['a field of Cordon', '/g', { ...right, 'X-Cordon-Token': 'any' }, 200, ['cordon_header_seen']],
])('%s', async (_what, path, headers, status, kinds) => {
  const response = await fetch(`${shim.origin}${path}`, { headers });
  expect(response.status).toBe(status);
  const mine = shim.report().violations.filter((violation) => violation.path === path.split('?')[0]);
  expect(mine.map((violation) => violation.kind)).toEqual(kinds);
});

test('a Cordon token in a body is seen, and no violation repeats the token', async () => {
  await fetch(`${shim.origin}/body`, { method: 'POST', headers: right, body: `{"token":"${CORDON_TOKEN}"}` });
  expect(shim.report().violations.at(-1)).toEqual({ kind: 'cordon_token_seen', method: 'POST', path: '/body' });
  expect(JSON.stringify(shim.report())).not.toContain(CORDON_TOKEN);
});
