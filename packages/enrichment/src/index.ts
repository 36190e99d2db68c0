export { createEnricher, type Enricher, type EstateDirectory } from './enricher.ts';
export { EnrichmentError, enrichmentErrors } from './errors.ts';
export { createIndicatorIndex, type IndicatorIndex } from './indicator-index.ts';
export { INDICATOR_KINDS, type IndicatorKind } from './indicator.ts';
export {
  type NetworkDatabase,
  type NetworkFile,
  type NetworkLookup,
  type NetworkProblem,
  openNetworkDatabase,
} from './network-database.ts';
export { NETWORK_FLAGS, type NetworkFacts, type NetworkFlag } from './range-table.ts';
export { createSeenStore, type SeenStore } from './seen-store.ts';
export { type EnrichmentState, enrichmentState, readEnrichmentState, writeEnrichmentState } from './state-store.ts';
export { enrichmentMigrations } from './tables.ts';
export { createThreatCommands, type ThreatCommands, THREATS_CHANNEL } from './threat-commands.ts';
export { LIST_FORMATS, LIST_MEANINGS, threatListInput } from './threat-list.ts';
export { listThreatLists, loadIndicators, nextSweep, settleSweep, type ThreatList } from './threat-store.ts';
export { parseUserAgent } from './user-agent.ts';
