import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createTestLake, type TestLake } from '@cordon/lake/testing';
import type { OcsfEvent } from '@cordon/lake';
import { createEstate } from './lake-events.ts';

export interface Row {
  readonly name: string;
  readonly metric: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  readonly ratio?: number;
}

export interface LakeBenchOptions {
  /** Events sent through `ingest`, each different; rounded to whole slices of 100,000. */
  readonly events?: number;
  /** How often they are copied inside the engine afterwards, shifted in time, to search on more. */
  readonly copies?: number;
  /** Events that the peer takes; it is slow. */
  readonly peerEvents?: number;
}

const SLICE = 100_000;
const BATCH = 5000;
/** As many batches at once as the worker sends. */
const SENDERS = 2;
const RUNS = 7;
const DAY_MS = 86_400_000;

const round = (value: number) => Number(value.toPrecision(4));

function row(name: string, metric: string, unit: string, values: readonly number[], ratio?: number): Row {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    name,
    metric,
    unit,
    median: round(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN),
    min: round(sorted[0] ?? Number.NaN),
    max: round(sorted.at(-1) ?? Number.NaN),
    runs: values.length,
    ...(ratio !== undefined && { ratio: round(ratio) }),
  };
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Ingest, storage and searches of the embedded lake, beside SQLite with FTS5 on the same events. */
export async function run(options: LakeBenchOptions = {}): Promise<{ rows: Row[] }> {
  const slices = Math.max(1, Math.round((options.events ?? 1_000_000) / SLICE));
  const copies = options.copies ?? 4;
  const peerEvents = options.peerEvents ?? SLICE;
  const total = slices * SLICE;
  const start = Date.now() - DAY_MS + 60_000;
  const step = (DAY_MS - 120_000) / total;
  const make = createEstate(12_345);
  const slice = (number: number) =>
    Array.from({ length: SLICE }, (_, index) => make(start + Math.floor((number * SLICE + index) * step)));
  const test = await createTestLake();
  try {
    const first = slice(0);
    const rates = [await ingestSlice(test, 0, first)];
    const known = first[SLICE / 2]?.metadata.uid ?? '';
    for (let number = 1; number < slices; number++) rates.push(await ingestSlice(test, number, slice(number)));
    const bytes = await storedBytes(test);
    const peer = measurePeer(first.slice(0, peerEvents));
    const rows = [
      row(`ingest, batches of ${BATCH}, fsync`, 'rate', 'events/s', rates, median(rates) / peer.rate),
      row(`stored, ${total} events, indexes included`, 'size', 'bytes/event', [bytes], bytes / peer.bytes),
      row(`SQLite FTS5: ingest, ${peerEvents} events`, 'rate', 'events/s', [peer.rate]),
      row(`SQLite FTS5: stored, ${peerEvents} events`, 'size', 'bytes/event', [peer.bytes]),
    ];
    for (let copy = 1; copy <= copies; copy++) await copyEvents(test, copy);
    return { rows: [...rows, ...(await measureSearches(test, known))] };
  } finally {
    await test.close();
  }
}

