import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { z } from 'zod';
import { RecoveryKeyWrong } from './errors.ts';
import { listAll, type ObjectStore } from './object-store.ts';

/**
 * The key that the owner keeps outside: whoever has it, and a copy of the repository, can bring Cordon back. The running
 * Cordon has only the recipient, which seals and opens nothing. A recipient holds a secret of its own beside the public
 * key, so that nobody who can merely write to the store can put keys of theirs in the place of ours.
 */
const KEY_MARK = 'cordon-recovery-key-1.';
const RECIPIENT_MARK = 'cordon-recovery-recipient-1.';
const POINT_BYTES = 32;
const SECRET_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FOLDER = 'recovery/';
/** RFC 8410, section 7: what stands before the 32 bytes of an X25519 key in DER. */
const PRIVATE_DER = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_DER = Buffer.from('302a300506032b656e032100', 'hex');

const stored = z.strictObject({
  version: z.literal(1),
  recipient: z.string(),
  ephemeral: z.string(),
  box: z.string(),
});
const contents = z.strictObject({ kek: z.string().min(1), at: z.number() });
export type RecoveryContents = z.output<typeof contents>;

const rawPublic = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' }).subarray(PUBLIC_DER.length);
const publicFrom = (raw: Buffer): KeyObject =>
  createPublicKey({ key: Buffer.concat([PUBLIC_DER, raw]), format: 'der', type: 'spki' });
const privateFrom = (raw: Buffer): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PRIVATE_DER, raw]), format: 'der', type: 'pkcs8' });

function parse(text: string, mark: string): { point: Buffer; secret: Buffer } {
  const line = text
    .split('\n')
    .map((one) => one.trim())
    .find((one) => one.startsWith(mark));
  const bytes = Buffer.from(line?.slice(mark.length) ?? '', 'base64url');
  if (bytes.length !== POINT_BYTES + SECRET_BYTES) {
    throw new RecoveryKeyWrong(`This is no recovery key: a line that begins with ${mark} was expected.`);
  }
  return { point: bytes.subarray(0, POINT_BYTES), secret: bytes.subarray(POINT_BYTES) };
}

/** Names a recipient, in the console and in the store; tells nothing of its secret. */
export const recipientId = (recipient: string): string =>
  hash('sha256', parse(recipient, RECIPIENT_MARK).point, 'hex').slice(0, 16);

/** `key` is for the owner's safe, `recipient` for the running Cordon. */
export function makeRecoveryKey(): { readonly key: string; readonly recipient: string } {
  const { privateKey } = generateKeyPairSync('x25519');
  const raw = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(PRIVATE_DER.length);
  const key = KEY_MARK + Buffer.concat([raw, randomBytes(SECRET_BYTES)]).toString('base64url');
  return { key, recipient: recipientOf(key) };
}

export function recipientOf(key: string): string {
  const { point, secret } = parse(key, KEY_MARK);
  const raw = rawPublic(createPublicKey(privateFrom(point)));
  return RECIPIENT_MARK + Buffer.concat([raw, secret]).toString('base64url');
}

/** As HPKE does in its mode with a pre-shared secret (RFC 9180, section 5.1.2): both halves are needed for the key. */
function keyFor(shared: Buffer, secret: Buffer, ephemeral: Buffer, point: Buffer): Buffer {
  const info = Buffer.concat([Buffer.from('cordon recovery 1'), ephemeral, point]);
  return Buffer.from(hkdfSync('sha256', shared, secret, info, 32));
}

/** Puts the key-encryption keys into the store, sealed for the owner's key, and removes older such files. */
export async function writeRecovery(store: ObjectStore, recipient: string, value: RecoveryContents): Promise<void> {
  const { point, secret } = parse(recipient, RECIPIENT_MARK);
  const pair = generateKeyPairSync('x25519');
  const ephemeral = rawPublic(pair.publicKey);
  const shared = diffieHellman({ privateKey: pair.privateKey, publicKey: publicFrom(point) });
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyFor(shared, secret, ephemeral, point), nonce);
  const box = Buffer.concat([nonce, cipher.update(JSON.stringify(value)), cipher.final(), cipher.getAuthTag()]);
  const older = await listAll(store, FOLDER);
  const file: z.output<typeof stored> = {
    version: 1,
    recipient: recipientId(recipient),
    ephemeral: ephemeral.toString('base64url'),
    box: box.toString('base64url'),
  };
  // Sorted by name is sorted by time: 13 digits until the year 2286.
  const name = `${FOLDER}${value.at}-${randomBytes(4).toString('hex')}.json`;
  await store.put(name, Buffer.from(JSON.stringify(file)));
  for (const one of older) await store.remove(one.name);
}

/** Opens the newest file that this key opens. Throws `RecoveryKeyWrong` when there is none. */
export async function readRecovery(store: ObjectStore, key: string): Promise<RecoveryContents> {
  const { point: raw, secret } = parse(key, KEY_MARK);
  const privateKey = privateFrom(raw);
  const point = rawPublic(createPublicKey(privateKey));
  const files = (await listAll(store, FOLDER)).toReversed();
  if (files.length === 0) throw new RecoveryKeyWrong(`${store.place} holds no backup of Cordon itself.`);
  for (const { name } of files) {
    const found = stored.safeParse(JSON.parse((await store.get(name)).toString('utf8')));
    if (!found.success) continue;
    const ephemeral = Buffer.from(found.data.ephemeral, 'base64url');
    const box = Buffer.from(found.data.box, 'base64url');
    if (ephemeral.length !== POINT_BYTES || box.length < NONCE_BYTES + TAG_BYTES) continue;
    try {
      const shared = diffieHellman({ privateKey, publicKey: publicFrom(ephemeral) });
      const nonce = box.subarray(0, NONCE_BYTES);
      const open = createDecipheriv('aes-256-gcm', keyFor(shared, secret, ephemeral, point), nonce, {
        authTagLength: TAG_BYTES,
      });
      open.setAuthTag(box.subarray(box.length - TAG_BYTES));
      const plain = Buffer.concat([open.update(box.subarray(NONCE_BYTES, box.length - TAG_BYTES)), open.final()]);
      return contents.parse(JSON.parse(plain.toString('utf8')));
    } catch {
      continue; // of another key, or changed: an older file may still open
    }
  }
  throw new RecoveryKeyWrong(
    `This recovery key opens nothing in ${store.place}: it is another one's, or the file was changed.`,
  );
}
