import { createHmac } from 'node:crypto';
import type { Finding } from '@cordon/classifier';

/** 128 bits: among 2^40 identifiers the chance of one collision is 2^-49. */
export const PRINT_BYTES = 16;
const ID_CHARS_MIN = 6;
const VALUE_CHARS_MAX = 320;

export const PRINT_KINDS = ['email', 'phone', 'iban', 'card', 'national-id', 'customer-id'] as const;
export type PrintKind = (typeof PRINT_KINDS)[number];

const KIND_OF_CLASS: readonly (readonly [prefix: string, kind: PrintKind])[] = [
  ['contact.email', 'email'],
  ['contact.phone', 'phone'],
  ['payment.iban', 'iban'],
  ['payment.card', 'card'],
  ['identifier.national', 'national-id'],
  ['identifier.us-ssn', 'national-id'],
  ['identifier.passport', 'national-id'],
  ['identifier.tax', 'national-id'],
];
/** Ids that one system gives and others repeat; a bare `id` or `user_id` means another thing in each tool. */
const CUSTOMER_KEY = /(?:customer|client|member|external|crm|patient|policy|contract)_?-?(?:id|number|no|ref|key)$/i;

/** The kind of strong identifier that a finding is, or null: names and addresses tell no two people apart. */
export function printKind(finding: Pick<Finding, 'class' | 'evidence'>): PrintKind | null {
  // `payment.card-detail` (an expiry date) is no card.
  const kind = KIND_OF_CLASS.find(([name]) => finding.class === name || finding.class.startsWith(`${name}.`))?.[1];
  if (kind) return kind;
  return CUSTOMER_KEY.test(finding.evidence.key ?? '') ? 'customer-id' : null;
}

export const isCustomerKey = (name: string): boolean => CUSTOMER_KEY.test(name);

/**
 * The one form of an identifier, or null when it is too short to tell records apart. An international phone number and
 * its national form stay two: without the country nobody knows that they are one.
 */
export function normaliseIdentifier(kind: PrintKind, value: string): string | null {
  const text = value.normalize('NFKC').trim();
  if (text === '' || text.length > VALUE_CHARS_MAX) return null;
  const normal =
    kind === 'email'
      ? text.toLowerCase()
      : kind === 'phone'
        ? text.replace(/^tel:/i, '').replace(/\D/g, '').replace(/^00/, '')
        : kind === 'card'
          ? text.replace(/\D/g, '')
          : kind === 'customer-id'
            ? text
            : text.replace(/[^\p{L}\p{N}]/gu, '').toUpperCase();
  return normal.length < ID_CHARS_MIN ? null : normal;
}

/** HMAC-SHA256 of kind and normal form, cut to 128 bits: whoever lacks the key can't test a guess. */
export function fingerprint(key: Buffer, kind: PrintKind, value: string): Buffer | null {
  const normal = normaliseIdentifier(kind, value);
  if (normal === null) return null;
  return createHmac('sha256', key).update(`${kind}\0${normal}`).digest().subarray(0, PRINT_BYTES);
}

/** The kind that a person most likely means by an identifier that they type. */
export function guessKind(identifier: string): PrintKind {
  const text = identifier.trim();
  if (text.includes('@')) return 'email';
  if (/^[A-Z]{2}\d{2}[A-Z0-9 ]{11,}$/i.test(text)) return 'iban';
  if (/^\+[\d ()./-]{7,}$/.test(text)) return 'phone';
  return 'customer-id';
}

/** What may be shown of an identifier. */
export function maskIdentifier(identifier: string): string {
  const text = identifier.trim();
  const at = text.indexOf('@');
  if (at > 0) return `${text.slice(0, 1)}***${text.slice(at)}`;
  return text.length < 9 ? '***' : `***${text.slice(-3)}`;
}
