import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from './canonical-json.ts';
import { SnapshotInvalid } from './errors.ts';
import { createSnapshot } from './snapshot.ts';
import { applyDelta, changeSnapshot, createDelta } from './snapshot-delta.ts';
import {
  decodeSigned,
  encodeSigned,
  signDelta,
  signSnapshot,
  verifyDelta,
  verifySnapshot,
} from './snapshot-signature.ts';
import { sampleEntry, sampleSigningKey, sampleSnapshot } from './testing.ts';

const { signing, keys } = sampleSigningKey();
const estate = sampleSnapshot(
  {
    'app:app-1': sampleEntry('app'),
    'integration:int-1': sampleEntry('integration'),
    'grant:grant-1': sampleEntry('grant'),
  },
  { version: 7, epoch: 3 },
);

const code = (value: string): unknown => expect.objectContaining({ code: value });

describe('canonical JSON', () => {
  test('does not depend on the order of members', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const reversed = Object.fromEntries(Object.entries(object).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(object));
      }),
    );
  });

  test('reads back as the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        // JSON has no negative zero: the text form of -0 is 0.
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test.each([
    [
      'RFC 8785 member order',
      { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 },
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}',
    ],
    [
      'numbers as ECMAScript writes them',
      [333_333_333.333_333_3, 1e30, 4.5, 2e-3, 1e-27, -0],
      '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]',
    ],
  ])('%s', (_name, value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  test.each([
    ['NaN', NaN],
    ['undefined', { a: undefined }],
    ['lone surrogate', '\ud800'],
    ['date', new Date(0)],
    ['hole', [, 1]], // oxlint-disable-line no-sparse-arrays -- the hole is the case
  ])('refuses %s', (_name, value) => {
    expect(() => canonicalJson(value)).toThrow(code('policy.not_canonical'));
  });

  test('refuses what nests too deep', () => {
    const deep = Array.from({ length: 100 }).reduce<unknown>((inner) => [inner], 1);
    expect(() => canonicalJson(deep)).toThrow(code('policy.not_canonical'));
  });
});

describe('entries', () => {
  test.each([
    ['unknown kind', 'gadget:1', {}],
    ['no name', 'app:', sampleEntry('app')],
    ['another name in the key', 'app:app-2', sampleEntry('app')],
    ['prototype as kind', '__proto__:x', {}],
    ['unknown field', 'app:app-1', { ...sampleEntry('app'), surprise: true }],
    ['upstream with credentials', 'app:app-1', sampleEntry('app', { upstream: 'https://u:p@api.example' })],
    ['upstream of another scheme', 'app:app-1', sampleEntry('app', { upstream: 'file:///etc' })],
    ['slug with a slash', 'app:app-1', sampleEntry('app', { name: 'a/b' })],
    ['private address range', 'app:app-1', sampleEntry('app', { privateAddresses: ['10.0.0.0/8'] })],
    ['token key that is no hash', 'token:abc', sampleEntry('token')],
    [
      'private key in a JWK',
      'jwk:key-1',
      { ...sampleEntry('jwk'), jwk: { kty: 'OKP', alg: 'EdDSA', crv: 'Ed25519', x: 'AA', d: 'AA' } },
    ],
    ['grant that covers nothing', 'grant:grant-1', sampleEntry('grant', { select: [] })],
    ['class with a wildcard inside', 'inspection:rule-1', sampleEntry('inspection', { class: 'a.*.b' })],
  ])('refuses %s', (_name, key, value) => {
    expect(() => sampleSnapshot({ [key]: value })).toThrow(SnapshotInvalid);
  });

  test('fills in defaults', () => {
    expect(estate.entries.get('app:app-1')).toMatchObject({
      unknownOperations: 'refuse',
      plaintext: 'refuse',
      backPressure: 'refuse',
      credential: null,
      limits: { timeoutMs: 30_000 },
    });
  });
});

