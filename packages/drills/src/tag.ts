import { createHmac, timingSafeEqual } from 'node:crypto';
import { canonicalJson } from '@cordon/kernel';

/**
 * The mark of what a drill sends: `v1.<drill>.<number>.<mac>`. The MAC (HMAC-SHA-256 under the drill's own key) covers
 * what is sent, so a mark that was copied to another record or used by another integration is not believed.
 */
export const TAG_FIELD = 'cordon_drill';
const AGENT = 'cordon-drill/';
const TAG = /^v1\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(\d{1,9})\.([\w-]{43})$/;

export interface Tag {
  readonly drillId: string;
  readonly number: number;
  readonly mac: string;
}

function macOf(key: Buffer, drillId: string, number: number, what: string): string {
  return createHmac('sha256', key).update(`cordon drill v1\n${drillId}\n${number}\n${what}`).digest('base64url');
}

const recordText = (record: Readonly<Record<string, unknown>>): string => {
  const { [TAG_FIELD]: _tag, ...rest } = record;
  return `record\n${canonicalJson(rest)}`;
};
const callText = (integrationId: string): string => `call\n${integrationId}`;

function write(key: Buffer, drillId: string, number: number, what: string): string {
  return `v1.${drillId}.${number}.${macOf(key, drillId, number, what)}`;
}

/** The record with its tag in it. */
export function tagRecord(
  key: Buffer,
  drillId: string,
  number: number,
  record: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return { ...record, [TAG_FIELD]: write(key, drillId, number, recordText(record)) };
}

/** The User-Agent of a call: of all that a caller sends, what the gateway's event keeps. */
export function tagAgent(key: Buffer, drillId: string, number: number, integrationId: string): string {
  return `${AGENT}${write(key, drillId, number, callText(integrationId))}`;
}

/** A tag as it is claimed; null when there is none or it can't be read. */
export function readTag(text: unknown): Tag | null {
  if (typeof text !== 'string') return null;
  const match = TAG.exec(text.startsWith(AGENT) ? text.slice(AGENT.length) : text);
  return match ? { drillId: match[1] ?? '', number: Number(match[2]), mac: match[3] ?? '' } : null;
}

/** Whether anything here claims to be of a drill, right or wrong. */
export function claimsTag(text: unknown): boolean {
  return typeof text === 'string' && (text.startsWith(AGENT) || text.startsWith('v1.'));
}

function holds(key: Buffer, tag: Tag, what: string): boolean {
  const expected = Buffer.from(macOf(key, tag.drillId, tag.number, what));
  const given = Buffer.from(tag.mac);
  return expected.length === given.length && timingSafeEqual(expected, given);
}

export function recordTagHolds(key: Buffer, tag: Tag, record: Readonly<Record<string, unknown>>): boolean {
  return holds(key, tag, recordText(record));
}

export function callTagHolds(key: Buffer, tag: Tag, integrationId: string): boolean {
  return holds(key, tag, callText(integrationId));
}
