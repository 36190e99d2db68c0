import { z } from 'zod';
import { ENTITY_KINDS } from './entity.ts';
import { requestTemplate } from './request-template.ts';

const LOOK_BACK_S_MAX = 30 * 86_400;
const ENRICH_MAX = 12;

export const name = z
  .string()
  .regex(/^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$/)
  .max(64);
export const title = z.string().min(1).max(160);
export const expression = z.string().min(1).max(8_000).describe('JSONata.');

/**
 * `emulated`: proved against a running emulator. `recorded`: against answers of the tool. `described`: against answers
 * built from the vendor's published description.
 */
export const evidence = z.enum(['emulated', 'recorded', 'described']);
export type Evidence = z.output<typeof evidence>;

const paging = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('link') }).describe('`Link: <…>; rel="next"` (RFC 8288).'),
  z
    .strictObject({ kind: z.literal('next-url'), from: expression, relativeTo: z.enum(['base', 'origin']).optional() })
    .describe('The body holds the address of the next page; one of another origin is refused.'),
  z
    .strictObject({
      kind: z.literal('cursor'),
      from: expression.describe('Over the body: the next cursor; empty or nothing at the end.'),
      parameter: z.string().max(128),
      in: z.enum(['query', 'json', 'form']).default('query'),
      path: z
        .string()
        .regex(/^\/(?!\/)/)
        .max(256)
        .optional()
        .describe('Following pages are asked here, with the cursor alone (Dropbox).'),
    })
    .describe('The body holds an opaque cursor that goes into the next request.'),
  z.strictObject({
    kind: z.literal('offset'),
    parameter: z.string().max(128),
    limitParameter: z.string().max(128),
    limit: z.int().min(1).max(10_000),
    start: z.int().min(0).default(0).describe('SCIM counts from 1.'),
    total: expression.optional(),
  }),
  z.strictObject({
    kind: z.literal('page'),
    parameter: z.string().max(128),
    first: z.int().min(0).default(1),
    sizeParameter: z.string().max(128).optional(),
    size: z.int().min(1).max(10_000),
    more: expression.optional().describe('Over the body; without it a page that is not full is the last.'),
  }),
  z
    .strictObject({ kind: z.literal('graphql'), pageInfo: expression, variable: z.string().max(64).default('after') })
    .describe('`pageInfo { hasNextPage endCursor }`.'),
]);
export type Paging = z.output<typeof paging>;

const notVisible = z.strictObject({
  status: z.int().optional(),
  code: z.string().optional().describe('A code of `errorCode`.'),
  because: z.string().min(1).max(300).describe('What the customer lacks: a plan, a scope, a role.'),
});

const incremental = z.discriminatedUnion('by', [
  z.strictObject({
    by: z.literal('time'),
    cursor: expression.describe('Over an item: its moment.'),
    format: z.enum(['iso', 'iso_seconds', 'date', 'epoch_s', 'epoch_ms']).default('iso'),
    lookBackS: z.int().min(0).max(LOOK_BACK_S_MAX).describe('Read again from so long before the newest seen.'),
    firstDays: z.number().positive().max(3_650).optional().describe('How far the first sync goes back; all without.'),
  }),
  z.strictObject({
    by: z.literal('token'),
    from: expression.describe('Over the body of the last page: what to send as `{token}` next time.'),
  }),
]);

const readSpec = z.strictObject({
  emptyStatuses: z.array(z.int()).default([]).describe('Statuses that say "there are none", such as 404.'),
  request: requestTemplate,
  paging: paging.default({ kind: 'none' }),
  items: expression.default('$').describe('Over the body: the items.'),
});

const enrich = readSpec.omit({ paging: true, emptyStatuses: true }).extend({
  as: name.describe('Found in the mapping as `$extra.<name>`, in later requests as `{extra.<name>}`.'),
  when: expression.optional().describe('Over the item: only ask when true.'),
  nullStatuses: z.array(z.int()).default([]).describe('Statuses that say "there is none": null.'),
  hiddenStatuses: z.array(z.int()).default([]).describe('Statuses that say "you may not see it": left out.'),
});
export type EnrichSpec = z.output<typeof enrich>;

export const streamSpec = z
  .strictObject({
    title,
    emits: z.array(z.enum(ENTITY_KINDS)).min(1),
    ...readSpec.shape,
    each: readSpec
      .optional()
      .describe('Reads a list first, and the stream once for each member, `{parent.x}` and `$parent`.'),
    enrich: z.array(enrich).max(ENRICH_MAX).default([]).describe('Further calls for each item, in order.'),
    map: expression.describe(
      'Over the item, with `$parent`, `$extra`, `$config`: one entity, a list of them, or nothing.',
    ),
    incremental: incremental.optional(),
    parser: z.string().max(64).optional().describe('Of audit events: product and stream in `content/parsers`.'),
    covers: z
      .array(z.string().max(256))
      .default([])
      .describe('Setting paths that are not visible when this stream is not.'),
    plans: z.array(name).default([]).describe('Plans that have it; any without.'),
    scopes: z.array(z.string().max(256)).default([]).describe('Scopes that the credential needs.'),
    notVisible: z.array(notVisible).default([]),
    evidence: evidence.optional().describe("Where it differs from the manifest's."),
    onDemand: z.boolean().default(false).describe('Only read when somebody asks; the default of streams of records.'),
  })
  .superRefine((stream, context) => {
    if (stream.emits.includes('audit_event') && stream.parser === undefined) {
      context.addIssue({ code: 'custom', message: 'a stream of audit events names its parser' });
    }
    if (stream.emits.includes('record') && stream.emits.length > 1) {
      context.addIssue({ code: 'custom', message: 'a stream of records emits nothing else' });
    }
  });
export type StreamSpec = z.output<typeof streamSpec>;
export type ReadSpec = z.output<typeof readSpec>;
