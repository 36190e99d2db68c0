import { DetectorInvalid } from './errors.ts';

/** Byte kinds that shapes are made of. */
export const OTHER = 0;
export const DIGIT = 1;
export const UPPER = 2;
export const LOWER = 3;
/** Bytes of UTF-8 sequences: letters of some script, never part of an identifier. */
export const HIGH = 4;

/** The bytes of a list of signs. */
export function bytesOf(signs: string): Uint8Array {
  return new TextEncoder().encode(signs);
}

function buildKinds(): Uint8Array {
  const kinds = new Uint8Array(256);
  kinds.fill(DIGIT, 0x30, 0x3a);
  kinds.fill(UPPER, 0x41, 0x5b);
  kinds.fill(LOWER, 0x61, 0x7b);
  kinds.fill(HIGH, 0x80);
  return kinds;
}

export const KINDS: Uint8Array = buildKinds();

/** Runs of letters or digits beyond this many make a group shapeless (hashes, identifiers of machines). */
const RUNS_MAX = 14;
/** Longest run that keeps its exact length in a shape. */
const RUN_BYTES_MAX = 34;
/** Groups joined by single separators that one identifier may have. */
export const GROUPS_MAX = 8;

const SEED = 0x2545f491;

/** A step of the hash: a run of `length` letters or digits, or a separator. Never returns 0, which means "no shape". */
function mix(hash: number, code: number): number {
  const mixed = Math.imul(hash ^ code, 0x9e3779b1);
  return mixed ^ (mixed >>> 15) || 1;
}

/** Shape of the letters and digits in `bytes[start, end)`; 0 when there is none worth looking up. */
export function shapeOfGroup(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > RUN_BYTES_MAX) return 0;
  let hash = SEED;
  let runs = 0;
  let position = start;
  while (position < end) {
    const runStart = position;
    const digits = KINDS[bytes[position] ?? 0] === DIGIT;
    do {
      const kind = KINDS[bytes[position] ?? 0];
      if (kind === HIGH) return 0;
      if ((kind === DIGIT) !== digits) break;
      position++;
    } while (position < end);
    if (++runs > RUNS_MAX) return 0;
    hash = mix(hash, (digits ? 0x100 : 0x200) | (position - runStart));
  }
  return hash;
}

/** Shape of `left`, one separator byte and `right`. */
export function joinShapes(left: number, separator: number, right: number): number {
  return mix(mix(left, 0x400 | separator), right);
}

/** Separators that may join the groups of one identifier. */
export const JOINERS: Uint8Array = (() => {
  const joiners = new Uint8Array(256);
  for (const byte of bytesOf(' -./:')) joiners[byte] = 1;
  return joiners;
})();

const VARIANTS_MAX = 512;

/** Writes out `{m,n}`, `~` (nothing, space or hyphen, the same throughout) and `X` (letter or digit). */
export function expandFormat(format: string): readonly string[] {
  let variants = format.includes('~') ? ['', ' ', '-'].map((joiner) => format.replaceAll('~', joiner)) : [format];
  for (;;) {
    const next: string[] = [];
    for (const variant of variants) next.push(...expandOnce(variant));
    if (next.length > VARIANTS_MAX) throw new DetectorInvalid(`format has too many variants: ${format}`, { format });
    if (next.length === variants.length && next.every((variant, index) => variant === variants[index])) return next;
    variants = next;
  }
}

function expandOnce(format: string): string[] {
  const repeat = /(.)\{(\d+)(?:,(\d+))?\}/.exec(format);
  if (repeat) {
    const [all, symbol = '', least = '', most = least] = repeat;
    const expanded: string[] = [];
    for (let count = Number(least); count <= Number(most); count++) {
      expanded.push(format.slice(0, repeat.index) + symbol.repeat(count) + format.slice(repeat.index + all.length));
    }
    return expanded;
  }
  if (format.includes('X')) return ['A', '9'].map((symbol) => format.replace('X', symbol));
  return [format];
}

/** Shape of one written-out format such as `999-99-9999` or `AA 99 99 99 A`. */
export function shapeOfFormat(format: string): number {
  const sample = new TextEncoder().encode(format);
  let hash = 0;
  let separator = 0;
  let position = 0;
  while (position < sample.length) {
    const start = position;
    while (position < sample.length && KINDS[sample[position] ?? 0] !== OTHER) position++;
    if (start === position) throw new DetectorInvalid(`format has two separators in a row: ${format}`, { format });
    const shape = shapeOfGroup(sample, start, position);
    if (shape === 0) throw new DetectorInvalid(`format has no usable shape: ${format}`, { format });
    hash = hash === 0 ? shape : joinShapes(hash, separator, shape);
    separator = sample[position] ?? 0;
    if (position < sample.length && JOINERS[separator] !== 1) {
      throw new DetectorInvalid(`format has a separator that is no joiner: ${format}`, { format });
    }
    position++;
  }
  return hash;
}

/** A set of shapes with the detectors that want each; open addressing, so that a miss costs one or two reads. */
export class ShapeTable {
  private readonly slots: Int32Array;
  private readonly lists: (readonly number[])[] = [];
  private readonly mask: number;

  constructor(entries: ReadonlyMap<number, readonly number[]>) {
    let size = 64;
    while (size < entries.size * 4) size *= 2;
    this.mask = size - 1;
    this.slots = new Int32Array(size * 2);
    for (const [hash, detectors] of entries) {
      let slot = hash & this.mask;
      while (this.slots[slot * 2] !== 0) slot = (slot + 1) & this.mask;
      this.slots[slot * 2] = hash | 0;
      this.slots[slot * 2 + 1] = this.lists.push(detectors) - 1;
    }
  }

  find(hash: number): readonly number[] | undefined {
    let slot = hash & this.mask;
    for (;;) {
      const found = this.slots[slot * 2];
      if (found === hash) return this.lists[this.slots[slot * 2 + 1] ?? 0];
      if (found === 0) return undefined;
      slot = (slot + 1) & this.mask;
    }
  }
}
