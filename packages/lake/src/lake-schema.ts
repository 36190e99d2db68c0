import { ENRICHMENT_COLUMN_NAMES, type EnrichmentColumn } from './enrichment-schema.ts';

/**
 * The lake's tables. Typed columns are what is filtered and counted; `raw` is the event as OCSF JSON. Everything that
 * a query needs beyond them comes from `raw` by path.
 *
 * Choices, with what was measured on 300,000 calls of 1.3 KB each (chDB 26.7):
 * - `raw` with ZSTD(3): 117 bytes an event, all columns together 160, with the indexes 190.
 * - ORDER BY time: the newest page of a timeline reads one granule. Ordering by app first saved 4% and lost that.
 * - The word index covers string values only: without keys, UUIDs and numbers it takes 26 bytes an event, with them 103.
 * - UUIDs in a bloom filter of their own: 2.6 bytes an event, and a search for one reads a granule or two.
 */

export const UUID_PATTERN = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

/** What free text searches: lower-case values of the event without JSON keys, numbers, UUIDs and escapes. */
const WORDS = `lowerUTF8(replaceRegexpAll(raw, '${UUID_PATTERN}|"[A-Za-z0-9_]+":(?:[0-9.]+)?|\\\\\\\\.', ' '))`;
const UUIDS = `extractAll(raw, '${UUID_PATTERN}')`;

const WORD = 'LowCardinality(String) CODEC(ZSTD(1))';
const COUNT = 'UInt64 CODEC(T64, ZSTD(1))';

/** Column, type with codec. `row.ts` fills all but `ingested_at`. */
export const EVENT_COLUMNS = {
  time: "DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1))",
  event_id: 'String CODEC(ZSTD(1))',
  // The server's clock when the insert ran: what a tail follows.
  ingested_at: "DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(DoubleDelta, ZSTD(1))",
  batch_id: 'String CODEC(ZSTD(1))',
  source: WORD,
  product: WORD,
  class_uid: 'UInt32 CODEC(ZSTD(1))',
  activity_id: 'UInt16 CODEC(ZSTD(1))',
  severity_id: 'UInt8 CODEC(ZSTD(1))',
  status_id: 'UInt8 CODEC(ZSTD(1))',
  app_id: WORD,
  app_name: WORD,
  integration_id: WORD,
  integration_name: WORD,
  actor_id: WORD,
  actor_name: WORD,
  actor_email: WORD,
  target_id: WORD,
  target_name: WORD,
  target_type: WORD,
  operation: WORD,
  method: WORD,
  host: WORD,
  path: 'String CODEC(ZSTD(1))',
  http_status: 'UInt16 CODEC(ZSTD(1))',
  user_agent: WORD,
  src_ip: 'IPv6 CODEC(ZSTD(1))',
  decision: WORD,
  reason: WORD,
  policies: 'Array(LowCardinality(String)) CODEC(ZSTD(1))',
  data_classes: 'Array(LowCardinality(String)) CODEC(ZSTD(1))',
  redactions: 'UInt32 CODEC(ZSTD(1))',
  duration_ms: 'Float32 CODEC(ZSTD(1))',
  upstream_ms: 'Float32 CODEC(ZSTD(1))',
  request_bytes: COUNT,
  response_bytes: COUNT,
  gateway_id: WORD,
  rule_id: WORD,
  correlation_id: 'String CODEC(ZSTD(1))',
  raw: 'String CODEC(ZSTD(3))',
} as const;

/** Columns that later migrations added. */
export type EventColumn = keyof typeof EVENT_COLUMNS | 'records' | EnrichmentColumn;

export const INSERT_COLUMNS: readonly Exclude<EventColumn, 'ingested_at'>[] = [
  ...(Object.keys(EVENT_COLUMNS) as EventColumn[]).filter((name) => name !== 'ingested_at'), // its own keys
  'records',
  ...ENRICHMENT_COLUMN_NAMES,
];

/** How the tables lie: on one node, or replicated and sharded over the nodes of a named cluster. */
export type LakeLayout =
  | { readonly kind: 'single' }
  | { readonly kind: 'cluster'; readonly cluster: string; readonly keeperPath?: string };

