import type { LakeConnection } from './lake-connection.ts';
import { momentOf, ParamBag } from './query-params.ts';

/** Columns whose different values a list of indicators is held against. */
const SWEPT = {
  address: "replaceOne(toString(src_ip), '::ffff:', '')",
  host: 'lower(host)',
  email: 'lower(actor_email)',
  agent: 'lower(user_agent)',
  integration: 'lower(integration_id)',
  target: 'lower(target_id)',
} as const;
export type SweptColumn = keyof typeof SWEPT;
export const SWEPT_COLUMNS = Object.keys(SWEPT) as readonly SweptColumn[]; // its own keys

const EMPTY: Readonly<Record<SweptColumn, string>> = {
  address: '::',
  host: '',
  email: '',
  agent: '',
  integration: '',
  target: '',
};
const PAGE_VALUES = 50_000;
const VALUES_AT_ONCE_MAX = 2_000;
const EVENTS_MAX = 10_000;
const SECONDS_MAX = 60;

export interface SweepSpan {
  /** When it happened: milliseconds since the epoch, `to` exclusive. */
  readonly from: number;
  readonly to: number;
}

/** A look at all that is stored, value by value: a month of events has few different addresses. */
export interface SweepLake {
  /** Different values of a column, in pages. */
  values(column: SweptColumn, span: SweepSpan): AsyncGenerator<readonly string[]>;
  /** The newest events with one of the values, as they were stored; at most `EVENTS_MAX`. */
  events(column: SweptColumn, values: readonly string[], span: SweepSpan): Promise<{ id: string; raw: string }[]>;
}

export function createSweepLake(connection: LakeConnection): SweepLake {
  const within = (params: ParamBag, { from, to }: SweepSpan): string =>
    `time >= ${momentOf(params, from)} AND time < ${momentOf(params, to)} AND class_uid != 2004`;
  return {
    async *values(column, span) {
      let after = '';
      for (;;) {
        const params = new ParamBag();
        const rows = await connection.rows<{ v: string }>(
          `SELECT DISTINCT ${SWEPT[column]} AS v FROM events WHERE ${within(params, span)} ` +
            `AND v > ${params.add('String', after)} AND v != ${params.add('String', EMPTY[column])} ORDER BY v LIMIT ${PAGE_VALUES}`,
          params.values,
          { secondsMax: SECONDS_MAX },
        );
        if (rows.length > 0) yield rows.map(({ v }) => v);
        after = rows.at(-1)?.v ?? '';
        if (rows.length < PAGE_VALUES) return;
      }
    },
    async events(column, values, span) {
      const found: { id: string; raw: string }[] = [];
      for (let at = 0; at < values.length && found.length < EVENTS_MAX; at += VALUES_AT_ONCE_MAX) {
        const params = new ParamBag();
        const some = params.add('Array(String)', values.slice(at, at + VALUES_AT_ONCE_MAX));
        const rows = await connection.rows<{ id: string; raw: string }>(
          `SELECT event_id AS id, raw FROM events WHERE ${within(params, span)} AND ${SWEPT[column]} IN ${some} ` +
            `ORDER BY time DESC LIMIT ${EVENTS_MAX - found.length}`,
          params.values,
          { secondsMax: SECONDS_MAX },
        );
        found.push(...rows);
      }
      return found;
    },
  };
}
