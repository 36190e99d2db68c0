import type { Attestation } from './attestation.ts';
import { addDays, addMonths, daysBetween } from './calendar-day.ts';
import type { AttestationKind } from './kind.ts';

type WarningKind = 'gap' | 'uncovered' | 'bridge_too_long' | 'expired' | 'expiring' | 'opinion';

/** What is wrong, or soon will be, with what a vendor's attestations cover. Days are ISO texts, both ends included. */
export interface AttestationWarning {
  readonly vendorId: string;
  readonly attestationId: string;
  readonly kind: WarningKind;
  /** Information only: a gap that a bridge letter covers. */
  readonly isCovered: boolean;
  readonly from: string;
  readonly until: string;
  readonly text: string;
}

interface Period {
  readonly attestation: Attestation;
  readonly start: string;
  readonly end: string;
}

const label = (kinds: readonly AttestationKind[], id: string): string =>
  kinds.find((one) => one.id === id)?.title ?? id;

function periodsOf(attestations: readonly Attestation[]): Period[] {
  const periods = attestations.flatMap((attestation) => {
    const { periodStart: start, periodEnd: end } = attestation.facts ?? { periodStart: null, periodEnd: null };
    return start !== null && end !== null && start <= end ? [{ attestation, start, end }] : [];
  });
  return periods.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : a.end < b.end ? -1 : 1));
}

/** What of a span of days is left when some periods are taken out of it. */
function uncoveredOf(from: string, until: string, covers: readonly Period[]): { from: string; until: string }[] {
  const left: { from: string; until: string }[] = [];
  let at = from;
  for (const { start, end } of covers) {
    if (end < at || start > until) continue;
    if (start > at) left.push({ from: at, until: addDays(start, -1) });
    at = addDays(end, 1);
    if (at > until) break;
  }
  if (at <= until) left.push({ from: at, until });
  return left;
}

/** Gaps between one report's period and the next one's, and what bridge letters cover of them. */
function gapsBetween(reports: readonly Period[], bridges: readonly Period[], title: string): AttestationWarning[] {
  const warnings: AttestationWarning[] = [];
  let end: string | null = null;
  for (const { attestation, start, end: until } of reports) {
    if (end !== null && addDays(end, 1) < start) {
      const [from, to] = [addDays(end, 1), addDays(start, -1)];
      const left = uncoveredOf(from, to, bridges);
      const isCovered = left.length === 0;
      const spans = isCovered ? [{ from, until: to }] : left;
      for (const span of spans) {
        const days = daysBetween(span.from, span.until) + 1;
        const text = isCovered
          ? `No ${title} report covers ${span.from} to ${span.until} (${days} days); a bridge letter does.`
          : `No ${title} report and no bridge letter covers ${span.from} to ${span.until} (${days} days).`;
        warnings.push({
          vendorId: attestation.vendorId,
          attestationId: attestation.id,
          kind: 'gap',
          isCovered,
          ...span,
          text,
        });
      }
    }
    if (end === null || until > end) end = until;
  }
  return warnings;
}

/** Days since the last period that nothing covers, once the next report should be there. */
function uncoveredSince(
  last: Period,
  { bridges, openDays, today, title }: { bridges: readonly Period[]; openDays: number; today: string; title: string },
): AttestationWarning[] {
  const from = addDays(last.end, 1);
  if (today <= addDays(last.end, openDays)) return [];
  const [first] = uncoveredOf(from, today, bridges);
  if (!first) return [];
  const { vendorId, id: attestationId } = last.attestation;
  const text = `Nothing covers ${first.from} to today: the last ${title} period ended on ${last.end}. Ask for the next report or a bridge letter.`;
  return [{ vendorId, attestationId, kind: 'uncovered', isCovered: false, from: first.from, until: today, text }];
}

