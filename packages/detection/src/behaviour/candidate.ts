import type { Facet, Feedback, Norm, Term } from './behaviour.ts';

/** A term before its group is weighed. */
export interface Candidate extends Omit<Term, 'contribution' | 'from' | 'to' | 'query' | 'eventIds'> {
  /** Narrows the query to the term's events: a piece of the search language, or nothing. */
  readonly narrow: string;
  readonly eventIds?: readonly string[];
}

export interface ScoreContext {
  readonly day: number;
  /** Of the entity's peers, those that are known. */
  readonly peerNorms: readonly Norm[];
  readonly peerIds: ReadonlySet<string>;
  /** How many entities of the kind there are. */
  readonly population: number;
  /** New values a day for an entity of the kind, by facet. */
  readonly noveltyRates: ReadonlyMap<Facet, number>;
  /** Feedback in force about this entity. */
  readonly feedback: readonly Feedback[];
}
