import type { KeyCache, KeyHint } from './keys.ts';
import type { StructuredScanner } from './structured.ts';
import type { ValueScanner } from './value-scanner.ts';

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SEPARATORS = [0x2c, 0x3b, 0x09, 0x7c];
const COLUMNS_MAX = 1024;

const decoder = new TextDecoder();

/** Reads CSV (RFC 4180) with commas, semicolons, tabs or bars; the first record names the columns if it looks like names. */
export class CsvScanner implements StructuredScanner {
  readonly broken = false;
  private readonly keys: KeyCache;
  private readonly values: ValueScanner;
  private separator = 0;
  private columns: (KeyHint | undefined)[] | undefined;

  constructor(keys: KeyCache, values: ValueScanner) {
    this.keys = keys;
    this.values = values;
  }

  scan(bytes: Uint8Array, from: number, to: number, final: boolean): number {
    let position = from;
    while (position < to) {
      const end = recordEnd(bytes, position, to);
      if (end === to && !final) return position;
      if (this.separator === 0) this.separator = guessSeparator(bytes, position, end);
      const cells = this.split(bytes, position, end);
      if (this.columns === undefined) this.columns = this.readHeader(bytes, cells);
      if (this.columns.length === 0 || !this.headerOnly) this.takeRecord(bytes, cells);
      this.headerOnly = false;
      position = end + 1;
    }
    return to;
  }

  private headerOnly = false;

  private readHeader(bytes: Uint8Array, cells: readonly number[]): (KeyHint | undefined)[] {
    const names: string[] = [];
    for (let i = 0; i < cells.length; i += 2) names.push(decoder.decode(bytes.subarray(cells[i], cells[i + 1])).trim());
    const named =
      names.length > 1 && names.every((name) => name.length < 64 && /\p{L}/u.test(name) && !/@|\d{3}/.test(name));
    this.headerOnly = named;
    return named ? names.map((name) => this.keys.hint(name)) : [];
  }

  private takeRecord(bytes: Uint8Array, cells: readonly number[]): void {
    for (let i = 0; i < cells.length; i += 2) {
      const start = cells[i] ?? 0;
      const end = cells[i + 1] ?? start;
      if (end > start) this.values.scan(bytes, start, end, 'csv', this.columns?.[i / 2]);
    }
  }

  /** Starts and ends of the cells of a record, without their quotes. */
  private split(bytes: Uint8Array, from: number, to: number): number[] {
    const cells: number[] = [];
    let position = from;
    let end = to;
    if (bytes[end - 1] === CARRIAGE_RETURN) end--;
    while (position <= end && cells.length < COLUMNS_MAX * 2) {
      if (bytes[position] === QUOTE) {
        let close = position + 1;
        while (close < end && !(bytes[close] === QUOTE && bytes[close + 1] !== QUOTE))
          close += bytes[close] === QUOTE ? 2 : 1;
        cells.push(position + 1, Math.min(close, end));
        position = close + 1;
        while (position < end && bytes[position] !== this.separator) position++;
      } else {
        const start = position;
        while (position < end && bytes[position] !== this.separator) position++;
        cells.push(start, position);
      }
      position++;
    }
    return cells;
  }
}

/** End of the record at `from`: the next line feed outside quotes. */
function recordEnd(bytes: Uint8Array, from: number, to: number): number {
  let quoted = false;
  for (let i = from; i < to; i++) {
    if (bytes[i] === QUOTE) quoted = !quoted;
    else if (bytes[i] === LINE_FEED && !quoted) return i;
  }
  return to;
}

function guessSeparator(bytes: Uint8Array, from: number, to: number): number {
  const counts = SEPARATORS.map(() => 0);
  for (let i = from; i < to; i++) {
    const index = SEPARATORS.indexOf(bytes[i] ?? 0);
    if (index >= 0) counts[index] = (counts[index] ?? 0) + 1;
  }
  return SEPARATORS[counts.indexOf(Math.max(...counts))] ?? 0x2c;
}
