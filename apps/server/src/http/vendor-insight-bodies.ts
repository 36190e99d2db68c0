import { type Feed, hostObservation, NEWS_KINDS, scoreRow, type Weighed } from '@cordon/vendors';
import { z } from 'zod';

/** Response schemas of scores and monitoring of vendors. */

const severity = z.enum(['critical', 'high', 'medium', 'low']);

export const scoreBody = z.object({ inherent: z.int(), residual: z.int(), rows: z.array(scoreRow) });
export const contradictionBody = z.object({
  id: z.string(),
  key: z.string(),
  rule: z.string(),
  severity,
  title: z.string(),
  said: z.object({
    questionnaireId: z.string().nullable(),
    questionId: z.string().nullable(),
    question: z.string(),
    answers: z.array(z.string()),
    link: z.string().nullable(),
  }),
  evidence: z.array(
    z.object({
      kind: z.string(),
      key: z.string(),
      text: z.string(),
      link: z.string().nullable(),
      at: z.number().nullable(),
      region: z.string().optional(),
    }),
  ),
  foundAt: z.int(),
  seenAt: z.int(),
  goneAt: z.int().nullable(),
  decision: z.object({ reason: z.string(), by: z.string(), at: z.number() }).nullable(),
});
export const weighedBody = z.object({
  score: scoreBody,
  contradictions: z.array(contradictionBody),
  at: z.int(),
  weights: z.string(),
});
export const plainScore = <Score extends { readonly rows: readonly unknown[] }>(score: Score) => ({
  ...score,
  rows: [...score.rows] as z.output<typeof scoreRow>[], // the same rows, in the mutable list that the serializer asks for
});
export const plainWeighed = ({ score, contradictions, at, weights }: Weighed) => ({
  score: plainScore(score),
  contradictions: [...contradictions],
  at,
  weights,
});

export const historyBody = z.object({
  at: z.int(),
  weights: z.string(),
  inherent: z.int(),
  residual: z.int(),
  rows: z.array(scoreRow),
});
export const simulationBody = z.object({ before: scoreBody, after: scoreBody, fixed: z.array(z.string()) });

export const hostBody = z.object({
  id: z.string(),
  host: z.string(),
  port: z.int(),
  source: z.string(),
  observation: hostObservation.nullable(),
  problems: z.array(z.object({ code: z.string(), severity, text: z.string() })),
  checkedAt: z.int().nullable(),
  dueAt: z.int(),
});
export const newsBody = z.object({
  id: z.string(),
  vendorId: z.string().nullable(),
  kind: z.enum(NEWS_KINDS),
  severity: z.enum(['critical', 'high', 'medium', 'low', 'info']),
  title: z.string(),
  detail: z.record(z.string(), z.unknown()),
  at: z.int(),
});
export const noticeBody = z.object({
  id: z.string(),
  vendorId: z.string().nullable(),
  named: z.string(),
  title: z.string(),
  text: z.string(),
  severity,
  occurredAt: z.int().nullable(),
  caseId: z.string().nullable(),
  at: z.int(),
});
export const feedBody = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(['notices', 'csaf', 'csaf_provider']),
  url: z.string(),
  privateAddresses: z.array(z.string()),
  everyMinutes: z.int(),
  polledAt: z.int().nullable(),
  problem: z.string().nullable(),
  /** How the last walk through a provider's documents went. */
  walk: z
    .object({
      provider: z.string(),
      listed: z.int(),
      read: z.int(),
      hashed: z.int(),
      signed: z.int(),
      refused: z.array(z.string()),
      isMore: z.boolean(),
    })
    .nullable(),
});

export const plainFeed = (feed: Feed): z.output<typeof feedBody> => ({
  ...feed,
  privateAddresses: [...feed.privateAddresses],
});
