import type { SourceCredential, SourceRecord } from '@cordon/detection';
import type { Logger } from '@cordon/kernel';
import type { SourceIngest } from '../source-ingest.ts';

const QUEUE_RECORDS_MAX = 20_000;
const QUEUE_BYTES_MAX = 64 * 1024 * 1024;
const BATCH_RECORDS_MAX = 2_000;
/** A little patience makes few, large inserts of many small messages. */
const GATHER_MS = 200;
const RETRY_MS_MAX = 10_000;

/** Messages that a listener took and that are not on disk yet. Bounded: a full queue says so, and its owner waits or drops. */
export interface MessageQueue {
  /** False when the queue is full. */
  offer(record: SourceRecord): boolean;
  isFull(): boolean;
  /** Resolves when there is room again. */
  room(): Promise<void>;
  /** Stores what is there, then ends. */
  stop(): Promise<void>;
}

export function createMessageQueue(deps: {
  readonly source: SourceCredential;
  readonly ingest: SourceIngest;
  readonly logger: Logger;
}): MessageQueue {
  const { source, ingest, logger } = deps;
  let waiting: SourceRecord[] = [];
  let bytes = 0;
  let roomy = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> | null = null;
  let stopped = false;
  let failures = 0;

  const isFull = (): boolean => waiting.length >= QUEUE_RECORDS_MAX || bytes >= QUEUE_BYTES_MAX;

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH_RECORDS_MAX);
      await ingest.take(source, batch);
      failures = 0;
      waiting = waiting.slice(batch.length);
      bytes -= batch.reduce((sum, { text }) => sum + text.length, 0);
      roomy.resolve();
      roomy = Promise.withResolvers<void>();
    }
  };
  const schedule = (ms: number): void => {
    timer ??= setTimeout(() => {
      timer = null;
      running = drain()
        .catch((error: unknown) => {
          failures += 1;
          logger.warn(
            { err: error, source: source.name, waiting: waiting.length },
            'collected events wait for the lake',
          );
        })
        .finally(() => {
          running = null;
          if (waiting.length > 0 && !stopped) schedule(Math.min(RETRY_MS_MAX, GATHER_MS * 2 ** failures));
        });
    }, ms);
  };

  return {
    offer(record) {
      if (isFull()) return false;
      waiting.push(record);
      bytes += record.text.length;
      if (!running && !stopped) schedule(GATHER_MS);
      return true;
    },
    isFull,
    room: () => roomy.promise,
    async stop() {
      stopped = true;
      if (timer) clearTimeout(timer);
      timer = null;
      await running;
      await drain().catch((error: unknown) => {
        logger.error(
          { err: error, source: source.name, lost: waiting.length },
          'collected events were lost at the stop',
        );
      });
    },
  };
}
