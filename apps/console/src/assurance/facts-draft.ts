import type { Attestation, Facts } from './assurance-queries.ts';

/** The facts as a form holds them: lists are lines, nothing is empty text. */
export interface FactsDraft {
  readonly scope: string;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly asOf: string;
  readonly issuedOn: string;
  readonly expiresOn: string;
  readonly auditor: string;
  readonly opinion: string;
  readonly level: string;
  readonly certificate: string;
  readonly exceptions: string;
  readonly userControls: string;
  readonly subservice: string;
}
export type DraftField = keyof FactsDraft;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const lines = (value: unknown): string =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string').join('\n') : '';

function companies(value: unknown): string {
  if (!Array.isArray(value)) return '';
  return (value as Facts['subservice']) // as the API's schema has it
    .map(({ name, method }) => (method === null ? name : `${name} (${method})`))
    .join('\n');
}

/** What somebody confirmed before, or else what was read. */
export function draftOf({ facts, reading }: Attestation): FactsDraft {
  const read: Readonly<Record<string, unknown>> =
    facts ?? Object.fromEntries(reading.proposals.map(({ fact, value }) => [fact, value]));
  return {
    scope: text(read['scope']),
    periodStart: text(read['periodStart']),
    periodEnd: text(read['periodEnd']),
    asOf: text(read['asOf']),
    issuedOn: text(read['issuedOn']),
    expiresOn: text(read['expiresOn']),
    auditor: text(read['auditor']),
    opinion: text(read['opinion']),
    level: text(read['level']),
    certificate: text(read['certificate']),
    exceptions: lines(read['exceptions']),
    userControls: lines(read['userControls']),
    subservice: companies(read['subservice']),
  };
}

const linesOf = (value: string): string[] =>
  value
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
const dayOf = (value: string): string | null => (value.trim() === '' ? null : value.trim());

const OPINIONS = ['unqualified', 'qualified', 'adverse', 'disclaimer'] as const;
const METHODS = ['carve-out', 'inclusive'] as const;

/** The facts as the API takes them. */
export function factsOf(draft: FactsDraft): Facts {
  return {
    scope: draft.scope,
    periodStart: dayOf(draft.periodStart),
    periodEnd: dayOf(draft.periodEnd),
    asOf: dayOf(draft.asOf),
    issuedOn: dayOf(draft.issuedOn),
    expiresOn: dayOf(draft.expiresOn),
    auditor: draft.auditor,
    opinion: OPINIONS.find((one) => one === draft.opinion) ?? null,
    level: draft.level,
    certificate: draft.certificate,
    exceptions: linesOf(draft.exceptions),
    userControls: linesOf(draft.userControls),
    subservice: linesOf(draft.subservice).map((line) => {
      const method = METHODS.find((one) => line.toLowerCase().endsWith(`(${one})`)) ?? null;
      return { name: method === null ? line : line.slice(0, line.lastIndexOf('(')).trim(), method };
    }),
  };
}
