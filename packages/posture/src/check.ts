import { z } from 'zod';

/** Longest CEL expression a check may hold. */
export const EXPRESSION_CHARS_MAX = 4000;

export const severities = ['critical', 'high', 'medium', 'low', 'info'] as const;
export type Severity = (typeof severities)[number];

/**
 * `not_visible`: the settings needed could not be seen, so nothing is claimed. `not_applicable`: the check's `applies`
 * is false for this tenant. `error`: the check itself is broken.
 */
export const results = ['pass', 'fail', 'not_visible', 'not_applicable', 'error'] as const;
export type Result = (typeof results)[number];

/** Actions of a connector's manifest that a remediation may name. */
const connectorActions = ['revoke_grant', 'suspend_user', 'end_sessions', 'rotate_key'] as const;

const expression = z.string().min(1).max(EXPRESSION_CHARS_MAX);
const ids = (pattern: RegExp) => z.array(z.string().regex(pattern)).min(1).optional();

/** Dotted path into the settings; `*` stands for every element; `a | b` means either of the two is enough. */
const settingPath = z.string().regex(/^[^\s|]+( \| [^\s|]+)*$/u);

const mappingSchema = z
  .strictObject({
    sscf: ids(/^(CCC|DSP|IAM|IPY|LOG|SEF)-SaaS-\d\d$/u),
    ccm: ids(/^[A-Z&]{3}-\d\d$/u),
    nist_csf: ids(/^[A-Z]{2}\.[A-Z]{2}-\d\d$/u),
    iso27001: ids(/^A\.[5-8]\.\d{1,2}$/u),
    cis: ids(/^\d{1,2}\.\d{1,2}$/u),
    owasp_nhi: ids(/^NHI([1-9]|10)$/u),
    nist_800_53: z.array(z.string()).min(1).optional(),
    attack: ids(/^T\d{4}(\.\d{3})?$/u),
  })
  .refine((mapping) => Object.keys(mapping).length > 0, 'maps to no framework');

const sampleSchema = z.strictObject({
  name: z.string().min(2),
  expect: z.enum(results),
  reason: z.string().optional(),
  now: z.iso.datetime().optional(),
  unread: z.array(z.string()).optional(),
  settings: z.unknown(),
});

export const checkSchema = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{2,79}$/u),
  title: z.string().min(10).max(400),
  product: z.string().regex(/^[a-z0-9-]+$/u),
  service: z.string().optional(),
  severity: z.enum(severities),
  rationale: z.string().min(40),
  source: z
    .strictObject({
      name: z.string(),
      version: z.string().optional(),
      criticality: z.enum(['shall', 'should', 'may']).optional(),
      url: z.url().optional(),
    })
    .optional(),
  remediation: z.strictObject({
    steps: z.array(z.string().min(3)).min(1),
    /** The connector action that mends it, where the app's interface has one. */
    action: z.strictObject({ name: z.enum(connectorActions), note: z.string().optional() }).optional(),
  }),
  mapping: mappingSchema,
  /** No interface shows the setting: a person attests to it (`settings.attestations`). */
  manual: z.boolean().optional(),
  applies: expression.optional(),
  /** What must hold before the settings are looked at at all, such as a licence; when it does not, the check fails. */
  requires: z.array(z.strictObject({ is: expression, otherwise: z.string() })).optional(),
  needs: z.array(settingPath).min(1),
  /** What a setting means that was looked for and is not there. */
  absent: z.enum(['not_visible', 'fail']).optional(),
  define: z.record(z.string().regex(/^[a-z][A-Za-z0-9]*$/u), expression).optional(),
  pass: expression,
  reason: z.strictObject({ pass: z.string(), fail: z.string(), not_applicable: z.string().optional() }),
  samples: z.array(sampleSchema).min(2),
});

/** A check as its file under `content/posture/<product>/` states it. */
export type Check = z.infer<typeof checkSchema>;
export type CheckSample = Check['samples'][number];
