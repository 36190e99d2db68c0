import { QueryInvalid } from './errors.ts';
import type { LakeConnection } from './lake-connection.ts';
import { ddlNames, type LakeLayout } from './lake-schema.ts';
import { momentOf, ParamBag } from './query-params.ts';
import { compileConditions } from './search-scope.ts';

/** Which events may go: those that a search finds, before a moment (milliseconds since the epoch). */
export interface Expiry {
  /** In the search language; empty: all. */
  readonly query: string;
  readonly before: number;
}

/** Events that stay whatever else says they may go. */
export interface Hold {
  readonly query: string;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

export interface ExpiredDay {
  /** `YYYYMMDD`, UTC. */
  readonly day: string;
  /** That may go. */
  readonly events: number;
  /** That would, but are held. */
  readonly held: number;
}

export interface ExpiryLake {
  /** What a deletion would take, and what holds keep of it. */
  preview(expiry: Expiry, holds: readonly Hold[]): Promise<ExpiredDay[]>;
  /** Deletes it; gives what went. A day of which nothing is kept goes as a whole, which rewrites nothing. */
  delete(expiry: Expiry, holds: readonly Hold[]): Promise<ExpiredDay[]>;
  /** The moment before which days have to go so that the rest fits into so many bytes; null: it fits. Today stays. */
  momentToFit(bytesMax: number, now: number): Promise<number | null>;
}

const DAYS_MAX = 400;
const HOLDS_MAX = 100;
const SECONDS_MAX = 120;

interface Compiled {
  /** Older than the moment, and found by the search. */
  readonly due: string;
  readonly held: string;
  readonly params: ParamBag;
}

/** Conditions that a search has no clock for: `now-7d` in a rule would mean another day at each run. */
function compile({ query, before }: Expiry, holds: readonly Hold[], now: number): Compiled {
  if (holds.length > HOLDS_MAX) throw new QueryInvalid(`There may be ${HOLDS_MAX} holds.`);
  const params = new ParamBag();
  const due = [`time < ${momentOf(params, before)}`, ...compileConditions({ query }, params, now)].join(' AND ');
  const each = holds.map((hold) => {
    const parts = [
      ...(hold.from === undefined ? [] : [`time >= ${momentOf(params, hold.from)}`]),
      ...(hold.to === undefined ? [] : [`time < ${momentOf(params, hold.to)}`]),
      ...compileConditions({ query: hold.query }, params, now),
    ];
    return parts.length === 0 ? '1' : `(${parts.join(' AND ')})`;
  });
  return { due, held: each.length === 0 ? '0' : `(${each.join(' OR ')})`, params };
}

export function createExpiryLake(connection: LakeConnection, layout: LakeLayout, now: () => number): ExpiryLake {
  const table = layout.kind === 'single' ? 'events' : 'events_local';
  const daysOf = ({ due, held, params }: Compiled) =>
    connection.rows<ExpiredDay & { readonly kept: number }>(
      `SELECT toString(toYYYYMMDD(time)) AS day, countIf((${due}) AND NOT ${held}) AS events, ` +
        `countIf((${due}) AND ${held}) AS held, countIf(NOT ((${due}) AND NOT ${held})) AS kept FROM events ` +
        `WHERE toYYYYMMDD(time) IN (SELECT DISTINCT toYYYYMMDD(time) FROM events WHERE ${due}) ` +
        `GROUP BY day ORDER BY day LIMIT ${DAYS_MAX}`,
      params.values,
      { secondsMax: SECONDS_MAX },
    );
  const touched = (days: readonly (ExpiredDay & { kept: number })[]): (ExpiredDay & { kept: number })[] =>
    days.filter(({ events, held }) => events > 0 || held > 0);
  const plain = ({ day, events, held }: ExpiredDay): ExpiredDay => ({ day, events, held });

  return {
    async preview(expiry, holds) {
      return touched(await daysOf(compile(expiry, holds, now()))).map(plain);
    },
    async delete(expiry, holds) {
      const compiled = compile(expiry, holds, now());
      const days = touched(await daysOf(compiled)).filter(({ events }) => events > 0);
      const { onCluster } = ddlNames(connection.database, layout);
      const alter = `ALTER TABLE ${connection.database}.${table}${onCluster}`;
      for (const { day, kept } of days) {
        if (!/^\d{8}$/.test(day)) continue;
        // Only a day that is over can go whole: nothing may come into it between the count and the drop.
        const isOver = Number(day) < Number(new Date(expiry.before).toISOString().slice(0, 10).replaceAll('-', ''));
        if (kept === 0 && isOver) await connection.command(`${alter} DROP PARTITION ID '${day}'`);
        else {
          const where = `(${compiled.due}) AND NOT ${compiled.held}`;
          await connection.change(`${alter} DELETE IN PARTITION ID '${day}' WHERE ${where}`, compiled.params.values);
        }
      }
      return days.map(plain);
    },
    async momentToFit(bytesMax, at) {
      const rows = await connection.rows<{ day: string; bytes: number }>(
        'SELECT partition_id AS day, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = currentDatabase() ' +
          "AND table = {table:String} AND match(partition_id, '^[0-9]{8}$') GROUP BY day ORDER BY day DESC",
        { table },
      );
      const today = new Date(at).toISOString().slice(0, 10).replaceAll('-', '');
      let sum = 0;
      for (const { day, bytes } of rows) {
        sum += bytes;
        if (sum <= bytesMax || day >= today) continue;
        const start = Date.UTC(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6)));
        return start + 86_400_000;
      }
      return null;
    },
  };
}
