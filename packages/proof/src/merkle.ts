import { createHash } from 'node:crypto';
import { ProofBroken } from './errors.ts';

/**
 * The Merkle tree of RFC 6962, section 2.1, over SHA-256.
 *
 * A node is named by its level (0 is a leaf) and its index within the level; it is stored once, when the `2^level` leaves
 * under it are all there. Sizes stay far below 2^53, but above 2^31: no bit operators here.
 */

const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);
/** No tree of fewer than 2^53 leaves needs more. */
export const PROOF_HASHES_MAX = 63;

export const EMPTY_ROOT: Buffer = createHash('sha256').digest();

export function leafHash(data: Uint8Array | string): Buffer {
  return createHash('sha256').update(LEAF).update(data).digest();
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(NODE).update(left).update(right).digest();
}

export interface NodeName {
  readonly level: number;
  readonly index: number;
}

export interface TreeNode extends NodeName {
  readonly hash: Buffer;
}

/** Reads stored nodes; each that is asked for is complete in the tree that the caller talks about. */
export type ReadNodes = (names: readonly NodeName[]) => Promise<readonly Buffer[]>;

/** The complete subtrees that together make a tree of `size` leaves, left to right: one for each bit that is set. */
export function peaksOf(size: number): NodeName[] {
  const peaks: NodeName[] = [];
  let rest = size;
  let start = 0;
  for (let level = Math.floor(Math.log2(Math.max(size, 1))) + 1; level >= 0; level -= 1) {
    const width = 2 ** level;
    if (rest < width) continue;
    peaks.push({ level, index: start / width });
    start += width;
    rest -= width;
  }
  return peaks;
}

function foldPeaks(hashes: readonly Buffer[]): Buffer {
  let root = hashes.at(-1);
  if (!root) return EMPTY_ROOT;
  for (const peak of hashes.slice(0, -1).toReversed()) root = nodeHash(peak, root);
  return root;
}

export async function rootAt(size: number, read: ReadNodes): Promise<Buffer> {
  return foldPeaks(await read(peaksOf(size)));
}

/** A tree that grows in memory and keeps only its peaks: what a verifier needs who reads all leaves in order. */
export class GrowingTree {
  #size: number;
  readonly #peaks: Buffer[];

  constructor(size = 0, peaks: readonly Buffer[] = []) {
    this.#size = size;
    this.#peaks = [...peaks];
  }

  get size(): number {
    return this.#size;
  }

  root(): Buffer {
    return foldPeaks(this.#peaks);
  }

  /** Adds a leaf; returns the nodes that it completed, lowest first. */
  append(leaf: Buffer): TreeNode[] {
    const made: TreeNode[] = [{ level: 0, index: this.#size, hash: leaf }];
    let hash = leaf;
    let index = this.#size;
    for (let level = 1; index % 2 === 1; level += 1) {
      const left = this.#peaks.pop();
      if (!left) throw new Error('a tree lost a peak');
      hash = nodeHash(left, hash);
      index = (index - 1) / 2;
      made.push({ level, index, hash });
    }
    this.#peaks.push(hash);
    this.#size += 1;
    return made;
  }
}

/** The largest power of two below `size` (RFC 6962, section 2.1: k). */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** The subtree over the leaves from `start` to before `end`, whose hash is folded from complete nodes. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** RFC 6962, section 2.1.1: the siblings on the way from leaf `index` to the root, leaf's sibling first. */
export function inclusionRanges(index: number, size: number): Range[] {
  const ranges: Range[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const split = start + splitOf(end - start);
    if (index < split) {
      ranges.push({ start: split, end });
      end = split;
    } else {
      ranges.push({ start, end: split });
      start = split;
    }
  }
  return ranges.toReversed();
}

/** RFC 6962, section 2.1.2: SUBPROOF. */
export function consistencyRanges(from: number, to: number): Range[] {
  const ranges: Range[] = [];
  let [start, end, whole] = [0, to, true];
  while (from !== end) {
    const split = start + splitOf(end - start);
    if (from <= split) {
      ranges.push({ start: split, end });
      end = split;
    } else {
      ranges.push({ start, end: split });
      start = split;
      whole = false;
    }
  }
  if (!whole) ranges.push({ start, end });
  return ranges.toReversed();
}

function peaksOfRange({ start, end }: Range): NodeName[] {
  // A right-hand range starts at a multiple of its own widest power of two, so its peaks are those of its size, shifted.
  return peaksOf(end - start).map(({ level, index }) => ({ level, index: index + start / 2 ** level }));
}

async function readRanges(ranges: readonly Range[], read: ReadNodes): Promise<Buffer[]> {
  const names = ranges.map((range) => peaksOfRange(range));
  const hashes = await read(names.flat());
  let next = 0;
  return names.map((own) => foldPeaks(hashes.slice(next, (next += own.length))));
}

export function inclusionProof(index: number, size: number, read: ReadNodes): Promise<Buffer[]> {
  if (index < 0 || index >= size) throw new ProofBroken(`A tree of ${size} has no leaf ${index}.`);
  return readRanges(inclusionRanges(index, size), read);
}

/** Empty when `from` is 0 or both are the same. */
export async function consistencyProof(from: number, to: number, read: ReadNodes): Promise<Buffer[]> {
  if (from > to) throw new ProofBroken(`A tree of ${to} can't follow one of ${from}.`);
  return from === 0 || from === to ? [] : readRanges(consistencyRanges(from, to), read);
}

/** RFC 9162, section 2.1.3.2. */
export function isIncluded(input: {
  readonly index: number;
  readonly size: number;
  readonly leaf: Buffer;
  readonly proof: readonly Buffer[];
  readonly root: Buffer;
}): boolean {
  const { index, size, leaf, proof, root } = input;
  if (index < 0 || index >= size) return false;
  let [node, last] = [index, size - 1];
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && hash.equals(root);
}

export interface TreeHead {
  readonly size: number;
  readonly root: Buffer;
}

/** RFC 9162, section 2.1.4.2. */
export function isConsistent(first: TreeHead, second: TreeHead, proof: readonly Buffer[]): boolean {
  if (first.size > second.size) return false;
  if (first.size === second.size) return proof.length === 0 && first.root.equals(second.root);
  if (first.size === 0) return proof.length === 0 && first.root.equals(EMPTY_ROOT);
  const path = Number.isInteger(Math.log2(first.size)) ? [first.root, ...proof] : [...proof];
  const seed = path.shift();
  if (!seed) return false;
  let [node, last] = [first.size - 1, second.size - 1];
  while (node % 2 === 1) [node, last] = [(node - 1) / 2, Math.floor(last / 2)];
  let [before, after] = [seed, seed];
  for (const hash of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      before = nodeHash(hash, before);
      after = nodeHash(hash, after);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      after = nodeHash(after, hash);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && before.equals(first.root) && after.equals(second.root);
}
