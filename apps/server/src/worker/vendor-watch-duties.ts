import { listSyncs } from '@cordon/connectors';
import type { Database, Logger } from '@cordon/kernel';
import { checkBadClients, listBadClients, pollFeeds, watchHosts } from '@cordon/vendors';
import { createVendorInsight, type VendorInsightDeps } from '../roles/vendor-insight-parts.ts';
import { repeat } from './repeating.ts';

const HOSTS_MS = 15_000;
const FEEDS_MS = 30_000;
/** A look costs a query where nothing has changed since the last. */
const CLIENTS_MS = 15_000;
const SYNCS_LOOKED_AT = 50;
const SCORES_MS = 10 * 60_000;

/** Changes when a client is named or taken off, and when a tool was read. */
async function clientsMark(db: Database): Promise<string> {
  const [clients, syncs] = await Promise.all([listBadClients(db), listSyncs(db, { limit: SYNCS_LOOKED_AT })]);
  return JSON.stringify([clients.map(({ clientId }) => clientId), syncs.map(({ id, endedAt }) => [id, endedAt])]);
}

/** Looks at vendors' hosts, reads feeds, compares grants with compromised clients, and weighs vendors. Paced and bounded. */
export function startVendorWatch(deps: VendorInsightDeps & { readonly logger: Logger }) {
  const { logger } = deps;
  const { scores, watch, findGrants } = createVendorInsight(deps);
  const onFailure = (vendor: string, error: unknown): void =>
    logger.warn({ err: error, vendor }, 'a vendor could not be weighed');
  let looked = '';
  const duties = [
    repeat('vendor hosts', HOSTS_MS, logger, () => watchHosts(watch)),
    repeat('vendor feeds', FEEDS_MS, logger, () => pollFeeds(watch)),
    repeat('compromised clients', CLIENTS_MS, logger, async () => {
      const mark = await clientsMark(deps.db);
      if (mark === looked) return;
      await checkBadClients({ ...watch, findGrants });
      looked = mark;
    }),
    repeat('vendor scores', SCORES_MS, logger, () => scores.weighAll(onFailure)),
  ];
  return {
    async stop(): Promise<void> {
      await Promise.all(duties.map((duty) => duty.stop()));
    },
  };
}
