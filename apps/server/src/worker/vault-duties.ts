import { createRenewals, createRotation } from '@cordon/estate';
import type { Clock, Database, Logger, SecretEnvelope } from '@cordon/kernel';
import { createVendorClient } from '../vault/vendor-client.ts';
import { repeat } from './repeating.ts';

const RENEW_MS = 1_000;
const SWEEP_MS = 5_000;

/** Keeps vendor tokens fresh, makes switches when it is time, and shows what has ended. */
export function startVault(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
}): { stop(): Promise<void> } {
  const vendor = createVendorClient(deps.envelope, deps.clock);
  const renewals = createRenewals({ ...deps, vendor });
  const rotation = createRotation({ ...deps, vendor });
  const renewing = repeat('vault renewal', RENEW_MS, deps.logger, async () => {
    while ((await renewals.renewDue()) > 0);
  });
  const sweeping = repeat('vault sweep', SWEEP_MS, deps.logger, () => renewals.sweep());
  const switching = repeat('vault rotation', RENEW_MS, deps.logger, () => rotation.switchDue());
  return {
    async stop() {
      await Promise.all([renewing.stop(), sweeping.stop(), switching.stop()]);
    },
  };
}
