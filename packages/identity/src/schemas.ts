import { PersonId, ROLES, SessionId } from '@cordon/kernel';
import { z } from 'zod';

/** Wire schemas that several routes use. Times are ISO 8601 in UTC. */
export const roleSchema = z.enum(ROLES);
export const personIdSchema = z.uuid().transform((value) => PersonId.parse(value));
export const sessionIdSchema = z.uuid().transform((value) => SessionId.parse(value));
export const nameSchema = z.string().trim().min(1).max(200);
export const emailSchema = z.email().max(320);
export const challengeIdSchema = z.string().min(20).max(100);
export const codeSchema = z.string().trim().min(6).max(40);

export function isoTime(at: number): string {
  return new Date(at).toISOString();
}

export function isoTimeOrNull(at: number | null): string | null {
  return at === null ? null : isoTime(at);
}

export const personResponse = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    login: z.string(),
    status: z.enum(['invited', 'active', 'disabled']),
    roles: z.array(roleSchema),
    source: z.enum(['local', 'scim', 'upstream']),
    createdAt: z.string(),
    lastSignInAt: z.string().nullable(),
  })
  .meta({ id: 'Person' });

export const sessionResponse = z
  .object({
    id: z.string(),
    personId: z.string(),
    stage: z.enum(['enrol', 'full']),
    current: z.boolean(),
    agent: z.string(),
    ip: z.string(),
    amr: z.array(z.string()),
    createdAt: z.string(),
    seenAt: z.string(),
    expiresAt: z.string(),
    strongAuthAt: z.string().nullable(),
  })
  .meta({ id: 'Session' });

export const linkResponse = z.object({ url: z.string(), expiresAt: z.string() }).meta({ id: 'SignInLink' });
