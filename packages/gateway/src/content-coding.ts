import { promisify } from 'node:util';
import zlib from 'node:zlib';

const MIB = 1024 * 1024;
/** Small bodies are decoded at once: handing them to the thread pool costs more than the work. */
const SYNC_BYTES_MAX = 64 * 1024;

export type Coding = 'gzip' | 'br' | 'deflate' | 'zstd';
type Decode = (bytes: Buffer, options: { maxOutputLength: number }) => Buffer;

/** `deflate` means zlib (RFC 9110, section 8.4.1.2), yet many servers send it raw. */
function isZlib(bytes: Buffer): boolean {
  return bytes.length >= 2 && (bytes[0]! & 0x0f) === 8 && ((bytes[0]! << 8) | bytes[1]!) % 31 === 0;
}

const sync: Record<Coding, Decode> = {
  gzip: (bytes, options) => zlib.gunzipSync(bytes, options),
  br: (bytes, options) => zlib.brotliDecompressSync(bytes, options),
  deflate: (bytes, options) => (isZlib(bytes) ? zlib.inflateSync(bytes, options) : zlib.inflateRawSync(bytes, options)),
  zstd: (bytes, options) => zlib.zstdDecompressSync(bytes, options),
};

const inflate = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflate);
const inflateRaw = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflateRaw);
const threaded: Record<Coding, (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>> = {
  gzip: promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip),
  br: promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress),
  deflate: (bytes, options) => (isZlib(bytes) ? inflate(bytes, options) : inflateRaw(bytes, options)),
  zstd: promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress),
};

/** The one coding of a Content-Encoding field; null for none, undefined for what can't be undone here. */
export function parseCoding(value: string): Coding | null | undefined {
  switch (value.trim().toLowerCase()) {
    case '':
    case 'identity':
      return null;
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'br':
      return 'br';
    case 'deflate':
      return 'deflate';
    case 'zstd':
      return 'zstd';
    default:
      // Several codings on top of each other serve nobody but bombs.
      return undefined;
  }
}

/** The body is larger, decoded, than it may be: a bomb, or simply too much. */
export class InflatesTooMuch extends Error {}

/**
 * Undoes a content coding. The decoded size is bounded both absolutely and in relation to what was sent, so that a
 * few kilobytes can't make the gateway hold gigabytes.
 *
 * @throws {InflatesTooMuch} and whatever zlib says of bytes that aren't what they claim to be.
 */
export function decodeBody(
  bytes: Buffer,
  coding: Coding,
  bytesMax: number,
  ratioMax: number,
): Buffer | Promise<Buffer> {
  if (bytes.length === 0) return bytes;
  const maxOutputLength = Math.max(1, Math.min(bytesMax, Math.max(MIB, bytes.length * ratioMax)));
  if (bytes.length <= SYNC_BYTES_MAX) {
    try {
      return sync[coding](bytes, { maxOutputLength });
    } catch (error) {
      throw translate(error);
    }
  }
  return threaded[coding](bytes, { maxOutputLength }).catch((error: unknown) => {
    throw translate(error);
  });
}

function translate(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ERR_BUFFER_TOO_LARGE' ? new InflatesTooMuch('decoded body too large', { cause: error }) : error;
}
