import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { ProofBroken, ProofMalformed } from './errors.ts';

/**
 * Signed notes (c2sp.org/signed-note) and timestamped cosignatures (c2sp.org/tlog-cosignature, Ed25519).
 *
 * One Ed25519 key signs both: the signature type is part of the key's id, and a cosigned message starts with a line that
 * no note of ours starts with.
 */

const DASH = '\u2014';
const PLAIN = 0x01;
const TIMESTAMPED = 0x04;
const PUBLIC_BYTES = 32;
const SIGNATURE_BYTES = 64;
const KEY_ID_BYTES = 4;
const TIME_BYTES = 8;
export const NOTE_BYTES_MAX = 64 * 1024;
const SIGNATURES_MAX = 64;
const NAME = /^[^\s+\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]{1,200}$/;

/** A public key with the name that its signatures carry. */
export interface NoteKey {
  readonly name: string;
  readonly publicKey: KeyObject;
  /** 32 bytes, RFC 8032. */
  readonly raw: Buffer;
}

export interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  readonly body: Buffer;
  /** The line as it stands in the note, without its newline. */
  readonly line: string;
}

export interface Note {
  /** With its final newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export function keyIdOf(name: string, type: number, raw: Uint8Array): number {
  const hash = createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([type]))
    .update(raw);
  return hash.digest().readUInt32BE(0);
}

export function noteKey(name: string, publicKey: KeyObject): NoteKey {
  if (!NAME.test(name)) throw new ProofMalformed('A key name has no spaces and no plus sign.', { name });
  const jwk = publicKey.export({ format: 'jwk' });
  if (jwk.crv !== 'Ed25519' || jwk.x === undefined) throw new ProofMalformed('The key is no Ed25519 key.', { name });
  return { name, publicKey, raw: Buffer.from(jwk.x, 'base64url') };
}

/** `name+keyid+base64(type || key)`, as operators exchange verifier keys. */
export function encodeKey(key: NoteKey, type: 'note' | 'cosignature' = 'note'): string {
  const byte = type === 'note' ? PLAIN : TIMESTAMPED;
  const id = keyIdOf(key.name, byte, key.raw).toString(16).padStart(8, '0');
  return `${key.name}+${id}+${Buffer.concat([Buffer.from([byte]), key.raw]).toString('base64')}`;
}

export function decodeKey(text: string): NoteKey {
  const trimmed = text.trim();
  const [, name = '', id = '', body = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(trimmed) ?? [];
  const bytes = Buffer.from(body, 'base64');
  const [type = 0] = bytes;
  const raw = bytes.subarray(1);
  const known =
    (type === PLAIN || type === TIMESTAMPED) && raw.length === PUBLIC_BYTES && bytes.toString('base64') === body;
  if (!known || keyIdOf(name, type, raw) !== Number.parseInt(id, 16)) {
    throw new ProofMalformed('This is no verifier key: name+8 hex digits+base64 of an Ed25519 key is expected.', {});
  }
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') };
  return noteKey(name, createPublicKey({ key: jwk, format: 'jwk' }));
}

function line(name: string, keyId: number, body: Buffer): string {
  const id = Buffer.alloc(KEY_ID_BYTES);
  id.writeUInt32BE(keyId);
  return `${DASH} ${name} ${Buffer.concat([id, body]).toString('base64')}`;
}

const cosigned = (time: number, text: string): Buffer => Buffer.from(`cosignature/v1\ntime ${time}\n${text}`, 'utf8');

/** A note with one plain signature and one that says when, in whole seconds. */
export function signNote(text: string, key: NoteKey, privateKey: KeyObject, atMs: number): string {
  if (!text.endsWith('\n')) throw new Error('a note ends with a newline');
  const plain = sign(null, Buffer.from(text, 'utf8'), privateKey);
  return `${text}\n${line(key.name, keyIdOf(key.name, PLAIN, key.raw), plain)}\n${cosign(text, key, privateKey, atMs)}\n`;
}

/** One cosignature line, without its newline. */
export function cosign(text: string, key: NoteKey, privateKey: KeyObject, atMs: number): string {
  const time = Math.floor(atMs / 1_000);
  const stamp = Buffer.alloc(TIME_BYTES);
  stamp.writeBigUInt64BE(BigInt(time));
  const signature = sign(null, cosigned(time, text), privateKey);
  return line(key.name, keyIdOf(key.name, TIMESTAMPED, key.raw), Buffer.concat([stamp, signature]));
}

function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x20 && code !== 0x0a) return true;
  }
  return false;
}

export function parseSignatureLine(text: string): NoteSignature {
  const [dash, name = '', encoded = '', ...rest] = text.split(' ');
  const bytes = Buffer.from(encoded, 'base64');
  if (dash !== DASH || rest.length > 0 || !NAME.test(name) || bytes.length <= KEY_ID_BYTES) {
    throw new ProofMalformed('A signature line is malformed.', {});
  }
  return { name, keyId: bytes.readUInt32BE(0), body: bytes.subarray(KEY_ID_BYTES), line: text };
}

export function parseNote(note: string): Note {
  const gap = note.lastIndexOf('\n\n');
  const tooLong = Buffer.byteLength(note) > NOTE_BYTES_MAX;
  if (tooLong || gap === -1 || !note.endsWith('\n') || hasControl(note)) {
    throw new ProofMalformed('This is no signed note: text, an empty line, signature lines.', {});
  }
  const lines = note.slice(gap + 2, -1).split('\n');
  if (lines.length > SIGNATURES_MAX) throw new ProofMalformed(`A note has at most ${SIGNATURES_MAX} signatures.`, {});
  return { text: note.slice(0, gap + 1), signatures: lines.map((one) => parseSignatureLine(one)) };
}

/**
 * Whether `key` signed this note, plainly or with a time. A signature by that very key that doesn't verify refuses the
 * whole note. `at`, milliseconds, is the latest time that the key vouches for.
 */
export function checkSignatures(note: Note, key: NoteKey): { plain: boolean; at: number | null } {
  const ids = { plain: keyIdOf(key.name, PLAIN, key.raw), timed: keyIdOf(key.name, TIMESTAMPED, key.raw) };
  let plain = false;
  let at: number | null = null;
  for (const { name, keyId, body } of note.signatures) {
    if (name !== key.name || (keyId !== ids.plain && keyId !== ids.timed)) continue;
    const isTimed = keyId === ids.timed;
    const signature = isTimed ? body.subarray(TIME_BYTES) : body;
    const time = isTimed && body.length === TIME_BYTES + SIGNATURE_BYTES ? Number(body.readBigUInt64BE(0)) : 0;
    const message = isTimed ? cosigned(time, note.text) : Buffer.from(note.text, 'utf8');
    if (signature.length !== SIGNATURE_BYTES || !verify(null, message, key.publicKey, signature)) {
      throw new ProofBroken(`A signature of ${name} is not genuine: the text was changed or the key is another.`, {});
    }
    if (isTimed) at = Math.max(at ?? 0, time * 1_000);
    else plain = true;
  }
  return { plain, at };
}
