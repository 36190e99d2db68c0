import type { Readable } from 'node:stream';
import type { Clock, Logger } from '@cordon/kernel';
import {
  facets,
  type FacetsRequest,
  type FacetValue,
  histogram,
  type Histogram,
  type HistogramRequest,
} from './aggregate.ts';
import { createLakeArchive, type LakeArchive } from './archive.ts';
import { type BatchDigestLake, createBatchDigestLake } from './batch-digest.ts';
import { type BehaviourLake, createBehaviourLake } from './behaviour.ts';
import { createExpiryLake, type ExpiryLake } from './expiry.ts';
import { exportEvents, type ExportRequest } from './export.ts';
import { follow, type Follower, type FollowRequest } from './follow.ts';
import { type Batch, createIngest, type IngestResult } from './ingest.ts';
import { connectLake } from './lake-connection.ts';
import { migrateLake } from './lake-migration.ts';
import type { LakeLayout } from './lake-schema.ts';
import { type DroppedDay, dropDaysBefore } from './retention.ts';
import {
  countEvents,
  getEvent,
  searchEvents,
  type SearchPage,
  type SearchRequest,
  type StoredEvent,
} from './search.ts';
import type { Scope } from './search-scope.ts';
import { traffic, type TrafficRequest, type TrafficRow } from './traffic.ts';
import { createHuntLake, type HuntLake } from './hunt.ts';
import { createLakeJournal, type LakeJournal } from './journal.ts';
import { createMonitorLake, type MonitorLake } from './monitor.ts';
import { createSweepLake, type SweepLake } from './sweep.ts';
import { createUsageLake, type UsageLake } from './usage.ts';

export interface OpenLakeOptions {
  /** `http://127.0.0.1:port` of the embedded engine, or a ClickHouse server's HTTP address. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Default `cordon`; made when it is not there. */
  readonly database?: string;
  readonly layout?: LakeLayout;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface LakeStats {
  readonly events: number;
  /** Compressed, on this node's disk, indexes included. */
  readonly bytes: number;
  readonly oldestAt?: number;
  readonly newestAt?: number;
  readonly schemaVersion: number;
}

/** Everything that happened, searchable. All methods throw `LakeUnavailable` while the engine is away. */
export interface Lake {
  /** Resolves when every event of the batch is on disk, once; may be called again with the same batch after any failure. */
  ingest(batch: Batch): Promise<IngestResult>;
  search(request: SearchRequest): Promise<SearchPage>;
  count(scope: Scope): Promise<number>;
  histogram(request: HistogramRequest): Promise<Histogram>;
  facets(request: FacetsRequest): Promise<Readonly<Record<string, readonly FacetValue[]>>>;
  traffic(request: TrafficRequest): Promise<TrafficRow[]>;
  /** Throws `EventUnknown`. */
  get(id: string): Promise<StoredEvent>;
  follow(request: FollowRequest): Follower;
  /** What a search finds as a file; throws before anything is sent when it is no search. */
  export(request: ExportRequest): Promise<Readable>;
  /** Deletes whole UTC days before a moment (milliseconds since the epoch). */
  dropDaysBefore(at: number): Promise<DroppedDay[]>;
  /** Deletion by search, age and size, with what must stay. */
  readonly expiry: ExpiryLake;
  /** Summaries of behaviour. */
  readonly behaviour: BehaviourLake;
  /** What was used and seen, and calls to decide again. */
  readonly usage: UsageLake;
  /** How calls went. */
  readonly monitor: MonitorLake;
  /** Conditions that a rule compiled to, over what is stored. */
  readonly hunt: HuntLake;
  /** Values in it that a list may name. */
  readonly sweep: SweepLake;
  /** What was taken when, as digests. */
  readonly digests: BatchDigestLake;
  /** In the order it was written, for readers that keep their place. */
  readonly journal: LakeJournal;
  /** All of it, for backups of Cordon itself. */
  readonly archive: LakeArchive;
  /** True when the engine answers a query. */
  ping(): Promise<boolean>;
  stats(): Promise<LakeStats>;
  close(): Promise<void>;
}

/** Connects to the lake and brings its tables up to date. */
export async function openLake(options: OpenLakeOptions): Promise<Lake> {
  const { clock, logger } = options;
  const connection = await connectLake({
    url: options.url,
    username: options.username ?? 'cordon',
    password: options.password ?? '',
    database: options.database ?? 'cordon',
  });
  let version: number;
  try {
    const migrated = await migrateLake(connection, options.layout ?? { kind: 'single' });
    version = migrated.version;
    if (migrated.applied > 0) logger.info(migrated, 'the lake was migrated');
  } catch (error) {
    await connection.close();
    throw error;
  }
  return {
    ingest: createIngest(connection),
    search: (request) => searchEvents(connection, clock, request),
    count: (scope) => countEvents(connection, clock, scope),
    histogram: (request) => histogram(connection, clock, request),
    facets: (request) => facets(connection, clock, request),
    traffic: (request) => traffic(connection, clock, request),
    get: (id) => getEvent(connection, id),
    follow: (request) => follow(connection, clock, request),
    export: (request) => exportEvents(connection, clock, request),
    dropDaysBefore: (at) => dropDaysBefore(connection, options.layout ?? { kind: 'single' }, at),
    expiry: createExpiryLake(connection, options.layout ?? { kind: 'single' }, () => clock.now()),
    behaviour: createBehaviourLake(connection),
    usage: createUsageLake(connection),
    monitor: createMonitorLake(connection, clock),
    hunt: createHuntLake(connection),
    sweep: createSweepLake(connection),
    digests: createBatchDigestLake(connection),
    journal: createLakeJournal(connection, clock),
    archive: createLakeArchive(connection, options.layout ?? { kind: 'single' }),
    ping: () => connection.ping(),
    close: () => connection.close(),
    async stats() {
      const rows = await connection.rows<{ events: number; bytes: number; oldest: number; newest: number }>(
        'SELECT sum(rows) AS events, sum(bytes_on_disk) AS bytes, toUnixTimestamp(min(min_time)) * 1000 AS oldest, ' +
          "toUnixTimestamp(max(max_time)) * 1000 AS newest FROM system.parts WHERE active AND database = currentDatabase() AND table IN ('events', 'events_local')",
        {},
      );
      const { events = 0, bytes = 0, oldest = 0, newest = 0 } = rows[0] ?? {};
      return { events, bytes, schemaVersion: version, ...(events > 0 && { oldestAt: oldest, newestAt: newest }) };
    },
  };
}
