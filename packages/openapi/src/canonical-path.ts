export const PATH_BYTES_MAX = 8192;
const SEGMENTS_MAX = 256;

/**
 * A path in the one form that is both judged and forwarded, so that gateway and upstream can't read it differently.
 *
 * Kept: the segments' text. Percent escapes of unreserved characters are decoded (RFC 3986 section 6.2.2.2), other
 * escapes get upper-case digits, characters that have no place in a path are escaped. An escaped slash stays escaped
 * and is part of its segment (Octokit sends file paths this way); the router refuses it where reading it as a
 * separator would lead to another operation.
 *
 * Refused: what parsers are known to disagree on. See `PathRefusal`.
 */
export interface CanonicalPath {
  readonly ok: true;
  readonly path: string;
  /** Decoded segments, without the leading empty one; a trailing slash gives a last empty segment. */
  readonly segments: readonly string[];
  /** Some segment holds an escaped slash. */
  readonly escapedSlash: boolean;
}

export type PathRefusal =
  | 'not-absolute'
  | 'too-long'
  | 'query'
  | 'character'
  | 'backslash'
  | 'matrix-parameter'
  | 'malformed-escape'
  | 'not-utf8'
  | 'control-character'
  | 'dot-segment'
  | 'empty-segment'
  | 'double-escape'
  | 'ambiguous';

export interface RefusedPath {
  readonly ok: false;
  readonly reason: PathRefusal;
}

/** What most calls look like: nothing to decode, nothing to refuse but dots and double slashes. */
const PLAIN = /^(?:\/[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9_~!$&'()*+,=:@.-]*)+\/?$/;

/** @param raw the request target's path as received, without query: bytes as Latin-1 text. */
export function canonicalPath(raw: string): CanonicalPath | RefusedPath {
  if (raw.length > PATH_BYTES_MAX) return refuse('too-long');
  if (PLAIN.test(raw)) {
    const segments = raw.slice(1).split('/');
    return segments.length > SEGMENTS_MAX ? refuse('too-long') : { ok: true, path: raw, segments, escapedSlash: false };
  }
  const reason = refusedText(raw);
  if (reason) return refuse(reason);
  const rawSegments = raw.slice(1).split('/');
  if (rawSegments.length > SEGMENTS_MAX) return refuse('too-long');
  const segments: string[] = [];
  let path = '';
  for (const [index, text] of rawSegments.entries()) {
    const decoded = decodeSegment(text);
    if (decoded === null) return refuse('not-utf8');
    const problem = refusedSegment(decoded, index === rawSegments.length - 1);
    if (problem) return refuse(problem);
    segments.push(decoded);
    path += `/${canonicalSegment(text)}`;
  }
  return { ok: true, path, segments, escapedSlash: segments.some((segment) => segment.includes('/')) };
}

function refuse(reason: PathRefusal): RefusedPath {
  return { ok: false, reason };
}

function refusedText(raw: string): PathRefusal | null {
  if (!raw.startsWith('/')) return 'not-absolute';
  if (/[?#]/.test(raw)) return 'query';
  if (/[^\x21-\x7e]/.test(raw)) return 'character';
  if (raw.includes('\\')) return 'backslash';
  // Java servers cut `;…` off a segment before they route, others take it as text.
  if (raw.includes(';')) return 'matrix-parameter';
  return /%(?![0-9A-Fa-f]{2})/.test(raw) ? 'malformed-escape' : null;
}

function decodeSegment(text: string): string | null {
  try {
    return decodeURIComponent(text); // strict: overlong forms and surrogates throw
  } catch {
    return null;
  }
}

function refusedSegment(decoded: string, last: boolean): PathRefusal | null {
  if (decoded === '') return last ? null : 'empty-segment';
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\x00-\x1f\x7f]/.test(decoded)) return 'control-character';
  if (decoded.includes('\\')) return 'backslash';
  // An upstream that decodes twice, or splits after decoding, would see these.
  if (/%(?:2[ef]|5c|00|25)/i.test(decoded)) return 'double-escape';
  return decoded.split('/').some((part) => part === '.' || part === '..') ? 'dot-segment' : null;
}

function canonicalSegment(text: string): string {
  return text
    .replaceAll(/%[0-9A-Fa-f]{2}/g, (escape) => {
      const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
      return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase();
    })
    .replaceAll(/[^A-Za-z0-9._~!$&'()*+,=:@%-]/g, (character) => encodeURIComponent(character));
}
