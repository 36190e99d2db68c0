import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Checks the bearer between Cordon's own processes; hashing first makes the lengths equal. */
export function createInternalCheck(key: string): (request: IncomingMessage) => boolean {
  const expected = digest(`Bearer ${key}`);
  return (request) => timingSafeEqual(digest(request.headers.authorization ?? ''), expected);
}
