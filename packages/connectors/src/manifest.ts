import { z } from 'zod';
import { actionSpec } from './manifest-action.ts';
import { authSpec } from './manifest-auth.ts';
import { evidence, expression, name, streamSpec, title } from './manifest-stream.ts';

const SCOPES_MAX = 500;

const configField = z.strictObject({
  name: z.string().regex(/^[a-z][A-Za-z0-9_]{0,62}$/),
  title,
  help: z.string().max(1_000).optional(),
  example: z.string().max(256).optional(),
  pattern: z
    .string()
    .max(256)
    .optional()
    .describe('Anchored pattern of letters, digits and classes that the value must match.'),
  required: z.boolean().default(true),
  default: z.string().max(512).optional(),
});

const rateLimit = z.strictObject({
  requestsPerMinute: z.number().positive().max(60_000).describe('The pace Cordon keeps by itself.'),
  remaining: z.string().optional().describe('Response header with the calls that are left.'),
  reset: z.string().optional().describe('Response header with the moment when they are given back.'),
  resetKind: z.enum(['epoch_s', 'epoch_ms', 'delta_s', 'date']).default('epoch_s'),
  limitedStatuses: z.array(z.int()).default([429]),
  limitedCodes: z.array(z.string()).default([]).describe('Codes of `errorCode` that mean "too fast".'),
});

const scope = z.strictObject({
  name: z.string().min(1).max(256),
  title,
  risk: z.enum(['low', 'medium', 'high', 'critical']),
  classes: z
    .array(z.string().max(64))
    .default([])
    .describe('Data classes that it opens, by fideslang or detector name.'),
  operations: z
    .array(z.string().max(256))
    .default([])
    .describe('Operations that it allows: `METHOD /path` or operation ids; `*` stands for anything.'),
});

/** One `content/connectors/<app>/connector.yaml`. */
export const manifest = z
  .strictObject({
    connector: z.literal(1).describe('Version of this format.'),
    app: name,
    title,
    vendor: title,
    category: z.string().max(64).optional(),
    posture: z.string().max(64).optional().describe('Product in `content/posture` whose checks judge its settings.'),
    evidence,
    evidenceNote: z.string().max(1_000).describe('What the evidence is, in a sentence.'),
    sources: z.array(z.url()).min(1).describe("The vendor's published descriptions that this was made from."),
    baseUrl: z.string().max(512).describe('Base URL; may hold `{config.x}`. A connection can override it.'),
    hosts: z.record(name, z.string().max(512)).default({}).describe('Other base URLs, by name.'),
    headers: z.record(z.string(), z.string()).default({}),
    config: z.array(configField).default([]).describe('What a person fills in beside the credential.'),
    auth: z.array(authSpec).min(1),
    rateLimit,
    errorCode: expression
      .optional()
      .describe(
        'Over `{status, body}`: the code of an error, also where the status says 200; nothing when it went well.',
      ),
    refusedCodes: z.array(z.string()).default([]).describe('Codes that mean "this credential is refused".'),
    plans: z
      .array(z.strictObject({ name, title }))
      .default([])
      .describe('Plans of the vendor, lowest first; a connection says which the customer has.'),
    test: z.strictObject({ stream: name }).optional().describe('The stream that "test connection" reads one page of.'),
    scopes: z.array(scope).max(SCOPES_MAX).default([]),
    streams: z.record(name, streamSpec),
    actions: z.record(name, actionSpec).default({}),
  })
  .superRefine((one, context) => {
    const plans = new Set(one.plans.map((plan) => plan.name));
    for (const [kind, specs] of [
      ['streams', one.streams],
      ['actions', one.actions],
    ] as const) {
      for (const [key, spec] of Object.entries(specs)) {
        for (const plan of spec.plans) {
          if (!plans.has(plan))
            context.addIssue({ code: 'custom', path: [kind, key], message: `unknown plan ${plan}` });
        }
      }
    }
    if (one.test && !Object.hasOwn(one.streams, one.test.stream)) {
      context.addIssue({ code: 'custom', path: ['test'], message: `no stream ${one.test.stream}` });
    }
  });
export type Manifest = z.output<typeof manifest>;
