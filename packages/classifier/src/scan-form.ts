import { DecodedValue, hexDigit } from './decoded.ts';
import type { KeyCache } from './keys.ts';
import type { StructuredScanner } from './structured.ts';
import type { ValueScanner } from './value-scanner.ts';

const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PERCENT = 0x25;
const PLUS = 0x2b;

const decoder = new TextDecoder();

/** Reads `application/x-www-form-urlencoded`: pairs, with percent signs and plus undone. */
export class FormScanner implements StructuredScanner {
  readonly broken = false;
  private readonly keys: KeyCache;
  private readonly values: ValueScanner;
  private readonly decoded = new DecodedValue();

  constructor(keys: KeyCache, values: ValueScanner) {
    this.keys = keys;
    this.values = values;
  }

  scan(bytes: Uint8Array, from: number, to: number, final: boolean): number {
    let position = from;
    while (position < to) {
      let end = position;
      while (end < to && bytes[end] !== AMPERSAND) end++;
      if (end === to && !final) return position;
      this.takePair(bytes, position, end);
      position = end + 1;
    }
    return to;
  }

  private takePair(bytes: Uint8Array, start: number, end: number): void {
    let equals = start;
    while (equals < end && bytes[equals] !== EQUALS) equals++;
    this.decode(bytes, start, equals);
    const name = decoder.decode(this.decoded.bytes.subarray(0, this.decoded.length));
    if (equals >= end) return;
    this.decode(bytes, equals + 1, end);
    const { decoded } = this;
    this.values.scan(
      decoded.bytes,
      0,
      decoded.length,
      'form',
      this.keys.hint(name.replaceAll(/[[\]]+/g, '.')),
      decoded.map,
    );
  }

  private decode(bytes: Uint8Array, start: number, end: number): void {
    this.decoded.start(end - start);
    for (let i = start; i < end; i++) {
      const byte = bytes[i] ?? 0;
      const high = byte === PERCENT && i + 2 < end ? hexDigit(bytes[i + 1] ?? 0) : -1;
      const low = high >= 0 ? hexDigit(bytes[i + 2] ?? 0) : -1;
      if (low >= 0) {
        this.decoded.push((high << 4) | low, i);
        i += 2;
      } else this.decoded.push(byte === PLUS ? 0x20 : byte, i);
    }
    this.decoded.finish(end);
  }
}
