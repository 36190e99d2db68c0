import { isMapped } from './address.ts';
import { NetworkFileInvalid } from './errors.ts';

/** MaxMind DB file format 2.0 (maxmind.github.io/MaxMind-DB): a search tree over address bits and a data section. */

const MARKER = Buffer.from('\u00ab\u00cd\u00efMaxMind.com', 'latin1');
const METADATA_BYTES_MAX = 128 * 1024;
const SEPARATOR_BYTES = 16;
/** No database nests deeper; a forged one may point in circles. */
const DEPTH_MAX = 12;
const ENTRIES_MAX = 1_000;
const CACHE_MAX = 200_000;

export interface MmdbInfo {
  readonly type: string;
  /** Milliseconds since the epoch. */
  readonly builtAt: number;
  readonly ipVersion: 4 | 6;
  readonly nodes: number;
}

export interface Mmdb {
  readonly info: MmdbInfo;
  /** What the file says of an address of 16 bytes; undefined where it says nothing. */
  lookup(bytes: Uint8Array): unknown;
}

/** Opens a file that lies in memory. Throws `NetworkFileInvalid` when it is none of the format. */
export function openMmdb(file: Buffer): Mmdb {
  const from = Math.max(0, file.length - METADATA_BYTES_MAX);
  const at = file.lastIndexOf(MARKER);
  if (at < from) throw new NetworkFileInvalid('The file is no MaxMind DB: it has no metadata.');
  const metadata = new Decoder(file.subarray(at + MARKER.length)).value(0);
  const number = (key: string): number => {
    const value = isRecord(metadata) ? metadata[key] : undefined;
    if (typeof value !== 'number' && typeof value !== 'bigint') {
      throw new NetworkFileInvalid(`The file is no MaxMind DB: its metadata has no ${key}.`);
    }
    return Number(value);
  };
  const [nodes, bits, version] = [number('node_count'), number('record_size'), number('ip_version')];
  const treeBytes = (nodes * bits) / 4;
  if (![24, 28, 32].includes(bits) || (version !== 4 && version !== 6) || treeBytes + SEPARATOR_BYTES > at) {
    throw new NetworkFileInvalid('The file is no MaxMind DB that can be read: its tree does not fit.');
  }
  const type = isRecord(metadata) && typeof metadata['database_type'] === 'string' ? metadata['database_type'] : '';
  const tree = new Tree(file, nodes, bits);
  const decoder = new Decoder(file.subarray(treeBytes + SEPARATOR_BYTES, at));
  const cache = new Map<number, unknown>();
  const v4Start = version === 6 ? tree.v4Start() : 0;
  return {
    info: { type, builtAt: number('build_epoch') * 1_000, ipVersion: version, nodes },
    lookup(bytes) {
      const isV4 = isMapped(bytes);
      if (!isV4 && version === 4) return undefined;
      const record = tree.find(bytes, isV4 ? v4Start : 0, isV4 ? 96 : 0);
      if (record <= nodes) return undefined;
      const offset = record - nodes - SEPARATOR_BYTES;
      if (cache.has(offset)) return cache.get(offset);
      const value = decoder.value(offset);
      if (cache.size < CACHE_MAX) cache.set(offset, value);
      return value;
    },
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

class Tree {
  readonly #file: Buffer;
  readonly #nodes: number;
  readonly #bits: number;

  constructor(file: Buffer, nodes: number, bits: number) {
    this.#file = file;
    this.#nodes = nodes;
    this.#bits = bits;
  }

  /** The node under which IPv4 lies in a tree of IPv6: 96 zero bits down. */
  v4Start(): number {
    let node = 0;
    for (let bit = 0; bit < 96 && node < this.#nodes; bit++) node = this.#record(node, 0);
    return node;
  }

  find(bytes: Uint8Array, start: number, from: number): number {
    let node = start;
    for (let bit = from; bit < 128 && node < this.#nodes; bit++) {
      node = this.#record(node, ((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1);
    }
    return node;
  }

  #record(node: number, side: number): number {
    const file = this.#file;
    if (this.#bits === 24) return file.readUIntBE(node * 6 + side * 3, 3);
    if (this.#bits === 32) return file.readUInt32BE(node * 8 + side * 4);
    const at = node * 7;
    const middle = file[at + 3] ?? 0;
    if (side === 0) return ((middle & 0xf0) << 20) + file.readUIntBE(at, 3);
    return ((middle & 0x0f) << 24) + file.readUIntBE(at + 4, 3);
  }
}

/** The data section's types, by the number in the control byte. */
class Decoder {
  readonly #data: Buffer;

  constructor(data: Buffer) {
    this.#data = data;
  }

  value(offset: number): unknown {
    try {
      return this.#read(offset, 0)[0];
    } catch (error) {
      if (error instanceof RangeError) throw new NetworkFileInvalid('The file is broken: it points outside itself.');
      throw error;
    }
  }

  #read(offset: number, depth: number): [value: unknown, next: number] {
    if (depth > DEPTH_MAX) throw new NetworkFileInvalid('The file is broken: it nests too deep.');
    const data = this.#data;
    const control = data.readUInt8(offset);
    let type = control >> 5;
    let at = offset + 1;
    if (type === 1) return this.#pointer(control, at, depth);
    if (type === 0) {
      type = 7 + data.readUInt8(at);
      at += 1;
    }
    let size = control & 0x1f;
    if (size >= 29) {
      const extra = size - 28;
      size = [29, 285, 65_821][extra - 1] ?? 0;
      size += data.readUIntBE(at, extra);
      at += extra;
    }
    if (type === 7) return this.#map(at, size, depth);
    if (type === 11) return this.#list(at, size, depth);
    if (type === 14) return [size !== 0, at];
    if (at + size > data.length) throw new RangeError('beyond the end');
    return [scalar(type, data.subarray(at, at + size)), at + size];
  }

  #pointer(control: number, at: number, depth: number): [unknown, number] {
    const data = this.#data;
    const bytes = ((control >> 3) & 3) + 1;
    const high = control & 7;
    const low = data.readUIntBE(at, bytes);
    const target = bytes === 4 ? low : high * 2 ** (8 * bytes) + low + ([0, 2_048, 526_336][bytes - 1] ?? 0);
    return [this.#read(target, depth + 1)[0], at + bytes];
  }

  #map(start: number, size: number, depth: number): [unknown, number] {
    if (size > ENTRIES_MAX) throw new NetworkFileInvalid('The file is broken: a map is too large.');
    const map: Record<string, unknown> = Object.create(null) as Record<string, unknown>; // keys come from outside
    let at = start;
    for (let i = 0; i < size; i++) {
      const [key, afterKey] = this.#read(at, depth + 1);
      const [value, afterValue] = this.#read(afterKey, depth + 1);
      map[String(key)] = value;
      at = afterValue;
    }
    return [map, at];
  }

  #list(start: number, size: number, depth: number): [unknown, number] {
    if (size > ENTRIES_MAX) throw new NetworkFileInvalid('The file is broken: a list is too large.');
    const list: unknown[] = [];
    let at = start;
    for (let i = 0; i < size; i++) {
      const [value, next] = this.#read(at, depth + 1);
      list.push(value);
      at = next;
    }
    return [list, at];
  }
}

function scalar(type: number, bytes: Buffer): unknown {
  switch (type) {
    case 2:
      return bytes.toString('utf8');
    case 3:
      return bytes.readDoubleBE(0);
    case 5:
    case 6:
      return bytes.length === 0 ? 0 : bytes.length <= 4 ? bytes.readUIntBE(0, bytes.length) : undefined;
    case 8:
      return bytes.length === 0 ? 0 : bytes.readIntBE(0, bytes.length);
    case 9:
    case 10:
      return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`);
    case 15:
      return bytes.readFloatBE(0);
    default:
      return bytes;
  }
}
