import { z } from 'zod';
import { calendarDay } from './calendar-day.ts';

const text = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .regex(/^[^\0]*$/, 'must not contain a null character');
const day = calendarDay.nullable().default(null);

const OPINIONS = ['unqualified', 'qualified', 'adverse', 'disclaimer'] as const;
const METHODS = ['carve-out', 'inclusive'] as const;

/** What an attestation says, whatever its kind; a kind tells which of these it needs. */
export const attestationFacts = z.strictObject({
  /** The service or system that was looked at. */
  scope: text(4_000).default(''),
  periodStart: day,
  periodEnd: day,
  /** For what speaks of one day: SOC 2 Type I, a self-assessment. */
  asOf: day,
  issuedOn: day,
  /** As stated in the text; what the kind's rule makes of it is `validUntil`. */
  expiresOn: day,
  auditor: text(300).default(''),
  opinion: z.enum(OPINIONS).nullable().default(null),
  exceptions: z.array(text(2_000)).max(200).default([]),
  /** Complementary user-entity controls: what the report takes for granted that its reader does. */
  userControls: z.array(text(2_000)).max(200).default([]),
  subservice: z
    .array(z.strictObject({ name: text(200), method: z.enum(METHODS).nullable().default(null) }))
    .max(100)
    .default([]),
  /** Trust services criteria, baseline, level: "security, availability", "r2", "Moderate". */
  level: text(300).default(''),
  certificate: text(200).default(''),
});
export type AttestationFacts = z.output<typeof attestationFacts>;
export type FactName = keyof AttestationFacts;

/** A passage of the file: places count in the text as it was read, pages from 1. */
const passage = z.object({ start: z.int(), end: z.int(), page: z.int(), text: z.string() });
export type Passage = z.output<typeof passage>;

/** What a text says for one fact, and where. */
const proposal = z.object({ fact: z.string(), value: z.unknown(), passages: z.array(passage) });
export type Proposal = z.output<typeof proposal>;

export const attestationReading = z.object({
  characters: z.int(),
  /** Kinds whose marks the text bears, the most certain first. */
  kinds: z.array(z.object({ kind: z.string(), passages: z.array(passage) })),
  proposals: z.array(proposal),
  /** What a person should look at: no text, two dates that contradict each other. */
  remarks: z.array(z.string()),
});
export type AttestationReading = z.output<typeof attestationReading>;

export const ATTESTATION_STATES = ['proposed', 'confirmed', 'rejected'] as const;

/** Evidence by somebody else about a vendor. Only a confirmed one counts; `facts` is null until then. */
export interface Attestation {
  readonly id: string;
  readonly vendorId: string;
  readonly fileId: string | null;
  /** Id of a kind of `content/attestations/`: `soc2-type2`, `iso-27001`, `bridge-letter`, ... */
  readonly kind: string;
  readonly title: string;
  readonly state: (typeof ATTESTATION_STATES)[number];
  readonly reading: AttestationReading;
  readonly facts: AttestationFacts | null;
  /** ISO days by the kind's rule; `validUntil` is the last day on which it still counts. */
  readonly validFrom: string | null;
  readonly validUntil: string | null;
  readonly note: string;
  readonly decidedBy: string | null;
  readonly decidedAt: number | null;
  readonly createdBy: string;
  readonly createdAt: number;
}

/** Whether it counts on a day: for a score, only `valid` does. */
export type Standing = 'proposed' | 'rejected' | 'not_yet_valid' | 'valid' | 'expired';

export function standingOf(attestation: Attestation, today: string): Standing {
  const { state, validFrom, validUntil } = attestation;
  if (state !== 'confirmed') return state;
  if (validFrom !== null && today < validFrom) return 'not_yet_valid';
  return validUntil !== null && validUntil < today ? 'expired' : 'valid';
}
