import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ScimRefused } from './scim-error.ts';

/** Where a page ended: the last row's sort key and id (RFC 9865). */
export interface CursorPosition {
  readonly key: string;
  readonly id: string;
}

const CURSOR_CHARS_MAX = 4_000;
const cursorSchema = z.object({ k: z.string(), i: z.uuid(), q: z.string() });

/** Binds a cursor to its query: with another filter or order it would skip and repeat rows. */
export function queryDigest(query: Record<string, unknown>): string {
  return createHash('sha256').update(JSON.stringify(query)).digest('base64url').slice(0, 16);
}

export function writeCursor(position: CursorPosition, digest: string): string {
  return Buffer.from(JSON.stringify({ k: position.key, i: position.id, q: digest })).toString('base64url');
}

/** An empty cursor asks for the first page. */
export function readCursor(text: string, digest: string): CursorPosition | null {
  if (text === '') return null;
  const invalid = new ScimRefused(400, 'This cursor is not one of this query.', 'invalidCursor');
  if (text.length > CURSOR_CHARS_MAX) throw invalid;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    throw invalid;
  }
  const parsed = cursorSchema.safeParse(value);
  if (!parsed.success || parsed.data.q !== digest) throw invalid;
  return { key: parsed.data.k, id: parsed.data.i };
}