const NAME = /^[A-Za-z_]\w*$/;
const KEEPER_PATH = /^\/[\w/{}-]+$/;
/** Batches whose tokens one node remembers; a retry later than that is caught by its event ids. */
const DEDUPLICATION_WINDOW = 10_000;

export interface DdlNames {
  /** `ON CLUSTER name`, or nothing. */
  readonly onCluster: string;
  /** The table that holds rows on a node. */
  readonly storage: string;
  readonly engine: string;
  readonly settings: string;
  /** The statement that makes `events` span the cluster, or none. */
  readonly spanning: readonly string[];
  /** The same for a table of summaries; `place` is the expression that says which shard holds a row. */
  readonly summary: (table: string, engine: string, version: string, place: string) => SummaryNames;
}

export interface SummaryNames {
  readonly storage: string;
  readonly engine: string;
  readonly spanning: readonly string[];
}

/** Fills the templates for a layout. Names come from configuration and are checked: they become SQL. */
export function ddlNames(database: string, layout: LakeLayout): DdlNames {
  if (!NAME.test(database))
    throw new TypeError(`The lake's database name "${database}" may hold letters, digits and _.`);
  const durable = 'fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1';
  if (layout.kind === 'single') {
    return {
      onCluster: '',
      storage: `${database}.events`,
      engine: 'MergeTree',
      settings: `${durable}, non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`,
      spanning: [],
      summary: (table, engine, version) => ({
        storage: `${database}.${table}`,
        engine: version === '' ? engine : `${engine}(${version})`,
        spanning: [],
      }),
    };
  }
  const path = layout.keeperPath ?? '/clickhouse/tables/{shard}';
  if (!NAME.test(layout.cluster))
    throw new TypeError(`The cluster name "${layout.cluster}" may hold letters, digits and _.`);
  if (!KEEPER_PATH.test(path)) throw new TypeError(`The keeper path "${path}" is not one.`);
  const onCluster = ` ON CLUSTER ${layout.cluster}`;
  return {
    onCluster,
    storage: `${database}.events_local`,
    engine: `ReplicatedMergeTree('${path}/${database}/events', '{replica}')`,
    settings: `${durable}, replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`,
    // A retry must meet the shard that has the first try: rows are placed by event id, not at random.
    spanning: [
      `CREATE TABLE IF NOT EXISTS ${database}.events${onCluster} AS ${database}.events_local ` +
        `ENGINE = Distributed(${layout.cluster}, ${database}, events_local, cityHash64(event_id))`,
    ],
    summary: (table, engine, version, place) => ({
      storage: `${database}.${table}_local`,
      engine: `Replicated${engine}('${path}/${database}/${table}', '{replica}'${version === '' ? '' : `, ${version}`})`,
      spanning: [
        `CREATE TABLE IF NOT EXISTS ${database}.${table}${onCluster} AS ${database}.${table}_local ` +
          `ENGINE = Distributed(${layout.cluster}, ${database}, ${table}_local, ${place})`,
      ],
    }),
  };
}

/** The first form of the events table. Later migrations change it; this one must never be edited once released. */
export function createEvents(names: DdlNames): string[] {
  const columns = Object.entries(EVENT_COLUMNS).map(([name, type]) => `${name} ${type}`);
  const indexes = [
    `words String ALIAS ${WORDS}`,
    `uuids Array(String) ALIAS ${UUIDS}`,
    `INDEX words_index ${WORDS} TYPE text(tokenizer = 'splitByNonAlpha')`,
    `INDEX uuids_index ${UUIDS} TYPE bloom_filter(0.01) GRANULARITY 1`,
    'INDEX event_id_index event_id TYPE bloom_filter(0.01) GRANULARITY 1',
    'INDEX batch_id_index batch_id TYPE bloom_filter(0.01) GRANULARITY 1',
    'INDEX ingested_at_index ingested_at TYPE minmax GRANULARITY 1',
  ];
  return [
    `CREATE TABLE IF NOT EXISTS ${names.storage}${names.onCluster} (${[...columns, ...indexes].join(', ')}) ` +
      `ENGINE = ${names.engine} PARTITION BY toYYYYMMDD(time) ORDER BY (time, event_id) SETTINGS ${names.settings}`,
    ...names.spanning,
  ];
}
