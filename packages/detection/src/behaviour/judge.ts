import {
  type BehaviourType,
  behaviourKey,
  type DayScore,
  type Facet,
  type Facts,
  type Feedback,
  HISTORY_DAYS,
  type Norm,
} from './behaviour.ts';
import { noveltyRates } from './fresh-terms.ts';
import { findPeers, type Peer, type Work } from './peers.ts';
import { scoreDay } from './score.ts';

interface Key {
  readonly type: BehaviourType;
  readonly id: string;
}

/** What judging needs of the lake; `Lake['behaviour']` is one. */
export interface BehaviourPort {
  activeEntities(request: {
    readonly day: number;
    readonly since: number;
    readonly after?: Key | undefined;
    readonly limit: number;
  }): Promise<readonly (Key & { readonly name: string; readonly version: number })[]>;
  facts(request: {
    readonly entities: readonly (Key & { readonly name: string })[];
    readonly day: number;
    readonly historyDays: number;
    readonly relearn: readonly string[];
  }): Promise<readonly Facts[]>;
  norms(request: {
    readonly day: number;
    readonly historyDays: number;
    readonly limit: number;
  }): Promise<readonly Norm[]>;
  work(request: {
    readonly day: number;
    readonly historyDays: number;
    readonly limit: number;
  }): Promise<readonly Work[]>;
}

/** What entities are compared by on one day: their peers and the middles of each. */
export interface Society {
  readonly day: number;
  readonly peers: ReadonlyMap<string, readonly Peer[]>;
  readonly norms: ReadonlyMap<string, Norm>;
  readonly population: ReadonlyMap<string, number>;
}

const ENTITIES_MAX = 50_000;
const PEER_DAYS = 28;
const BATCH_ENTITIES = 200;

export async function loadSociety(port: BehaviourPort, day: number): Promise<Society> {
  const norms = await port.norms({ day, historyDays: HISTORY_DAYS, limit: ENTITIES_MAX });
  const work = await port.work({ day, historyDays: PEER_DAYS, limit: ENTITIES_MAX });
  const population = new Map<string, number>();
  for (const { type } of norms) population.set(type, (population.get(type) ?? 0) + 1);
  return {
    day,
    peers: findPeers(work),
    norms: new Map(norms.map((norm) => [`${norm.type}\0${norm.id}`, norm])),
    population,
  };
}

export interface Judged extends DayScore {
  readonly facts: Facts;
  readonly peers: readonly Peer[];
}

/**
 * Judges a day of every entity whose sums are newer than `since`, in batches: as much memory as one batch takes, however
 * many entities there are.
 */
export async function* judgeDay(
  port: BehaviourPort,
  request: {
    readonly day: number;
    readonly since: number;
    readonly society: Society;
    readonly feedback: readonly Feedback[];
    /** Only these; all when absent. */
    readonly only?: readonly (Key & { readonly name: string })[];
  },
): AsyncGenerator<readonly Judged[]> {
  const { day, since, society } = request;
  const byEntity = Map.groupBy(request.feedback, ({ entityKey }) => entityKey);
  let after: Key | undefined;
  for (;;) {
    const entities = request.only ?? (await port.activeEntities({ day, since, after, limit: BATCH_ENTITIES }));
    if (entities.length === 0) return;
    const relearn = entities.flatMap(({ type, id }) =>
      (byEntity.get(behaviourKey({ type, id })) ?? []).flatMap(({ verdict, feature, value }) =>
        verdict === 'not-expected' && value !== null && feature.startsWith('new-')
          ? [[type, id, feature.slice('new-'.length), value].join('\0')]
          : [],
      ),
    );
    const all = await port.facts({ entities, day, historyDays: HISTORY_DAYS, relearn });
    const rates = noveltyRates(all, day);
    yield all.map((facts) =>
      judge(facts, society, { day, feedback: byEntity.get(behaviourKey(facts)) ?? [], rates: rates.get(facts.type) }),
    );
    after = entities.at(-1);
    if (request.only || entities.length < BATCH_ENTITIES) return;
  }
}

function judge(
  facts: Facts,
  society: Society,
  {
    day,
    feedback,
    rates,
  }: { day: number; feedback: readonly Feedback[]; rates: ReadonlyMap<Facet, number> | undefined },
): Judged {
  const peers = society.peers.get(`${facts.type}\0${facts.id}`) ?? [];
  const score = scoreDay(facts, {
    day,
    peerNorms: peers.flatMap(({ id }) => society.norms.get(`${facts.type}\0${id}`) ?? []),
    peerIds: new Set(peers.map(({ id }) => id)),
    population: society.population.get(facts.type) ?? 0,
    noveltyRates: rates ?? new Map(),
    feedback,
  });
  return { ...score, facts, peers };
}
