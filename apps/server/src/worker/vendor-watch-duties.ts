import type { Logger } from '@cordon/kernel';
import { checkBadClients, pollFeeds, watchHosts } from '@cordon/vendors';
import { createVendorInsight, type VendorInsightDeps } from '../roles/vendor-insight-parts.ts';
import { repeat } from './repeating.ts';

const HOSTS_MS = 15_000;
const FEEDS_MS = 30_000;
const CLIENTS_MS = 5 * 60_000;
const SCORES_MS = 10 * 60_000;

/** Looks at vendors' hosts, reads feeds, compares grants with compromised clients, and weighs vendors. Paced and bounded. */
export function startVendorWatch(deps: VendorInsightDeps & { readonly logger: Logger }) {
  const { logger } = deps;
  const { scores, watch, findGrants } = createVendorInsight(deps);
  const onFailure = (vendor: string, error: unknown): void =>
    logger.warn({ err: error, vendor }, 'a vendor could not be weighed');
  const duties = [
    repeat('vendor hosts', HOSTS_MS, logger, () => watchHosts(watch)),
    repeat('vendor feeds', FEEDS_MS, logger, () => pollFeeds(watch)),
    repeat('compromised clients', CLIENTS_MS, logger, () => checkBadClients({ ...watch, findGrants })),
    repeat('vendor scores', SCORES_MS, logger, () => scores.weighAll(onFailure)),
  ];
  return {
    async stop(): Promise<void> {
      await Promise.all(duties.map((duty) => duty.stop()));
    },
  };
}
