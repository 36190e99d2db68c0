/** How the bytes of a document are read. */
export type ContentKind = 'json' | 'csv' | 'form' | 'xml' | 'text' | 'opaque';

/** Media that holds no text to look at; container formats are unpacked by whoever knows them. */
const OPAQUE =
  /^(?:image\/(?!svg)|video\/|audio\/|font\/|application\/(?:zip|gzip|x-gzip|x-tar|wasm|x-7z-compressed|vnd\.rar))/;

/** Kind of a document by its media type (RFC 9110 section 8.3); undefined when the type says nothing. */
export function kindOfContentType(contentType: string | undefined): ContentKind | undefined {
  const type = contentType?.split(';')[0]?.trim().toLowerCase();
  if (!type) return undefined;
  if (type === 'application/json' || type.endsWith('+json') || type.endsWith('ndjson') || type.endsWith('jsonl'))
    return 'json';
  if (type === 'text/csv' || type === 'text/tab-separated-values') return 'csv';
  if (type === 'application/x-www-form-urlencoded') return 'form';
  if (type === 'application/xml' || type === 'text/xml' || type.endsWith('+xml') || type === 'text/html') return 'xml';
  if (OPAQUE.test(type)) return 'opaque';
  if (type === 'application/octet-stream') return undefined;
  return 'text';
}

/** Bytes looked at to tell JSON and XML from text. */
const SNIFF_BYTES_MAX = 64;

/** Kind of a document by its first bytes. */
export function kindOfBytes(bytes: Uint8Array): ContentKind {
  for (let i = 0; i < Math.min(bytes.length, SNIFF_BYTES_MAX); i++) {
    const byte = bytes[i];
    if (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) continue;
    // The JSON reader hands what turns out to be no JSON to the text scanner, so a guess is enough.
    if (byte === 0x7b || byte === 0x5b) return 'json';
    if (byte === 0x3c && bytes[i + 1] === 0x3f) return 'xml';
    return 'text';
  }
  return 'text';
}
