import type { Catalogue } from './catalogue.ts';
import { readHost, registrableOf } from './host.ts';
import type { Sighting } from './sighting.ts';

/** Pairs of app and person that are told apart in one file; who comes after counts as one nameless user. */
export const PAIRS_MAX = 100_000;
/** Domains of no known app that are told, the busiest. */
export const UNKNOWN_MAX = 500;
const UNKNOWN_HELD_MAX = 20_000;

export interface Use {
  readonly app: string;
  /** Person, account or address; empty: not said. */
  readonly who: string;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly events: number;
  readonly bytes: number;
}

export interface UnknownDomain {
  readonly domain: string;
  readonly events: number;
  readonly bytes: number;
}

export interface Tally {
  add(sighting: Sighting): void;
  uses(): Use[];
  unknown(): UnknownDomain[];
}

interface Count {
  firstAt: number;
  lastAt: number;
  events: number;
  bytes: number;
}

/** Adds up traces by app and user in bounded memory. `now` stands for what lines do not date. */
export function createTally(catalogue: Catalogue, now: number): Tally {
  const pairs = new Map<string, { app: string; who: string; count: Count }>();
  let unknown = new Map<string, { events: number; bytes: number }>();
  // A log asks for the same few hosts over and over.
  const known = new Map<string, string | null>();

  const appOf = (host: string): string | null => {
    const remembered = known.get(host);
    if (remembered !== undefined) return remembered;
    if (known.size > UNKNOWN_HELD_MAX) known.clear();
    const id = catalogue.byHost(host)?.id ?? null;
    known.set(host, id);
    return id;
  };
  const addUnknown = (host: string, bytes: number): void => {
    const domain = registrableOf(host);
    const before = unknown.get(domain);
    if (before) {
      before.events += 1;
      before.bytes += bytes;
      return;
    }
    if (unknown.size >= UNKNOWN_HELD_MAX) unknown = new Map(busiest(unknown).slice(0, UNKNOWN_HELD_MAX / 2));
    unknown.set(domain, { events: 1, bytes });
  };
  return {
    add({ host, merchant, who: given, at: given_, bytes }) {
      const app = host === undefined ? (catalogue.byMerchant(merchant ?? '')?.id ?? null) : appOf(host);
      if (app === null) {
        if (host !== undefined && readHost(host) !== null) addUnknown(host, bytes);
        return;
      }
      const at = given_ ?? now;
      const named = `${app}\0${given ?? ''}`;
      const isRoom = pairs.has(named) || pairs.size < PAIRS_MAX;
      const [key, who] = isRoom ? [named, given ?? ''] : [`${app}\0`, ''];
      const pair = pairs.get(key);
      if (!pair) {
        pairs.set(key, { app, who, count: { firstAt: at, lastAt: at, events: 1, bytes } });
        return;
      }
      const { count } = pair;
      count.firstAt = Math.min(count.firstAt, at);
      count.lastAt = Math.max(count.lastAt, at);
      count.events += 1;
      count.bytes += bytes;
    },
    uses: () => [...pairs.values()].map(({ app, who, count }) => ({ app, who, ...count })),
    unknown: () =>
      busiest(unknown)
        .slice(0, UNKNOWN_MAX)
        .map(([domain, count]) => ({ domain, ...count })),
  };
}

const busiest = <Counted extends { readonly events: number }>(map: ReadonlyMap<string, Counted>): [string, Counted][] =>
  [...map].sort(([, a], [, b]) => b.events - a.events);
