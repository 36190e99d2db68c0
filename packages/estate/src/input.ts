import { z } from 'zod';

/** The last moment that a JavaScript date can tell; later numbers are no time, and PostgreSQL refuses them. */
const INSTANT_MS_MAX = 8_640_000_000_000_000;

/** Milliseconds since the epoch. */
export const instant = z.int().min(0).max(INSTANT_MS_MAX);

/** Text without U+0000, which PostgreSQL can't store. */
export const line = z.string().regex(/^[^\0]*$/, 'must not contain a null character');
