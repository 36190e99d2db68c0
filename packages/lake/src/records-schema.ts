import type { DdlNames } from './lake-schema.ts';

/** How many records an answer held, as the gateway counted them; 0 where none were counted. */
export const RECORDS_COLUMN = 'records UInt64 DEFAULT 0 CODEC(T64, ZSTD(1))';

/** The column on the table that holds rows, and on the one that spans a cluster. */
export function addRecords(names: DdlNames): string[] {
  const add = `ADD COLUMN IF NOT EXISTS ${RECORDS_COLUMN}`;
  const [database = ''] = names.storage.split('.');
  return [
    `ALTER TABLE ${names.storage}${names.onCluster} ${add}`,
    ...(names.spanning.length > 0
      ? [`ALTER TABLE ${database}.events${names.onCluster} ${add.replace(/ CODEC.*$/, '')}`]
      : []),
  ];
}
