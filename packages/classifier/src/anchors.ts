import { DetectorInvalid } from './errors.ts';

/**
 * Finds many literals in one pass: an Aho-Corasick machine unrolled into a table, so that every byte costs one class
 * look-up and one transition, whatever the number of literals.
 *
 * Letters are folded; every ASCII byte that is neither letter nor digit is one class, "boundary". A literal that
 * begins with a space therefore begins at a word's start, and `tax id` also finds `tax_id` and `tax-id`. The caller
 * verifies each hit against the real bytes.
 */
export interface AnchorMachine {
  readonly classes: Uint8Array;
  /** Row of 128 successors for each state. */
  readonly next: Uint16Array;
  /** States from here on end at least one literal. */
  readonly firstAccepting: number;
  /** Literals that end in state `firstAccepting + i`. */
  readonly outputs: readonly (readonly number[])[];
  /** State at the start of a text: as if a boundary had been read. */
  readonly start: number;
}

const CLASS_BITS = 7;
const CLASSES_MAX = 1 << CLASS_BITS;
const STATES_MAX = 65_535;

/**
 * Byte classes: 0 boundary, 1-26 letters of either case, 27-36 digits, then the continuation bytes of UTF-8 one by
 * one, and its lead bytes sixteen to the row: a wrong one would still need every continuation byte to fit.
 */
function assignClasses(): Uint8Array {
  const classes = new Uint8Array(256);
  for (let i = 0; i < 26; i++) {
    classes[0x61 + i] = 1 + i;
    classes[0x41 + i] = 1 + i;
  }
  for (let i = 0; i < 10; i++) classes[0x30 + i] = 27 + i;
  for (let byte = 0x80; byte < 0xc0; byte++) classes[byte] = 37 + (byte & 0x3f);
  for (let byte = 0xc0; byte < 0x100; byte++) classes[byte] = 101 + (byte & 0x0f);
  return classes;
}

/** Builds the machine; the index of a literal is its id in the outputs. */
export function buildAnchorMachine(words: readonly string[]): AnchorMachine {
  const encoder = new TextEncoder();
  const literals = words.map((word) => encoder.encode(word));
  const classes = assignClasses();
  const capacity = literals.reduce((sum, literal) => sum + literal.length, 1);
  if (capacity > STATES_MAX) throw new DetectorInvalid('too many literals in detectors', { limit: STATES_MAX });
  const trie = new Int32Array(capacity << CLASS_BITS).fill(-1);
  const ends: number[][] = [[]];
  for (const [id, literal] of literals.entries()) {
    let state = 0;
    for (const byte of literal) {
      const slot = (state << CLASS_BITS) | (classes[byte] ?? 0);
      let target = trie[slot] ?? -1;
      if (target < 0) {
        target = ends.push([]) - 1;
        trie[slot] = target;
      }
      state = target;
    }
    ends[state]?.push(id);
  }
  const order = completeTransitions(trie, ends);
  return renumber(classes, trie, ends, order);
}

/** Breadth first: fills missing transitions from the longest proper suffix, and inherits what ends there. */
function completeTransitions(trie: Int32Array, ends: number[][]): number[] {
  const fallback = new Int32Array(ends.length);
  const queue: number[] = [0];
  for (let head = 0; head < queue.length; head++) {
    const state = queue[head] ?? 0;
    const suffix = fallback[state] ?? 0;
    if (state !== 0) ends[state]?.push(...(ends[suffix] ?? []));
    for (let cls = 0; cls < CLASSES_MAX; cls++) {
      const slot = (state << CLASS_BITS) | cls;
      const inherited = state === 0 ? 0 : (trie[(suffix << CLASS_BITS) | cls] ?? 0);
      const target = trie[slot] ?? -1;
      if (target < 0) trie[slot] = inherited;
      else {
        fallback[target] = inherited;
        queue.push(target);
      }
    }
  }
  return queue;
}

/** Moves accepting states to the end, so that acceptance is one comparison; shallow states stay close together. */
function renumber(classes: Uint8Array, trie: Int32Array, ends: number[][], order: number[]): AnchorMachine {
  const quiet = order.filter((state) => ends[state]?.length === 0);
  const accepting = order.filter((state) => ends[state]?.length !== 0);
  const sorted = [...quiet, ...accepting];
  const renamed = new Uint16Array(ends.length);
  for (const [index, state] of sorted.entries()) renamed[state] = index;
  const next = new Uint16Array(ends.length << CLASS_BITS);
  for (const [index, state] of sorted.entries()) {
    for (let cls = 0; cls < CLASSES_MAX; cls++) {
      next[(index << CLASS_BITS) | cls] = renamed[trie[(state << CLASS_BITS) | cls] ?? 0] ?? 0;
    }
  }
  return {
    classes,
    next,
    firstAccepting: quiet.length,
    outputs: accepting.map((state) => ends[state] ?? []),
    start: next[0] ?? 0,
  };
}
