import { z } from 'zod';
import { type Checkpoint, verifyCheckpoint } from './checkpoint.ts';
import { ProofBroken, ProofMalformed } from './errors.ts';
import { GrowingTree, leafHash } from './merkle.ts';
import { encodeKey, type NoteKey } from './note.ts';
import { demandWitnesses, type WitnessDemand } from './record-proof.ts';

/**
 * A whole log as one file of JSON lines: a head, every record in order, and each checkpoint right behind the last record
 * that it covers. Whoever holds the log's public key can check it from the first line to the last, reading it once.
 */

export const EXPORT_FORMAT = 'cordon-proof-export/1';
export const LINE_BYTES_MAX = 4 * 1024 * 1024;
/** Clocks of the machines that write records and sign checkpoints may differ by this much. */
export const CLOCK_SKEW_MS = 120_000;

const headLine = z.object({ format: z.literal(EXPORT_FORMAT), log: z.string(), key: z.string() });
const recordLine = z.object({ record: z.string() });
const checkpointLine = z.object({ checkpoint: z.string() });
/** What every log's records say about themselves; the rest is for the reader. */
const recordFacts = z.object({ seq: z.int().positive(), at: z.number() });

export function exportHead(key: NoteKey): string {
  return JSON.stringify({ format: EXPORT_FORMAT, log: key.name, key: encodeKey(key) });
}
export const exportRecord = (record: string): string => JSON.stringify({ record });
export const exportCheckpoint = (checkpoint: string): string => JSON.stringify({ checkpoint });

export interface ExportReport {
  readonly log: string;
  readonly records: number;
  readonly checkpoints: number;
  /** Records behind the last checkpoint: nothing vouches for them yet. */
  readonly uncovered: number;
  readonly witnesses: number;
  /** When the log says it signed its last checkpoint, milliseconds. */
  readonly signedAt: number | null;
}

function parseLine(text: string, number: number): unknown {
  if (Buffer.byteLength(text) > LINE_BYTES_MAX) throw new ProofMalformed(`Line ${number} is too long.`, {});
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ProofMalformed(`Line ${number} is no JSON: is the file complete?`, { line: number }, cause);
  }
}

/** Walks an export; every method throws at the first thing that isn't as it was signed. */
class ExportWalk {
  readonly #key: NoteKey;
  readonly #tree = new GrowingTree();
  #last: (Checkpoint & { at: number | null }) | null = null;
  #checkpoints = 0;
  /** Of the records since the last checkpoint: the latest, which that checkpoint must not come before. */
  #latestAt = -Infinity;

  constructor(key: NoteKey) {
    this.#key = key;
  }

  record(text: string): void {
    const place = this.#tree.size + 1;
    let facts: z.output<typeof recordFacts>;
    try {
      facts = recordFacts.parse(JSON.parse(text));
    } catch (cause) {
      throw new ProofMalformed(`Record ${place} is not one of a Cordon log.`, { record: place }, cause);
    }
    if (facts.seq !== place) {
      const what = facts.seq > place ? 'one or more were removed' : 'a record was moved or repeated';
      throw new ProofBroken(`At place ${place} stands record ${facts.seq}: ${what}.`, { record: place });
    }
    const since = this.#last?.at;
    if (since !== null && since !== undefined && facts.at < since - CLOCK_SKEW_MS) {
      const times = `${new Date(facts.at).toISOString()}, but it was added after ${new Date(since).toISOString()}`;
      throw new ProofBroken(`Record ${place} is back-dated: it says ${times}.`, { record: place });
    }
    this.#latestAt = Math.max(this.#latestAt, facts.at);
    this.#tree.append(leafHash(text));
  }

  checkpoint(text: string): void {
    const found = verifyCheckpoint(text, this.#key);
    const from = (this.#last?.size ?? 0) + 1;
    if (found.size !== this.#tree.size) {
      const what = found.size > this.#tree.size ? 'missing' : 'too many';
      throw new ProofBroken(
        `A checkpoint of ${found.size} records stands behind ${this.#tree.size}: records are ${what}.`,
        { from, to: this.#tree.size },
      );
    }
    if (!found.root.equals(this.#tree.root())) {
      throw new ProofBroken(
        `The log signed other records from ${from} to ${found.size}: one was changed, replaced or reordered.`,
        { from, to: found.size },
      );
    }
    if (found.at !== null && this.#latestAt > found.at + CLOCK_SKEW_MS) {
      throw new ProofBroken(`Among records ${from} to ${found.size} one is dated after the checkpoint that holds it.`, {
        from,
        to: found.size,
      });
    }
    this.#last = found;
    this.#latestAt = -Infinity;
    this.#checkpoints += 1;
  }

  finish(witnesses: WitnessDemand): ExportReport {
    if (!this.#last) throw new ProofBroken('The file holds no checkpoint, so nothing vouches for its records.', {});
    return {
      log: this.#key.name,
      records: this.#tree.size,
      checkpoints: this.#checkpoints,
      uncovered: this.#tree.size - this.#last.size,
      witnesses: demandWitnesses(this.#last, witnesses),
      signedAt: this.#last.at,
    };
  }
}

export interface ExportCheck {
  readonly key: NoteKey;
  readonly witnesses?: WitnessDemand;
  /** A checkpoint that the reader kept from before: the export must hold it too, so the log can't be cut and redone. */
  readonly kept?: string;
}

/**
 * Checks an export line by line with nothing but public keys.
 *
 * @throws {ProofBroken} naming the first record or checkpoint that isn't as it was signed.
 * @throws {ProofMalformed} when the file is no export.
 */
export async function verifyExport(lines: AsyncIterable<string>, check: ExportCheck): Promise<ExportReport> {
  const walk = new ExportWalk(check.key);
  const kept = check.kept === undefined ? null : verifyCheckpoint(check.kept, check.key);
  const tree = new GrowingTree();
  let number = 0;
  let sawKept = kept === null || kept.size === 0;
  for await (const text of lines) {
    number += 1;
    if (text === '') continue;
    const value = parseLine(text, number);
    if (number === 1) {
      const head = headLine.safeParse(value);
      if (!head.success) throw new ProofMalformed(`The file doesn't start as a ${EXPORT_FORMAT}.`, {});
      continue;
    }
    const record = recordLine.safeParse(value);
    if (record.success) {
      walk.record(record.data.record);
      if (kept === null || sawKept) continue;
      tree.append(leafHash(record.data.record));
      if (tree.size !== kept.size) continue;
      sawKept = true;
      if (tree.root().equals(kept.root)) continue;
      throw new ProofBroken(`The first ${kept.size} records are not those of the checkpoint that you kept.`, {});
    }
    const checkpoint = checkpointLine.safeParse(value);
    if (!checkpoint.success) throw new ProofMalformed(`Line ${number} is neither a record nor a checkpoint.`, {});
    walk.checkpoint(checkpoint.data.checkpoint);
  }
  const report = walk.finish(check.witnesses ?? { keys: [], min: 0 });
  if (!sawKept)
    throw new ProofBroken(`The log is shorter than the ${kept?.size} records of the checkpoint you kept.`, {});
  return report;
}
