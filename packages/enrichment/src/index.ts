export { EnrichmentError, enrichmentErrors } from './errors.ts';
export {
  type NetworkDatabase,
  type NetworkFile,
  type NetworkLookup,
  type NetworkProblem,
  openNetworkDatabase,
} from './network-database.ts';
export { NETWORK_FLAGS, type NetworkFacts, type NetworkFlag } from './range-table.ts';
