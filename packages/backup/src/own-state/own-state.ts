import type { Clock, Database } from '@cordon/kernel';
import { z } from 'zod';
import type { BackupPart } from '../backup-record.ts';
import { listLines, readParts } from '../browse.ts';
import { PackDamaged, RestoreRefused, SnapshotUnknown } from '../errors.ts';
import type { SnapshotManifest } from '../manifest.ts';
import type { Repository } from '../repository.ts';
import { type SourceStream, takeSnapshot } from '../take-snapshot.ts';
import { databaseFacts, type DatabaseFacts, exportDatabase } from './database-export.ts';
import { importDatabase } from './database-import.ts';

/** Whose snapshots these are; apps' are named by their connection. */
export const OWN_SUBJECT = 'cordon';
const FORMAT = 1;
const STREAMS = { database: 'own-database', lake: 'own-lake', files: 'own-files', facts: 'own-facts' } as const;

/** What the lake tells of itself; `@cordon/lake` has it. */
export interface OwnLake {
  groups(): Promise<
    readonly {
      readonly table: string;
      readonly group: number;
      readonly rows: number;
      readonly fingerprint: string;
      readonly parts: number;
    }[]
  >;
  read(
    group: Awaited<ReturnType<OwnLake['groups']>>[number],
    part: number,
  ): Promise<{ readonly columns: readonly string[]; readonly lines: readonly string[] }>;
  write(table: string, columns: readonly string[], lines: readonly string[], token: string): Promise<void>;
}

export interface OwnFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const facts = z.object({ format: z.int(), database: databaseFacts, lakeRows: z.int(), files: z.array(z.string()) });
export type OwnFacts = z.output<typeof facts>;
const lakeMark = z.record(z.string(), z.object({ fingerprint: z.string(), parts: z.int() }));
const slice = z.object({ columns: z.array(z.string()), lines: z.array(z.string()) });

/** Hours in which nothing changed since the last snapshot are not read. */
function lakeStream(lake: OwnLake, former: unknown, onRows: (rows: number) => void): SourceStream {
  const known = lakeMark.safeParse(former);
  const before = known.success ? known.data : {};
  const after: z.output<typeof lakeMark> = {};
  const part = (id: string, bytes: Uint8Array): BackupPart => ({ stream: STREAMS.lake, object: 'slice', id, bytes });
  return {
    name: STREAMS.lake,
    mode: known.success ? 'changes' : 'whole',
    async *records() {
      let rows = 0;
      for (const group of await lake.groups()) {
        const key = `${group.table}/${group.group}`;
        const { fingerprint, parts } = group;
        after[key] = { fingerprint, parts };
        rows += group.rows;
        if (before[key]?.fingerprint === fingerprint) continue;
        for (let at = 0; at < parts; at++) {
          const bytes = Buffer.from(JSON.stringify(await lake.read(group, at)));
          yield { part: part(`${key}/${at}`, bytes) };
        }
      }
      for (const [key, { parts }] of Object.entries(before)) {
        const from = after[key]?.parts ?? 0;
        for (let at = from; at < parts; at++) yield { part: part(`${key}/${at}`, Buffer.alloc(0)), deleted: true };
      }
      onRows(rows);
    },
    mark: () => after,
  };
}

/**
 * Takes Cordon's own state: PostgreSQL as of one moment, then the lake (what came in between is there twice at most,
 * and ingest knows it by its ids), then files of the data directory.
 */
export async function takeOwnState(deps: {
  readonly repository: Repository;
  readonly clock: Clock;
  readonly db: Database;
  readonly lake: OwnLake;
  readonly readFiles: () => Promise<readonly OwnFile[]>;
  readonly id: string;
}): Promise<SnapshotManifest> {
  const { repository, clock, db, lake, readFiles } = deps;
  const former = (await repository.snapshots(OWN_SUBJECT)).at(-1);
  const mark = former?.streams.find(({ name }) => name === STREAMS.lake)?.mark;
  let database: DatabaseFacts | null = null;
  let lakeRows = 0;
  let files: readonly OwnFile[] = [];
  const streams: SourceStream[] = [
    {
      name: STREAMS.database,
      mode: 'whole',
      async *records() {
        for await (const part of exportDatabase(db, STREAMS.database, (found) => (database = found))) yield { part };
      },
    },
    lakeStream(lake, mark, (rows) => (lakeRows = rows)),
    {
      name: STREAMS.files,
      mode: 'whole',
      async *records() {
        files = await readFiles();
        for (const { name, bytes } of files) yield { part: { stream: STREAMS.files, object: 'file', id: name, bytes } };
      },
    },
    {
      name: STREAMS.facts,
      mode: 'whole',
      // Last, when the others know what they read.
      async *records() {
        const value = facts.parse({ format: FORMAT, database, lakeRows, files: files.map(({ name }) => name) });
        const bytes = Buffer.from(JSON.stringify(value));
        yield { part: { stream: STREAMS.facts, object: 'facts', id: 'facts', bytes } };
      },
    },
  ];
  return takeSnapshot(repository, clock, { id: deps.id, subject: OWN_SUBJECT, title: 'Cordon itself', streams });
}

/** One snapshot of Cordon's own state, opened. */
export interface OwnSnapshot {
  readonly manifest: SnapshotManifest;
  readonly facts: OwnFacts;
  files(): Promise<OwnFile[]>;
  restoreDatabase(db: Database): Promise<{ readonly tables: number; readonly rows: number }>;
  restoreLake(lake: Pick<OwnLake, 'write'>): Promise<{ readonly rows: number }>;
}

/** The newest, or the one that is named. Every list is checked against its root before anything is given out. */
export async function openOwnState(repository: Repository, id?: string): Promise<OwnSnapshot> {
  const all = await repository.snapshots(OWN_SUBJECT);
  const manifest = id === undefined ? all.at(-1) : all.find((one) => one.id === id);
  if (!manifest) throw new SnapshotUnknown('There is no such snapshot of Cordon itself.', { snapshot: id ?? 'newest' });
  const lines = await listLines(repository, manifest, { parts: true });
  const of = (stream: string) =>
    readParts(
      repository,
      lines.filter((one) => one.stream === stream),
    );
  let found: OwnFacts | null = null;
  for await (const { bytes } of of(STREAMS.facts)) found = facts.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  if (!found) throw new PackDamaged('This snapshot does not say what it holds.', { snapshot: manifest.id });
  if (found.format !== FORMAT) {
    throw new RestoreRefused(`This snapshot has format ${found.format}; this version reads format ${FORMAT}.`);
  }
  const known = found;
  return {
    manifest,
    facts: known,
    async files() {
      const list: OwnFile[] = [];
      for await (const { id: name, bytes } of of(STREAMS.files)) list.push({ name, bytes: Uint8Array.from(bytes) });
      return list;
    },
    restoreDatabase: (db) => importDatabase(db, known.database, of(STREAMS.database)),
    async restoreLake(lake) {
      let rows = 0;
      for await (const { id: name, bytes } of of(STREAMS.lake)) {
        const { columns, lines: rowsOf } = slice.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
        const table = name.split('/')[0] ?? '';
        if (rowsOf.length > 0) await lake.write(table, columns, rowsOf, `restore:${manifest.id}:${name}`);
        rows += rowsOf.length;
      }
      return { rows };
    },
  };
}
