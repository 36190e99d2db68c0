/** What behaviour is scored from and what a score opens into. Times are milliseconds since the epoch, days in UTC. */

export const ENTITY_TYPES = ['person', 'account', 'integration', 'oauth-app', 'edge', 'network', 'resource'] as const;
export type BehaviourType = (typeof ENTITY_TYPES)[number];

export const FACETS = ['operation', 'app', 'scope', 'network', 'client', 'country', 'resource', 'actor'] as const;
export type Facet = (typeof FACETS)[number];

export interface DaySum {
  readonly day: number;
  readonly events: number;
  readonly failures: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly operations: number;
  readonly resources: number;
  readonly actors: number;
}

export interface Fresh {
  readonly facet: Facet;
  readonly value: string;
  readonly events: number;
  readonly firstAt: number;
  readonly sample: readonly string[];
  readonly seenBy: readonly string[];
}

/** The port to the lake: `Lake['behaviour'].facts` gives these. */
export interface Facts {
  readonly type: BehaviourType;
  readonly id: string;
  readonly name: string;
  readonly firstAt: number;
  readonly days: readonly DaySum[];
  readonly slots: Readonly<Record<number, number>>;
  readonly hours: readonly number[];
  readonly fresh: readonly Fresh[];
  readonly novelty: readonly { readonly facet: Facet; readonly day: number; readonly count: number }[];
  readonly sample: readonly string[];
}

export interface Norm {
  readonly type: BehaviourType;
  readonly id: string;
  readonly activeDays: number;
  readonly events: number;
  readonly failures: number;
  readonly responseBytes: number;
  readonly resources: number;
}

export type FeatureGroup = 'amount' | 'where' | 'how' | 'what' | 'when' | 'errors' | 'signals';

const VOLUME_FEATURES = ['events', 'bytes', 'resources', 'failures'] as const;
export const FEATURES = [
  ...VOLUME_FEATURES,
  'hour',
  'dormant',
  'signals',
  ...(['operation', 'app', 'scope', 'network', 'client', 'country', 'resource', 'actor'] as const).map(
    (facet) => `new-${facet}` as const,
  ),
] as const;
export type Feature = (typeof FEATURES)[number];

/** One reason for a score, with all that it follows from. */
export interface Term {
  readonly feature: Feature;
  readonly group: FeatureGroup;
  /** What was seen, in words or figures a person reads: `203.0.113.0/24`, `4,200 events`. */
  readonly value: string;
  readonly observed: number;
  readonly baseline: {
    /** The usual value, in the unit of `observed`. */
    readonly usual: number;
    /** What is still usual: about one day in twenty lies above. */
    readonly high: number;
    /** Days of its own that it rests on. */
    readonly days: number;
    /** How much of it is borrowed from peers, 0 to 1. */
    readonly borrowed: number;
  };
  readonly peers: {
    readonly count: number;
    /** The peers' usual value, or the share of them that was seen with it; null when there is none. */
    readonly usual: number | null;
    /** Share of all entities of the kind that was seen with it; null for amounts. */
    readonly organisation: number | null;
  };
  /** Chance of this or more on a day like others. */
  readonly probability: number;
  /** What it adds to the day's score, after correlated features were grouped. */
  readonly contribution: number;
  readonly from: number;
  readonly to: number;
  /** In the lake's search language: shows the events. */
  readonly query: string;
  readonly eventIds: readonly string[];
  /** Feedback that changed the baseline of this term. */
  readonly feedback?: string;
}

export type BehaviourState = 'learning' | 'known';

export interface DayScore {
  readonly state: BehaviourState;
  readonly score: number;
  readonly terms: readonly Term[];
}

/** A person's word on a term, in force until it ends. */
export interface Feedback {
  readonly id: string;
  readonly entityKey: string;
  readonly feature: Feature;
  /** The value for `new-…` features; null for amounts, the hour and dormancy. */
  readonly value: string | null;
  readonly verdict: 'expected' | 'not-expected';
  /** The observed figure of the term: up to here an expected amount is usual from now on. */
  readonly observed: number;
  readonly day: number;
  readonly reason: string;
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly createdBy: string;
}

export const DAY_MS = 86_400_000;
export const HISTORY_DAYS = 56;
/** An entity is known after this long and with this many active days; before, nothing is alerted about. */
export const LEARNING_MS = 14 * DAY_MS;
export const LEARNING_DAYS = 5;
/** A day's score counts half after this long. */
export const HALF_LIFE_MS = 3 * DAY_MS;

export function behaviourKey({ type, id }: { readonly type: string; readonly id: string }): string {
  return `${type}:${id.toLowerCase()}`;
}
