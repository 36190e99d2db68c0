import { findByKey } from './by-key.ts';
import type { Compiled } from './compile.ts';
import type { Encoding } from './finding.ts';
import type { KeyHint } from './keys.ts';
import type { TextScanner } from './scan-text.ts';
import type { Findings, Segment } from './segment.ts';

/** Bits that a value's bytes are summed into while its end is looked for. */
export const HAS_DIGIT = 1;
export const HAS_AT = 2;
export const HAS_UNDERSCORE = 4;
/** A question mark, an equals sign or a space: more than a plain URL. */
export const HAS_MORE = 8;

/** Shortest secret that is letters alone after a prefix (Hugging Face). */
const LETTERS_SECRET_BYTES_MIN = 36;
/** No identifier that is reported without a telling name is shorter. */
const UNNAMED_BYTES_MIN = 7;

/** Scans one value of a structured document, doing nothing at all where nothing can be. */
export class ValueScanner {
  private readonly compiled: Compiled;
  private readonly text: TextScanner;
  private readonly findings: Findings;
  private readonly everything: boolean;

  /** `everything`: custom rules may be about any value at all. */
  constructor(compiled: Compiled, text: TextScanner, findings: Findings, everything: boolean) {
    this.everything = everything;
    this.compiled = compiled;
    this.text = text;
    this.findings = findings;
  }

  /** Whether a value with these bytes under this name can hold anything. */
  worthwhile(mask: number, length: number, hint: KeyHint | undefined): boolean {
    if (this.everything) return length > 0;
    if ((mask & HAS_AT) !== 0) return true;
    if (hint?.telling === true) return length > 1;
    if ((mask & HAS_DIGIT) !== 0) return length >= UNNAMED_BYTES_MIN;
    return (mask & HAS_UNDERSCORE) !== 0 && length >= LETTERS_SECRET_BYTES_MIN;
  }

  scan(
    bytes: Uint8Array,
    start: number,
    end: number,
    encoding: Encoding,
    hint: KeyHint | undefined,
    map?: Int32Array,
    mask = HAS_MORE,
  ): void {
    if (hint?.telling !== true && !this.everything && isTimestamp(bytes, start, end)) return;
    const segment: Segment = { bytes, start, end, encoding, hint, complete: true, map };
    // Numbers in the path of a URL are identifiers of things; only secrets are looked for there.
    const plainUrl = (mask & (HAS_MORE | HAS_AT)) === 0 && !this.everything && startsLikeUrl(bytes, start, end);
    if (plainUrl) this.text.scanForSecrets(segment);
    else this.text.scan(segment);
    if (hint !== undefined) findByKey(this.compiled, segment, this.findings);
  }

  /** A whole document as the value of a named field, after its text has been scanned. */
  scanByKey(bytes: Uint8Array, hint: KeyHint): void {
    const segment: Segment = { bytes, start: 0, end: bytes.length, encoding: 'text', hint, complete: true };
    findByKey(this.compiled, segment, this.findings);
  }
}

function startsLikeUrl(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start > 12 &&
    bytes[start] === 0x68 &&
    bytes[start + 1] === 0x74 &&
    bytes[start + 3] === 0x70 &&
    (bytes[start + 4] === 0x3a || bytes[start + 5] === 0x3a)
  );
}

/** `2011-04-10T20:09:31Z`: the commonest value with digits in API traffic, and never anything else. */
function isTimestamp(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length < 19 || length > 29) return false;
  return (
    bytes[start + 4] === 0x2d &&
    bytes[start + 7] === 0x2d &&
    bytes[start + 13] === 0x3a &&
    bytes[start + 16] === 0x3a &&
    (bytes[start + 10] === 0x54 || bytes[start + 10] === 0x20)
  );
}
