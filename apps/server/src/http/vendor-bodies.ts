import { FILE_BYTES_MAX, formSchema, LANGUAGES, answerValue, STAGES, vendorProfile } from '@cordon/vendors';
import { z } from 'zod';

/** Response and request schemas of vendors; the console's and the command line's types are generated from them. */

/** Base64 is a third longer. */
export const UPLOAD_BODY_BYTES_MAX = Math.ceil((FILE_BYTES_MAX * 4) / 3) + 64 * 1024;

/** A file in a request: base64, because one way of parsing is less than two. */
export const uploadBody = z.strictObject({
  name: z.string().min(1).max(300),
  content: z.string().min(1).max(UPLOAD_BODY_BYTES_MAX),
});

export function uploadOf({ name, content }: { readonly name: string; readonly content: string }) {
  return { name, bytes: Buffer.from(content, 'base64') };
}

export const vendorBody = z.object({
  id: z.string(),
  name: z.string(),
  stage: z.enum(STAGES),
  profile: vendorProfile,
  appIds: z.array(z.string()),
  createdAt: z.int(),
  updatedAt: z.int(),
});

export const fileBody = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.string(),
  purpose: z.string(),
  sha256: z.string(),
  bytes: z.int(),
  createdAt: z.int(),
  createdBy: z.string(),
});

export const taskBody = z.object({
  id: z.string(),
  kind: z.string(),
  title: z.string(),
  proof: z.unknown(),
  doneAt: z.int().nullable(),
  doneBy: z.string().nullable(),
});

export const subprocessorBody = z.object({
  key: z.string(),
  name: z.string(),
  country: z.string().nullable(),
  purpose: z.string().nullable(),
  source: z.string(),
  seenAt: z.int(),
});

export const fourthPartyBody = z.object({
  key: z.string(),
  name: z.string(),
  countries: z.array(z.string()),
  vendors: z.array(z.object({ id: z.string(), name: z.string(), tier: z.string(), purpose: z.string().nullable() })),
  concentration: z.number(),
});

export const progressBody = z.object({ asked: z.int(), answered: z.int(), open: z.array(z.string()) });
export const storedAnswerBody = z.object({
  questionId: z.string(),
  value: answerValue,
  version: z.int(),
  review: z.enum(['accepted', 'follow_up']).nullable(),
  by: z.string(),
  at: z.int(),
});
export const commentBody = z.object({
  id: z.string(),
  questionId: z.string(),
  author: z.string(),
  side: z.enum(['reviewer', 'vendor']),
  text: z.string(),
  at: z.int(),
});

const state = z.enum(['draft', 'sent', 'submitted', 'reviewed']);
export const questionnaireRow = z.object({
  id: z.string(),
  vendorId: z.string(),
  title: z.string(),
  state,
  dueAt: z.int().nullable(),
  submittedAt: z.int().nullable(),
  createdAt: z.int(),
});
export const linkBody = z.object({
  id: z.string(),
  email: z.string(),
  language: z.enum(LANGUAGES),
  questions: z.array(z.string()).nullable(),
  invitedBy: z.string(),
  expiresAt: z.int(),
  revokedAt: z.int().nullable(),
  openedAt: z.int().nullable(),
  createdAt: z.int(),
});
export const questionnaireBody = questionnaireRow.extend({
  form: formSchema,
  hasWorkbook: z.boolean(),
  answers: z.array(storedAnswerBody),
  comments: z.array(commentBody),
  links: z.array(linkBody),
  progress: progressBody,
  visible: z.array(z.string()),
});
export const proposalBody = z.object({
  questionId: z.string(),
  value: answerValue,
  from: z.string(),
  likeness: z.number(),
});

const span = z.object({ start: z.int(), end: z.int(), page: z.int(), text: z.string() });
const severity = z.enum(['high', 'medium', 'low']);
export const clockBody = z.object({
  clause: z.string(),
  unit: z.enum(['hours', 'days', 'business_days', 'weeks', 'months', 'years']).nullable(),
  value: z.number().nullable(),
  hours: z.number().nullable(),
  businessDays: z.number().nullable(),
  qualifier: z.string().nullable(),
  text: z.string(),
  span,
});
export const contractBody = z.object({
  id: z.string(),
  vendorId: z.string(),
  fileId: z.string(),
  title: z.string(),
  check: z.object({
    kind: z.string(),
    characters: z.int(),
    clauses: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        severity,
        status: z.enum(['present', 'weaker', 'negated', 'missing']),
        reasons: z.array(z.string()),
        references: z.array(z.object({ law: z.string(), article: z.string() })),
        spans: z.array(span),
        clock: clockBody.nullable(),
      }),
    ),
    clocks: z.array(clockBody),
    findings: z.array(z.object({ clause: z.string(), severity, problem: z.string() })),
  }),
  confirmations: z.record(
    z.string(),
    z.object({
      verdict: z.enum(['confirmed', 'rejected']),
      hours: z.number().nullable(),
      note: z.string(),
      by: z.string(),
      at: z.number(),
    }),
  ),
  createdAt: z.int(),
});
