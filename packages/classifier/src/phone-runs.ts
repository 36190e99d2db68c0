import { bytesOf, DIGIT, KINDS, OTHER } from './shapes.ts';

/** E.164: at most 15 digits; fewer than seven are no number to call. */
const DIGITS_MIN = 7;
const DIGITS_MAX = 17;
/** Signs and spaces allowed between two groups of one number, as in `+1 (415) 555`. */
const GAP_BYTES_MAX = 3;
const RUNS_MAX = 4096;

const PLUS = 0x2b;
const OPEN = 0x28;

function isGap(byte: number): boolean {
  return (
    byte === 0x20 || byte === 0x2d || byte === 0x2e || byte === 0x28 || byte === 0x29 || byte === 0x2f || byte === 0xa0
  );
}

/** Collects runs of digit groups that might be phone numbers; they are judged after everything else. */
export class PhoneRuns {
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  private start = -1;
  private end = -1;
  private digits = 0;

  clear(): void {
    if (this.starts.length > 0) {
      this.starts.length = 0;
      this.ends.length = 0;
    }
    this.start = -1;
  }

  /** Groups come in order; `digitsOnly` groups join on, anything else ends the run. */
  take(bytes: Uint8Array, start: number, end: number, digitsOnly: boolean, from: number): void {
    if (!digitsOnly) {
      const extension = this.start >= 0 && this.joins(bytes, start) ? extensionStart(bytes, start, end) : 0;
      if (extension > 0) {
        this.end = end;
        this.digits += extension - start;
      }
      this.close();
      return;
    }
    if (this.start >= 0 && this.joins(bytes, start)) {
      this.end = end;
      this.digits += end - start;
      return;
    }
    this.close();
    let first = start;
    if (first > from && bytes[first - 1] === OPEN) first--;
    if (first > from && bytes[first - 1] === PLUS) first--;
    if (first === start && first > from && !mayPrecede(bytes[first - 1] ?? 0)) return;
    this.start = first;
    this.end = end;
    this.digits = end - start;
  }

  private joins(bytes: Uint8Array, start: number): boolean {
    if (start - this.end > GAP_BYTES_MAX) return false;
    for (let i = this.end; i < start; i++) if (!isGap(bytes[i] ?? 0)) return false;
    return true;
  }

  close(): void {
    if (this.start >= 0 && this.digits >= DIGITS_MIN && this.digits <= DIGITS_MAX && this.starts.length < RUNS_MAX) {
      this.starts.push(this.start);
      this.ends.push(this.end);
    }
    this.start = -1;
  }
}

/** Where the `x` of an extension is in `2294x751`; 0 when the group is nothing of the kind. */
function extensionStart(bytes: Uint8Array, start: number, end: number): number {
  let x = 0;
  for (let i = start; i < end; i++) {
    if (KINDS[bytes[i] ?? 0] === DIGIT) continue;
    if (x !== 0 || (bytes[i] ?? 0) !== 0x78) return 0;
    x = i;
  }
  return x > start && x < end - 1 ? x : 0;
}

/** What comes right before a number in a path, a decimal, an amount or an identifier. */
const NOT_BEFORE = new Set(bytesOf('/._#$-'));

function mayPrecede(byte: number): boolean {
  return KINDS[byte] === OTHER && !NOT_BEFORE.has(byte);
}
