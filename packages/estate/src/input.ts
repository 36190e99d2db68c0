import { z } from 'zod';
import { InputInvalid } from './errors.ts';

/** The last moment that a JavaScript date can tell; later numbers are no time, and PostgreSQL refuses them. */
const INSTANT_MS_MAX = 8_640_000_000_000_000;

/** Milliseconds since the epoch. */
export const instant = z.int().min(0).max(INSTANT_MS_MAX);

/** Text without U+0000, which PostgreSQL can't store. */
export const line = z.string().regex(/^[^\0]*$/, 'must not contain a null character');

/** Parses command input; the error names each field and what is wrong with it. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => ({ field: issue.path.join('.'), message: issue.message }));
  const text = fields.map(({ field, message }) => `${field || 'input'}: ${message}`).join('; ');
  throw new InputInvalid(`Not valid: ${text}`, { fields });
}
