import type { Clock, Database, SecretEnvelope } from '@cordon/kernel';
import { signCheckpoint } from './checkpoint.ts';
import { ProofBroken, ProofNotFound } from './errors.ts';
import {
  addNodes,
  checkpointsBetween,
  ensureLog,
  latestCheckpoint,
  loadLog,
  loadSigningKey,
  lockLog,
  nodeReader,
  saveCheckpoint,
} from './log-store.ts';
import { GrowingTree, inclusionProof, leafHash, peaksOf, rootAt, type TreeNode } from './merkle.ts';
import { encodeRecordProof } from './record-proof.ts';
import { exportCheckpoint, exportHead, exportRecord } from './trail-export.ts';

const BATCH_MAX = 500;

/** Where a log's records are: numbered from 1 without a gap, and never changed. */
export interface RecordSource {
  /** The exact text of the records after `seq`, oldest first. */
  readAfter(seq: number, limit: number): Promise<readonly string[]>;
}

export interface LogDeps {
  readonly db: Database;
  readonly envelope: SecretEnvelope;
  readonly clock: Clock;
  readonly name: string;
  /** The origin line of a log that is made now, for example `cordon.example.com/audit`. */
  readonly origin: string;
  readonly source: RecordSource;
}

export interface MerkleLog {
  readonly name: string;
  /** Takes in what the source has more, and signs a checkpoint when the log grew. Returns the log's size. */
  advance(): Promise<number>;
  /** Reads every record again and holds it against the log. @throws {ProofBroken} at a difference. */
  check(): Promise<{ readonly records: number }>;
  /** A C2SP tlog-proof of one record, by its number. */
  proveRecord(seq: number): Promise<string>;
  /** The lines of an export of the whole log, up to the last checkpoint. */
  export(): AsyncIterable<string>;
}

export function createLog(deps: LogDeps): MerkleLog {
  const { db, envelope, clock, name, source } = deps;
  const read = nodeReader(db, name);

  const sign = async (): Promise<number> =>
    db.transaction(async (tx) => {
      const log = await lockLog(tx, name);
      const last = await latestCheckpoint(tx, name);
      if (log.size === 0 || log.size === last?.size) return log.size;
      const root = await rootAt(log.size, nodeReader(tx, name));
      const at = clock.now();
      const note = signCheckpoint({ size: log.size, root }, log.key, await loadSigningKey(tx, envelope, name), at);
      await saveCheckpoint(tx, name, { size: log.size, root, note, at });
      return log.size;
    });

  /** One batch; false when the source had no more. */
  const extend = async (): Promise<boolean> =>
    db.transaction(async (tx) => {
      const { size } = await lockLog(tx, name);
      const records = await source.readAfter(size, BATCH_MAX);
      if (records.length === 0) return false;
      const tree = new GrowingTree(size, await nodeReader(tx, name)(peaksOf(size)));
      const nodes: TreeNode[] = records.flatMap((record) => tree.append(leafHash(record)));
      await addNodes(tx, name, tree.size, nodes);
      return records.length === BATCH_MAX;
    });

  async function* exportLines(): AsyncIterable<string> {
    const log = await loadLog(db, name);
    const end = (await latestCheckpoint(db, name))?.size ?? 0;
    yield exportHead(log.key);
    for (let done = 0; done < end;) {
      const records = (await source.readAfter(done, BATCH_MAX)).slice(0, end - done);
      if (records.length === 0) throw new ProofBroken(`The log holds ${end} records, the trail only ${done}.`, {});
      const range = { after: done, upTo: done + records.length, limit: BATCH_MAX };
      const notes = new Map((await checkpointsBetween(db, name, range)).map(({ size, note }) => [size, note]));
      for (const record of records) {
        done += 1;
        yield exportRecord(record);
        const note = notes.get(done);
        if (note !== undefined) yield exportCheckpoint(note);
      }
    }
  }

  return {
    name,
    async advance() {
      await ensureLog(deps, name, deps.origin);
      while (await extend());
      return sign();
    },

    async check() {
      const { size } = await loadLog(db, name);
      for (let done = 0; done < size;) {
        const records = (await source.readAfter(done, BATCH_MAX)).slice(0, size - done);
        const names = records.map((_, place) => ({ level: 0, index: done + place }));
        const leaves = await read(names);
        const wrong = records.findIndex((record, place) => !leafHash(record).equals(leaves[place] ?? Buffer.alloc(0)));
        if (wrong !== -1 || records.length === 0) {
          const seq = done + Math.max(wrong, 0) + 1;
          throw new ProofBroken(`Record ${seq} is not the one that the log ${name} took in.`, { record: seq });
        }
        done += records.length;
      }
      return { records: size };
    },

    async proveRecord(seq) {
      const checkpoint = await latestCheckpoint(db, name);
      if (!checkpoint || seq < 1 || seq > checkpoint.size) {
        throw new ProofNotFound(`The last checkpoint covers ${checkpoint?.size ?? 0} records, not record ${seq}.`, {});
      }
      const [record] = await source.readAfter(seq - 1, 1);
      if (record === undefined) throw new ProofNotFound(`Record ${seq} is gone.`, { record: seq });
      const index = seq - 1;
      const hashes = await inclusionProof(index, checkpoint.size, read);
      return encodeRecordProof({ record, index, hashes, checkpoint: checkpoint.note });
    },

    export: exportLines,
  };
}
