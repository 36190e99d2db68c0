import { DAY_MS, type Facet, type Facts, type FeatureGroup, type Fresh } from './behaviour.ts';
import { valueQuery } from './behaviour-query.ts';
import type { Candidate, ScoreContext } from './candidate.ts';
import { atLeast } from './statistics.ts';

/** In its first week everything is new to an entity: meetings of those days say nothing of how often it meets new. */
const FIRST_MS = 7 * DAY_MS;
/** How often its kind meets something new weighs like this many days of the entity's own. */
const BORROWED_DAYS = 10;
/** Even where nobody ever met anything new: once a year. */
const RATE_MIN = 1 / 365;

const GROUPS: Readonly<Record<Facet, FeatureGroup>> = {
  operation: 'what',
  app: 'what',
  scope: 'what',
  resource: 'what',
  network: 'where',
  client: 'how',
  country: 'where',
  actor: 'where',
};
const WORDS: Readonly<Record<Facet, string>> = {
  operation: 'operations',
  app: 'apps',
  scope: 'scopes',
  resource: 'records',
  network: 'networks',
  client: 'clients',
  country: 'countries',
  actor: 'actors',
};

/** How little a value says because others are seen with it: 1 for one that nobody has, near 0 for one that all have. */
function rarity({ seenBy }: Fresh, { peerIds, population }: ScoreContext): number {
  const peers = seenBy.filter((id) => peerIds.has(id)).length;
  const byPeers = peerIds.size === 0 ? 0 : peers / peerIds.size;
  const byAll = population <= 1 ? 0 : Math.min(1, seenBy.length / (population - 1));
  // A tenth of the peers makes it half as strange: a thing that spreads has to begin somewhere.
  return (1 - byAll) ** 4 * Math.exp(-7 * byPeers);
}

/**
 * Values that the entity was never seen with. Each counts by its rarity among peers and in the organisation; their sum
 * is held against how often this entity meets something new anyway.
 */
export function freshTerms(facts: Facts, activeDays: number, context: ScoreContext): Candidate[] {
  const candidates: Candidate[] = [];
  for (const [facet, values] of Map.groupBy(facts.fresh, (one) => one.facet)) {
    // A network or record is what it is; who uses it and how is what can be new.
    if (facts.type === 'network' && facet === 'network') continue;
    if (facts.type === 'resource' && facet === 'resource') continue;
    const own = values.filter((one) => expectedBy(one, context) === undefined);
    if (own.length === 0) continue;
    const weights = own.map((one) => ({ one, weight: rarity(one, context) })).sort((a, b) => b.weight - a.weight);
    const sum = weights.reduce((total, { weight }) => total + weight, 0);
    const settled = facts.novelty.filter((one) => one.facet === facet && one.day >= facts.firstAt + FIRST_MS);
    const met = settled.reduce((total, { count }) => total + count, 0);
    const daysAfter = Math.max(1, Math.min(activeDays, (context.day - facts.firstAt - FIRST_MS) / DAY_MS));
    const rate = Math.max(RATE_MIN, context.noveltyRates.get(facet) ?? RATE_MIN);
    const mean = (met + rate * BORROWED_DAYS) / (daysAfter + BORROWED_DAYS);
    const first = weights[0]?.one;
    if (!first) continue;
    const peers = first.seenBy.filter((id) => context.peerIds.has(id)).length;
    candidates.push({
      feature: `new-${facet}`,
      group: GROUPS[facet],
      value: own.length === 1 ? first.value : `${first.value} and ${own.length - 1} other ${WORDS[facet]}`,
      observed: own.length,
      baseline: {
        usual: mean,
        high: Math.ceil(mean + 2 * Math.sqrt(mean)),
        days: activeDays,
        borrowed: BORROWED_DAYS / (daysAfter + BORROWED_DAYS),
      },
      peers: {
        count: context.peerIds.size,
        usual: context.peerIds.size === 0 ? null : peers / context.peerIds.size,
        organisation: context.population <= 1 ? null : first.seenBy.length / (context.population - 1),
      },
      probability: atLeast(sum, mean),
      narrow: own.length === 1 ? valueQuery(facet, first.value) : '',
      eventIds: own.flatMap(({ sample }) => sample).slice(0, 10),
    });
  }
  return candidates;
}

/** How many new values of each facet an entity of a kind meets a day, once its first week is over. */
export function noveltyRates(all: readonly Facts[], day: number): Map<string, Map<Facet, number>> {
  const rates = new Map<string, Map<Facet, number>>();
  for (const [type, kind] of Map.groupBy(all, (one) => one.type)) {
    const met = new Map<Facet, number>();
    let days = 0;
    for (const facts of kind) {
      const from = facts.firstAt + FIRST_MS;
      days += facts.days.filter((one) => one.day >= from && one.day < day).length;
      for (const one of facts.novelty) if (one.day >= from) met.set(one.facet, (met.get(one.facet) ?? 0) + one.count);
    }
    rates.set(type, new Map([...met].map(([facet, count]) => [facet, count / Math.max(1, days)])));
  }
  return rates;
}

function expectedBy({ facet, value }: Fresh, { feedback }: ScoreContext): string | undefined {
  return feedback.find(
    (one) =>
      one.verdict === 'expected' && one.feature === `new-${facet}` && (one.value === null || one.value === value),
  )?.id;
}
