import { crc32 } from 'node:zlib';

const CRC_HEX_CHARS = 8;
const NEWLINE = 0x0a;
const SPACE = 0x20;

/** One spool line: eight hex digits of CRC-32, a space, the event's JSON, a newline. */
export function encodeLine(json: string): string {
  return `${crc32(json).toString(16).padStart(CRC_HEX_CHARS, '0')} ${json}\n`;
}

export interface SpoolContent {
  /** The events' JSON, each ended by a newline: what is sent to the worker. */
  readonly ndjson: Buffer;
  readonly events: number;
  /** Lines whose checksum doesn't match, other than a torn last one. */
  readonly corrupt: number;
  /** True when the file ended in the middle of a line, as after a kill in mid-write. */
  readonly torn: boolean;
}

/** Reads a segment back. A line counts only when it is complete and its checksum matches. */
export function decodeSegment(bytes: Buffer): SpoolContent {
  const kept: Buffer[] = [];
  let events = 0;
  let corrupt = 0;
  let start = 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end === -1) break;
    const payload = bytes.subarray(start + CRC_HEX_CHARS + 1, end);
    const declared = bytes.toString('latin1', start, start + CRC_HEX_CHARS);
    const whole = end - start > CRC_HEX_CHARS + 1 && bytes[start + CRC_HEX_CHARS] === SPACE;
    if (whole && /^[0-9a-f]{8}$/.test(declared) && Number.parseInt(declared, 16) === crc32(payload)) {
      kept.push(bytes.subarray(start + CRC_HEX_CHARS + 1, end + 1));
      events += 1;
    } else {
      corrupt += 1;
    }
    start = end + 1;
  }
  return { ndjson: Buffer.concat(kept), events, corrupt, torn: start < bytes.length };
}
