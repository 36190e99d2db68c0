import type { AttestationFacts, FactName } from './attestation.ts';
import { addDays, addMonths } from './calendar-day.ts';
import type { AttestationKind } from './kind.ts';

export interface Validity {
  readonly validFrom: string | null;
  readonly validUntil: string | null;
  /** Why it ends earlier than its text says, for whoever confirms it. */
  readonly remark: string | null;
}

/** From when until when an attestation counts, by its kind's rule; a stated expiry counts when it is earlier. */
export function validityOf(kind: AttestationKind, facts: AttestationFacts): Validity {
  const { from, until, months, byLevel } = kind.validity;
  const start = facts[from];
  const counted = facts[until];
  const allowed = byLevel.find(({ when }) => facts.level.search(when) >= 0)?.months ?? months;
  // Twelve months from 14 May end on 13 May; twelve months after a period's last day end on that day a year later.
  const inclusive = until === 'periodEnd' || months === 0 ? 0 : -1;
  const ruled = counted === null ? null : addDays(addMonths(counted, allowed), inclusive);
  const stated = facts.expiresOn;
  if (ruled === null || stated === null) return { validFrom: start, validUntil: ruled ?? stated, remark: null };
  if (stated <= ruled) return { validFrom: start, validUntil: stated, remark: null };
  // Calendars differ by a day on whether the anniversary itself still counts.
  if (stated <= addDays(ruled, 1)) return { validFrom: start, validUntil: stated, remark: null };
  const remark = `The text says ${stated}, but ${kind.title} lasts ${allowed} months at most: it counts until ${ruled}.`;
  return { validFrom: start, validUntil: ruled, remark };
}

const isEmpty = (value: AttestationFacts[FactName]): boolean =>
  value === null || value === '' || (Array.isArray(value) && value.length === 0);

/** What a kind needs and the facts lack. */
export function missingFacts(kind: AttestationKind, facts: AttestationFacts): FactName[] {
  return kind.needs.filter((name) => isEmpty(facts[name]));
}
