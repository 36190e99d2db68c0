import { addressBlock, addressBytes, halves, isMapped, lowWord } from './address.ts';
import { NetworkFileInvalid } from './errors.ts';
import { RangesV4, RangesV6 } from './sorted-ranges.ts';

/** What a file says of a network. */
export interface NetworkFacts {
  /** ISO 3166-1 alpha-2, upper case. */
  readonly country?: string;
  /** Autonomous system, with the name of who holds it. */
  readonly asn?: number;
  readonly organisation?: string;
  readonly flags?: readonly NetworkFlag[];
}

export const NETWORK_FLAGS = ['hosting', 'vpn', 'tor', 'proxy', 'relay'] as const;
export type NetworkFlag = (typeof NETWORK_FLAGS)[number];

/** A row of IPv4 in numbers, as most of a large file are: read without a detour by addresses. */
const NUMBERS = /^(\d{6,10}),(\d{6,10}),(\d{1,10}|[A-Za-z]{2}),?("[^"]*"|[^",]*)$/;
const ROWS_MAX = 3_000_000;
const SKIPPED_SHARE_MAX = 0.01;
/** Of a name; what is longer is cut. */
const NAME_CHARS_MAX = 120;

export interface RangeTable {
  readonly rows: number;
  lookup(bytes: Uint8Array): NetworkFacts | undefined;
}

/**
 * Ranges from CSV without a heading or with one: `first,last,value[,name]` or `network,value[,name]`, addresses as text
 * or (IPv4) as numbers. A value of two letters is a country, digits (with or without `AS`) are an autonomous system, a
 * flag's name is that flag. Held in typed arrays: 12 bytes a row of IPv4, 36 a row of IPv6.
 */
export function readRanges(texts: Iterable<string>): RangeTable {
  const v4 = new RangesV4();
  const v6 = new RangesV6();
  const facts: NetworkFacts[] = [];
  const known = new Map<string, number>();
  const systems = new Map<number, number>();
  let rows = 0;
  let skipped = 0;
  const factsAt = (value: string, name: string): number | null => {
    const key = `${value}\0${name}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = readFacts(value, name);
    if (!made) return null;
    facts.push(made);
    known.set(key, facts.length - 1);
    return facts.length - 1;
  };
  for (const text of texts) {
    let isFirst = true;
    for (const line of linesOf(text)) {
      const plain = NUMBERS.exec(line);
      if (plain) {
        const [, first = '', last = '', value = '', name = ''] = plain;
        // Half a million rows name some ten thousand systems: their numbers are looked up much faster than their names.
        const system = Number(value);
        const known = systems.get(system);
        const at = known ?? factsAt(value, name.startsWith('"') ? (csvCells(name)[0] ?? '') : name);
        if (known === undefined && at !== null && !Number.isNaN(system)) systems.set(system, at);
        if (at !== null && Number(last) <= 0xffff_ffff) {
          v4.push(Number(first), Number(last), at);
          rows += 1;
          isFirst = false;
          continue;
        }
      }
      const read = readLine(line);
      const index = read && factsAt(read.value, read.name);
      if (!read || index === null) {
        // The heading, if there is one.
        if (!isFirst) skipped += 1;
        isFirst = false;
        continue;
      }
      isFirst = false;
      rows += 1;
      if (rows > ROWS_MAX) throw new NetworkFileInvalid(`A file of networks holds at most ${ROWS_MAX} rows.`);
      if (isMapped(read.first)) v4.push(lowWord(read.first), lowWord(read.last), index);
      else v6.push(halves(read.first), halves(read.last), index);
    }
  }
  if (rows === 0 || skipped > rows * SKIPPED_SHARE_MAX) {
    throw new NetworkFileInvalid(`The file holds ${rows} networks and ${skipped} lines that are none.`);
  }
  v4.sort();
  v6.sort();
  return {
    rows,
    lookup(bytes) {
      const index = isMapped(bytes) ? v4.find(lowWord(bytes)) : v6.find(halves(bytes));
      return index === undefined ? undefined : facts[index];
    },
  };
}

function* linesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end === -1 ? text.length : end).trim();
    at = end === -1 ? text.length : end + 1;
    if (line !== '' && !line.startsWith('#')) yield line;
  }
}

/** One row of CSV; quotes as RFC 4180 has them. */
export function csvCells(line: string): string[] {
  const cells: string[] = [];
  let at = 0;
  while (at <= line.length) {
    if (line[at] === '"') {
      let cell = '';
      at += 1;
      for (;;) {
        const end = line.indexOf('"', at);
        if (end === -1) return [...cells, cell + line.slice(at)];
        cell += line.slice(at, end);
        at = end + 1;
        if (line[at] !== '"') break;
        cell += '"';
        at += 1;
      }
      cells.push(cell);
      at = line.indexOf(',', at);
      if (at === -1) return cells;
      at += 1;
    } else {
      const end = line.indexOf(',', at);
      cells.push(line.slice(at, end === -1 ? line.length : end).trim());
      if (end === -1) return cells;
      at = end + 1;
    }
  }
  return cells;
}

function readLine(line: string): { first: Uint8Array; last: Uint8Array; value: string; name: string } | null {
  const [a = '', b = '', c = '', d = ''] = csvCells(line);
  const [from, to] = [readAddress(a), readAddress(b)];
  if (from && to) return { first: from, last: to, value: c, name: d };
  const block = addressBlock(a);
  return block && { ...block, value: b, name: c };
}

function readAddress(text: string): Uint8Array | null {
  if (!/^\d{6,10}$/.test(text)) return addressBytes(text);
  const value = Number(text);
  if (value > 0xffff_ffff) return null;
  return addressBytes([24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.'));
}

function readFacts(value: string, name: string): NetworkFacts | null {
  if (/^[A-Za-z]{2}$/.test(value)) return { country: value.toUpperCase() };
  const asn = /^(?:AS)?(\d{1,10})$/i.exec(value)?.[1];
  if (asn !== undefined) {
    return { asn: Number(asn), ...(name !== '' && { organisation: name.slice(0, NAME_CHARS_MAX) }) };
  }
  const flag = NETWORK_FLAGS.find((one) => one === value.toLowerCase());
  return flag ? { flags: [flag] } : null;
}
