import { SketchInvalid } from './errors.ts';

/** Hashes kept: the relative error of a count is about 1 / sqrt(k - 2), 1.6% here (Dasgupta and others, 2016). */
const KEPT_MAX = 4_096;
const HASH_BYTES = 8;
const WHOLE = 1n << 64n;
const FULL = WHOLE - 1n;

/**
 * How many different records an app holds, and how many two apps share, in 32 KiB: the smallest hashes of a set, and
 * the threshold theta below which all of its hashes are kept. Fingerprints are uniform (HMAC), so their first 64 bits
 * are the hash.
 */
export interface ThetaSketch {
  /** Ascending, all below theta. */
  readonly hashes: BigUint64Array;
  readonly theta: bigint;
}

export const EMPTY_SKETCH: ThetaSketch = { hashes: new BigUint64Array(), theta: FULL };

function shaped(hashes: Iterable<bigint>, theta: bigint): ThetaSketch {
  const kept = BigUint64Array.from(new Set([...hashes].filter((hash) => hash < theta))).sort();
  if (kept.length <= KEPT_MAX) return { hashes: kept, theta };
  return { hashes: kept.slice(0, KEPT_MAX), theta: kept[KEPT_MAX] ?? theta };
}

/** With further fingerprints in it; each at least 8 bytes. Order and repetition make no difference. */
export function addToSketch(sketch: ThetaSketch, prints: Iterable<Buffer>): ThetaSketch {
  const added = [...prints].map((print) => print.readBigUInt64BE(0)).filter((hash) => hash < sketch.theta);
  return added.length === 0 ? sketch : shaped([...sketch.hashes, ...added], sketch.theta);
}

/**
 * Without these fingerprints. Exact while a sketch holds everything; beyond that the count falls by what one kept hash
 * stands for.
 */
export function removeFromSketch({ hashes, theta }: ThetaSketch, prints: Iterable<Buffer>): ThetaSketch {
  const gone = new Set([...prints].map((print) => print.readBigUInt64BE(0)));
  return { hashes: hashes.filter((hash) => !gone.has(hash)), theta };
}

export function uniteSketches(a: ThetaSketch, b: ThetaSketch): ThetaSketch {
  return shaped([...a.hashes, ...b.hashes], a.theta < b.theta ? a.theta : b.theta);
}

/** What both hold; its error grows as the share of what is common shrinks. */
export function intersectSketches(a: ThetaSketch, b: ThetaSketch): ThetaSketch {
  const theta = a.theta < b.theta ? a.theta : b.theta;
  const other = new Set(b.hashes);
  const common = [...a.hashes].filter((hash) => hash < theta && other.has(hash));
  return { hashes: BigUint64Array.from(common), theta };
}

/** Number of different records; exact until 4,096. */
export function estimateCount({ hashes, theta }: ThetaSketch): number {
  return theta === FULL ? hashes.length : Math.round(hashes.length / (Number(theta) / Number(WHOLE)));
}

export function encodeSketch({ hashes, theta }: ThetaSketch): Buffer {
  const bytes = Buffer.alloc(HASH_BYTES * (hashes.length + 1));
  bytes.writeBigUInt64BE(theta, 0);
  for (const [index, hash] of hashes.entries()) bytes.writeBigUInt64BE(hash, HASH_BYTES * (index + 1));
  return bytes;
}

/** Throws `SketchInvalid`. */
export function decodeSketch(bytes: Buffer): ThetaSketch {
  const count = bytes.length / HASH_BYTES - 1;
  if (!Number.isInteger(count) || count < 0 || count > KEPT_MAX) {
    throw new SketchInvalid('A stored sketch has a length that no sketch has.', { bytes: bytes.length });
  }
  const theta = bytes.readBigUInt64BE(0);
  const hashes = new BigUint64Array(count);
  for (let index = 0; index < count; index++) hashes[index] = bytes.readBigUInt64BE(HASH_BYTES * (index + 1));
  if (hashes.some((hash, index) => hash >= theta || (index > 0 && hash <= (hashes[index - 1] ?? 0n)))) {
    throw new SketchInvalid('A stored sketch holds hashes out of order.');
  }
  return { hashes, theta };
}
