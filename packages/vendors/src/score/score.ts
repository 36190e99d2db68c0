import type { ScoreFacts, SourceLink } from './facts.ts';
import type { Weights } from './weights.ts';

export const GROUPS = [
  'data',
  'scope',
  'volume',
  'questionnaire',
  'attestation',
  'clause',
  'finding',
  'breach',
  'transport',
  'posture',
  'contradiction',
  'bounds',
] as const;
export type ScoreGroup = (typeof GROUPS)[number];

/** One term. The score is the sum of `points` over all rows, and nothing else. */
export interface ScoreRow {
  readonly key: string;
  readonly part: 'inherent' | 'residual';
  readonly group: ScoreGroup;
  /** What the term speaks of. */
  readonly what: string;
  /** What was seen or said. */
  readonly value: string;
  /** The rule by which that gives points. */
  readonly weight: string;
  readonly points: number;
  readonly link: SourceLink;
  /** Whether a vendor can better it, so that one may ask what if. */
  readonly isFixable: boolean;
}

export interface Score {
  /** 0 to 100: what rests on the vendor. The sum of the inherent rows. */
  readonly inherent: number;
  /** 0 to 100: what is left of it, and what was seen. The sum of all rows. */
  readonly residual: number;
  readonly rows: readonly ScoreRow[];
}

const YEAR_MS = 365 * 86_400_000;
const LEAST = 0;
const MOST = 100;

type Draft = Omit<ScoreRow, 'part' | 'group' | 'isFixable'>;

const sumOf = (rows: readonly { readonly points: number }[]): number =>
  rows.reduce((sum, { points }) => sum + points, 0);

/** A group's rows, and where they come to more than the group may, one row that says so and takes the rest back. */
function group(
  part: ScoreRow['part'],
  name: ScoreGroup,
  drafts: readonly Draft[],
  most: { readonly points: number; readonly isCredit?: boolean } | null,
  isFixable: boolean,
): ScoreRow[] {
  const rows = drafts.map((draft): ScoreRow => ({ ...draft, part, group: name, isFixable }));
  if (most === null) return rows;
  const sum = sumOf(rows);
  const limit = most.isCredit ? -most.points : most.points;
  const back = most.isCredit ? Math.max(0, limit - sum) : Math.min(0, limit - sum);
  if (back === 0) return rows;
  const weight = `together ${limit} at most`;
  const what = `Limit of ${name}`;
  const row = { key: `${name}:limit`, what, value: String(sum), weight, points: back, link: null };
  return [...rows, { ...row, part, group: name, isFixable: false }];
}

function bound(part: ScoreRow['part'], rows: readonly ScoreRow[]): ScoreRow[] {
  const sum = sumOf(rows);
  const points = Math.min(MOST, Math.max(LEAST, sum)) - sum;
  if (points === 0) return [];
  const what = part === 'inherent' ? 'Bounds of the inherent risk' : 'Bounds of the score';
  const weight = `not below ${LEAST}, not above ${MOST}`;
  const row = { key: `bounds:${part}`, part, group: 'bounds' as const, what, value: String(sum), weight, points };
  return [{ ...row, link: null, isFixable: false }];
}

function stepPoints(steps: Weights['inherent']['calls'], count: number): number {
  return steps.findLast(({ from }) => count >= from)?.points ?? 0;
}

function volume(facts: ScoreFacts, weights: Weights): Draft[] {
  const values = facts.data.reduce((sum, one) => sum + one.values, 0);
  const levels = (steps: Weights['inherent']['calls']): string =>
    steps.map(({ from, points }) => `from ${from}: ${points}`).join(', ');
  const { calls: callSteps, values: valueSteps } = weights.inherent;
  return [
    {
      key: 'volume:calls',
      what: 'Calls in 90 days',
      value: String(facts.calls.count),
      weight: levels(callSteps),
      points: stepPoints(callSteps, facts.calls.count),
      link: facts.calls.link,
    },
    {
      key: 'volume:values',
      what: 'Sensitive values in 90 days',
      value: String(values),
      weight: levels(valueSteps),
      points: stepPoints(valueSteps, values),
      link: facts.calls.link,
    },
  ];
}

function inherentRows(facts: ScoreFacts, weights: Weights): ScoreRow[] {
  const { inherent } = weights;
  const data = facts.data.map(({ key, title, link, label, values }) => ({
    key,
    what: title,
    value: `${label}, ${values} values seen`,
    weight: `${label}: ${inherent.data[label]}`,
    points: inherent.data[label],
    link,
  }));
  const scopes = facts.scopes.map(({ key, title, link, reach }) => ({
    key,
    what: title,
    value: reach === 'all' ? 'all operations' : reach === 'write' ? 'operations that write' : 'reading only',
    weight: `${reach}: ${inherent.scope[reach]}`,
    points: inherent.scope[reach],
    link,
  }));
  const rows = [
    ...group('inherent', 'data', data, { points: inherent.data_most }, false),
    ...group('inherent', 'scope', scopes, { points: inherent.scope_most }, true),
    ...group('inherent', 'volume', volume(facts, weights), null, false),
  ];
  return [...rows, ...bound('inherent', rows)];
}

