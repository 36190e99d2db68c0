import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { SecretEnvelope } from '@cordon/kernel';
import { z } from 'zod';
import { KeyMissing, PackDamaged } from './errors.ts';
import { listAll, type ObjectStore } from './object-store.ts';

export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** 128 bits of a keyed hash: nobody without the key can look for a collision. */
const ID_BYTES = 16;
const NUMBER_DIGITS = 8;

const keyFile = z.strictObject({
  version: z.literal(1),
  repository: z.string(),
  ids: z.string(),
  /** Newest first; the first seals. */
  keys: z.array(z.strictObject({ id: z.string(), at: z.number(), sealed: z.string() })).min(1),
});

/** The keys of one repository, opened. */
export interface RepositoryKeys {
  readonly repository: string;
  readonly current: string;
  /** How many times keys were written. */
  readonly generation: number;
  key(id: string): Buffer;
  /** 32 hex digits: which record it is, or what it holds. Without the key it tells nothing. */
  keyedId(kind: 'record' | 'blob', value: string | Uint8Array): string;
}

/** One AES-256-GCM box: nonce, ciphertext, tag. The context is bound to it. */
export function sealBox(key: Buffer, plaintext: Uint8Array, context: string, nonce = randomBytes(NONCE_BYTES)): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Throws `PackDamaged` when a bit of it or its context has changed. */
export function openBox(key: Buffer, box: Buffer, context: string): Buffer {
  if (box.length < NONCE_BYTES + TAG_BYTES) throw new PackDamaged(`${context} is cut off.`, { context });
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(box.subarray(box.length - TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(box.subarray(NONCE_BYTES, box.length - TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw new PackDamaged(`${context} was changed after it was sealed.`, { context }, cause);
  }
}

const contextOf = (repository: string, id: string): string => `backup:${repository}:${id}`;
const nameOf = (generation: number): string => `keys/${String(generation).padStart(NUMBER_DIGITS, '0')}.json`;

function opened(file: z.output<typeof keyFile>, generation: number, envelope: SecretEnvelope): RepositoryKeys {
  const keys = new Map<string, Buffer>();
  for (const { id, sealed } of file.keys) keys.set(id, envelope.open(sealed, contextOf(file.repository, id)));
  const ids = envelope.open(file.ids, contextOf(file.repository, 'ids'));
  return {
    repository: file.repository,
    current: file.keys[0]?.id ?? '',
    generation,
    key(id) {
      const found = keys.get(id);
      if (!found) throw new KeyMissing(`This repository has no key ${id}.`, { key: id });
      return found;
    },
    keyedId: (kind, value) =>
      createHmac('sha256', ids).update(`${kind}\0`).update(value).digest().subarray(0, ID_BYTES).toString('hex'),
  };
}

async function readNewest(store: ObjectStore) {
  const names = await listAll(store, 'keys/');
  const newest = names.at(-1);
  if (!newest) return null;
  const parsed = keyFile.safeParse(JSON.parse((await store.get(newest.name)).toString('utf8')));
  if (!parsed.success) throw new KeyMissing("The key file of the repository can't be read.", { name: newest.name });
  return { file: parsed.data, generation: Number(newest.name.slice(5, 5 + NUMBER_DIGITS)), names };
}

/** Opens the repository's keys, or makes them where there are none. */
export async function loadKeys(
  store: ObjectStore,
  envelope: SecretEnvelope,
  make: { readonly now: number } | null,
): Promise<RepositoryKeys> {
  const found = await readNewest(store);
  if (found) return opened(found.file, found.generation, envelope);
  if (!make) throw new KeyMissing(`There is no repository in ${store.place}.`);
  const repository = randomBytes(ID_BYTES).toString('hex');
  const id = randomBytes(8).toString('hex');
  const file = {
    version: 1 as const,
    repository,
    ids: envelope.seal(randomBytes(KEY_BYTES), contextOf(repository, 'ids')),
    keys: [{ id, at: make.now, sealed: envelope.seal(randomBytes(KEY_BYTES), contextOf(repository, id)) }],
  };
  await store.put(nameOf(1), Buffer.from(JSON.stringify(file)));
  return opened(file, 1, envelope);
}

/**
 * Writes the keys anew under the envelope's current key, with a fresh one in front where `fresh`. Packs stay as they
 * are: their keys are wrapped by the repository's, which stay known until no pack needs them.
 */
export async function rotateKeys(
  store: ObjectStore,
  envelope: SecretEnvelope,
  options: { readonly now: number; readonly fresh: boolean; readonly keep?: readonly string[] },
): Promise<RepositoryKeys> {
  const found = await readNewest(store);
  if (!found) throw new KeyMissing(`There is no repository in ${store.place}.`);
  const { file, generation, names } = found;
  const again = (sealed: string, id: string): string =>
    envelope.rewrap(sealed, contextOf(file.repository, id)) ?? sealed;
  const id = randomBytes(8).toString('hex');
  const kept = file.keys.filter((key) => options.keep?.includes(key.id) ?? true);
  const next = {
    ...file,
    ids: again(file.ids, 'ids'),
    keys: [
      ...(options.fresh
        ? [{ id, at: options.now, sealed: envelope.seal(randomBytes(KEY_BYTES), contextOf(file.repository, id)) }]
        : []),
      ...kept.map((key) => ({ ...key, sealed: again(key.sealed, key.id) })),
    ],
  };
  await store.put(nameOf(generation + 1), Buffer.from(JSON.stringify(next)));
  for (const { name } of names) await store.remove(name);
  return opened(next, generation + 1, envelope);
}

/** A key of its own for one pack or manifest, wrapped by the repository's key. */
export function makeObjectKey(keys: RepositoryKeys, objectId: string): { key: Buffer; keyId: string; wrapped: string } {
  const key = randomBytes(KEY_BYTES);
  const wrapped = sealBox(keys.key(keys.current), key, `key of ${objectId}`).toString('base64');
  return { key, keyId: keys.current, wrapped };
}

export function openObjectKey(keys: RepositoryKeys, objectId: string, keyId: string, wrapped: string): Buffer {
  return openBox(keys.key(keyId), Buffer.from(wrapped, 'base64'), `key of ${objectId}`);
}
