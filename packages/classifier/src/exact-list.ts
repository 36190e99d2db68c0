import { createHmac } from 'node:crypto';
import { CustomInvalid } from './errors.ts';
import { KINDS, OTHER } from './shapes.ts';

/** Values in one list. */
export const EXACT_VALUES_MAX = 5_000_000;
/** Shorter values turn up by chance. */
const NORMALISED_BYTES_MIN = 6;
const NORMALISED_BYTES_MAX = 64;
const WORDS_MAX = 4;

/** Letters in lower case and digits, nothing else: `536-90-4399` and `536 90 4399` are one value. */
export function normaliseExact(value: string): string {
  return value.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, '');
}

function hashOf(key: Uint8Array, normalised: string): bigint {
  return createHmac('sha256', key).update(normalised).digest().readBigUInt64BE() || 1n;
}

/** What is stored of a list: keyed hashes cut to 64 bits, and the lengths and word counts that can match. */
export interface ExactListData {
  readonly hashes: BigUint64Array;
  /** Bit n: some value has n normalised bytes. */
  readonly lengths: readonly number[];
  readonly words: number;
  /** Every value has a digit, so words without one needn't be hashed. */
  readonly digits: boolean;
}

/** Hashes an organisation's values; only the hashes need to be kept. Throws `CustomInvalid` for an empty or oversized list. */
export function hashExactValues(values: Iterable<string>, key: Uint8Array): ExactListData {
  const hashes = new Set<bigint>();
  const lengths = new Set<number>();
  let words = 1;
  let digits = true;
  for (const value of values) {
    const normalised = normaliseExact(value);
    const length = new TextEncoder().encode(normalised).length;
    if (length < NORMALISED_BYTES_MIN || length > NORMALISED_BYTES_MAX) continue;
    hashes.add(hashOf(key, normalised));
    lengths.add(length);
    words = Math.max(words, value.trim().split(/[^\p{L}\p{N}]+/u).length);
    digits &&= /\d/.test(normalised);
    if (hashes.size > EXACT_VALUES_MAX) throw new CustomInvalid('too many values', { limit: EXACT_VALUES_MAX });
  }
  if (hashes.size === 0)
    throw new CustomInvalid('no value is long enough to be matched', { least: NORMALISED_BYTES_MIN });
  return { hashes: BigUint64Array.from(hashes), lengths: [...lengths], words: Math.min(words, WORDS_MAX), digits };
}

/** Exact data match: finds values of a list of which only keyed hashes are known. */
export class ExactList {
  private readonly key: Uint8Array;
  private readonly data: ExactListData;
  private readonly slots: BigUint64Array;
  private readonly lengths: ReadonlySet<number>;

  constructor(data: ExactListData, key: Uint8Array) {
    this.data = data;
    this.key = key;
    this.lengths = new Set(data.lengths);
    let size = 64;
    while (size < data.hashes.length * 2) size *= 2;
    this.slots = new BigUint64Array(size);
    for (const hash of data.hashes) {
      let slot = Number(hash & BigInt(size - 1));
      while (this.slots[slot] !== 0n) slot = (slot + 1) & (size - 1);
      this.slots[slot] = hash;
    }
  }

  private has(normalised: string): boolean {
    const hash = hashOf(this.key, normalised);
    const mask = this.slots.length - 1;
    for (let slot = Number(hash & BigInt(mask)); this.slots[slot] !== 0n; slot = (slot + 1) & mask) {
      if (this.slots[slot] === hash) return true;
    }
    return false;
  }

  /** Tries runs of up to as many words as the longest value has; only lengths that can match are hashed. */
  scan(bytes: Uint8Array, start: number, end: number, report: (start: number, end: number) => void): void {
    const starts: number[] = [];
    const decoder = new TextDecoder();
    let i = start;
    while (i < end) {
      while (i < end && KINDS[bytes[i] ?? 0] === OTHER) i++;
      if (i >= end) return;
      starts.push(i);
      if (starts.length > this.data.words) starts.shift();
      while (i < end && KINDS[bytes[i] ?? 0] !== OTHER) i++;
      for (const from of starts) {
        if (i - from > NORMALISED_BYTES_MAX * 2) continue;
        const normalised = normaliseExact(decoder.decode(bytes.subarray(from, i)));
        if (this.data.digits && !/\d/.test(normalised)) continue;
        if (!this.lengths.has(Buffer.byteLength(normalised))) continue;
        if (this.has(normalised)) {
          report(from, i);
          break;
        }
      }
    }
  }
}
