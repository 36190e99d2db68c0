import { createHash, createPrivateKey, generateKeyPairSync, sign, verify, X509Certificate } from 'node:crypto';
import { bits, boolean, der, type DerNode, integer, octets, oid, readDer, sequence, setOf, time, utf8 } from './der.ts';

/** A detached CMS signature (RFC 5652) in the profile that PDF wants: CAdES baseline B, ETSI EN 319 122-1. */

const DATA = '1.2.840.113549.1.7.1';
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
/** RFC 5035: the signature says which certificate it is by. */
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.47';
const SHA_256 = '2.16.840.1.101.3.4.2.1';
const ECDSA_SHA_256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const KEY_USAGE = '2.5.29.15';
const BASIC_CONSTRAINTS = '2.5.29.19';
const EXTENDED_KEY_USAGE = '2.5.29.37';
/** RFC 9336. */
const DOCUMENT_SIGNING = '1.3.6.1.5.5.7.3.36';
const YEARS = 10;
const DAY_MS = 86_400_000;
const SERIAL_BYTES = 16;
const CLOCK_SKEW_MS = 300_000;

export interface SigningKey {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS#8. */
  readonly key: string;
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** A key of its own for signing documents, with a certificate by itself: nobody else vouches for an installation. */
export function makeSigningKey(name: string, now: number, random: (bytes: number) => Buffer): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const serial = Buffer.from(random(SERIAL_BYTES));
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const algorithm = sequence(oid(ECDSA_SHA_256));
  const who = sequence(setOf(sequence(oid(COMMON_NAME), utf8(name.slice(0, 64)))));
  const extension = (id: string, isCritical: boolean, value: Buffer): Buffer =>
    sequence(oid(id), ...(isCritical ? [boolean(true)] : []), octets(value));
  const body = sequence(
    der(0xa0, integer(2)),
    integer(serial),
    algorithm,
    who,
    sequence(time(now - CLOCK_SKEW_MS), time(now + YEARS * 365 * DAY_MS)),
    who,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      sequence(
        extension(BASIC_CONSTRAINTS, true, sequence()),
        // digitalSignature and nonRepudiation: the first two bits.
        extension(KEY_USAGE, true, der(0x03, Buffer.from([6, 0xc0]))),
        extension(EXTENDED_KEY_USAGE, false, sequence(oid(DOCUMENT_SIGNING))),
      ),
    ),
  );
  const whole = sequence(body, algorithm, bits(sign('sha256', body, privateKey)));
  const certificate = new X509Certificate(whole).toString();
  return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) };
}

/** Issuer and serial number, as they stand in a certificate. */
function issuerAndSerial(certificate: Buffer): Buffer {
  const [whole] = readDer(certificate);
  const [body] = whole ? readDer(whole.content) : [];
  const [, serial, , issuer] = body ? readDer(body.content) : [];
  if (!serial || !issuer) throw new RangeError('not a certificate');
  return sequence(issuer.whole, serial.whole);
}

/** The CMS signature over `content`, as DER. */
export function signDetached(content: Uint8Array, { certificate, key }: SigningKey): Buffer {
  const raw = Buffer.from(new X509Certificate(certificate).raw);
  const attribute = (id: string, value: Buffer): Buffer => sequence(oid(id), setOf(value));
  const attributes = [
    attribute(CONTENT_TYPE, oid(DATA)),
    attribute(MESSAGE_DIGEST, octets(sha256(content))),
    attribute(SIGNING_CERTIFICATE, sequence(sequence(sequence(octets(sha256(raw)))))),
  ];
  const signed = setOf(...attributes);
  const [{ content: inner }] = readDer(signed) as [DerNode]; // it was just written
  const signer = sequence(
    integer(1),
    issuerAndSerial(raw),
    sequence(oid(SHA_256)),
    der(0xa0, inner),
    sequence(oid(ECDSA_SHA_256)),
    octets(sign('sha256', signed, createPrivateKey(key))),
  );
  const data = sequence(integer(1), setOf(sequence(oid(SHA_256))), sequence(oid(DATA)), der(0xa0, raw), setOf(signer));
  return sequence(oid(SIGNED_DATA), der(0xa0, data));
}

export interface SignatureCheck {
  readonly certificate: X509Certificate;
  /** SHA-256 of the certificate, hexadecimal. */
  readonly fingerprint: string;
}

/** Checks a signature made by `signDetached`. Throws `RangeError` with the reason when it does not hold. */
export function verifyDetached(content: Uint8Array, cms: Buffer): SignatureCheck {
  const refuse = (why: string): never => {
    throw new RangeError(why);
  };
  const [info] = readDer(cms);
  const [type, wrapped] = info ? readDer(info.content) : [];
  if (!type?.whole.equals(oid(SIGNED_DATA)) || !wrapped) return refuse('it is no CMS signature');
  const [data] = readDer(wrapped.content);
  const parts = data ? readDer(data.content) : [];
  const [raw] = readDer(parts.find(({ tag }) => tag === 0xa0)?.content ?? Buffer.alloc(0));
  const [signer, ...others] = readDer(parts.at(-1)?.content ?? Buffer.alloc(0));
  if (!raw || !signer || others.length > 0) return refuse('it names no certificate or no signer');
  const fields = readDer(signer.content);
  const attributes = fields.find(({ tag }) => tag === 0xa0);
  const signature = fields.findLast(({ tag }) => tag === 0x04);
  if (!attributes || !signature) return refuse('it signs nothing');
  const valueOf = (id: string): Buffer => {
    const found = readDer(attributes.content).filter((one) => readDer(one.content)[0]?.whole.equals(oid(id)));
    const values =
      found.length === 1 && found[0] ? readDer(readDer(found[0].content)[1]?.content ?? Buffer.alloc(0)) : [];
    return values.length === 1 && values[0] ? values[0].whole : refuse('an attribute is missing');
  };
  if (!valueOf(CONTENT_TYPE).equals(oid(DATA))) refuse('it signs another kind of content');
  if (!valueOf(MESSAGE_DIGEST).equals(octets(sha256(content)))) refuse('the content was changed');
  const bound = sequence(sequence(sequence(octets(sha256(raw.whole)))));
  if (!valueOf(SIGNING_CERTIFICATE).equals(bound)) refuse('it is by another certificate');
  const certificate = new X509Certificate(raw.whole);
  if (!verify('sha256', der(0x31, attributes.content), certificate.publicKey, signature.content)) {
    refuse('the signature does not hold');
  }
  return { certificate, fingerprint: sha256(raw.whole).toString('hex') };
}
