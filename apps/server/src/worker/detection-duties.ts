import {
  clearWatch,
  DETECTION_CHANNEL,
  type ParserSet,
  REPLAY_CHANNEL,
  type RuleSet,
  sealTargets,
} from '@cordon/detection';
import { THREATS_CHANNEL } from '@cordon/enrichment';
import type { Clock, Database, Logger, SecretEnvelope } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import { loadDetectionContent } from '../detection-content.ts';
import { type SendAlertMail, sendNotifications } from './alert-notifier.ts';
import { createCallMetrics } from './call-metrics.ts';
import { startMonitor } from './monitor-duties.ts';
import { startOtlpMetrics } from './otlp-metrics.ts';
import { startBehaviour } from './behaviour-duties.ts';
import { startEnrichment } from './enrichment-duties.ts';
import type { LoadPeople } from './estate-directory.ts';
import { sweepThreats } from './threat-sweep.ts';
import { checkAudit } from './audit-check.ts';
import { type CollectSettings, startCollectors } from './collect/collectors.ts';
import { repeat } from './repeating.ts';
import { createSourceEndpoint, type SourceEndpoint } from './source-endpoint.ts';
import { createSourceIngest, type SourceIngest } from './source-ingest.ts';
import { createWatch, type Watch } from './watch.ts';

const CORRELATE_MS = 500;
const NOTIFY_MS = 500;
const REPLAY_MS = 30_000;
const SETTINGS_MS = 10_000;
const AUDIT_CHECK_MS = 3_600_000;
const CLEAR_MS = 3_600_000;
const SWEEP_MS = 30_000;

export interface Detection {
  readonly watch: Watch;
  readonly endpoint: SourceEndpoint;
  /** The way of a vendor's records into the lake. */
  readonly ingest: SourceIngest;
  readonly ruleSet: RuleSet;
  readonly parsers: ParserSet;
  /** Prometheus text of detection, calls and service levels. */
  metrics(): string;
  stop(): Promise<void>;
}

/** Rules, correlations, sources and notifications, with what has to run now and then for them. */
export async function startDetection(deps: {
  readonly db: Database;
  readonly envelope: SecretEnvelope;
  readonly lake: Lake;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publicUrl: string;
  readonly collect: CollectSettings;
  /** The customer's own detections. */
  readonly rulesFolder: string | null;
  readonly sendMail?: SendAlertMail | undefined;
  /** A collector of metrics by OTLP over HTTP. */
  readonly otlp?: { readonly url: string; readonly headers: Readonly<Record<string, string>> } | undefined;
  readonly labelDrills: NonNullable<Parameters<typeof createWatch>[0]['labelDrills']>;
  readonly onStored?: Parameters<typeof createWatch>[0]['onStored'];
  /** The customer's files of networks. */
  readonly networkFiles: readonly string[];
  readonly people: LoadPeople;
}): Promise<Detection> {
  const { db, lake, clock, logger } = deps;
  const { parsers, ruleSet } = await loadDetectionContent(logger, deps.rulesFolder);
  const calls = createCallMetrics();
  await sealTargets(db, deps.envelope);
  const enrichment = await startEnrichment(deps);
  const { enrich } = enrichment;
  const { labelDrills, onStored } = deps;
  const watch = createWatch({ ruleSet, db, lake, clock, logger, calls, enrich, labelDrills, onStored });
  await watch.loadSettings();
  const ingest = createSourceIngest({ db, parsers, watch, clock });
  let isRebuilt = false;
  const correlate = async (): Promise<void> => {
    if (!isRebuilt) {
      const signals = await watch.rebuild();
      isRebuilt = true;
      logger.info({ signals, rules: ruleSet.rules.length }, 'detection runs');
    }
    await watch.settleCorrelations();
  };
  const duties = {
    correlations: repeat('correlations', CORRELATE_MS, logger, correlate),
    notifications: repeat('notifications', NOTIFY_MS, logger, () => sendNotifications(deps)),
    replay: repeat('dead letters', REPLAY_MS, logger, () => ingest.replay()),
    audit: repeat('audit check', AUDIT_CHECK_MS, logger, () => checkAudit({ db, clock, watch })),
    clearing: repeat('alert retention', CLEAR_MS, logger, () => clearWatch(db, clock.now())),
    sweeps: repeat('threat sweeps', SWEEP_MS, logger, () => sweepThreats({ db, lake, clock, logger, watch })),
    settings: repeat('rule settings', SETTINGS_MS, logger, () => watch.loadSettings()),
  };
  const monitor = startMonitor({ db, lake, clock, logger });
  const otlp = deps.otlp ? startOtlpMetrics({ ...deps.otlp, calls, clock, logger }) : null;
  const behaviour = await startBehaviour({ db, lake, clock, logger });
  const collectors = await startCollectors({
    db,
    envelope: deps.envelope,
    ingest,
    clock,
    logger,
    settings: deps.collect,
  });
  const listeners = await Promise.all([
    db.listen(REPLAY_CHANNEL, () => duties.replay.nudge()),
    db.listen(DETECTION_CHANNEL, () => duties.settings.nudge()),
    db.listen(THREATS_CHANNEL, () => duties.sweeps.nudge()),
  ]);
  return {
    watch,
    ingest,
    ruleSet,
    parsers,
    metrics: () => `${watch.metrics()}${calls.text()}${monitor.metrics()}`,
    endpoint: createSourceEndpoint({ db, ingest, clock, logger }),
    async stop() {
      await otlp?.stop();
      await monitor.stop();
      await collectors.stop();
      await behaviour.stop();
      await Promise.all(listeners.map((listener) => listener.stop()));
      await Promise.all(Object.values(duties).map((duty) => duty.stop()));
      await enrichment.stop();
    },
  };
}
