import type { Label } from './detector.ts';

/** Where in a document a finding sits; redaction needs it to keep the document well-formed. */
export type Encoding = 'json-string' | 'json-number' | 'text' | 'csv' | 'form' | 'xml';

/** Why a finding was made. It never holds the value in clear. */
export interface Evidence {
  /** Type of the detector, or `custom:<name>`. */
  readonly detector: string;
  /** Short stable words such as `checksum:luhn`, `key:ssn`, `near:passport`, `prefix:ghp_`, `whole-value`. */
  readonly reasons: readonly string[];
  /** Name of the field that held the value, when there was one. */
  readonly key?: string;
  /** The value with everything but its last characters hidden. */
  readonly masked?: string;
}

/** One piece of sensitive data. Offsets are bytes of the scanned input, end exclusive. */
export interface Finding {
  readonly type: string;
  /** Data class, the vocabulary of inspection rules, such as `payment.card` or `credential.aws`. */
  readonly class: string;
  /** fideslang data category, such as `user.financial.credit_card`. */
  readonly category: string;
  readonly label: Label;
  readonly start: number;
  readonly end: number;
  /** 0 to 1; 0.5 and more is what inline rules act on. */
  readonly confidence: number;
  readonly encoding: Encoding;
  readonly evidence: Evidence;
}

/** What a scanner reports for a span before it is known which of several overlapping spans wins. */
export interface RawFinding {
  detector: number;
  start: number;
  end: number;
  confidence: number;
  encoding: Encoding;
  reasons: string[];
  key: string | undefined;
}

/** Hides all but the last `keep` characters, and everything of values too short for that to hide anything. */
export function maskValue(value: string, keep = 4): string {
  if (value.length < keep * 3) return '*'.repeat(Math.min(value.length, 8));
  return `${'*'.repeat(Math.min(value.length - keep, 12))}${value.slice(-keep)}`;
}
