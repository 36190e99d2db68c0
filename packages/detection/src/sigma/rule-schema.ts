import { z } from 'zod';

const text = z.string().min(1).max(65_535);
const texts = z.union([z.array(text), text.transform((one) => [one])]);
const day = z.union([z.string(), z.date()]).optional();

const LEVELS = ['informational', 'low', 'medium', 'high', 'critical'] as const;

const header = {
  title: z.string().min(1).max(256),
  id: z.string().min(1).max(200).optional(),
  name: z.string().min(1).max(256).optional(),
  status: z.enum(['stable', 'test', 'experimental', 'deprecated', 'unsupported']).optional(),
  description: z.string().max(65_535).optional(),
  references: z.array(z.string()).nullish(),
  author: z.string().optional(),
  license: z.string().optional(),
  taxonomy: z.string().optional(),
  date: day,
  modified: day,
  related: z.array(z.looseObject({ id: z.string(), type: z.string() })).nullish(),
  level: z.enum(LEVELS).optional(),
  tags: z.array(z.string()).nullish(),
  fields: z.array(z.string()).nullish(),
  falsepositives: texts.nullish(),
  scope: z.array(z.string()).nullish(),
};

/** Cordon's own keys; the specification allows custom attributes. */
const ours = {
  covers: z.array(text).optional(),
  why: text.optional(),
  questions: z.array(text).optional(),
  playbook: text.optional(),
};

const logsource = z.looseObject({
  product: z.string().optional(),
  service: z.string().optional(),
  category: z.string().optional(),
  definition: z.string().optional(),
});

/** A Sigma rule, specification 2.1. The detection's searches are checked while they are read. */
export const ruleDocument = z.looseObject({
  ...header,
  ...ours,
  logsource,
  detection: z.looseObject({ condition: texts }),
});

const CORRELATIONS = [
  'event_count',
  'value_count',
  'temporal',
  'temporal_ordered',
  'value_sum',
  'value_avg',
  'value_percentile',
  'value_median',
] as const;

export type CorrelationType = (typeof CORRELATIONS)[number];

const bound = z.number().optional();

/** A Sigma correlation, specification 2.1, with pySigma's `value_median` and `percentile`. */
export const correlationDocument = z.looseObject({
  ...header,
  ...ours,
  correlation: z.strictObject({
    type: z.enum(CORRELATIONS),
    rules: texts,
    'group-by': texts.optional(),
    timespan: z.string().regex(/^\d+[smhdwMy]$/),
    aliases: z.record(z.string(), z.record(z.string(), z.string())).optional(),
    condition: z
      .strictObject({
        gt: bound,
        gte: bound,
        lt: bound,
        lte: bound,
        eq: bound,
        neq: bound,
        field: texts.optional(),
        percentile: z.number().min(0).max(100).optional(),
      })
      .optional(),
    generate: z.boolean().optional(),
  }),
});

/** A Sigma filter, specification 2.1: an exclusion laid over several rules. */
export const filterDocument = z.looseObject({
  ...header,
  logsource,
  filter: z.looseObject({ rules: texts.optional(), condition: texts }),
});

export type RuleDocument = z.infer<typeof ruleDocument>;
export type CorrelationDocument = z.infer<typeof correlationDocument>;
export type FilterDocument = z.infer<typeof filterDocument>;
