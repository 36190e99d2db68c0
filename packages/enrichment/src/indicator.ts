import { addressBlock } from './address.ts';

/** What an indicator is compared with. */
export const INDICATOR_KINDS = ['address', 'domain', 'url', 'email', 'user-agent', 'hash', 'client-id'] as const;
export type IndicatorKind = (typeof INDICATOR_KINDS)[number];

export interface Indicator {
  readonly kind: IndicatorKind;
  /** In the one form in which it is compared: lower case, no dot at the end. */
  readonly value: string;
  /** Ms since epoch; null: as long as its list. */
  readonly expiresAt: number | null;
  /** The publisher's words on it. */
  readonly note: string;
}

const VALUE_CHARS_MAX = 1_000;
const DOMAIN = /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{1,62}$/;

/** The comparable form; null where the text is nothing of the kind. */
export function indicatorValue(kind: IndicatorKind, text: string): string | null {
  const value = text
    .trim()
    .slice(0, VALUE_CHARS_MAX + 1)
    .toLowerCase();
  if (value === '' || value.length > VALUE_CHARS_MAX) return null;
  switch (kind) {
    case 'address':
      return addressBlock(value) ? value : null;
    case 'domain': {
      const bare = value.replace(/^\*\./, '').replace(/\.$/, '');
      return DOMAIN.test(bare) ? bare : null;
    }
    case 'url':
      return URL.canParse(value) ? value : null;
    case 'email':
      return /^[^\s@]+@[^\s@]+$/.test(value) ? value : null;
    case 'hash':
      return /^[0-9a-f]{32,128}$/.test(value) ? value : null;
    default:
      return value;
  }
}

/** The kind that a bare value has by its look, as in a plain list; null where it could be anything. */
export function guessKind(text: string): IndicatorKind | null {
  const value = text.trim().toLowerCase();
  if (addressBlock(value)) return 'address';
  if (/^https?:\/\//.test(value)) return 'url';
  if (/^[^\s@/]+@[^\s@/]+\.[a-z]+$/.test(value)) return 'email';
  if (/^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$/.test(value)) return 'hash';
  return indicatorValue('domain', value) === null ? null : 'domain';
}
