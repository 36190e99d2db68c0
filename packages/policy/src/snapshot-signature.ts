import { createHash, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { SnapshotInvalid, SnapshotKeyUnknown, SnapshotOlder, SnapshotTampered, SnapshotTooBig } from './errors.ts';
import { parseJson, parseSnapshotPayload, type Snapshot, snapshotPayload } from './snapshot.ts';
import { deltaPayload, parseDeltaPayload, type SnapshotDelta } from './snapshot-delta.ts';

const MIB = 1024 * 1024;
export const SNAPSHOT_BYTES_MAX = 256 * MIB;
export const DELTA_BYTES_MAX = 16 * MIB;
const SIGNATURE_BYTES = 64;

/**
 * A payload with its Ed25519 signature. The payload travels as the text that was signed, so that nothing is parsed
 * before the signature is checked.
 */
export interface SignedDocument {
  readonly keyId: string;
  /** base64url of the 64 signature bytes. */
  readonly signature: string;
  /** Canonical JSON of a snapshot or a delta. */
  readonly payload: string;
}

const signedDocument = z.strictObject({
  keyId: z.string().max(128),
  signature: z.string().max(128),
  payload: z.string(),
});

export interface SigningKey {
  readonly keyId: string;
  /** Ed25519 private key. */
  readonly privateKey: KeyObject;
}

export interface VerifyOptions {
  /** Trusted Ed25519 public keys by id. */
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** The last version and epoch seen (kept on disk): anything older is refused. The same version is accepted. */
  readonly notBefore?: { readonly version: number; readonly epoch: number };
  /** Refuse payloads above this size in bytes of UTF-8; the default is SNAPSHOT_BYTES_MAX or DELTA_BYTES_MAX. */
  readonly bytesMax?: number;
}

/** Key id: the first 32 hex digits of the SHA-256 of the public key's SPKI. */
export function snapshotKeyId(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 32);
}

export function signSnapshot(snapshot: Snapshot, key: SigningKey): SignedDocument {
  return signPayload(snapshotPayload(snapshot), key);
}

export function signDelta(delta: SnapshotDelta, key: SigningKey): SignedDocument {
  return signPayload(deltaPayload(delta), key);
}

/**
 * Checks size, key, signature, form, digest and age, in that order.
 *
 * @throws {SnapshotTooBig | SnapshotKeyUnknown | SnapshotTampered | SnapshotInvalid | SnapshotOlder}
 */
export function verifySnapshot(signed: SignedDocument, options: VerifyOptions): Snapshot {
  const snapshot = parseSnapshotPayload(checkedPayload(signed, options, SNAPSHOT_BYTES_MAX));
  checkAge(snapshot, options.notBefore);
  return snapshot;
}

/** As verifySnapshot, for a delta; `applyDelta` then checks that it fits the snapshot at hand. */
export function verifyDelta(signed: SignedDocument, options: VerifyOptions): SnapshotDelta {
  const delta = parseDeltaPayload(checkedPayload(signed, options, DELTA_BYTES_MAX));
  checkAge(delta, options.notBefore);
  return delta;
}

/** One line of JSON, for a file or an NDJSON stream. */
export function encodeSigned(signed: SignedDocument): string {
  const { keyId, signature, payload } = signed;
  return JSON.stringify({ keyId, signature, payload });
}

/** @throws {SnapshotTooBig | SnapshotInvalid} */
export function decodeSigned(text: string, bytesMax = 2 * SNAPSHOT_BYTES_MAX): SignedDocument {
  if (text.length > bytesMax) throw new SnapshotTooBig(`signed document exceeds ${bytesMax} bytes`, { bytesMax });
  const result = signedDocument.safeParse(parseJson(text));
  if (!result.success) throw new SnapshotInvalid('not a signed document');
  return result.data;
}

function signPayload(payload: string, key: SigningKey): SignedDocument {
  const signature = sign(null, signedBytes(payload), key.privateKey).toString('base64url');
  return { keyId: key.keyId, signature, payload };
}

function checkedPayload(signed: SignedDocument, options: VerifyOptions, defaultMax: number): string {
  const bytesMax = options.bytesMax ?? defaultMax;
  const bytes = signedBytes(signed.payload);
  if (bytes.byteLength > bytesMax) throw new SnapshotTooBig(`payload exceeds ${bytesMax} bytes`, { bytesMax });
  const key = options.keys.get(signed.keyId);
  if (!key || key.asymmetricKeyType !== 'ed25519') {
    throw new SnapshotKeyUnknown(`signed with key "${signed.keyId}", which isn't trusted here`, {
      keyId: signed.keyId,
    });
  }
  const signature = Buffer.from(signed.signature, 'base64url');
  if (signature.byteLength !== SIGNATURE_BYTES || !verify(null, bytes, key, signature)) {
    throw new SnapshotTampered('signature does not match', { keyId: signed.keyId });
  }
  return signed.payload;
}

function checkAge(document: { version: number; epoch: number }, notBefore: VerifyOptions['notBefore']): void {
  if (!notBefore) return;
  if (document.version < notBefore.version || document.epoch < notBefore.epoch) {
    throw new SnapshotOlder(`version ${document.version} is older than version ${notBefore.version} seen before`, {
      version: document.version,
      epoch: document.epoch,
      known: { version: notBefore.version, epoch: notBefore.epoch },
    });
  }
}

/** The prefix keeps a signature from being taken for one over something else that the same key might sign. */
function signedBytes(payload: string): Buffer {
  return Buffer.from(`cordon snapshot v1\n${payload}`, 'utf8');
}
