import type { LakeConnection } from './lake-connection.ts';
import { ddlNames, type LakeLayout } from './lake-schema.ts';

/** Rows of one slice: what one read and one insert hold in memory. */
const SLICE_ROWS_MAX = 10_000;
const SECONDS_MAX = 120;

interface ArchivedTable {
  /** Rows of one group lie in slices of their own, so that an hour that doesn't change is the same slices again. */
  readonly group: string;
  /** Over a row: what makes it another row. */
  readonly identity: string;
  readonly order: string;
  /** Rows that were replaced, and not yet merged away, don't count. */
  readonly final: string;
}

const atLeastOne = ([first = '', ...rest]: readonly string[]): [string, ...string[]] => [first, ...rest];

const TABLES: Readonly<Record<string, ArchivedTable>> = {
  events: {
    group: 'toUnixTimestamp(toStartOfHour(time))',
    identity: 'cityHash64(event_id, ingested_at)',
    order: 'time, event_id',
    final: '',
  },
  behaviour_hours: {
    group: 'toUnixTimestamp(hour)',
    identity: 'cityHash64(entity_type, entity, facet, value, computed_at)',
    order: 'entity_type, entity, facet, value',
    final: 'FINAL',
  },
  behaviour_seen: {
    group: 'toUInt32(0)',
    identity: 'cityHash64(entity_type, entity, facet, value, first_at, last_at)',
    order: 'entity_type, entity, facet, value',
    final: 'FINAL',
  },
};

/** Rows that belong together; read in `parts` slices. */
export interface LakeGroup {
  readonly table: string;
  /** The hour, seconds since the epoch; 0 for a table that isn't cut by time. */
  readonly group: number;
  readonly rows: number;
  /** The same while the same rows are there. */
  readonly fingerprint: string;
  readonly parts: number;
}

/** The lake as a backup sees it: everything in it, in pieces that stay the same while nothing in them changes. */
export interface LakeArchive {
  groups(): Promise<LakeGroup[]>;
  /** One slice: its columns, and its rows as JSON arrays, one a line. */
  read(group: LakeGroup, part: number): Promise<{ readonly columns: readonly string[]; readonly lines: string[] }>;
  /** Puts a slice back. The token makes a repeat harmless. */
  write(table: string, columns: readonly string[], lines: readonly string[], token: string): Promise<void>;
  rows(): Promise<number>;
  /** Deletes everything. */
  clear(): Promise<void>;
}

export function createLakeArchive(connection: LakeConnection, layout: LakeLayout): LakeArchive {
  const { database } = connection;
  const specOf = (table: string): ArchivedTable => {
    const found = Object.hasOwn(TABLES, table) ? TABLES[table] : undefined;
    if (!found) throw new TypeError(`The lake archives no table ${table}.`);
    return found;
  };
  /** As the tables are now: what is computed from other columns is computed again. */
  const columnsOf = async (table: string): Promise<string[]> => {
    const rows = await connection.rows<{ name: string }>(
      "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String} AND default_kind NOT IN ('ALIAS', 'MATERIALIZED') ORDER BY position",
      { table },
    );
    return rows.map(({ name }) => name);
  };
  return {
    async groups() {
      const all: LakeGroup[] = [];
      for (const [table, { group, identity, final }] of Object.entries(TABLES)) {
        const found = await connection.rows<{ g: number; n: number; h: string }>(
          `SELECT ${group} AS g, count() AS n, toString(groupBitXor(${identity})) AS h FROM ${table} ${final} GROUP BY g ORDER BY g`,
          {},
          { secondsMax: SECONDS_MAX },
        );
        for (const { g, n, h } of found) {
          all.push({ table, group: g, rows: n, fingerprint: `${n}-${h}`, parts: Math.ceil(n / SLICE_ROWS_MAX) });
        }
      }
      return all;
    },
    async read({ table, group: value, parts }, part) {
      const { group, identity, order, final } = specOf(table);
      const columns = await columnsOf(table);
      const rows = await connection.rows<Record<string, unknown>>(
        `SELECT ${columns.join(', ')} FROM ${table} ${final} WHERE ${group} = {value:UInt32} ` +
          `AND ${identity} % {parts:UInt32} = {part:UInt32} ORDER BY ${order}`,
        { value, parts, part },
        { secondsMax: SECONDS_MAX },
      );
      return { columns, lines: rows.map((row) => JSON.stringify(columns.map((column) => row[column]))) };
    },
    async write(table, columns, lines, token) {
      specOf(table);
      const known = new Set(await columnsOf(table));
      const strange = columns.find((column) => !known.has(column));
      if (strange !== undefined) throw new TypeError(`The table ${table} has no column ${strange}.`);
      await connection.insert(table, atLeastOne(columns), 'JSONCompactEachRow', lines, {
        insert_deduplicate: 1,
        insert_deduplication_token: token,
        max_insert_threads: '1',
        distributed_foreground_insert: 1,
      });
    },
    async rows() {
      const counts = await Promise.all(
        Object.keys(TABLES).map((table) => connection.rows<{ n: number }>(`SELECT count() AS n FROM ${table}`, {})),
      );
      return counts.reduce((sum, [row]) => sum + (row?.n ?? 0), 0);
    },
    async clear() {
      const { onCluster } = ddlNames(database, layout);
      for (const table of Object.keys(TABLES)) {
        const storage = layout.kind === 'single' ? table : `${table}_local`;
        await connection.command(`TRUNCATE TABLE ${database}.${storage}${onCluster}`);
      }
    },
  };
}
