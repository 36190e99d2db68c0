import {
  type BehaviourState,
  DAY_MS,
  type DayScore,
  type Facts,
  type FeatureGroup,
  HALF_LIFE_MS,
  LEARNING_DAYS,
  LEARNING_MS,
  type Term,
} from './behaviour.ts';
import { entityQuery } from './behaviour-query.ts';
import type { Candidate, ScoreContext } from './candidate.ts';
import { freshTerms } from './fresh-terms.ts';
import { whenTerms } from './when-terms.ts';
import { amountTerms } from './amount-terms.ts';

/** What lies within the usual ups and downs (one day in ten) adds nothing. */
const SURPRISE_MIN = 1;
/** One feature alone can't say more than one in 100,000: no baseline of weeks supports a smaller chance. */
const SURPRISE_MAX = 5;
/** Features of a group rise together: beside the strongest, the others count this much. */
const BESIDE = 0.25;
/** Terms under this are left out of what is stored. */
const CONTRIBUTION_MIN = 0.05;

/** What of the day's doings was unusual for this entity, and how much. Pure: the same facts give the same score. */
export function scoreDay(facts: Facts, context: ScoreContext): DayScore {
  const refused = new Set(context.feedback.filter(({ verdict }) => verdict === 'not-expected').map(({ day }) => day));
  // A day that somebody called wrong must not become the baseline of the days after it.
  const past = facts.days.filter(({ day }) => day < context.day && !refused.has(day));
  const today = facts.days.find(({ day }) => day === context.day);
  if (!today) return { state: stateOf(facts, context, past.length), score: 0, terms: [] };
  const candidates = [
    ...amountTerms(today, past, facts.type, context),
    ...freshTerms(facts, past.length, context),
    ...whenTerms(facts, past, context),
  ];
  const terms = weigh(candidates, facts, context);
  return {
    state: stateOf(facts, context, past.length),
    score: terms.reduce((sum, { contribution }) => sum + contribution, 0),
    terms,
  };
}

function stateOf(facts: Facts, { day }: ScoreContext, activeDays: number): BehaviourState {
  return day - facts.firstAt >= LEARNING_MS && activeDays >= LEARNING_DAYS ? 'known' : 'learning';
}

const surprise = (probability: number): number =>
  Math.min(SURPRISE_MAX, Math.max(0, -Math.log10(probability) - SURPRISE_MIN));

function weigh(candidates: readonly Candidate[], facts: Facts, { day }: ScoreContext): Term[] {
  const terms: Term[] = [];
  const groups = Map.groupBy(candidates, ({ group }) => group);
  for (const [, group] of groups) {
    const ordered = group.toSorted((a, b) => a.probability - b.probability);
    for (const [index, { narrow, ...candidate }] of ordered.entries()) {
      const contribution = surprise(candidate.probability) * (index === 0 ? 1 : BESIDE);
      if (contribution < CONTRIBUTION_MIN) continue;
      terms.push({
        ...candidate,
        contribution,
        from: day,
        to: day + DAY_MS,
        query: `${entityQuery(facts)}${narrow === '' ? '' : ` ${narrow}`}`,
        eventIds: candidate.eventIds ?? facts.sample,
      });
    }
  }
  return terms.sort((a, b) => b.contribution - a.contribution);
}

/** The running score: each day's counts half as much three days later; criticality scales the whole. */
export function runningScore(
  days: readonly { readonly day: number; readonly score: number }[],
  now: number,
  criticality: number,
): number {
  let sum = 0;
  for (const { day, score } of days) sum += score * 0.5 ** (Math.max(0, now - (day + DAY_MS)) / HALF_LIFE_MS);
  return sum * criticality;
}

/** A signal of a rule about the entity, weighed by its level, as a term of its day. */
export function signalTerm(
  signals: readonly { readonly level: string; readonly title: string; readonly eventIds: readonly string[] }[],
  facts: Pick<Facts, 'type' | 'id'>,
  day: number,
): Term | null {
  if (signals.length === 0) return null;
  const weights: Readonly<Record<string, number>> = { low: 0.5, medium: 1, high: 2, critical: 3 };
  const titles = new Map(signals.map((one) => [one.title, weights[one.level] ?? 0]));
  const contribution = Math.min(
    SIGNALS_MAX,
    [...titles.values()].reduce((sum, weight) => sum + weight, 0),
  );
  if (contribution === 0) return null;
  return {
    feature: 'signals',
    group: 'signals' satisfies FeatureGroup,
    value: [...titles.keys()].slice(0, 5).join('; '),
    observed: signals.length,
    baseline: { usual: 0, high: 0, days: 0, borrowed: 0 },
    peers: { count: 0, usual: null, organisation: null },
    probability: 10 ** -contribution,
    contribution,
    from: day,
    to: day + DAY_MS,
    query: entityQuery(facts),
    eventIds: signals.flatMap(({ eventIds }) => eventIds).slice(0, 10),
  };
}

/** Rules raise alerts of their own; here they only say that the unusual and the suspicious meet. */
const SIGNALS_MAX = 4;
