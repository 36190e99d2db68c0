import { type Checkpoint, countWitnesses, decodeHash, verifyCheckpoint } from './checkpoint.ts';
import { ProofBroken, ProofMalformed } from './errors.ts';
import { isIncluded, leafHash, PROOF_HASHES_MAX } from './merkle.ts';
import type { NoteKey } from './note.ts';

/** Proof that one record is in the log, verifiable offline (c2sp.org/tlog-proof). The record's bytes ride as `extra`. */
export interface RecordProof {
  /** The record itself. */
  readonly record: string;
  readonly index: number;
  readonly hashes: readonly Buffer[];
  readonly checkpoint: string;
}

const HEADER = 'c2sp.org/tlog-proof@v1';
const PROOF_BYTES_MAX = 4 * 1024 * 1024;

export function encodeRecordProof({ record, index, hashes, checkpoint }: RecordProof): string {
  const extra = Buffer.from(record, 'utf8').toString('base64');
  const lines = [HEADER, `extra ${extra}`, `index ${index}`, ...hashes.map((hash) => hash.toString('base64'))];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

export function decodeRecordProof(text: string): RecordProof {
  const gap = text.indexOf('\n\n');
  const [header, extra = '', index = '', ...hashes] = text.slice(0, Math.max(gap, 0)).split('\n');
  const decoded = hashes.map((hash) => decodeHash(hash)).filter((hash) => hash !== null);
  const bad =
    text.length > PROOF_BYTES_MAX ||
    header !== HEADER ||
    !/^extra [A-Za-z0-9+/]+={0,2}$/.test(extra) ||
    !/^index (0|[1-9]\d{0,15})$/.test(index) ||
    hashes.length > PROOF_HASHES_MAX ||
    decoded.length !== hashes.length;
  if (bad) throw new ProofMalformed(`This is no proof of a record: a file that starts with ${HEADER} is expected.`, {});
  return {
    record: Buffer.from(extra.slice('extra '.length), 'base64').toString('utf8'),
    index: Number(index.slice('index '.length)),
    hashes: decoded,
    checkpoint: text.slice(gap + 2),
  };
}

export interface WitnessDemand {
  readonly keys: readonly NoteKey[];
  /** How many of them must have cosigned. */
  readonly min: number;
}

/** @throws {ProofBroken} when fewer witnesses than asked for cosigned. */
export function demandWitnesses(checkpoint: Checkpoint, { keys, min }: WitnessDemand): number {
  const count = countWitnesses(checkpoint, keys);
  if (count < min)
    throw new ProofBroken(`Only ${count} of ${keys.length} witnesses cosigned; ${min} are asked for.`, {});
  return count;
}

/** @throws {ProofBroken} when the record isn't the one that the log holds at this place. */
export function verifyRecordProof(
  text: string,
  key: NoteKey,
  witnesses: WitnessDemand = { keys: [], min: 0 },
): { readonly record: string; readonly index: number; readonly size: number; readonly at: number | null } {
  const { record, index, hashes, checkpoint } = decodeRecordProof(text);
  const head = verifyCheckpoint(checkpoint, key);
  demandWitnesses(head, witnesses);
  const leaf = leafHash(record);
  if (!isIncluded({ index, size: head.size, leaf, proof: hashes, root: head.root })) {
    throw new ProofBroken(`The record is not the one at place ${index} of the log of ${head.size} records.`, { index });
  }
  return { record, index, size: head.size, at: head.at };
}
