import { type CollectingSource, listCollecting, reportCollect, SOURCES_CHANNEL } from '@cordon/detection';
import { BackupError } from '@cordon/backup';
import type { Clock, Database, Logger, SecretEnvelope } from '@cordon/kernel';
import { repeat, type Repeating } from '../repeating.ts';
import type { SourceIngest } from '../source-ingest.ts';
import { tailBucket } from './bucket-tail.ts';
import { CollectRefused, tailFiles } from './file-tail.ts';
import { createMessageQueue } from './message-queue.ts';
import { startSyslogListener } from './syslog-listener.ts';

const SETTINGS_MS = 10_000;
const TAIL_MS = 1_000;
/** Each look lists all objects under the prefix. */
const BUCKET_MS = 15_000;
const REPORT_MS = 5_000;

export interface CollectSettings {
  /** Where listeners listen. */
  readonly host: string;
  readonly folders: readonly string[];
  readonly tls: { readonly cert: string; readonly key: string };
}

export interface CollectDeps {
  readonly db: Database;
  /** Opens the keys of buckets. */
  readonly envelope: SecretEnvelope;
  readonly ingest: SourceIngest;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: CollectSettings;
}

interface Collector {
  readonly revision: string;
  stop(): Promise<void>;
}

async function startSyslog(deps: CollectDeps, one: CollectingSource): Promise<Collector> {
  const { source, collect, revision } = one;
  if (collect.kind !== 'syslog') throw new Error('not a syslog source');
  const queue = createMessageQueue({ ...deps, source });
  const listener = await startSyslogListener({ ...deps, ...deps.settings, source, collect, queue });
  const reporting = repeat(`syslog ${source.name}`, REPORT_MS, deps.logger, async () => {
    const dropped = listener.takeDropped();
    const error = dropped > 0 ? `${dropped} messages came faster than they could be stored and were dropped.` : null;
    await reportCollect(deps.db, source.id, error);
  });
  return {
    revision,
    async stop() {
      await reporting.stop();
      await listener.stop();
      await queue.stop();
    },
  };
}

function startTail(deps: CollectDeps, { source, collect, sealed, revision }: CollectingSource): Collector {
  const everyMs = collect.kind === 's3' ? BUCKET_MS : TAIL_MS;
  const tail: Repeating = repeat(`files of ${source.name}`, everyMs, deps.logger, async () => {
    if (collect.kind === 'syslog') return;
    try {
      if (collect.kind === 'file') await tailFiles({ ...deps, folders: deps.settings.folders }, source, collect.path);
      else while ((await tailBucket(deps, source, collect, sealed)).waiting > 0);
      await reportCollect(deps.db, source.id, null);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code; // any error may carry one
      const said =
        error instanceof CollectRefused || error instanceof BackupError
          ? error.message
          : `Reading failed${code ? ` (${code})` : ''}.`;
      await reportCollect(deps.db, source.id, said);
      throw error;
    }
  });
  return { revision, stop: () => tail.stop() };
}

/** Keeps one collector running for each active source that asks for one. */
export async function startCollectors(deps: CollectDeps): Promise<{ stop(): Promise<void> }> {
  const running = new Map<string, Collector>();
  const reconcile = async (): Promise<void> => {
    const wanted = new Map((await listCollecting(deps.db)).map((one) => [one.source.id, one]));
    for (const [id, collector] of running) {
      if (wanted.get(id)?.revision === collector.revision) continue;
      running.delete(id);
      await collector.stop();
    }
    for (const [id, one] of wanted) {
      if (running.has(id)) continue;
      try {
        running.set(id, one.collect.kind === 'syslog' ? await startSyslog(deps, one) : startTail(deps, one));
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? 'failed'; // a listener's error carries one
        const { transport, port } = one.collect as { transport?: string; port?: number }; // only for the message
        deps.logger.warn({ err: error, source: one.source.name }, 'a source could not be collected; trying again');
        await reportCollect(deps.db, id, `Listening on ${transport} ${port} failed: ${code}.`);
      }
    }
  };
  const duty = repeat('collectors', SETTINGS_MS, deps.logger, reconcile);
  const listener = await deps.db.listen(SOURCES_CHANNEL, () => duty.nudge());
  return {
    async stop() {
      await listener.stop();
      await duty.stop();
      await Promise.all([...running.values()].map((collector) => collector.stop()));
    },
  };
}
