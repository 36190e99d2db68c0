import { type BehaviourType, DAY_MS, type DaySum, type Feature, type FeatureGroup, type Norm } from './behaviour.ts';
import type { Candidate, ScoreContext } from './candidate.ts';
import { median, spreadOf, upperTail } from './statistics.ts';

interface Amount {
  readonly feature: Feature;
  readonly group: FeatureGroup;
  readonly of: (day: DaySum) => number;
  readonly peer: (norm: Norm) => number;
  readonly words: (observed: number) => string;
  /** On a log scale: the spread is never taken for less, however regular an entity was. */
  readonly floor: number;
  readonly narrow: string;
}

const count = (word: string) => (value: number) => `${Math.round(value).toLocaleString('en')} ${word}`;

function bytes(value: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  return `${(value / 1000 ** step).toFixed(step === 0 ? 0 : 1)} ${units[step]} read`;
}

const AMOUNTS: readonly Amount[] = [
  {
    feature: 'events',
    group: 'amount',
    of: (day) => day.events,
    peer: (norm) => norm.events,
    words: count('events'),
    floor: 0.35,
    narrow: '',
  },
  {
    feature: 'bytes',
    group: 'amount',
    of: (day) => day.responseBytes,
    peer: (norm) => norm.responseBytes,
    words: bytes,
    floor: 0.5,
    narrow: '',
  },
  {
    feature: 'resources',
    group: 'amount',
    of: (day) => day.resources,
    peer: (norm) => norm.resources,
    words: count('records touched'),
    floor: 0.4,
    narrow: '',
  },
  {
    feature: 'failures',
    group: 'errors',
    of: (day) => day.failures,
    peer: (norm) => norm.failures,
    words: count('refused or failed'),
    floor: 0.6,
    narrow: 'status:failure',
  },
];

/** Days of its own after which an entity's baseline weighs as much as its peers'. */
const SHRINK_DAYS = 8;
/** The t distribution's point that one day in twenty lies above. */
const HIGH = 2.13;

/**
 * Amounts against the middle of the entity's own active days, on a log scale, pulled to its peers' middle while there
 * are few days. Weekends are compared with weekends where there are enough of them.
 */
export function amountTerms(
  today: DaySum,
  past: readonly DaySum[],
  type: BehaviourType,
  { peerNorms, feedback }: ScoreContext,
): Candidate[] {
  if (past.length === 0 && peerNorms.length === 0) return [];
  const alike = past.filter(({ day }) => isWeekend(day) === isWeekend(today.day));
  const own = alike.length >= 6 ? alike : past;
  return AMOUNTS.flatMap((amount) => {
    const observed = amount.of(today);
    if (observed === 0 || (type === 'resource' && amount.feature === 'resources')) return [];
    const logs = own.map((day) => Math.log1p(amount.of(day)));
    const peerMiddle = peerNorms.length === 0 ? null : median(peerNorms.map(amount.peer));
    const weight = peerMiddle === null ? 1 : own.length / (own.length + SHRINK_DAYS);
    const ownMiddle = median(logs);
    const middle = weight * ownMiddle + (1 - weight) * (peerMiddle ?? ownMiddle);
    // Few days say little about how far days lie apart.
    const spread = Math.max(amount.floor, spreadOf(logs, ownMiddle)) * Math.sqrt(1 + 4 / Math.max(1, own.length));
    const expected = feedback.filter((one) => one.verdict === 'expected' && one.feature === amount.feature);
    const raised = expected.reduce((most, one) => Math.max(most, Math.log1p(one.observed)), middle);
    const by = expected.find((one) => Math.log1p(one.observed) === raised);
    const probability = upperTail((Math.log1p(observed) - raised) / spread);
    return [
      {
        feature: amount.feature,
        group: amount.group,
        value: amount.words(observed),
        observed,
        baseline: {
          usual: Math.expm1(raised),
          high: Math.expm1(raised + HIGH * spread),
          days: own.length,
          borrowed: 1 - weight,
        },
        peers: {
          count: peerNorms.length,
          usual: peerMiddle === null ? null : Math.expm1(peerMiddle),
          organisation: null,
        },
        probability,
        narrow: amount.narrow,
        ...(by && { feedback: by.id }),
      },
    ];
  });
}

function isWeekend(day: number): boolean {
  // 1 January 1970 was a Thursday.
  const weekday = (Math.floor(day / DAY_MS) + 3) % 7;
  return weekday >= 5;
}
