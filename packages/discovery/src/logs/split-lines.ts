import { createGunzip } from 'node:zlib';
import { Readable } from 'node:stream';

/** Longer lines are no log lines; they are counted and passed over without being held. */
export const LINE_BYTES_MAX = 64 * 1024;
const NEWLINE = 0x0a;

/** What stands for a line that is longer than `LINE_BYTES_MAX`. */
export const TOO_LONG = Symbol('too long');

/** Lines of a stream of bytes. Holds one line and one chunk, whatever the length of the stream. */
export async function* splitLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<string | typeof TOO_LONG> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let isLong = false;
  for await (const bytes of source) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const piece = chunk.subarray(start, end);
      start = end + 1;
      if (isLong || heldBytes + piece.length > LINE_BYTES_MAX) yield TOO_LONG;
      else yield textOf(held.length === 0 ? piece : Buffer.concat([...held, piece]));
      [held, heldBytes, isLong] = [[], 0, false];
    }
    const rest = chunk.subarray(start);
    if (isLong || heldBytes + rest.length > LINE_BYTES_MAX) [held, heldBytes, isLong] = [[], 0, true];
    else if (rest.length > 0) {
      // Copied: a chunk's memory may be used again by whoever reads.
      held.push(Buffer.from(rest));
      heldBytes += rest.length;
    }
  }
  if (isLong) yield TOO_LONG;
  else if (heldBytes > 0) yield textOf(Buffer.concat(held));
}

function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}

/** The bytes themselves, or what they unpack to when they are gzip. Unpacks as it goes: a bomb fills no memory. */
export async function* unpacked(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) return;
  const head = first.value;
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield head;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* whole();
    return;
  }
  const gunzip = createGunzip();
  Readable.from(whole())
    .on('error', (error) => gunzip.destroy(error))
    .pipe(gunzip);
  yield* gunzip as AsyncIterable<Uint8Array>; // a byte stream
}
