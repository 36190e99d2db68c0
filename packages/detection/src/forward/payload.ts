import { createHash, createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import type { ForwardEvent } from './forward.ts';

/** The same for the same events in the same order, so that a repeat carries the same name. */
export function batchId(events: readonly ForwardEvent[]): string {
  const digest = createHash('sha256');
  for (const { id } of events) digest.update(`${id}\n`);
  return digest.digest('hex').slice(0, 32);
}

/** Objects one after another, as the HTTP Event Collector takes them. */
export function splunkBody(
  events: readonly ForwardEvent[],
  { index, sourcetype }: { readonly index: string | null; readonly sourcetype: string },
): string {
  const lines = events.map(({ id, time, event }) =>
    JSON.stringify({
      time: time / 1000,
      host: 'cordon',
      source: 'cordon',
      sourcetype,
      ...(index !== null && { index }),
      event,
      fields: { cordon_event_id: id },
    }),
  );
  return lines.join('\n');
}

/** `create` and not `index`: data streams take nothing else, and a repeat is answered 409 for the document. */
export function elasticBody(events: readonly ForwardEvent[], index: string): string {
  const lines = events.flatMap(({ id, time, event }) => [
    JSON.stringify({ create: { _index: index, _id: id } }),
    JSON.stringify({ '@timestamp': new Date(time).toISOString(), ...event }),
  ]);
  return `${lines.join('\n')}\n`;
}

const bulkAnswer = z.object({
  errors: z.boolean(),
  items: z.array(
    z.object({
      create: z.object({
        _id: z.string().nullish(),
        status: z.int(),
        error: z.object({ type: z.string(), reason: z.string().nullish() }).nullish(),
      }),
    }),
  ),
});

export interface Outcome {
  /** Events that the target will never take, and why, for one of them. */
  readonly refused: number;
  readonly refusal: string | null;
  /** Null: everything else is at the target. Otherwise the whole batch has to be sent again. */
  readonly failure: string | null;
}

export const TAKEN: Outcome = { refused: 0, refusal: null, failure: null };
export const failed = (failure: string): Outcome => ({ refused: 0, refusal: null, failure });

const BUSY = new Set([429, 503]);

/** What the bulk API said of each document: 409 is there already, busy is to be repeated, other refusals are final. */
export function elasticOutcome(text: string, sent: number): Outcome {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return failed('The bulk answer is not JSON.');
  }
  const answer = bulkAnswer.safeParse(body);
  if (!answer.success || answer.data.items.length !== sent) return failed('The bulk answer is not one.');
  const wrong = answer.data.items.map(({ create }) => create).filter(({ status }) => status > 299 && status !== 409);
  const later = wrong.find(({ status }) => BUSY.has(status) || status >= 500 || status === 401 || status === 403);
  const say = (one: (typeof wrong)[number]): string =>
    `event ${one._id ?? '?'}: ${one.status} ${one.error?.type ?? ''} ${one.error?.reason ?? ''}`.trim();
  if (later) return failed(say(later));
  return { refused: wrong.length, refusal: wrong[0] ? say(wrong[0]) : null, failure: null };
}

/** One event a line, each with its id. */
export function ndjson(events: readonly ForwardEvent[]): string {
  return events.map(({ event }) => `${JSON.stringify(event)}\n`).join('');
}

/** Name and content of an object: a repeat of the same events writes the same object again. */
export function s3Object(events: readonly ForwardEvent[]): { readonly name: string; readonly bytes: Buffer } {
  const at = new Date(events[0]?.ingestedAt ?? 0).toISOString();
  const [day, time] = [at.slice(0, 10).replaceAll('-', '/'), at.slice(11, 23).replaceAll(/[:.]/g, '')];
  return { name: `${day}/${time}-${batchId(events)}.ndjson.gz`, bytes: gzipSync(ndjson(events)) };
}

/** Standard Webhooks 1.0: HMAC-SHA256 over id, time in seconds and body. */
export function webhookHeaders(
  body: string,
  { id, key, now }: { readonly id: string; readonly key: string; readonly now: number },
): Readonly<Record<string, string>> {
  const seconds = Math.floor(now / 1000);
  const bytes = key.startsWith('whsec_') ? Buffer.from(key.slice(6), 'base64') : Buffer.from(key);
  const signature = createHmac('sha256', bytes).update(`${id}.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` };
}
