import { RedactionInvalid } from './errors.ts';
import type { Encoding, Finding } from './finding.ts';

/** How a found value is replaced inline. */
export type RedactMode = 'mask' | 'remove' | 'replace';

export interface RedactOptions {
  /** `mask` keeps the last four characters of long values; `replace` writes `[type]`; `remove` leaves nothing. */
  readonly mode: RedactMode;
  /** A replacement for each finding; what it returns is escaped for where it goes. Undefined falls back to the mode. */
  readonly replacement?: (finding: Finding, value: string) => string | undefined;
}

export interface Redacted {
  readonly bytes: Uint8Array;
  /** How many spans were replaced. */
  readonly count: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const KEEP = 4;

function maskText(value: string): string {
  const characters = Array.from(value);
  const keep = characters.length >= KEEP * 3 ? KEEP : 0;
  return characters
    .map((character, index) => (index >= characters.length - keep || /[\s.@/:-]/.test(character) ? character : '*'))
    .join('');
}

/** Makes a replacement fit where it goes, so that the document stays well-formed. */
function escapeFor(encoding: Encoding, text: string): string {
  if (encoding === 'json-string') return JSON.stringify(text).slice(1, -1);
  // A number stays a number: digits if the replacement has any worth keeping, else zero.
  if (encoding === 'json-number') return /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) ? text : '0';
  if (encoding === 'form') return encodeURIComponent(text);
  if (encoding === 'xml')
    return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
  if (encoding === 'csv') return text.replaceAll(/["\r\n,;]/g, ' ');
  return text;
}

/** Undoes the escapes of where a value was found, for replacements that are computed from it. */
export function decodeValue(encoding: Encoding, raw: string): string {
  if (encoding === 'json-string') {
    try {
      const parsed: unknown = JSON.parse(`"${raw}"`);
      return typeof parsed === 'string' ? parsed : raw;
    } catch {
      // Not every span that was found in broken JSON is a JSON string; the raw text is then the value.
      return raw;
    }
  }
  if (encoding === 'form') {
    try {
      return decodeURIComponent(raw.replaceAll('+', ' '));
    } catch {
      return raw;
    }
  }
  if (encoding === 'xml')
    return raw
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&apos;', "'")
      .replaceAll('&amp;', '&');
  if (encoding === 'csv') return raw.replaceAll('""', '"');
  return raw;
}

function replacementFor(finding: Finding, value: string, options: RedactOptions): string {
  const custom = options.replacement?.(finding, value);
  if (custom !== undefined) return custom;
  if (options.mode === 'remove') return '';
  if (options.mode === 'replace') return `[${finding.type}]`;
  return maskText(value);
}

/**
 * Replaces findings in the bytes they were found in by splicing byte ranges; everything else stays as it was.
 * Findings may come in any order; of overlapping ones the first by position counts. Throws `RedactionInvalid` when a
 * finding lies outside the bytes.
 */
export function redact(bytes: Uint8Array, findings: readonly Finding[], options: RedactOptions): Redacted {
  if (findings.length === 0) return { bytes, count: 0 };
  const parts: Uint8Array[] = [];
  let position = 0;
  let count = 0;
  for (const finding of [...findings].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (finding.start < position) continue;
    if (finding.end > bytes.length || finding.start >= finding.end) {
      throw new RedactionInvalid('a finding lies outside the bytes', { start: finding.start, end: finding.end });
    }
    const value = decodeValue(finding.encoding, decoder.decode(bytes.subarray(finding.start, finding.end)));
    parts.push(bytes.subarray(position, finding.start));
    parts.push(encoder.encode(escapeFor(finding.encoding, replacementFor(finding, value, options))));
    position = finding.end;
    count++;
  }
  parts.push(bytes.subarray(position));
  return { bytes: join(parts), count };
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  const joined = new Uint8Array(total);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
