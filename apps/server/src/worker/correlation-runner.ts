import {
  type Correlation,
  type CorrelationOutput,
  createCorrelator,
  entityOfGroup,
  raiseAlerts,
  raisesAlert,
  type Signal,
  stableId,
  updateSignalEvents,
  withdrawSignal,
} from '@cordon/detection';
import type { Clock, Database, Logger } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import { correlationFinding } from './finding-event.ts';

/** What usually comes late is waited for this long before a condition that needs silence is decided. */
const LATENESS_MS = 120_000;
const OUTPUTS_AT_ONCE_MAX = 500;

/**
 * Correlations over signals. State is in memory and made anew from the lake's findings at each start; outputs wait
 * until they are stored, and storing one twice changes nothing.
 */
export interface CorrelationRunner {
  add(signal: Signal, receivedAt: number): void;
  /** Lets event time go on for sources that are quiet, then stores what came true. */
  settle(): Promise<{ raised: number; delaysMs: number[] }>;
  readonly skipped: () => number;
  readonly waiting: () => number;
}

interface Waiting {
  readonly output: CorrelationOutput;
  readonly receivedAt: number;
}

export function createCorrelationRunner(deps: {
  readonly correlations: readonly Correlation[];
  readonly isEnabled: (ruleId: string) => boolean;
  readonly db: Database;
  readonly lake: Lake;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The exercise that all of its signals belong to. */
  readonly drill?: string;
}): CorrelationRunner {
  const { db, lake, clock, logger, isEnabled, drill } = deps;
  const correlator = createCorrelator({ correlations: deps.correlations, latenessMs: LATENESS_MS });
  const products = new Set<string>();
  let waiting: Waiting[] = [];
  let skipped = 0;

  const queue = (outputs: readonly CorrelationOutput[], receivedAt: number): void => {
    for (const output of outputs) {
      if (output.kind === 'skipped') {
        skipped += 1;
        logger.warn({ ...output }, 'a window of a correlation was skipped');
      } else if (isEnabled(output.correlationId)) waiting.push({ output, receivedAt });
    }
  };

  const store = async (batch: readonly Waiting[]): Promise<number[]> => {
    const found = batch.flatMap(({ output }) => (output.kind === 'raised' ? [correlationFinding(output, drill)] : []));
    if (found.length > 0) {
      const ids = found.map((event) => event.metadata.uid);
      await lake.ingest({ id: `correlation-${stableId(ids)}`, events: found });
    }
    const now = clock.now();
    return db.transaction(async (tx) => {
      const delays: number[] = [];
      for (const { output, receivedAt } of batch) {
        if (output.kind === 'skipped' || !raisesAlert(output.level)) continue;
        const id = stableId('correlation', output.id, ...(drill === undefined ? [] : [drill]));
        if (output.kind === 'withdrawn') await withdrawSignal(tx, id, now);
        else {
          const signal = {
            id,
            ruleId: output.correlationId,
            ruleKind: 'correlation' as const,
            title: output.title,
            level: output.level,
            entity: entityOfGroup(output.group),
            product: 'cordon',
            at: output.to,
            eventIds: output.eventIds,
            receivedAt,
            drill,
          };
          const { raised } = await raiseAlerts(tx, [signal], now);
          delays.push(...raised.map(({ delayMs }) => delayMs));
          if (output.kind === 'updated') await updateSignalEvents(tx, id, output.eventIds, output.to);
        }
      }
      return delays;
    });
  };

  return {
    add(signal, receivedAt) {
      products.add(signal.product);
      queue(correlator.add(signal), receivedAt);
    },
    async settle() {
      const now = clock.now();
      for (const product of products) queue(correlator.advance(product, now - LATENESS_MS), now);
      let raised = 0;
      const delaysMs: number[] = [];
      while (waiting.length > 0) {
        const batch = waiting.slice(0, OUTPUTS_AT_ONCE_MAX);
        const delays = await store(batch);
        waiting = waiting.slice(batch.length);
        raised += delays.length;
        delaysMs.push(...delays);
      }
      return { raised, delaysMs };
    },
    skipped: () => skipped,
    waiting: () => waiting.length,
  };
}
