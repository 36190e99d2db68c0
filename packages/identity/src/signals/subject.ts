import { z } from 'zod';

const TEXT_MAX = 1_000;
const text = z.string().min(1).max(TEXT_MAX);

/** Subject identifiers (RFC 9493, section 3.2; SSF 1.0, section 3.2) that can name a person or a session here. */
const simple = z.discriminatedUnion('format', [
  z.object({ format: z.literal('email'), email: text }),
  z.object({ format: z.literal('iss_sub'), iss: text, sub: text }),
  z.object({ format: z.literal('opaque'), id: text }),
  z.object({ format: z.literal('account'), uri: text }),
  z.object({ format: z.literal('phone_number'), phone_number: text }),
  z.object({ format: z.literal('did'), url: text }),
  z.object({ format: z.literal('uri'), uri: text }),
  z.object({ format: z.literal('jwt_id'), iss: text, jti: text }),
  z.object({ format: z.literal('saml_assertion_id'), issuer: text, assertion_id: text }),
]);
export type SimpleSubject = z.output<typeof simple>;

const aliases = z.object({ format: z.literal('aliases'), identifiers: z.array(simple).min(1).max(10) });
const member = z.union([simple, aliases]);

export const subjectSchema = z.union([
  simple,
  aliases,
  z.object({
    format: z.literal('complex'),
    user: member.optional(),
    session: member.optional(),
    device: member.optional(),
    tenant: member.optional(),
    org_unit: member.optional(),
    group: member.optional(),
    application: member.optional(),
  }),
]);
export type Subject = z.output<typeof subjectSchema>;

function listOf(subject: z.output<typeof member> | undefined): readonly SimpleSubject[] {
  if (!subject) return [];
  return subject.format === 'aliases' ? subject.identifiers : [subject];
}

/** Who and which session a subject speaks of. */
export function partsOf(subject: Subject): { user: readonly SimpleSubject[]; session: readonly SimpleSubject[] } {
  if (subject.format !== 'complex') return { user: listOf(subject), session: [] };
  return { user: listOf(subject.user), session: listOf(subject.session) };
}
