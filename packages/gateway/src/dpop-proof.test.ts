import { generateKeyPairSync, hash, type KeyObject, randomUUID, sign } from 'node:crypto';
import { sampleEntry } from '@cordon/policy/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkProof, PROOF_AGE_MS_MAX } from './dpop-proof.ts';
import { startTestGateway, startUpstream, type TestGateway, tokenHash, type UpstreamStub } from './testing.ts';

const TOKEN = 'a-token-that-is-bound-to-a-key';
const URL_ = 'https://gw.example/github/repos';
const NOW = 1_800_000_000_000;

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed = generateKeyPairSync('ed25519');

function thumbprintOf(key: KeyObject): string {
  const jwk = key.export({ format: 'jwk' });
  const names =
    { EC: ['crv', 'kty', 'x', 'y'], RSA: ['e', 'kty', 'n'], OKP: ['crv', 'kty', 'x'] }[String(jwk.kty)] ?? [];
  return hash(
    'sha256',
    JSON.stringify(Object.fromEntries(names.map((name) => [name, Reflect.get(jwk, name)]))),
    'base64url',
  );
}

interface Changes {
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  keys?: { publicKey: KeyObject; privateKey: KeyObject };
  signWith?: KeyObject;
}

function proofFor(changes: Changes = {}): string {
  const keys = changes.keys ?? pair;
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const alg = { ec: 'ES256', rsa: 'RS256', ed25519: 'EdDSA' }[String(keys.publicKey.asymmetricKeyType)];
  const head = encode({ typ: 'dpop+jwt', alg, jwk: keys.publicKey.export({ format: 'jwk' }), ...changes.header });
  const ath = hash('sha256', TOKEN, 'base64url');
  const body = encode({ jti: randomUUID(), htm: 'GET', htu: URL_, iat: NOW / 1000, ath, ...changes.claims });
  const key = changes.signWith ?? keys.privateKey;
  const data = Buffer.from(`${head}.${body}`);
  const signature =
    alg === 'EdDSA'
      ? sign(null, data, key)
      : sign('sha256', data, alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key);
  return `${head}.${body}.${signature.toString('base64url')}`;
}

const rules = { now: NOW, method: 'GET', url: URL_, token: TOKEN, thumbprint: thumbprintOf(pair.publicKey) };

test.each([
  ['ES256', pair],
  ['RS256', rsa],
  ['EdDSA', ed],
])('accepts a good proof with %s', (_name, keys) => {
  const own = { ...rules, thumbprint: thumbprintOf(keys.publicKey) };
  expect(checkProof(proofFor({ keys }), own)).toEqual({ name: expect.any(String), nonce: undefined });
});

test.each<[string, Changes]>([
  ['another type', { header: { typ: 'JWT' } }],
  ['alg none', { header: { alg: 'none' } }],
  ['a symmetric algorithm', { header: { alg: 'HS256' } }],
  ['an algorithm of another key type', { header: { alg: 'RS256' } }],
  ['a private key in the header', { header: { jwk: pair.privateKey.export({ format: 'jwk' }) } }],
  ['no key', { header: { jwk: undefined } }],
  ['critical extensions', { header: { crit: ['x'] } }],
  ['the key of somebody else', { keys: other }],
  ['a signature of somebody else', { signWith: other.privateKey }],
  ['another method', { claims: { htm: 'POST' } }],
  ['another path', { claims: { htu: 'https://gw.example/github/other' } }],
  ['another host', { claims: { htu: 'https://evil.example/github/repos' } }],
  ['another scheme', { claims: { htu: 'http://gw.example/github/repos' } }],
  ['an old time', { claims: { iat: (NOW - PROOF_AGE_MS_MAX) / 1000 - 1 } }],
  ['a time to come', { claims: { iat: (NOW + PROOF_AGE_MS_MAX) / 1000 + 1 } }],
  ['no time', { claims: { iat: undefined } }],
  ['another token', { claims: { ath: hash('sha256', 'another', 'base64url') } }],
  ['no token hash', { claims: { ath: undefined } }],
  ['no jti', { claims: { jti: undefined } }],
])('refuses a proof with %s', (_name, changes) => {
  expect(checkProof(proofFor(changes), rules)).toBeTypeOf('string');
});

test('a proof has the same name each time, and another than any other', () => {
  const proof = proofFor();
  expect(checkProof(proof, rules)).toEqual(checkProof(proof, rules));
  expect(checkProof(proof, rules)).not.toEqual(checkProof(proofFor(), rules));
});

test('query and the spelling of the host do not matter for the address', () => {
  const claims = { htu: 'HTTPS://GW.example:443/github/repos?page=2#x' };
  expect(checkProof(proofFor({ claims }), rules)).toMatchObject({ name: expect.any(String) });
});

let upstream: UpstreamStub;
let gw: TestGateway;
beforeAll(async () => {
  upstream = await startUpstream((_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  const token = sampleEntry('token', { expiresAt: 4e12, cnf: { jkt: thumbprintOf(pair.publicKey) }, assurance: 'm1' });
  gw = await startTestGateway({
    upstream: upstream.url,
    app: { assurance: 'm1' },
    entries: { [`token:${tokenHash(TOKEN)}`]: token },
  });
});
afterAll(async () => {
  await gw.stop();
  await upstream.close();
});

test('a bound token passes with its proof, not without, not as bearer, and the proof stays here', async () => {
  const claims = (): Changes => ({ claims: { htu: `${gw.url}/github/x`, iat: Math.floor(Date.now() / 1000) } });
  const call = (headers: Record<string, string>): Promise<Response> => fetch(`${gw.url}/github/x?q=1`, { headers });
  const good = proofFor(claims());
  expect((await call({ authorization: `DPoP ${TOKEN}`, dpop: good })).status).toBe(200);
  expect(upstream.requests.at(-1)!.headers['dpop']).toBeUndefined();
  const refused = [
    await call({ authorization: `DPoP ${TOKEN}`, dpop: good }),
    await call({ authorization: `DPoP ${TOKEN}` }),
    await call({ authorization: `Bearer ${TOKEN}` }),
    await call({ authorization: `Bearer ${TOKEN}`, dpop: proofFor(claims()) }),
  ];
  expect(refused.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
  expect(refused[0]!.headers.get('www-authenticate')).toContain('error="invalid_dpop_proof"');
  expect(upstream.requests).toHaveLength(1);
});