describe('signed snapshot', () => {
  const signed = signSnapshot(estate, signing);

  test('survives the way over the wire', () => {
    const read = verifySnapshot(decodeSigned(encodeSigned(signed)), { keys, notBefore: { version: 7, epoch: 3 } });
    expect(read).toEqual(estate);
  });

  test.each([
    [
      'one byte of payload',
      { ...signed, payload: signed.payload.replace('"active"', '"Active"') },
      'policy.snapshot_tampered',
    ],
    [
      'version',
      { ...signed, payload: signed.payload.replace('"version":7', '"version":8') },
      'policy.snapshot_tampered',
    ],
    [
      'signature',
      { ...signed, signature: signed.signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')) },
      'policy.snapshot_tampered',
    ],
    ['signature removed', { ...signed, signature: '' }, 'policy.snapshot_tampered'],
    ['key id', { ...signed, keyId: 'other' }, 'policy.snapshot_key_unknown'],
    [
      "another key's signature",
      signSnapshot(estate, { ...signing, privateKey: sampleSigningKey().signing.privateKey }),
      'policy.snapshot_tampered',
    ],
    ['a delta in its place', signDelta(createDelta(sampleSnapshot({}), estate), signing), 'policy.snapshot_invalid'],
  ])('refuses an altered %s', (_name, altered, expected) => {
    expect(() => verifySnapshot(altered, { keys })).toThrow(code(expected));
  });

  test('refuses every single altered byte', () => {
    fc.assert(
      fc.property(fc.nat(signed.payload.length - 1), fc.integer({ min: 1, max: 127 }), (at, flip) => {
        const changed = String.fromCharCode(signed.payload.charCodeAt(at) ^ flip);
        const payload = signed.payload.slice(0, at) + changed + signed.payload.slice(at + 1);
        expect(() => verifySnapshot({ ...signed, payload }, { keys })).toThrow(code('policy.snapshot_tampered'));
      }),
    );
  });

  test.each([
    ['version', { version: 8, epoch: 3 }],
    ['epoch', { version: 7, epoch: 4 }],
  ])('refuses an older %s', (_name, notBefore) => {
    expect(() => verifySnapshot(signed, { keys, notBefore })).toThrow(code('policy.snapshot_older'));
  });

  test('refuses one that is too big', () => {
    expect(() => verifySnapshot(signed, { keys, bytesMax: 100 })).toThrow(code('policy.snapshot_too_big'));
    expect(() => decodeSigned(encodeSigned(signed), 100)).toThrow(code('policy.snapshot_too_big'));
  });

  test.each([['{'], ['[]'], ['{"keyId":1}'], ['null']])('refuses %s as a signed document', (text) => {
    expect(() => decodeSigned(text)).toThrow(code('policy.snapshot_invalid'));
  });
});

const entryKey = fc.integer({ min: 0, max: 40 }).map((n) => `integration:int-${n}`);
const entryMap = fc
  .dictionary(entryKey, fc.constantFrom('active', 'suspended', 'revoked'))
  .map((statuses) =>
    Object.fromEntries(
      Object.entries(statuses).map(([key, status]) => [key, sampleEntry('integration', { id: key.slice(12), status })]),
    ),
  );

describe('delta', () => {
  test('leads from any snapshot to any later one, signed and read back', () => {
    fc.assert(
      fc.property(entryMap, entryMap, (a, b) => {
        const before = sampleSnapshot(a, { version: 4 });
        const after = sampleSnapshot(b, { version: 9, epoch: 2, createdAt: 5 });
        const delta = verifyDelta(decodeSigned(encodeSigned(signDelta(createDelta(before, after), signing))), { keys });
        const applied = applyDelta(before, delta);
        expect(new Map(applied.entries)).toEqual(new Map(after.entries));
        expect(applied).toMatchObject({ version: 9, epoch: 2, createdAt: 5, digest: after.digest });
        expect(createSnapshot(applied).digest).toBe(applied.digest);
      }),
    );
  });

  test('keeps the identity of entries that did not change', () => {
    const set = [
      ['integration:int-1', sampleEntry('integration')] as const,
      ['app:app-1', sampleEntry('app', { title: 'New' })] as const,
    ];
    const after = changeSnapshot(estate, { version: 8, epoch: 3, createdAt: 1, set, remove: [] });
    expect(after.entries.get('integration:int-1')).toBe(estate.entries.get('integration:int-1'));
    expect(createDelta(estate, after).set).toEqual(new Map([['app:app-1', after.entries.get('app:app-1')]]));
  });

  const after = changeSnapshot(estate, { version: 8, epoch: 4, createdAt: 1, set: [], remove: ['grant:grant-1'] });
  const delta = createDelta(estate, after);

  test.each([
    ['another base version', { ...delta, base: 6 }, 'policy.snapshot_base_mismatch'],
    ['another base digest', { ...delta, baseDigest: '0' }, 'policy.snapshot_base_mismatch'],
    ['no progress', { ...delta, version: 7 }, 'policy.snapshot_older'],
    ['an epoch that goes back', { ...delta, epoch: 2 }, 'policy.snapshot_older'],
    ['a digest that does not come out', { ...delta, remove: [] }, 'policy.snapshot_invalid'],
  ])('refuses %s', (_name, altered, expected) => {
    expect(() => applyDelta(estate, altered)).toThrow(code(expected));
  });

  test('refuses an altered signed delta and one that sets what it removes', () => {
    const signed = signDelta(delta, signing);
    const altered = { ...signed, payload: signed.payload.replace('"remove":["grant:grant-1"]', '"remove":[]') };
    expect(altered.payload).not.toBe(signed.payload);
    expect(() => verifyDelta(altered, { keys })).toThrow(code('policy.snapshot_tampered'));
    const both = { ...delta, set: new Map(estate.entries), remove: ['grant:grant-1'] };
    expect(() => verifyDelta(signDelta(both, signing), { keys })).toThrow(code('policy.snapshot_invalid'));
  });
});
