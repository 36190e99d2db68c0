import { hash } from 'node:crypto';
import { PackDamaged } from './errors.ts';

/** Which record (keyed id) has which content (keyed id): what one snapshot holds. */
export type Entries = ReadonlyMap<string, string>;

const ID_BYTES = 16;
const ENTRY_BYTES = 2 * ID_BYTES;
/** Entries in one stored piece of a list. */
const SEGMENT_ENTRIES = 4_096;
const GONE = '0'.repeat(2 * ID_BYTES);

/**
 * The root of a Merkle tree over the entries, sorted by record (RFC 9162, section 2.1.1: leaves and nodes are told
 * apart by their first byte). Equal roots: the same records with the same content, to the last bit.
 */
export function merkleRoot(entries: Entries): string {
  const leaf = Buffer.alloc(1 + ENTRY_BYTES);
  let level: Buffer[] = [];
  for (const [record, blob] of sorted(entries)) {
    leaf.write(record, 1, 'hex');
    leaf.write(blob, 1 + ID_BYTES, 'hex');
    level.push(hash('sha256', leaf, 'buffer'));
  }
  if (level.length === 0) return hash('sha256', '', 'hex');
  const node = Buffer.alloc(65, 1);
  while (level.length > 1) {
    const next: Buffer[] = [];
    for (let at = 0; at < level.length; at += 2) {
      const [left, right] = [level[at], level[at + 1]];
      if (!left) continue;
      if (!right) {
        next.push(left);
        continue;
      }
      left.copy(node, 1);
      right.copy(node, 33);
      next.push(hash('sha256', node, 'buffer'));
    }
    level = next;
  }
  return level[0]?.toString('hex') ?? '';
}

function sorted(entries: Entries): [string, string][] {
  return [...entries].sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
}

/** Pieces of a list, as they are stored. */
export function encodeList(entries: Entries): Buffer[] {
  const all = sorted(entries);
  const segments: Buffer[] = [];
  for (let from = 0; from < all.length; from += SEGMENT_ENTRIES) {
    const part = all.slice(from, from + SEGMENT_ENTRIES);
    const segment = Buffer.alloc(part.length * ENTRY_BYTES);
    for (const [at, [record, blob]] of part.entries()) {
      segment.write(record, at * ENTRY_BYTES, 'hex');
      segment.write(blob, at * ENTRY_BYTES + ID_BYTES, 'hex');
    }
    segments.push(segment);
  }
  return segments;
}

/** What must be done to `before` to get `after`; what is gone has content 0. */
export function difference(before: Entries, after: Entries): Map<string, string> {
  const changed = new Map<string, string>();
  for (const [record, blob] of after) if (before.get(record) !== blob) changed.set(record, blob);
  for (const record of before.keys()) if (!after.has(record)) changed.set(record, GONE);
  return changed;
}

/** Applies one stored piece, of a whole list or of a difference. */
export function applySegment(entries: Map<string, string>, segment: Buffer): void {
  if (segment.length % ENTRY_BYTES !== 0) throw new PackDamaged('A piece of a list has an odd length.');
  for (let at = 0; at < segment.length; at += ENTRY_BYTES) {
    const record = segment.toString('hex', at, at + ID_BYTES);
    const blob = segment.toString('hex', at + ID_BYTES, at + ENTRY_BYTES);
    if (blob === GONE) entries.delete(record);
    else entries.set(record, blob);
  }
}
