import type { KeyObject } from 'node:crypto';
import { ProofBroken, ProofMalformed } from './errors.ts';
import { checkSignatures, type Note, type NoteKey, parseNote, signNote } from './note.ts';
import type { TreeHead } from './merkle.ts';

/** A signed tree head (c2sp.org/tlog-checkpoint): origin, size and root of a log at one moment. */
export interface Checkpoint extends TreeHead {
  readonly origin: string;
  readonly note: Note;
}

const HASH_BYTES = 32;

/** Standard base64 of exactly 32 bytes, or null. */
export function decodeHash(text: string): Buffer | null {
  const hash = Buffer.from(text, 'base64');
  return hash.length === HASH_BYTES && hash.toString('base64') === text ? hash : null;
}

export function checkpointText(origin: string, { size, root }: TreeHead): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

export function signCheckpoint(head: TreeHead, key: NoteKey, privateKey: KeyObject, atMs: number): string {
  return signNote(checkpointText(key.name, head), key, privateKey, atMs);
}

export function parseCheckpoint(text: string): Checkpoint {
  const note = parseNote(text);
  const [origin = '', size = '', hash = '', ...rest] = note.text.split('\n');
  const root = decodeHash(hash);
  if (origin === '' || !/^(0|[1-9]\d{0,15})$/.test(size) || !root || rest.pop() !== '' || rest.includes('')) {
    throw new ProofMalformed('This is no checkpoint: origin, size and root hash, a line each, are expected.', {});
  }
  return { origin, size: Number(size), root, note };
}

/**
 * Parses and proves a checkpoint with nothing but the log's public key.
 *
 * @returns also `at`: when the log says it signed, milliseconds, or null in a log that doesn't say.
 * @throws {ProofBroken} when it isn't this key's or was changed.
 */
export function verifyCheckpoint(text: string, key: NoteKey): Checkpoint & { readonly at: number | null } {
  const checkpoint = parseCheckpoint(text);
  if (checkpoint.origin !== key.name) {
    throw new ProofBroken(`The checkpoint is of the log ${checkpoint.origin}, the key of ${key.name}.`, {});
  }
  const { plain, at } = checkSignatures(checkpoint.note, key);
  if (!plain) throw new ProofBroken(`The checkpoint carries no signature of the key of ${key.name}.`, {});
  return { ...checkpoint, at };
}

/** How many of `witnesses` cosigned; each counts once. */
export function countWitnesses(checkpoint: Checkpoint, witnesses: readonly NoteKey[]): number {
  const distinct = new Map(witnesses.map((witness) => [witness.raw.toString('hex'), witness]));
  return [...distinct.values()].filter((witness) => checkSignatures(checkpoint.note, witness).at !== null).length;
}
