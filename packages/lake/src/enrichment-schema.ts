import type { DdlNames } from './lake-schema.ts';

const WORD = 'LowCardinality(String)';
const WORDS = `Array(${WORD})`;

/** What enrichment adds to an event, where rules, searches and retention use it. */
const ENRICHMENT_COLUMNS = {
  country: [WORD, "''"],
  asn: ['UInt32', '0'],
  client: [WORD, "''"],
  network_flags: [WORDS, '[]'],
  threats: [WORDS, '[]'],
  first_seen: [WORDS, '[]'],
  label: [WORD, "''"],
} as const;
export type EnrichmentColumn = keyof typeof ENRICHMENT_COLUMNS;
export const ENRICHMENT_COLUMN_NAMES = Object.keys(ENRICHMENT_COLUMNS) as readonly EnrichmentColumn[]; // its own keys

/** The columns on the table that holds rows, and on the one that spans a cluster. */
export function addEnrichment(names: DdlNames): string[] {
  const [database = ''] = names.storage.split('.');
  return Object.entries(ENRICHMENT_COLUMNS).flatMap(([column, [type, empty]]) => {
    const add = `ADD COLUMN IF NOT EXISTS ${column} ${type} DEFAULT ${empty}`;
    return [
      `ALTER TABLE ${names.storage}${names.onCluster} ${add} CODEC(ZSTD(1))`,
      ...(names.spanning.length > 0 ? [`ALTER TABLE ${database}.events${names.onCluster} ${add}`] : []),
    ];
  });
}
