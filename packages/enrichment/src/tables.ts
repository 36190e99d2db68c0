import type { Migrations } from '@cordon/kernel';
import type { ColumnType } from 'kysely';
import type { ListFormat, ListMeaning } from './threat-list.ts';
import type { IndicatorKind } from './indicator.ts';

export const enrichmentMigrations: Migrations = {
  name: 'enrichment',
  folder: new URL('../migrations/', import.meta.url),
};

/** Rows of this package's own migrations. Times are milliseconds since the epoch. */
export interface EnrichmentTables {
  threat_list: {
    id: string;
    name: string;
    source: string;
    meaning: ListMeaning;
    format: ListFormat;
    indicators: number;
    skipped: number;
    expires_at: number;
    imported_at: number;
    imported_by: string;
    sweep_from: number | null;
    swept_at: number | null;
    sweep_found: number | null;
    sweep_error: string | null;
  };
  threat_indicator: { list_id: string; kind: IndicatorKind; value: string; note: string; expires_at: number | null };
  enrichment_state: {
    one: boolean;
    files: ColumnType<unknown, string, string>;
    problems: ColumnType<unknown, string, string>;
    indicators: number;
    at: number;
  };
  enrichment_seen: { key: string; event_id: string; first_at: number; seen_day: number };
}
