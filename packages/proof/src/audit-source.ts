import type { Queryable } from '@cordon/kernel';
import { sql } from 'kysely';
import type { RecordSource } from './log.ts';
import { tablesOf } from './tables.ts';

/** The audit trail's records, as the very text that its own chain covers. */
export function auditSource(db: Queryable): RecordSource {
  return {
    async readAfter(seq, limit) {
      const { rows } = await sql<{ seq: number; record: string }>`select seq, record from audit_trail
        where seq > ${seq} order by seq limit ${limit}`.execute(tablesOf(db));
      // A gap is no reason to skip a number: what stands behind it is not the next record.
      const gap = rows.findIndex((row, place) => row.seq !== seq + place + 1);
      return (gap === -1 ? rows : rows.slice(0, gap)).map((row) => row.record);
    },
  };
}
