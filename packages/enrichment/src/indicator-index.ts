import { type AddressBlock, addressBlock, addressBytes, compare } from './address.ts';
import type { Indicator, IndicatorKind } from './indicator.ts';
import type { ListMeaning } from './threat-list.ts';

/** What an event names, in the forms that indicators are compared with. */
export type Observables = Readonly<Record<IndicatorKind, readonly string[]>>;

export interface ListedIndicator extends Indicator {
  readonly list: string;
  readonly meaning: ListMeaning;
}

export interface IndicatorMatch {
  readonly list: string;
  readonly meaning: ListMeaning;
  readonly kind: IndicatorKind;
  readonly value: string;
  readonly note: string;
}

export interface IndicatorIndex {
  readonly size: number;
  /** What lists in force at a moment say of the observables. */
  match(seen: Observables, at: number): IndicatorMatch[];
}

interface Block extends AddressBlock {
  readonly of: ListedIndicator;
}

/** Single values by hash, networks sorted by where they begin, domains by every parent. */
export function createIndicatorIndex(indicators: readonly ListedIndicator[]): IndicatorIndex {
  const single = new Map<string, ListedIndicator[]>();
  const blocks: Block[] = [];
  for (const one of indicators) {
    if (one.kind === 'address' && one.value.includes('/')) {
      const block = addressBlock(one.value);
      if (block) blocks.push({ ...block, of: one });
      continue;
    }
    const key = keyOf(one.kind, one.value);
    const others = single.get(key);
    if (others) others.push(one);
    else single.set(key, [one]);
  }
  blocks.sort((a, b) => compare(a.first, b.first));
  // The farthest end of all up to here: where it lies before an address, no earlier block can hold it.
  const reach: Uint8Array[] = [];
  for (const { last } of blocks) {
    const before = reach.at(-1);
    reach.push(before && compare(before, last) > 0 ? before : last);
  }
  const inBlocks = (text: string): ListedIndicator[] => {
    const bytes = blocks.length === 0 ? null : addressBytes(text);
    if (!bytes) return [];
    let [low, high] = [0, blocks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(blocks[middle]?.first ?? bytes, bytes) <= 0) low = middle + 1;
      else high = middle;
    }
    const found: ListedIndicator[] = [];
    for (let at = low - 1; at >= 0 && compare(reach[at] ?? bytes, bytes) >= 0; at--) {
      const block = blocks[at];
      if (block && compare(block.last, bytes) >= 0) found.push(block.of);
    }
    return found;
  };
  return {
    size: indicators.length,
    match(seen, at) {
      if (indicators.length === 0) return [];
      const found: ListedIndicator[] = [];
      for (const [kind, values] of Object.entries(seen) as [IndicatorKind, readonly string[]][]) {
        // its own keys
        for (const value of values) {
          for (const form of kind === 'domain' ? parents(value) : [value])
            found.push(...(single.get(keyOf(kind, form)) ?? []));
          if (kind === 'address') found.push(...inBlocks(value));
        }
      }
      return found
        .filter(({ expiresAt }) => expiresAt === null || expiresAt > at)
        .map(({ list, meaning, kind, value, note }) => ({ list, meaning, kind, value, note }));
    },
  };
}

/** An address has many spellings; its bytes have one. */
function keyOf(kind: IndicatorKind, value: string): string {
  if (kind !== 'address') return `${kind}\0${value}`;
  const bytes = addressBytes(value);
  return `address\0${bytes ? Buffer.from(bytes).toString('hex') : value}`;
}

const LABELS_MAX = 12;

/** `a.b.example.com`, `b.example.com`, `example.com`: a list that names a domain means what lies under it too. */
function parents(domain: string): string[] {
  const labels = domain.replace(/\.$/, '').split('.').slice(-LABELS_MAX);
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join('.'));
}
