import { createHash, timingSafeEqual } from 'node:crypto';

/** Returns that many random bytes; `node:crypto` randomBytes outside tests. */
export type Random = (bytes: number) => Buffer;

const SECRET_BYTES = 32;

/**
 * A random secret and the hash to store. 256 random bits can't be guessed, so a plain SHA-256 protects the stored form
 * as well as a slow hash would, and costs nothing on each request.
 */
export function mintSecret(random: Random, prefix: string): { value: string; hash: Buffer } {
  const value = prefix + random(SECRET_BYTES).toString('base64url');
  return { value, hash: hashSecret(value) };
}

export function hashSecret(value: string): Buffer {
  return createHash('sha256').update(value, 'utf8').digest();
}

export function sameHash(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}
