import { z } from 'zod';
import { SEVERITIES, type Severity } from '../score/weights.ts';
import { type CsafDocument, readCsaf } from './csaf-document.ts';
import { instant, parseJson, text } from './feed-json.ts';

export const FEED_BYTES_MAX = 4 * 1024 * 1024;
const NOTICES_MAX = 1_000;
const CLIENTS_MAX = 10_000;

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

/** A document as a notice of its publisher; `vendor` names another that it concerns. */
export function noticeOf(document: CsafDocument, content: string, vendor = document.publisher): FeedNotice {
  const { trackingId, version, title, text: said, severity, releasedAt } = document;
  const id = `${trackingId} ${version}`.trim();
  return { id, vendor, title, text: said, severity, occurredAt: releasedAt, csaf: content };
}

/** Reads what a feed's address gave; throws `ContentUnrecognised` with the first thing that is wrong. */
export function readFeed(kind: 'notices' | 'csaf', content: string): FeedContent {
  if (kind === 'notices') {
    const { notices, clients } = parseJson(feedSchema, content, 'feed of notices');
    return { notices: notices.map((one) => ({ ...one, csaf: null })), clients };
  }
  return { notices: [noticeOf(readCsaf(content), content)], clients: [] };
}
