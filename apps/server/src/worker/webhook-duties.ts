import { type Clock, type Database, type Logger, type SecretEnvelope, uuidv7 } from '@cordon/kernel';
import { httpActivity } from '@cordon/lake';
import {
  type AttemptFacts,
  feedDeliveries,
  createDeliverer,
  DELIVERY_CHANNEL,
  type ReceivedDelivery,
  receivedDelivery,
  refreshEntries,
  releaseDeliveries,
  sweepDeliveries,
  takeDeliveries,
} from '@cordon/webhooks';
import { loadSourceCredential, type SourceCredential } from '@cordon/detection';
import { insertEvent } from '../event-outbox.ts';
import { createWebhookContext } from '../roles/webhook-parts.ts';
import { repeat } from './repeating.ts';
import type { SourceIngest } from './source-ingest.ts';
import { sendDelivery } from './webhook-sender.ts';

const DELIVER_MS = 500;
const UPKEEP_MS = 60_000;
const FEED_MS = 1_000;

/** The one event of an attempt. */
function attemptEvent(facts: AttemptFacts): Record<string, unknown> {
  const { delivery, status, error, outcome } = facts;
  const url = new URL(delivery.settings.url);
  const isSecure = url.protocol === 'https:';
  const event = httpActivity({
    id: facts.id,
    time: facts.at,
    role: 'worker',
    integration: { id: delivery.integrationId, name: facts.integrationName },
    source: {},
    destination: { hostname: url.hostname, port: Number(url.port || (isSecure ? 443 : 80)) },
    request: {
      method: 'POST',
      path: url.pathname,
      hostname: url.hostname,
      scheme: isSecure ? 'https' : 'http',
      requestId: delivery.id,
      bytes: facts.bytes,
    },
    ...(status === null ? {} : { response: { status, bytes: 0 } }),
    decision: outcome === 'delivered' ? 'allow' : 'error',
    ...(outcome === 'delivered'
      ? {}
      : { reason: outcome === 'dead' ? 'webhook.delivery_dead' : 'webhook.delivery_failed', reasonText: error ?? '' }),
    message: `Webhook ${delivery.endpointName}: attempt ${facts.number}, ${outcome}`,
    durationMs: facts.durationMs,
    gatewayId: 'worker',
    snapshotVersion: 0,
    resources: [
      { id: delivery.endpointId, name: delivery.endpointName, type: 'webhook' },
      { id: delivery.id, type: 'webhook-delivery' },
    ],
    labels: ['webhook-delivery'],
  });
  return { ...event };
}

export interface WebhookDuties {
  /** Takes a batch of a gateway's spool over; resolves when PostgreSQL has it. */
  take(body: Buffer): Promise<{ readonly taken: number; readonly refused: number }>;
  stop(): Promise<void>;
}

function parseLines(body: Buffer): { lines: ReceivedDelivery[]; refused: number } {
  const lines: ReceivedDelivery[] = [];
  let refused = 0;
  for (const text of body.toString('utf8').split('\n')) {
    if (text === '') continue;
    try {
      lines.push(receivedDelivery.parse(JSON.parse(text)));
    } catch {
      refused += 1;
    }
  }
  return { lines, refused };
}

/** Takes deliveries from gateways and hands them to integrations. */
export async function startWebhookDuties(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly ingest: Pick<SourceIngest, 'take'>;
  /** An event waits in the outbox. */
  readonly onEvent: () => void;
}): Promise<WebhookDuties> {
  const { db, clock, logger } = deps;
  const context = await createWebhookContext(deps);
  const deliverer = createDeliverer({
    ...context,
    logger,
    random: Math.random,
    send: sendDelivery,
    record: async (tx, facts) => {
      await insertEvent(tx, attemptEvent(facts));
      deps.onEvent();
    },
  });
  // Workers hold a lease on their role, so whoever had these before is gone: no need to wait for its leases to end.
  await releaseDeliveries(db);
  const delivering = repeat('webhook deliveries', DELIVER_MS, logger, () => deliverer.run());
  const feed = async ({ sourceId, text }: { sourceId: string; text: string }): Promise<boolean> => {
    const source: SourceCredential | null = await loadSourceCredential(db, sourceId);
    if (source?.status !== 'active') return false;
    await deps.ingest.take(source, [{ text }]);
    return true;
  };
  const feeding = repeat('webhook feeds', FEED_MS, logger, async () => {
    await feedDeliveries({ ...context, logger, feed });
  });
  const upkeep = repeat('webhook upkeep', UPKEEP_MS, logger, async () => {
    await sweepDeliveries(context);
    await refreshEntries(context);
  });
  const listener = await db.listen(DELIVERY_CHANNEL, () => delivering.nudge());
  return {
    async take(body) {
      const { lines, refused } = parseLines(body);
      if (refused > 0)
        logger.error({ refused, lines: lines.length, batch: uuidv7() }, 'a gateway sent lines that are no deliveries');
      if (lines.length === 0) return { taken: 0, refused };
      const { taken, homeless } = await takeDeliveries(db, lines, clock.now());
      if (homeless > 0) logger.warn({ homeless }, 'deliveries came for endpoints that were removed');
      if (taken > 0) {
        delivering.nudge();
        feeding.nudge();
      }
      return { taken, refused };
    },
    async stop() {
      await listener.stop();
      await Promise.all([delivering.stop(), feeding.stop(), upkeep.stop()]);
      await deliverer.stop();
    },
  };
}