async function ingestSlice(test: TestLake, number: number, events: readonly OcsfEvent[]): Promise<number> {
  const batches = Array.from({ length: SLICE / BATCH }, (_, index) => ({
    id: `bench-${number}-${index}`,
    events: events.slice(index * BATCH, (index + 1) * BATCH),
  }));
  const began = performance.now();
  const send = async () => {
    for (let batch = batches.shift(); batch; batch = batches.shift()) await test.lake.ingest(batch);
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
  return (SLICE / (performance.now() - began)) * 1000;
}

async function ask(test: TestLake, sql: string): Promise<string> {
  const response = await fetch(
    `${test.process.url}/?database=cordon&max_insert_threads=2&min_insert_block_size_rows=50000&max_block_size=8192`,
    {
      method: 'POST',
      headers: { 'X-ClickHouse-User': test.process.username, 'X-ClickHouse-Key': test.password },
      body: sql,
    },
  );
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

async function storedBytes(test: TestLake): Promise<number> {
  const stats = await test.lake.stats();
  return stats.bytes / stats.events;
}

/** The same events again with other ids, a little later, as fast as the engine copies. */
async function copyEvents(test: TestLake, copy: number): Promise<void> {
  await ask(
    test,
    `INSERT INTO events SELECT * REPLACE (time + toIntervalMillisecond(${copy * 7}) AS time, ` +
      `concat(event_id, '-${copy}') AS event_id) FROM events WHERE NOT match(events.event_id, '-[0-9]$')`,
  );
}

async function measureSearches(test: TestLake, known: string): Promise<Row[]> {
  const { lake } = test;
  const { events } = await lake.stats();
  const day = { from: Date.now() - DAY_MS, to: Date.now() + 60_000 };
  const searches: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['point: an event by its id', () => lake.get(known)],
    ['timeline: the newest 100', () => lake.search({ ...day, limit: 100 })],
    [
      'timeline: the newest 100 of app:slack decision:deny',
      () => lake.search({ ...day, query: 'app:slack decision:deny' }),
    ],
    ['histogram: 24 h by decision', () => lake.histogram({ ...day, groupBy: 'decision' })],
    ['aggregate: 24 h of calls per app and integration', () => lake.traffic({ ...day, by: ['app', 'integration'] })],
    [
      'facets: 24 h, four fields',
      () => lake.facets({ ...day, fields: ['app', 'integration', 'operation', 'decision'] }),
    ],
    ['text: a rare word, newest 100', () => lake.search({ ...day, query: 'ada0' })],
    ['text: a rare word, counted', () => lake.count({ ...day, query: 'ada0' })],
    ['text: an address, newest 100', () => lake.search({ ...day, query: 'mary7@example.com or ada6@example.com' })],
    ['text: an address, counted', () => lake.count({ ...day, query: 'mary7@example.com or ada6@example.com' })],
    ['text: a common word, counted', () => lake.count({ ...day, query: 'stripe' })],
    ['text: a word that is not there', () => lake.search({ ...day, query: 'nowhere' })],
    ['text: part of a word, counted', () => lake.count({ ...day, query: 'zende*' })],
    ['raw: a path in the event, newest 100', () => lake.search({ ...day, query: 'raw.http_request.version:1.1' })],
  ];
  const rows: Row[] = [];
  for (const [name, search] of searches) {
    await search();
    const times: number[] = [];
    for (let number = 0; number < RUNS; number++) {
      const began = performance.now();
      await search();
      times.push(performance.now() - began);
    }
    rows.push(row(`${name}, ${events} events`, 'time', 'ms', times));
  }
  return rows;
}

/** SQLite as one would set it up for this: WAL, a transaction per batch, indexes on time and id, FTS5 on the event. */
function measurePeer(events: readonly OcsfEvent[]): { readonly rate: number; readonly bytes: number } {
  const folder = mkdtempSync(join(tmpdir(), 'cordon-bench-sqlite-'));
  const file = join(folder, 'events.db');
  const db = new DatabaseSync(file);
  try {
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      CREATE TABLE events (id TEXT PRIMARY KEY, time INTEGER, app TEXT, integration TEXT, operation TEXT, decision TEXT, raw TEXT);
      CREATE INDEX events_time ON events (time);
      CREATE VIRTUAL TABLE words USING fts5(raw, content = 'events');`);
    const insert = db.prepare('INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?, ?)');
    const index = db.prepare('INSERT INTO words (rowid, raw) VALUES (?, ?)');
    const began = performance.now();
    for (let at = 0; at < events.length; at += BATCH) {
      db.exec('BEGIN');
      for (const event of events.slice(at, at + BATCH)) {
        const raw = JSON.stringify(event);
        const { app, integration, operation, decision } = describeCall(event);
        const { lastInsertRowid } = insert.run(
          event.metadata.uid,
          event.time,
          app,
          integration,
          operation,
          decision,
          raw,
        );
        index.run(lastInsertRowid, raw);
      }
      db.exec('COMMIT');
    }
    const rate = (events.length / (performance.now() - began)) * 1000;
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    return { rate, bytes: statSync(file).size / events.length };
  } finally {
    db.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function describeCall(event: OcsfEvent) {
  const text = (value: unknown, key: string): string => {
    const found = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
    return typeof found === 'string' ? found : '';
  };
  const api = event['api'];
  const service = typeof api === 'object' && api !== null && 'service' in api ? api.service : undefined;
  return {
    app: text(service, 'name'),
    integration: text(event['actor'], 'app_name'),
    operation: text(api, 'operation'),
    decision: event.unmapped?.cordon?.decision ?? '',
  };
}
