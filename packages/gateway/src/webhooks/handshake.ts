import { createHmac, timingSafeEqual } from 'node:crypto';
import type { WebhookHandshake, WebhookScheme } from '@cordon/policy';
import type { DeliveryParts } from './delivery-parts.ts';

/** What vendors send to be given back is short; more would make the gateway an echo for anyone. */
const VALUE_CHARS_MAX = 1_024;
const NO_FIELDS: ReadonlyMap<string, string> = new Map();

export interface HandshakeAnswer {
  readonly contentType: string;
  readonly body: string;
}

/** The handshake that a request is, if any. */
export function findHandshake(scheme: WebhookScheme, parts: DeliveryParts): WebhookHandshake | undefined {
  return scheme.handshakes.find(({ method, when }) => {
    if (method !== parts.delivery.method) return false;
    const value = parts.read(when.place, NO_FIELDS);
    return value !== undefined && (when.equals === null || isText(value, when.equals));
  });
}

/** Answers a handshake; undefined when it lacks the value to give back. */
export function answerHandshake(
  handshake: WebhookHandshake,
  parts: DeliveryParts,
  secret: Buffer,
): HandshakeAnswer | undefined {
  const value = handshake.value ? parts.read(handshake.value, NO_FIELDS) : '';
  if (value === undefined || value.length > VALUE_CHARS_MAX) return undefined;
  const isJson = handshake.contentType === 'application/json';
  const escape = (text: string): string => (isJson ? JSON.stringify(text).slice(1, -1) : text);
  const body = handshake.respond.replace(/\{(value|hmac)\}/g, (_match, name: string) =>
    escape(name === 'value' ? value : createHmac('sha256', secret).update(value).digest('hex')),
  );
  return { contentType: `${handshake.contentType}; charset=utf-8`, body };
}

function isText(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
