import type { LakeConnection } from './lake-connection.ts';
import { ddlNames, type LakeLayout } from './lake-schema.ts';

const DAYS_AT_ONCE_MAX = 400;

export interface DroppedDay {
  /** `YYYYMMDD`, UTC. */
  readonly day: string;
  readonly events: number;
}

/**
 * Deletes whole days that lie before a moment (milliseconds since the epoch). Tables are partitioned by day, so this
 * removes files and rewrites nothing; a day that the moment falls into stays.
 */
export async function dropDaysBefore(
  connection: LakeConnection,
  layout: LakeLayout,
  before: number,
): Promise<DroppedDay[]> {
  const names = ddlNames(connection.database, layout);
  const table = layout.kind === 'single' ? 'events' : 'events_local';
  const limit = new Date(before).toISOString().slice(0, 10).replaceAll('-', '');
  const days = await connection.rows<{ day: string; events: number }>(
    `SELECT partition_id AS day, sum(rows) AS events FROM system.parts WHERE active AND database = currentDatabase() ` +
      `AND table = {table:String} AND match(partition_id, '^[0-9]{8}$') AND partition_id < {limit:String} ` +
      `GROUP BY partition_id ORDER BY partition_id LIMIT ${DAYS_AT_ONCE_MAX}`,
    { table, limit },
  );
  for (const { day } of days) {
    // The pattern above let nothing but eight digits through.
    await connection.command(
      `ALTER TABLE ${connection.database}.${table}${names.onCluster} DROP PARTITION ID '${day}'`,
    );
  }
  return days;
}
