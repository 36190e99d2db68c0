import type { Encoding, RawFinding } from './finding.ts';
import type { KeyHint } from './keys.ts';

/** A stretch of content that is read as one value or one text. */
export interface Segment {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly encoding: Encoding;
  /** What the field's name says; undefined where there is no field. */
  readonly hint: KeyHint | undefined;
  /** The segment is one complete value, not a window of a longer text. */
  readonly complete: boolean;
  /** Where each byte (and the end) is in the original, when the bytes were decoded. */
  readonly map?: Int32Array | undefined;
}

/** Latin-1 text of a range: one character for each byte, so that offsets stay offsets. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  // Bodies come as Buffers, which need no view of their own for each range.
  if (bytes instanceof Buffer) return bytes.toString('latin1', start, end);
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

/** The same bytes as a Buffer, without copying. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** More findings than this in one scan are counted and not kept, so that hostile input can't fill memory. */
export const FINDINGS_MAX = 100_000;

/** Collects what scanners find, with offsets already those of the original. */
export class Findings {
  readonly list: RawFinding[] = [];
  dropped = 0;

  add(
    segment: Segment,
    found: { detector: number; start: number; end: number; confidence: number; reasons: string[] },
  ): void {
    if (this.list.length >= FINDINGS_MAX) {
      this.dropped++;
      return;
    }
    const { map } = segment;
    this.list.push({
      detector: found.detector,
      start: map ? (map[found.start] ?? 0) : found.start,
      end: map ? (map[found.end] ?? 0) : found.end,
      confidence: Math.min(found.confidence, 0.99),
      encoding: segment.encoding,
      reasons: found.reasons,
      key: segment.hint?.name,
    });
  }
}
