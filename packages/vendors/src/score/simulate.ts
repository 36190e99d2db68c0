import { InputInvalid } from '../errors.ts';
import type { ScoreFacts } from './facts.ts';
import { type Score, scoreOf } from './score.ts';
import type { Weights } from './weights.ts';

export interface Simulation {
  readonly before: Score;
  readonly after: Score;
  /** What was taken as mended, in the words of the rows. */
  readonly fixed: readonly string[];
}

/** The facts as they would be if what the keys name were mended: gaps closed, findings gone, grants reading only. */
function mend(facts: ScoreFacts, keys: ReadonlySet<string>): ScoreFacts {
  const without = <Fact extends { readonly key: string }>(list: readonly Fact[]): Fact[] =>
    list.filter(({ key }) => !keys.has(key));
  return {
    ...facts,
    scopes: facts.scopes.map((one) => (keys.has(one.key) ? { ...one, reach: 'read' } : one)),
    questionnaires: facts.questionnaires.map((one) =>
      keys.has(one.key) ? { ...one, answers: one.answers.map(({ id }) => ({ id, state: 'evidenced' as const })) } : one,
    ),
    attestations: facts.attestations.map((one) => (keys.has(one.key) ? { ...one, isValid: true } : one)),
    clauses: facts.clauses.map((one) => (keys.has(one.key) ? { ...one, state: 'present' } : one)),
    findings: without(facts.findings),
    transport: without(facts.transport),
    posture: without(facts.posture),
    contradictions: without(facts.contradictions),
  };
}

/** What the score would be if these rows were mended. Throws `InputInvalid` for a key that no row has, or none can mend. */
export function simulate(facts: ScoreFacts, weights: Weights, keys: readonly string[]): Simulation {
  const before = scoreOf(facts, weights);
  const fixed = keys.map((key) => {
    const row = before.rows.find((one) => one.key === key);
    if (!row) throw new InputInvalid(`No term of the score is named ${key}.`, { key });
    if (!row.isFixable) throw new InputInvalid(`${row.what}: that is nothing a vendor can mend.`, { key });
    return row.what;
  });
  return { before, after: scoreOf(mend(facts, new Set(keys)), weights), fixed };
}
