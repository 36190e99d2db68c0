import { createHash } from 'node:crypto';

/**
 * A UUID (version 8, RFC 9562, section 5.8) that follows from its parts: whoever computes it again, after a crash or
 * a second delivery, gets the same.
 */
export function stableId(...parts: readonly unknown[]): string {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
