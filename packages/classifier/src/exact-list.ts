import { hash } from 'node:crypto';
import { CustomInvalid } from './errors.ts';
import { asBuffer } from './segment.ts';
import { KINDS, OTHER } from './shapes.ts';

/** Values in one list. */
export const EXACT_VALUES_MAX = 5_000_000;
/** Shorter values turn up by chance. */
const NORMALISED_BYTES_MIN = 6;
const NORMALISED_BYTES_MAX = 64;
const WORDS_MAX = 4;

const SIGNS = /[^\p{L}\p{N}]+/gu;
const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/** Letters in lower case and digits, nothing else: `536-90-4399` and `536 90 4399` are one value. */
export function normaliseExact(value: string): string {
  return value.toLowerCase().replaceAll(SIGNS, '');
}

/**
 * HMAC-SHA256 (RFC 2104) of short values under one key, cut to 64 bits. Written out as two hashes over kept blocks,
 * since making an HMAC object for each value costs several times what hashing it does.
 */
class KeyedHash {
  private readonly inner = Buffer.alloc(BLOCK_BYTES + NORMALISED_BYTES_MAX, 0x36);
  private readonly outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, 0x5c);

  constructor(key: Uint8Array) {
    const block = key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key;
    for (const [index, byte] of block.entries()) {
      this.inner[index]! ^= byte;
      this.outer[index]! ^= byte;
    }
  }

  /** The first eight bytes; valid until asked again. `bytes` are those of the normalised value. */
  of(normalised: string, bytes: number): Buffer {
    this.inner.write(normalised, BLOCK_BYTES);
    hash('sha256', this.inner.subarray(0, BLOCK_BYTES + bytes), 'buffer').copy(this.outer, BLOCK_BYTES);
    return hash('sha256', this.outer, 'buffer');
  }
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

/** Takes values one by one, for lists that come in pieces; only their hashes are kept. */
export interface ExactHasher {
  /** Throws `CustomInvalid` for more than `EXACT_VALUES_MAX`; what is too short or too long is left out. */
  add(value: string): void;
  /** Throws `CustomInvalid` when nothing could be kept. */
  finish(): ExactListData;
}

export function createExactHasher(key: Uint8Array): ExactHasher {
  const keyed = new KeyedHash(key);
  let hashes = new BigUint64Array(1024);
  let count = 0;
  const lengths = new Set<number>();
  let words = 1;
  let digits = true;
  return {
    add(value) {
      const normalised = normaliseExact(value);
      const length = Buffer.byteLength(normalised);
      if (length < NORMALISED_BYTES_MIN || length > NORMALISED_BYTES_MAX) return;
      if (count === EXACT_VALUES_MAX) throw new CustomInvalid('too many values', { limit: EXACT_VALUES_MAX });
      if (count === hashes.length) {
        const larger = new BigUint64Array(count * 2);
        larger.set(hashes);
        hashes = larger;
      }
      hashes[count++] = keyed.of(normalised, length).readBigUInt64LE() || 1n;
      lengths.add(length);
      if (words < WORDS_MAX) words = Math.max(words, value.trim().split(SIGNS).length);
      digits &&= /\d/.test(normalised);
    },
    finish() {
      if (count === 0)
        throw new CustomInvalid('no value is long enough to be matched', { least: NORMALISED_BYTES_MIN });
      // In the order of the hashes: the order of the values says something about the records.
      const sorted = hashes.subarray(0, count).sort();
      let kept = 1;
      for (let index = 1; index < count; index++) {
        if (sorted[index] !== sorted[kept - 1]) sorted[kept++] = sorted[index]!;
      }
      return { hashes: sorted.slice(0, kept), lengths: [...lengths], words: Math.min(words, WORDS_MAX), digits };
    },
  };
}

/** Hashes an organisation's values; only the hashes need to be kept. Throws `CustomInvalid` for an empty or oversized list. */
export function hashExactValues(values: Iterable<string>, key: Uint8Array): ExactListData {
  const hasher = createExactHasher(key);
  for (const value of values) hasher.add(value);
  return hasher.finish();
}

/** Exact data match: finds values of a list of which only keyed hashes are known. */
export class ExactList {
  private readonly data: ExactListData;
  private readonly keyed: KeyedHash;
  /** Low and high half of each hash, open addressing; both halves 0: free. */
  private readonly slots: Uint32Array;
  private readonly mask: number;
  private readonly lengths: ReadonlySet<number>;

  constructor(data: ExactListData, key: Uint8Array) {
    this.data = data;
    this.keyed = new KeyedHash(key);
    this.lengths = new Set(data.lengths);
    let size = 64;
    while (size < data.hashes.length * 2) size *= 2;
    this.mask = size - 1;
    this.slots = new Uint32Array(size * 2);
    const halves = new Uint32Array(data.hashes.buffer, data.hashes.byteOffset, data.hashes.length * 2);
    for (let index = 0; index < halves.length; index += 2) {
      const slot = this.slotOf(halves[index]!, halves[index + 1]!);
      this.slots[slot * 2] = halves[index]!;
      this.slots[slot * 2 + 1] = halves[index + 1]!;
    }
  }

  /** Where a hash is, or where it would be. */
  private slotOf(low: number, high: number): number {
    const { slots, mask } = this;
    let slot = low & mask;
    for (;;) {
      const [knownLow, knownHigh] = [slots[slot * 2]!, slots[slot * 2 + 1]!];
      if ((knownLow === low && knownHigh === high) || (knownLow === 0 && knownHigh === 0)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  private has(normalised: string, bytes: number): boolean {
    const digest = this.keyed.of(normalised, bytes);
    const slot = this.slotOf(digest.readUInt32LE(0), digest.readUInt32LE(4));
    return this.slots[slot * 2] !== 0 || this.slots[slot * 2 + 1] !== 0;
  }

  /** Tries runs of up to as many words as the longest value has; only lengths that can match are hashed. */
  scan(bytes: Uint8Array, start: number, end: number, report: (start: number, end: number) => void): void {
    const starts: number[] = [];
    const buffer = asBuffer(bytes);
    let i = start;
    while (i < end) {
      while (i < end && KINDS[bytes[i] ?? 0] === OTHER) i++;
      if (i >= end) return;
      starts.push(i);
      if (starts.length > this.data.words) starts.shift();
      while (i < end && KINDS[bytes[i] ?? 0] !== OTHER) i++;
      for (const from of starts) {
        if (i - from > NORMALISED_BYTES_MAX * 2) continue;
        const normalised = normaliseExact(buffer.toString('utf8', from, i));
        if (this.data.digits && !/\d/.test(normalised)) continue;
        const length = Buffer.byteLength(normalised);
        if (!this.lengths.has(length)) continue;
        if (this.has(normalised, length)) {
          report(from, i);
          break;
        }
      }
    }
  }
}
