import type { Document } from '../files/read-document.ts';
import { ContentUnrecognised } from '../errors.ts';
import type { Clause } from './clause.ts';
import { type ContractText, normaliseContract } from './contract-text.ts';
import type { Duration } from './duration.ts';
import { type Reading, readSentence } from './sentence-reading.ts';
import { splitSentences } from './sentence.ts';

/** A passage of the contract: places in the text as it was read, pages from 1. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly page: number;
  readonly text: string;
}

/** A time limit of the contract, bound to the sentence that names it. */
export interface Clock {
  readonly clause: string;
  readonly unit: Duration['unit'] | null;
  readonly value: number | null;
  /** Null for business day(s), which no number of hours stands for, and for haste without a number. */
  readonly hours: number | null;
  readonly businessDays: number | null;
  /** Haste without a number, as the sentence words it: "without undue delay". */
  readonly qualifier: string | null;
  readonly text: string;
  readonly span: Span;
}

export interface ClauseResult {
  readonly id: string;
  readonly title: string;
  readonly severity: Clause['severity'];
  readonly status: 'present' | 'weaker' | 'negated' | 'missing';
  readonly reasons: readonly string[];
  readonly references: Clause['references'];
  readonly spans: readonly Span[];
  readonly clock: Clock | null;
}

export interface ContractCheck {
  readonly kind: Document['kind'];
  readonly characters: number;
  readonly clauses: readonly ClauseResult[];
  readonly clocks: readonly Clock[];
  readonly findings: readonly {
    readonly clause: string;
    readonly severity: Clause['severity'];
    readonly problem: string;
  }[];
}

const SPANS_MAX = 8;
const TEXT_CHARS_MIN = 40;

function spanOf(contract: ContractText, pageStarts: readonly number[], start: number, end: number): Span {
  const from = contract.places[start] ?? 0;
  const to = (contract.places[end - 1] ?? from) + 1;
  const page = pageStarts.filter((at) => at <= from).length;
  return { start: from, end: to, page, text: contract.text.slice(start, end) };
}

function clockOf(clause: Clause, reading: Reading, contract: ContractText, pages: readonly number[]): Clock | null {
  const { clock, qualifier, sentence } = reading;
  if (!clock && qualifier === null) return null;
  const [start, end] = clock
    ? [sentence.start + clock.start, sentence.start + clock.end]
    : [sentence.start, sentence.end];
  return {
    clause: clause.id,
    unit: clock?.unit ?? null,
    value: clock?.value ?? null,
    hours: clock?.hours ?? null,
    businessDays: clock?.unit === 'business_days' ? clock.value : null,
    qualifier,
    text: clock?.text ?? qualifier ?? '',
    span: spanOf(contract, pages, start, end),
  };
}

/** What the policy has against the clock that a clause names. */
function judgeClock(rule: Clause['clock'], reading: Reading): string[] {
  if (!rule) return [];
  const duration = rule.kind === 'at_least' ? (reading.clock ?? reading.durations[0] ?? null) : reading.clock;
  const reasons = duration?.isAmbiguous ? [`Words and figures differ: ${duration.text}.`] : [];
  if (!duration) {
    const haste = reading.qualifier === null ? '' : `, only "${reading.qualifier}"`;
    return rule.kind === 'any' ? [] : [`It names no number${haste}.`];
  }
  if (rule.kind === 'at_most') {
    if (duration.unit === 'business_days') {
      return [
        ...reasons,
        `It counts ${duration.value} business day(s), which weekends and holidays stretch beyond ${rule.hours} hours.`,
      ];
    }
    if (duration.hours === null || duration.hours > rule.hours) {
      reasons.push(`It allows ${duration.text}; the policy allows ${rule.hours} hours.`);
    }
  }
  if (rule.kind === 'at_least') {
    const days =
      duration.unit === 'business_days' ? duration.value * 1.4 : (duration.hours ?? Number.POSITIVE_INFINITY) / 24;
    if (days < rule.days) reasons.push(`It gives ${duration.text}; the policy wants ${rule.days} days.`);
  }
  return reasons;
}

function judge(
  clause: Clause,
  readings: readonly Reading[],
): { status: ClauseResult['status']; reasons: string[]; main: Reading | null } {
  if (readings.length === 0)
    return { status: 'missing', reasons: ['No sentence of the contract says it.'], main: null };
  const judged = readings.map((reading) => {
    const clock = reading.stance === 'denies' ? [] : judgeClock(clause.clock, reading);
    const reasons = [...reading.reasons, ...clock];
    return {
      reading,
      reasons,
      rank: reading.stance === 'denies' ? 1_000 : reasons.length * 10 + (reading.clock ? 0 : 1),
    };
  });
  // The sentence that binds most speaks for the clause; the first of equals, since contracts begin with the rule.
  const sorted = judged.toSorted((a, b) => a.rank - b.rank);
  const best =
    clause.speaks === 'best' ? sorted[0] : (sorted.findLast(({ reading }) => reading.stance !== 'denies') ?? sorted[0]);
  if (!best) return { status: 'missing', reasons: [], main: null };
  if (best.reading.stance === 'denies') return { status: 'negated', reasons: [...best.reasons], main: best.reading };
  const all = readings.map(({ sentence }) => sentence.text).join(' ');
  const reasons = [...best.reasons, ...clause.requires.filter(({ say }) => !say.test(all)).map(({ reason }) => reason)];
  const denial = judged.find(({ reading }) => reading.stance === 'denies');
  if (denial) reasons.push(`Another sentence denies it: "${denial.reading.sentence.text.slice(0, 160)}"`);
  return { status: reasons.length > 0 ? 'weaker' : 'present', reasons, main: best.reading };
}

/** Checks a contract's text against the clause library. Pages are joined; places count in the joined text. */
export function checkContract(document: Document, clauses: readonly Clause[]): ContractCheck {
  if (document.kind === 'workbook') throw new ContentUnrecognised('A contract is a PDF, a Word document or text.');
  const pageStarts: number[] = [];
  let source = '';
  for (const page of document.pages) {
    pageStarts.push(source.length);
    source += `${page}\n`;
  }
  if (source.trim().length < TEXT_CHARS_MIN) {
    throw new ContentUnrecognised('The file holds no text. A scanned contract must be given with its text (OCR).');
  }
  const contract = normaliseContract(source);
  const sentences = splitSentences(contract.text);
  const results = clauses.map((clause): ClauseResult => {
    const readings = sentences.map((sentence) => readSentence(sentence, clause)).filter((one) => one !== null);
    const { status, reasons, main } = judge(clause, readings);
    const ordered = main ? [main, ...readings.filter((one) => one !== main)] : readings;
    return {
      id: clause.id,
      title: clause.title,
      severity: clause.severity,
      status,
      reasons: [...new Set(reasons)],
      references: clause.references,
      spans: ordered
        .slice(0, SPANS_MAX)
        .map(({ sentence }) => spanOf(contract, pageStarts, sentence.start, sentence.end)),
      clock: main && status !== 'negated' && clause.clock ? clockOf(clause, main, contract, pageStarts) : null,
    };
  });
  return {
    kind: document.kind,
    characters: source.length,
    clauses: results,
    clocks: results.map(({ clock }) => clock).filter((clock) => clock !== null),
    findings: results
      .filter(({ status }) => status !== 'present')
      .map(({ id, severity, status, reasons }) => ({
        clause: id,
        severity,
        problem: status === 'missing' ? 'The contract does not hold this clause.' : reasons.join(' '),
      })),
  };
}
