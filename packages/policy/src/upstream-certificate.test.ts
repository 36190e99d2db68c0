import { expect, test } from 'vitest';
import { certificateProblems, type SeenConnection, type ShownCertificate } from './upstream-certificate.ts';

const NOW = 1_800_000_000_000;
const DAY_MS = 86_400_000;
const good: ShownCertificate = {
  subject: 'api.example.com',
  issuer: 'Test CA',
  notBefore: NOW - 100 * DAY_MS,
  notAfter: NOW + 100 * DAY_MS,
  keyType: 'ec',
  keyBits: 256,
  signature: 'ecdsa-with-SHA256',
  sha256: '0'.repeat(64),
};
const seen = (changes: Partial<ShownCertificate> = {}, more: Partial<SeenConnection> = {}): SeenConnection => ({
  chain: [{ ...good, ...changes }, good],
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  refused: null,
  ...more,
});

test.each<[string, SeenConnection, string[]]>([
  ['a good one', seen(), []],
  ['31 days left', seen({ notAfter: NOW + 31 * DAY_MS }), []],
  ['30 days left', seen({ notAfter: NOW + 30 * DAY_MS }), ['expires-within-month']],
  ['7 days left', seen({ notAfter: NOW + 7 * DAY_MS }), ['expires-within-week']],
  ['ended', seen({ notAfter: NOW }), ['expired']],
  ['one of six days, made yesterday', seen({ notBefore: NOW - DAY_MS, notAfter: NOW + 5 * DAY_MS }), []],
  [
    'one of six days, a day left',
    seen({ notBefore: NOW - 5 * DAY_MS, notAfter: NOW + DAY_MS }),
    ['expires-within-week'],
  ],
  ['an authority that ends', seen({}, { chain: [good, { ...good, notAfter: NOW + DAY_MS }] }), ['expires-within-week']],
  ['RSA of 1024 bits', seen({ keyType: 'rsa', keyBits: 1024 }), ['weak-key']],
  ['RSA of 2048 bits', seen({ keyType: 'rsa', keyBits: 2048 }), []],
  ['a curve of 192 bits', seen({ keyBits: 192 }), ['weak-key']],
  ['Ed25519', seen({ keyType: 'ed25519', keyBits: null, signature: 'ED25519' }), []],
  ['SHA-1', seen({ signature: 'sha1WithRSAEncryption' }), ['weak-signature']],
  ['SHA-1 with a curve', seen({ signature: 'ecdsa-with-SHA1' }), ['weak-signature']],
  ['SHA-512', seen({ signature: 'sha512WithRSAEncryption' }), []],
  ['MD5', seen({ signature: 'md5WithRSAEncryption' }), ['weak-signature']],
  ['a static key exchange', seen({}, { protocol: 'TLSv1.2', cipher: 'AES128-GCM-SHA256' }), ['no-forward-secrecy']],
  ['TLS 1.2', seen({}, { protocol: 'TLSv1.2', cipher: 'ECDHE-RSA-AES128-GCM-SHA256' }), []],
  ['a refused one', seen({}, { chain: [], protocol: null, cipher: null, refused: 'CERT_HAS_EXPIRED' }), ['refused']],
  [
    'a refused weak key',
    seen({}, { chain: [], protocol: null, cipher: null, refused: 'CERT_KEY_TOO_WEAK' }),
    ['refused', 'weak-key'],
  ],
])('%s: %j', (_what, connection, expected) => {
  expect(certificateProblems(connection, NOW)).toEqual(expected);
});