/** Zero, never minus zero: rows are compared and written as text. */
const negative = (points: number): number => (points === 0 ? 0 : -points);

function proofRows(facts: ScoreFacts, { proofs }: Weights): ScoreRow[] {
  const best = Math.max(1, proofs.answer.evidenced);
  const questionnaires = facts.questionnaires.map(({ key, title, link, answers }) => {
    const sum = answers.reduce((total, { state }) => total + proofs.answer[state], 0);
    const count = (state: keyof typeof proofs.answer): number => answers.filter((one) => one.state === state).length;
    const share = answers.length === 0 ? 0 : sum / (best * answers.length);
    return {
      key,
      what: title,
      value:
        `${answers.length} questions: ${count('evidenced')} accepted with evidence, ${count('accepted')} accepted, ` +
        `${count('claimed')} only claimed, ${count('open')} open, ${count('contradicted')} contradicted`,
      weight: `${proofs.questionnaire} when all are accepted with evidence; rounded down`,
      points: negative(Math.floor(proofs.questionnaire * share)),
      link,
    };
  });
  const attestations = facts.attestations.map(({ key, title, link, strength, isValid }) => ({
    key,
    what: title,
    value: isValid ? 'in force' : 'not in force, or not confirmed',
    weight: `${strength}: ${proofs.attestation[strength]} while in force`,
    points: isValid ? negative(proofs.attestation[strength]) : 0,
    link,
  }));
  const clauses = facts.clauses.map(({ key, title, link, severity, state }) => {
    const worth = proofs.clause[severity];
    const points = state === 'present' ? worth : state === 'weaker' ? Math.floor(worth / 2) : 0;
    const weight = `${severity}: ${worth}; weaker counts half, rounded down`;
    return { key, what: title, value: state, weight, points: negative(points), link };
  });
  return [
    ...group('residual', 'questionnaire', questionnaires, { points: proofs.questionnaire_most, isCredit: true }, true),
    ...group('residual', 'attestation', attestations, { points: proofs.attestation_most, isCredit: true }, true),
    ...group('residual', 'clause', clauses, { points: proofs.clause_most, isCredit: true }, true),
  ];
}

function seenRows(facts: ScoreFacts, { seen }: Weights): ScoreRow[] {
  const findings = facts.findings.map(({ key, title, link, severity, isOverdue }) => ({
    key,
    what: title,
    value: isOverdue ? `${severity}, overdue` : severity,
    weight: `${severity}: ${seen.finding[severity]}, overdue ${seen.overdue} more`,
    points: seen.finding[severity] + (isOverdue ? seen.overdue : 0),
    link,
  }));
  const breaches = facts.breaches.map(({ key, title, link, severity, ageMs }) => {
    const years = Math.max(0, Math.floor(ageMs / YEAR_MS));
    const value = `${severity}, ${years === 0 ? 'less than a year' : `${years} years`} ago`;
    const weight = `${severity}: ${seen.breach[severity]}, halved each year`;
    return { key, what: title, value, weight, points: Math.floor(seen.breach[severity] / 2 ** years), link };
  });
  const plain = (name: 'transport' | 'posture' | 'contradiction', list: ScoreFacts['transport']): Draft[] =>
    list.map(({ key, title, link, severity }) => ({
      key,
      what: title,
      value: severity,
      weight: `${severity}: ${seen[name][severity]}`,
      points: seen[name][severity],
      link,
    }));
  return [
    ...group('residual', 'finding', findings, { points: seen.finding_most }, true),
    ...group('residual', 'breach', breaches, { points: seen.breach_most }, false),
    ...group('residual', 'transport', plain('transport', facts.transport), { points: seen.transport_most }, true),
    ...group('residual', 'posture', plain('posture', facts.posture), { points: seen.posture_most }, true),
    ...group(
      'residual',
      'contradiction',
      plain('contradiction', facts.contradictions),
      { points: seen.contradiction_most },
      true,
    ),
  ];
}

/** Weighs what is known. Pure: the same facts and weights give the same rows. */
export function scoreOf(facts: ScoreFacts, weights: Weights): Score {
  const inherent = inherentRows(facts, weights);
  const open = [...inherent, ...proofRows(facts, weights), ...seenRows(facts, weights)];
  const rows = [...open, ...bound('residual', open)];
  return { inherent: sumOf(inherent), residual: sumOf(rows), rows };
}
