import type { IdentityDeps } from '@cordon/identity';
import { behaviourKey, loadScored } from '@cordon/detection';
import { openNetworkDatabase } from '@cordon/enrichment';
import type { Database, Logger } from '@cordon/kernel';

/** Of which alerts policy on sign-in hears: those that somebody would be woken for. */
const LEVELS = ['high', 'critical'] as const;

interface AlertTable {
  readonly alert: {
    readonly id: string;
    readonly entity_key: string;
    readonly level: string;
    readonly status: string;
  };
}

/** What policy on sign-in asks of the address databases and of detection. */
export async function signInPorts(
  db: Database,
  networkFiles: readonly string[],
  logger: Logger,
): Promise<Required<Pick<IdentityDeps, 'countryOf' | 'riskOf'>>> {
  const networks = await openNetworkDatabase({ ownFiles: networkFiles, only: 'country', logger });
  return {
    countryOf: async (address) => networks.lookup(address)?.country ?? null,
    async riskOf({ id, login, email }) {
      // Behaviour and alerts file people under whatever name the event had: our id, or the address that tools use.
      const keys = [...new Set([id, login, email])].map((one) => behaviourKey({ type: 'person', id: one }));
      const scored = await Promise.all(keys.map((key) => loadScored(db, key)));
      const alerts = await db
        .tables<AlertTable>()
        .selectFrom('alert')
        .select(({ fn }) => fn.countAll<string>().as('count'))
        .where('entity_key', 'in', keys)
        .where('level', 'in', [...LEVELS])
        .where('status', '=', 'open')
        .executeTakeFirst();
      return { score: Math.max(0, ...scored.map((one) => one?.score ?? 0)), alerts: Number(alerts?.count ?? 0) };
    },
  };
}
