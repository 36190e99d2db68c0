import { z } from 'zod';
import { ContentUnrecognised } from '../errors.ts';
import { SEVERITIES, type Severity } from '../score/weights.ts';

export const FEED_BYTES_MAX = 4 * 1024 * 1024;
const NOTICES_MAX = 1_000;
const CLIENTS_MAX = 10_000;

const text = (max: number) => z.string().trim().min(1).max(max);
const instant = z.iso.datetime({ offset: true }).transform((value) => Date.parse(value));

/** A feed of notices, as docs/guide/vendor-monitoring.md describes it. Members that are not named are passed over. */
const feedSchema = z.object({
  version: z.literal(1),
  notices: z
    .array(
      z.object({
        id: text(200),
        /** A vendor's name, or a domain of it. */
        vendor: text(200),
        title: text(300),
        text: z.string().max(8_000).default(''),
        severity: z.enum(SEVERITIES),
        occurredAt: instant.nullable().default(null),
      }),
    )
    .max(NOTICES_MAX)
    .default([]),
  clients: z
    .array(z.object({ clientId: text(512), reason: text(1_000) }))
    .max(CLIENTS_MAX)
    .default([]),
});

const csafSchema = z.object({
  document: z.object({
    csaf_version: z.literal('2.0'),
    title: text(300),
    publisher: z.object({ name: text(200) }),
    tracking: z.object({
      id: text(200),
      version: z.string().max(40).default(''),
      initial_release_date: instant.optional(),
    }),
    aggregate_severity: z.object({ text: z.string() }).optional(),
    notes: z.array(z.object({ text: z.string() })).default([]),
  }),
});

export interface FeedNotice {
  readonly id: string;
  readonly vendor: string;
  readonly title: string;
  readonly text: string;
  readonly severity: Severity;
  readonly occurredAt: number | null;
  /** The document, where the notice is one. */
  readonly csaf: string | null;
}

export interface FeedContent {
  readonly notices: readonly FeedNotice[];
  readonly clients: readonly { readonly clientId: string; readonly reason: string }[];
}

function parse<Schema extends z.ZodType>(schema: Schema, content: string, what: string): z.output<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (cause) {
    throw new ContentUnrecognised(`This is no JSON, so it is no ${what}.`, {}, cause);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new ContentUnrecognised(`This is no ${what}: ${issue?.path.join('.')}: ${issue?.message}`);
}

/** Reads what a feed's address gave; throws `ContentUnrecognised` with the first thing that is wrong. */
export function readFeed(kind: 'notices' | 'csaf', content: string): FeedContent {
  if (kind === 'notices') {
    const { notices, clients } = parse(feedSchema, content, 'feed of notices');
    return { notices: notices.map((one) => ({ ...one, csaf: null })), clients };
  }
  const { document } = parse(csafSchema, content, 'CSAF 2.0 document');
  const said = document.aggregate_severity?.text.toLowerCase() ?? '';
  const notice = {
    id: `${document.tracking.id} ${document.tracking.version}`.trim(),
    vendor: document.publisher.name,
    title: document.title,
    text: document.notes
      .map((note) => note.text)
      .join('\n')
      .slice(0, 8_000),
    severity: SEVERITIES.find((one) => said.includes(one)) ?? ('high' as const),
    occurredAt: document.tracking.initial_release_date ?? null,
    csaf: content,
  };
  return { notices: [notice], clients: [] };
}
