import {
  createEnricher,
  createIndicatorIndex,
  createSeenStore,
  type EstateDirectory,
  type IndicatorIndex,
  loadIndicators,
  openNetworkDatabase,
  THREATS_CHANNEL,
  writeEnrichmentState,
} from '@cordon/enrichment';
import type { Clock, Database, Logger } from '@cordon/kernel';
import { loadEstateDirectory, type LoadPeople } from './estate-directory.ts';
import type { Observed } from './observed-event.ts';
import { repeat } from './repeating.ts';

const ESTATE_MS = 30_000;
const FILES_MS = 60_000;
const CLEAR_MS = 3_600_000;

export interface Enrichment {
  /** Adds what is known; the events' ids, times and texts stay what they are. */
  readonly enrich: (events: readonly Observed[]) => Promise<readonly Observed[]>;
  stop(): Promise<void>;
}

const NOBODY: EstateDirectory = { app: () => null, appById: () => null, person: () => null };

/** Everything that enrichment needs, kept fresh: files of networks, threat lists, the estate. */
export async function startEnrichment(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly networkFiles: readonly string[];
  readonly people: LoadPeople;
}): Promise<Enrichment> {
  const { db, clock, logger } = deps;
  const networks = await openNetworkDatabase({ ownFiles: deps.networkFiles, logger });
  const seen = createSeenStore(db);
  let index: IndicatorIndex = createIndicatorIndex([]);
  let estate = NOBODY;
  const enricher = createEnricher({ networks, indicators: () => index, estate: () => estate, seen });
  const loadLists = async (): Promise<void> => {
    index = createIndicatorIndex(await loadIndicators(db, clock.now()));
    await writeEnrichmentState(db, networks, index.size, clock.now());
  };
  const loadEstate = async (): Promise<void> => {
    estate = await loadEstateDirectory(db, deps.people);
  };
  await loadLists();
  await loadEstate();
  const duties = {
    lists: repeat('threat lists', FILES_MS, logger, async () => {
      await networks.reload();
      await loadLists();
    }),
    estate: repeat('estate for enrichment', ESTATE_MS, logger, loadEstate),
    clearing: repeat('first-seen marks', CLEAR_MS, logger, () => seen.clear(clock.now())),
  };
  const listener = await db.listen(THREATS_CHANNEL, () => duties.lists.nudge());
  return {
    enrich: async (events) => {
      const given = events.map(({ stored, seen: { product, ocsf } }) => ({
        id: stored.metadata.uid,
        time: stored.time,
        product,
        ocsf,
      }));
      const known = await enricher.enrichAll(given, clock.now());
      return events.map((event, at) => withKnown(event, known[at] ?? {}));
    },
    async stop() {
      await listener.stop();
      await Promise.all(Object.values(duties).map((duty) => duty.stop()));
    },
  };
}

/** What is stored gets exactly what rules see: place and network of the address, and `unmapped.enrichment`. */
function withKnown(observed: Observed, ocsf: Readonly<Record<string, unknown>>): Observed {
  const { src_endpoint: endpoint, unmapped } = ocsf;
  const enrichment =
    typeof unmapped === 'object' && unmapped !== null && 'enrichment' in unmapped ? unmapped.enrichment : undefined;
  if (endpoint === undefined && enrichment === undefined) return observed;
  const stored = {
    ...observed.stored,
    ...(endpoint !== undefined && { src_endpoint: endpoint }),
    ...(enrichment !== undefined && { unmapped: { ...observed.stored.unmapped, enrichment } }),
  };
  // Cordon's own events are seen as they are stored.
  const raw = observed.seen.raw === observed.stored ? stored : observed.seen.raw;
  return { ...observed, stored, seen: { ...observed.seen, raw, ocsf } };
}