function tooLong(bridge: Period, monthsMax: number): AttestationWarning[] {
  // A bridge from 1 October ends at the latest on 31 December.
  const last = addDays(addMonths(bridge.start, monthsMax), -1);
  if (bridge.end <= last) return [];
  const { vendorId, id: attestationId } = bridge.attestation;
  const text = `The bridge letter covers ${bridge.start} to ${bridge.end}: more than ${monthsMax} months. From ${addDays(last, 1)} on it counts for nothing.`;
  return [
    {
      vendorId,
      attestationId,
      kind: 'bridge_too_long',
      isCovered: false,
      from: addDays(last, 1),
      until: bridge.end,
      text,
    },
  ];
}

function expiry(
  attestation: Attestation,
  kind: AttestationKind,
  isFollowed: boolean,
  today: string,
): AttestationWarning[] {
  const { vendorId, id: attestationId, validUntil: until } = attestation;
  if (until === null || isFollowed) return [];
  const row = { vendorId, attestationId, isCovered: false, from: addDays(until, 1), until: today };
  if (until < today)
    return [{ ...row, kind: 'expired', text: `${kind.title} expired on ${until}, and nothing has taken its place.` }];
  if (addDays(today, kind.warnDays) < until) return [];
  const days = daysBetween(today, until);
  return [{ ...row, kind: 'expiring', from: today, until, text: `${kind.title} ends on ${until} (in ${days} days).` }];
}

function opinions(attestation: Attestation, title: string): AttestationWarning[] {
  const opinion = attestation.facts?.opinion ?? 'unqualified';
  if (opinion === 'unqualified' || attestation.facts === null) return [];
  const { vendorId, id: attestationId, facts } = attestation;
  const from = facts.periodStart ?? facts.asOf ?? facts.issuedOn ?? '';
  const until = facts.periodEnd ?? facts.asOf ?? facts.issuedOn ?? '';
  return [
    {
      vendorId,
      attestationId,
      kind: 'opinion',
      isCovered: false,
      from,
      until,
      text: `The auditor's opinion in ${title} is ${opinion === 'disclaimer' ? 'a disclaimer' : opinion}.`,
    },
  ];
}

/**
 * Warnings of one vendor's attestations on a day. Only confirmed ones count. A bridge letter covers at most as many
 * months as its kind allows, whatever it says.
 */
export function attestationWarnings(
  attestations: readonly Attestation[],
  kinds: readonly AttestationKind[],
  today: string,
): AttestationWarning[] {
  const confirmed = attestations.filter(({ state }) => state === 'confirmed');
  const kindOf = (one: Attestation) => kinds.find(({ id }) => id === one.kind);
  const warnings: AttestationWarning[] = [];
  for (const chain of new Set(kinds.map((one) => one.chain))) {
    const mine = confirmed.filter((one) => kindOf(one)?.chain === chain);
    const letters = confirmed.flatMap((one) => {
      const rule = kindOf(one)?.bridges;
      return rule?.chain === chain ? periodsOf([one]).map((period) => ({ ...period, monthsMax: rule.monthsMax })) : [];
    });
    warnings.push(...letters.flatMap((letter) => tooLong(letter, letter.monthsMax)));
    const bridges = letters
      .map(({ monthsMax, ...letter }) => {
        const last = addDays(addMonths(letter.start, monthsMax), -1);
        return { ...letter, end: letter.end < last ? letter.end : last };
      })
      .sort((a, b) => (a.start < b.start ? -1 : 1));
    const rule = mine.map(kindOf).find((kind) => kind?.periods)?.periods;
    const reports = periodsOf(mine);
    const [first] = reports;
    if (rule && first) {
      const title = label(kinds, first.attestation.kind);
      const last = reports.reduce((best, one) => (one.end > best.end ? one : best));
      warnings.push(...gapsBetween(reports, bridges, title));
      warnings.push(...uncoveredSince(last, { bridges, openDays: rule.openDays, today, title }));
    }
    for (const one of mine) {
      const kind = kindOf(one);
      if (!kind || kind.bridges) continue;
      const until = one.validUntil ?? '';
      const isFollowed = mine.some((other) => other.id !== one.id && (other.validUntil ?? '') > until);
      warnings.push(...expiry(one, kind, isFollowed, today));
      if (!isFollowed) warnings.push(...opinions(one, kind.title));
    }
  }
  return warnings;
}
