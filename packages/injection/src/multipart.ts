const PARTS_MAX = 1_000;
const HEAD_BYTES_MAX = 8_192;
const BOUNDARY_CHARS_MAX = 70;
const CRLF = '\r\n';
/** RFC 7578, sections 4.2 and 4.8: what a part may say of itself. */
const FIELDS: ReadonlySet<string> = new Set(['content-disposition', 'content-type', 'content-transfer-encoding']);

export interface Part {
  readonly name: string;
  /** Null: the part is a field, not a file. */
  readonly fileName: string | null;
  /** Media type without parameters, lower case; empty where none is said. */
  readonly type: string;
  readonly content: Buffer;
}

/**
 * The parts of a `multipart/form-data` body (RFC 7578), read strictly: a body that two parsers could take apart in two
 * ways gives null, for what is judged must be what is read.
 *
 * @param contentType the whole field, with its boundary
 */
export function readMultipart(contentType: string, bytes: Uint8Array): Part[] | null {
  const boundary = boundaryOf(contentType);
  if (boundary === null) return null;
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const opening = `--${boundary}${CRLF}`;
  const closing = Buffer.from(`${CRLF}--${boundary}`, 'latin1');
  // A form without fields is its last delimiter alone.
  if (body.toString('latin1', 0, boundary.length + 6).startsWith(`--${boundary}--`)) {
    return isEnd(body, boundary.length + 4) ? [] : null;
  }
  if (!body.subarray(0, opening.length).equals(Buffer.from(opening, 'latin1'))) return null;
  const parts: Part[] = [];
  let at = opening.length;
  while (parts.length < PARTS_MAX) {
    const end = body.indexOf(closing, at);
    if (end === -1) return null;
    const part = readPart(body.subarray(at, end));
    if (!part) return null;
    parts.push(part);
    const after = end + closing.length;
    const mark = body.toString('latin1', after, after + 2);
    if (mark === '--') return isEnd(body, after + 2) ? parts : null;
    if (mark !== CRLF) return null;
    at = after + 2;
  }
  return null;
}

/** Nothing but an end of line may follow: an epilogue is a place to hide a part in. */
function isEnd(body: Buffer, at: number): boolean {
  const rest = body.toString('latin1', at, at + 3);
  return rest === '' || rest === CRLF;
}

function boundaryOf(contentType: string): string | null {
  const found = [...contentType.matchAll(/;\s*boundary=(?:"([^"\\\r\n]{1,70})"|([^\s;",]{1,70}))(?=\s*(?:;|$))/gi)];
  const [only] = found;
  if (!only || found.length !== 1 || (contentType.match(/boundary/gi) ?? []).length !== 1) return null;
  const boundary = only[1] ?? only[2] ?? '';
  return boundary.length <= BOUNDARY_CHARS_MAX && /^[\w'()+,./:=? -]*[\w'()+,./:=?-]$/.test(boundary) ? boundary : null;
}

function readPart(bytes: Buffer): Part | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1 || headEnd > HEAD_BYTES_MAX) return null;
  const head = new Map<string, string>();
  for (const line of bytes.toString('utf8', 0, headEnd).split(CRLF)) {
    const field = /^([A-Za-z-]{1,64}):[ \t]?([^\r\n\0]*)$/.exec(line);
    const name = field?.[1]?.toLowerCase() ?? '';
    if (!field || !FIELDS.has(name) || head.has(name)) return null;
    head.set(name, field[2] ?? '');
  }
  const disposition = readDisposition(head.get('content-disposition') ?? '');
  const coding = head.get('content-transfer-encoding')?.trim().toLowerCase() ?? 'binary';
  // RFC 7578, section 4.7: deprecated, and a body in Base64 would be another text to whoever decodes it.
  if (!disposition || !['binary', '8bit', '7bit'].includes(coding)) return null;
  const type = (head.get('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase();
  return { ...disposition, type, content: bytes.subarray(headEnd + 4) };
}

function readDisposition(text: string): { name: string; fileName: string | null } | null {
  const whole = /^form-data((?:;[ \t]*[a-z*]{1,16}=(?:"(?:[^"\\\r\n]|\\["\\])*"|[^\s;",]+))+)[ \t]*$/i.exec(text);
  if (!whole) return null;
  const given = new Map<string, string>();
  for (const [, key = '', quoted, bare] of whole[1]!.matchAll(
    /;[ \t]*([a-z*]{1,16})=(?:"((?:[^"\\\r\n]|\\["\\])*)"|([^\s;",]+))/gi,
  )) {
    const name = key.toLowerCase();
    if (given.has(name)) return null;
    given.set(name, quoted === undefined ? bare! : quoted.replaceAll(/\\(["\\])/g, '$1'));
  }
  const name = given.get('name');
  const fileName = given.get('filename') ?? extended(given.get('filename*')) ?? null;
  // A second name under another spelling is read by one parser and not by the next.
  return name === undefined || given.has('name*') ? null : { name, fileName };
}

/** RFC 8187, section 3.2: `UTF-8''na%C3%AFve.txt`. */
function extended(text: string | undefined): string | undefined {
  const value = /^utf-8'[^']*'(.*)$/i.exec(text ?? '')?.[1];
  if (value === undefined) return text;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
