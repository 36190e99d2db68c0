import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { chmod, open, readFile, rename, stat } from 'node:fs/promises';
import { SecretUnreadable } from './errors.ts';

/**
 * Envelope encryption. Each secret has a data key of its own (AES-256-GCM); the data key is wrapped by a key-encryption
 * key (KEK) that never enters the database. Format, base64url parts joined by dots:
 * `cse1.<kek id>.<wrap nonce + wrapped key + tag>.<nonce + ciphertext + tag>`.
 * The context (for example `credential:<id>`) is bound as additional data: a sealed value copied to another row
 * does not open there.
 */
export interface SecretEnvelope {
  seal(plaintext: Uint8Array | string, context: string): string;
  open(sealed: string, context: string): Buffer;
  /** Wraps the data key anew under the current KEK; returns null when it already is. */
  rewrap(sealed: string, context: string): string | null;
  readonly currentKeyId: string;
}

export interface KeyRing {
  /** Newest first; the first seals, all open. 32 bytes each. */
  readonly keys: readonly Buffer[];
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 'cse1';

function idOf(key: Buffer): string {
  return createHash('sha256').update('cordon kek id').update(key).digest('base64url').slice(0, 10);
}

function encrypt(key: Buffer, plaintext: Uint8Array, aad: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(aad));
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, box: Buffer, aad: string): Buffer {
  if (box.length < NONCE_BYTES + TAG_BYTES) throw new Error('too short');
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(aad));
  decipher.setAuthTag(box.subarray(box.length - TAG_BYTES));
  return Buffer.concat([decipher.update(box.subarray(NONCE_BYTES, box.length - TAG_BYTES)), decipher.final()]);
}

export function createSecretEnvelope(ring: KeyRing): SecretEnvelope {
  const keys = new Map<string, Buffer>();
  for (const key of ring.keys) {
    if (key.length !== KEY_BYTES) throw new SecretUnreadable(`A key-encryption key must have ${KEY_BYTES} bytes.`);
    keys.set(idOf(key), key);
  }
  const current = ring.keys[0];
  if (!current) throw new SecretUnreadable('No key-encryption key was given.');
  const currentKeyId = idOf(current);

  const unwrap = (sealed: string, context: string): { keyId: string; dataKey: Buffer; body: Buffer } => {
    const [version, keyId, wrapped, body, ...rest] = sealed.split('.');
    const kek = keyId === undefined ? undefined : keys.get(keyId);
    if (version !== VERSION || !keyId || !wrapped || !body || rest.length > 0) {
      throw new SecretUnreadable('A stored secret has an unknown format.', { context });
    }
    if (!kek) throw new SecretUnreadable(`The key-encryption key ${keyId} is not in the key file.`, { context });
    try {
      const dataKey = decrypt(kek, Buffer.from(wrapped, 'base64url'), `wrap:${context}`);
      return { keyId, dataKey, body: Buffer.from(body, 'base64url') };
    } catch (cause) {
      throw new SecretUnreadable('A stored secret could not be opened: it was changed or moved.', { context }, cause);
    }
  };
  const pack = (dataKey: Buffer, body: Buffer, context: string): string => {
    const wrapped = encrypt(current, dataKey, `wrap:${context}`);
    return [VERSION, currentKeyId, wrapped.toString('base64url'), body.toString('base64url')].join('.');
  };

  return {
    currentKeyId,
    seal(plaintext, context) {
      const dataKey = randomBytes(KEY_BYTES);
      const bytes = typeof plaintext === 'string' ? Buffer.from(plaintext, 'utf8') : plaintext;
      return pack(dataKey, encrypt(dataKey, bytes, `data:${context}`), context);
    },
    open(sealed, context) {
      const { dataKey, body } = unwrap(sealed, context);
      try {
        return decrypt(dataKey, body, `data:${context}`);
      } catch (cause) {
        throw new SecretUnreadable('A stored secret could not be opened: it was changed or moved.', { context }, cause);
      }
    },
    rewrap(sealed, context) {
      const { keyId, dataKey, body } = unwrap(sealed, context);
      return keyId === currentKeyId ? null : pack(dataKey, body, context);
    },
  };
}

function parseKeys(text: string, source: string): KeyRing {
  const lines = text.split('\n').map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => Buffer.from(line, 'base64'));
  if (keys.length === 0 || keys.some((key) => key.length !== KEY_BYTES)) {
    throw new SecretUnreadable(`${source} must hold one or more base64 keys of 32 bytes, one a line, newest first.`);
  }
  return { keys };
}

/** Keys from an environment value: base64, comma or newline separated, newest first. */
export function keyRingFromText(text: string): KeyRing {
  return parseKeys(text.replaceAll(',', '\n'), 'CORDON_KEK');
}

/** Reads the key file, which must be readable by its owner only; makes it when absent and allowed to. */
export async function loadKeyFile(path: string, { create }: { create: boolean }): Promise<KeyRing> {
  if (create) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(`# Cordon key-encryption keys, newest first. Losing them loses every stored secret.\n`);
      await file.appendFile(`${randomBytes(KEY_BYTES).toString('base64')}\n`);
      await file.sync();
      await file.close();
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    throw new SecretUnreadable(`The key file ${path} can be read by others. Run: chmod 600 ${path}`);
  }
  return parseKeys(await readFile(path, 'utf8'), path);
}

/** Puts a fresh key in front of the file's keys; older ones stay so that what they sealed still opens. */
export async function addKeyToFile(path: string): Promise<void> {
  const { keys } = await loadKeyFile(path, { create: false });
  const lines = [randomBytes(KEY_BYTES), ...keys].map((key) => key.toString('base64'));
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o600);
  await file.writeFile(`# Cordon key-encryption keys, newest first.\n${lines.join('\n')}\n`);
  await file.sync();
  await file.close();
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}
