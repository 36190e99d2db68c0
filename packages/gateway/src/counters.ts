import path from 'node:path';
import type { Clock, Logger } from '@cordon/kernel';
import type { GatewayConfig } from './config.ts';
import { type LimitCounters, LocalCounters } from './limit-counters.ts';
import type { Metrics } from './metrics.ts';
import { SharedCounters } from './shared-counters.ts';
import { ValkeyCounters } from './valkey-counters.ts';

/** Counters that reach as far as the deployment does: a fleet, the processes of a machine, or one process. */
export function createCounters(deps: {
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): LimitCounters {
  const { config, ...rest } = deps;
  if (config.valkeyUrl !== undefined) return new ValkeyCounters({ url: config.valkeyUrl, ...rest });
  if ((config.processes ?? 1) > 1) {
    return new SharedCounters({ folder: path.join(config.dataDir, 'counters'), ...rest });
  }
  return new LocalCounters(deps.clock);
}
