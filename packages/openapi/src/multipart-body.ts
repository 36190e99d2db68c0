const PARTS_MAX = 1000;
const PART_HEADER_BYTES_MAX = 8192;

/**
 * Names of the fields of a `multipart/form-data` body (RFC 7578); null when it isn't well formed. Contents are left
 * alone: they may be files of any size.
 */
export function multipartFields(bytes: Uint8Array, boundary: string): string[] | null {
  if (boundary === '' || boundary.length > 70) return null; // RFC 2046 section 5.1.1
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  const names: string[] = [];
  let at = body.indexOf(delimiter);
  while (at !== -1 && names.length <= PARTS_MAX) {
    const after = at + delimiter.length;
    if (body.toString('latin1', after, after + 2) === '--') return names;
    const headerEnd = body.indexOf('\r\n\r\n', after);
    if (headerEnd === -1 || headerEnd - after > PART_HEADER_BYTES_MAX) return null;
    const name = /^content-disposition:\s*form-data\b[^\r\n]*?;\s*name="([^"\r\n]*)"/im.exec(
      body.toString('utf8', after, headerEnd),
    );
    if (!name) return null;
    names.push(name[1] ?? '');
    at = body.indexOf(`\r\n--${boundary}`, headerEnd);
    if (at !== -1) at += 2;
  }
  return null;
}
