import type { DdlNames } from './lake-schema.ts';

/**
 * Summaries that behaviour is scored from. An hour of the events table is summed up whole and again whenever late
 * events fall into it, and the newer sum replaces the older: so summing up twice, or after a crash, counts nothing
 * twice. `behaviour_seen` holds minima and maxima only, which don't mind a repeat either; that is why a materialised
 * view may feed it.
 */
const HOURS_COLUMNS = [
  "hour DateTime('UTC') CODEC(DoubleDelta, ZSTD(1))",
  'entity_type LowCardinality(String)',
  'entity String CODEC(ZSTD(1))',
  'entity_name String CODEC(ZSTD(1))',
  // '' for all events of the entity in that hour; else what `value` is: an operation, a network, a client.
  'facet LowCardinality(String)',
  'value String CODEC(ZSTD(1))',
  'events UInt64 CODEC(T64, ZSTD(1))',
  'failures UInt64 CODEC(T64, ZSTD(1))',
  'request_bytes UInt64 CODEC(T64, ZSTD(1))',
  'response_bytes UInt64 CODEC(T64, ZSTD(1))',
  "first_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1))",
  "last_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1))",
  'sample Array(String) CODEC(ZSTD(1))',
  'computed_at UInt64 CODEC(DoubleDelta, ZSTD(1))',
];

const SEEN_COLUMNS = [
  'entity_type LowCardinality(String)',
  'entity String CODEC(ZSTD(1))',
  'facet LowCardinality(String)',
  'value String CODEC(ZSTD(1))',
  "first_at SimpleAggregateFunction(min, DateTime64(3, 'UTC'))",
  "last_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))",
];

/** How long an hour's sums are kept: a year of seasons and a margin, whatever the retention of events is. */
const HOURS_DAYS_MAX = 400;

export function createBehaviour(names: DdlNames): string[] {
  const place = 'cityHash64(entity_type, entity)';
  const hours = names.summary('behaviour_hours', 'ReplacingMergeTree', 'computed_at', place);
  const seen = names.summary('behaviour_seen', 'AggregatingMergeTree', '', place);
  const view = hours.storage.replace('behaviour_hours', 'behaviour_seen_view');
  return [
    `CREATE TABLE IF NOT EXISTS ${hours.storage}${names.onCluster} (${HOURS_COLUMNS.join(', ')}) ` +
      `ENGINE = ${hours.engine} PARTITION BY toYYYYMM(hour) ORDER BY (entity_type, entity, facet, value, hour) ` +
      `TTL hour + toIntervalDay(${HOURS_DAYS_MAX})`,
    `CREATE TABLE IF NOT EXISTS ${seen.storage}${names.onCluster} (${SEEN_COLUMNS.join(', ')}) ` +
      `ENGINE = ${seen.engine} ORDER BY (entity_type, entity, facet, value)`,
    ...hours.spanning,
    ...seen.spanning,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${view}${names.onCluster} TO ${seen.storage} AS ` +
      'SELECT entity_type, entity, facet, value, min(first_at) AS first_at, max(last_at) AS last_at ' +
      `FROM ${hours.storage} GROUP BY entity_type, entity, facet, value`,
  ];
}
