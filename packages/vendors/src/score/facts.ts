import type { ANSWER_STATES, DATA_LABELS, Severity } from './weights.ts';

/** Where a person finds what a term speaks of, as a path of the console; null: it has no page of its own. */
export type SourceLink = string | null;

interface Sourced {
  /** Names the fact among all of its vendor, and stays the same while the fact does. */
  readonly key: string;
  readonly title: string;
  readonly link: SourceLink;
}

export interface DataFact extends Sourced {
  readonly label: (typeof DATA_LABELS)[number];
  readonly values: number;
}
export interface ScopeFact extends Sourced {
  readonly reach: 'all' | 'write' | 'read';
}
export interface QuestionnaireFact extends Sourced {
  readonly answers: readonly { readonly id: string; readonly state: (typeof ANSWER_STATES)[number] }[];
}
export interface AttestationFact extends Sourced {
  readonly strength: 'strong' | 'medium' | 'weak';
  /** Only what a person confirmed and what is in force counts. */
  readonly isValid: boolean;
}
export interface ClauseFact extends Sourced {
  readonly severity: 'high' | 'medium' | 'low';
  readonly state: 'present' | 'weaker' | 'missing';
}
/** Something open that somebody or something found. */
export interface FindingFact extends Sourced {
  readonly severity: Severity;
  readonly isOverdue: boolean;
}
export interface BreachFact extends Sourced {
  readonly severity: Severity;
  readonly ageMs: number;
}
export interface SeenFact extends Sourced {
  readonly severity: Severity;
}

/** Everything that is known of a vendor, as far as it counts. */
export interface ScoreFacts {
  readonly data: readonly DataFact[];
  readonly scopes: readonly ScopeFact[];
  /** Calls of 90 days. */
  readonly calls: { readonly count: number; readonly link: SourceLink };
  readonly questionnaires: readonly QuestionnaireFact[];
  readonly attestations: readonly AttestationFact[];
  readonly clauses: readonly ClauseFact[];
  readonly findings: readonly FindingFact[];
  readonly breaches: readonly BreachFact[];
  readonly transport: readonly SeenFact[];
  readonly posture: readonly SeenFact[];
  readonly contradictions: readonly SeenFact[];
}

export const NO_FACTS: ScoreFacts = {
  data: [],
  scopes: [],
  calls: { count: 0, link: null },
  questionnaires: [],
  attestations: [],
  clauses: [],
  findings: [],
  breaches: [],
  transport: [],
  posture: [],
  contradictions: [],
};
