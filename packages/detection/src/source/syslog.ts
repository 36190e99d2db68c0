import { parseEventTime } from '../parser/event-time.ts';
import { RECORD_BYTES_MAX, type SourceRecord } from './read-records.ts';

/**
 * Syslog messages as records: RFC 5424, the older habits that RFC 3164 writes down, and what stands in their text: JSON,
 * CEF and LEEF. Nothing is refused: a line that follows no rule is a record with its text.
 */

const DAY_MS = 86_400_000;
const PRI = /^<(\d{1,3})>/;
const PRI_MAX = 191;
const HEADER_5424 = /^1 (\S{1,64}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) /;
const HEADER_3164 = /^([A-Z][a-z]{2}) ([ \d]\d) (?:(\d{4}) )?(\d{2}):(\d{2}):(\d{2})(?:\.\d+)? ([^\s:]{1,255}) /;
/** Many senders put an ISO time where RFC 3164 has none with a year. */
const HEADER_ISO = /^(\d{4}-\d{2}-\d{2}T\S{8,32}) ([^\s:]{1,255}) /;
const TAG = /^([^\s:[\]]{1,64})(?:\[([^\]]{1,64})\])?: ?/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const FACILITIES = 'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock'.split(' ');
const SEVERITIES = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'informational', 'debug'];
const ELEMENTS_MAX = 64;
const PAIRS_MAX = 256;

export interface SyslogMessage {
  readonly facility?: string | undefined;
  readonly severity?: string | undefined;
  /** ms since the epoch; absent when the message has no time. */
  readonly time?: number | undefined;
  readonly host?: string | undefined;
  readonly app?: string | undefined;
  readonly process?: string | undefined;
  readonly messageId?: string | undefined;
  /** SD-ID → name → value (RFC 5424, section 6.3). */
  readonly structured?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
  readonly text: string;
}

const given = (value: string | undefined): string | undefined =>
  value === undefined || value === '-' ? undefined : value;
const drop = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T; // only absent ones go

/** Reads `[id name="value"...]...`; null when it doesn't hold to the grammar. */
function readStructured(text: string): { elements: Record<string, Record<string, string>>; rest: string } | null {
  if (text.startsWith('-')) return { elements: {}, rest: text.slice(1) };
  const elements: Record<string, Record<string, string>> = Object.create(null) as Record<
    string,
    Record<string, string>
  >;
  let at = 0;
  for (let count = 0; text[at] === '['; count += 1) {
    if (count >= ELEMENTS_MAX) return null;
    const id = /^[^\s="\]]{1,32}/.exec(text.slice(at + 1, at + 40))?.[0];
    if (id === undefined) return null;
    at += 1 + id.length;
    const values: Record<string, string> = Object.create(null) as Record<string, string>;
    while (text[at] === ' ') {
      const name = /^ ([^\s="\]]{1,32})="/.exec(text.slice(at, at + 40));
      if (!name) return null;
      at += name[0].length;
      let value = '';
      for (; at < text.length && text[at] !== '"'; at += 1) {
        // Only these three are escaped (section 6.3.3); any other backslash stands for itself.
        if (text[at] === '\\' && '"\\]'.includes(text[at + 1] ?? 'x')) at += 1;
        value += text[at];
      }
      if (at >= text.length) return null;
      values[name[1] ?? ''] = value;
      at += 1;
    }
    if (text[at] !== ']') return null;
    at += 1;
    elements[id] = values;
  }
  return at === 0 ? null : { elements, rest: text.slice(at) };
}

/** A time without a year is of the year in which it isn't more than a day ahead. */
function time3164(match: RegExpExecArray, now: number): number | undefined {
  const [, month = '', day, year, hour, minute, second] = match;
  const index = MONTHS.indexOf(month);
  if (index === -1) return undefined;
  const inYear = (of: number): number => Date.UTC(of, index, Number(day), Number(hour), Number(minute), Number(second));
  if (year !== undefined) return inYear(Number(year));
  const thisYear = new Date(now).getUTCFullYear();
  return inYear(thisYear) > now + DAY_MS ? inYear(thisYear - 1) : inYear(thisYear);
}

/** @param now ms since the epoch: decides the year that RFC 3164 leaves out. */
export function parseSyslog(line: string, now: number): SyslogMessage {
  const priority = PRI.exec(line);
  const value = Number(priority?.[1] ?? Infinity);
  const known = priority !== null && value <= PRI_MAX;
  const facility = FACILITIES[value >> 3] ?? `local${(value >> 3) - FACILITIES.length}`;
  const level = known ? { facility, severity: SEVERITIES[value & 7] ?? '' } : {};
  const body = known ? line.slice(priority[0].length) : line;
  const modern = HEADER_5424.exec(body);
  if (modern) {
    const [whole, at, host, app, process, messageId] = modern;
    const rest = readStructured(body.slice(whole.length));
    if (rest) {
      const time = parseEventTime(given(at));
      const facts = { time, host: given(host), app: given(app), process: given(process), messageId: given(messageId) };
      const structured = Object.keys(rest.elements).length > 0 ? rest.elements : undefined;
      // A space, and for UTF-8 a byte order mark, stand before the text (section 6.4).
      return drop({ ...level, ...facts, structured, text: rest.rest.replace(/^ /, '').replace(/^\uFEFF/, '') });
    }
  }
  const old = HEADER_3164.exec(body);
  const iso = old ? null : HEADER_ISO.exec(body);
  const time = old ? time3164(old, now) : parseEventTime(iso?.[1]);
  const host = old?.[7] ?? iso?.[2];
  const rest = body.slice((old ?? iso)?.[0].length ?? 0);
  const tag = known ? TAG.exec(rest) : null;
  // CEF:0|… looks like a tag; its colon is part of the text.
  const named = tag && !/^(?:CEF|LEEF)$/.test(tag[1] ?? '') ? tag : null;
  return drop({ ...level, time, host, app: named?.[1], process: named?.[2], text: rest.slice(named?.[0].length ?? 0) });
}

function splitPipes(text: string, parts: number): string[] | null {
  const found: string[] = [];
  let [part, at] = ['', 0];
  for (; at < text.length && found.length < parts; at += 1) {
    const char = text[at] ?? '';
    if (char === '\\' && '|\\'.includes(text[at + 1] ?? 'x')) part += text[(at += 1)];
    else if (char === '|') {
      found.push(part);
      part = '';
    } else part += char;
  }
  return found.length === parts ? [...found, text.slice(at)] : null;
}

/** `key=value key=value`: a value ends where the next ` key=` begins; `\=`, `\\` and `\n` are escapes. */
function readExtension(text: string): Record<string, string> {
  const pairs: Record<string, string> = Object.create(null) as Record<string, string>;
  const starts = [...text.matchAll(/(?:^|\s)([\w.[\]-]{1,64})=/g)].slice(0, PAIRS_MAX);
  for (const [place, match] of starts.entries()) {
    const from = match.index + match[0].length;
    const to = starts[place + 1]?.index ?? text.length;
    const raw = text.slice(from, to).trim();
    pairs[match[1] ?? ''] = raw.replace(/\\([=\\|nr])/g, (_, char: string) =>
      char === 'n' || char === 'r' ? '\n' : char,
    );
  }
  return pairs;
}

/** ArcSight's Common Event Format, version 0 and 1; null when it isn't one. */
export function parseCef(text: string): Record<string, unknown> | null {
  const start = text.indexOf('CEF:');
  const parts = start === -1 ? null : splitPipes(text.slice(start + 4), 7);
  if (!parts) return null;
  const [version, vendor, product, productVersion, signature, name, severity, extension = ''] = parts;
  return { version, vendor, product, productVersion, signature, name, severity, extension: readExtension(extension) };
}

/** IBM's Log Event Extended Format 1.0 (tabs) and 2.0 (a delimiter of its own); null when it isn't one. */
export function parseLeef(text: string): Record<string, unknown> | null {
  const start = /LEEF:([12])(?:\.0)?\|/.exec(text);
  if (!start) return null;
  const isSecond = start[1] === '2';
  const parts = splitPipes(text.slice(start.index + 5), isSecond ? 6 : 5);
  if (!parts) return null;
  const [version, vendor, product, productVersion, eventId] = parts;
  const hex = /^(?:0x|x)([0-9a-f]{1,4})$/i.exec(parts[5] ?? '');
  const delimiter = !isSecond ? '\t' : hex ? String.fromCharCode(Number.parseInt(hex[1] ?? '9', 16)) : parts[5] || '\t';
  const extension: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const pair of (parts.at(-1) ?? '').split(delimiter).slice(0, PAIRS_MAX)) {
    const equals = pair.indexOf('=');
    if (equals > 0) extension[pair.slice(0, equals).trim()] = pair.slice(equals + 1).trim();
  }
  return { version, vendor, product, productVersion, eventId, extension };
}

function jsonObject(text: string): Record<string, unknown> | null {
  if (!text.trimStart().startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null; // it begins with {
  } catch {
    return null;
  }
}

/**
 * One message as a record of its source. A source of a product that writes JSON into syslog gets that JSON; everything
 * else is read by the parser `syslog`.
 */
export function syslogRecord(line: string, { product, now }: { product: string; now: number }): SourceRecord {
  const message = parseSyslog(line, now);
  const time = message.time === undefined ? {} : { time: message.time };
  const json = jsonObject(message.text);
  if (json && product.split('/', 1)[0] !== 'syslog') return { text: message.text, ...time };
  const cef = parseCef(message.text);
  const leef = cef ? null : parseLeef(message.text);
  const at = message.time === undefined ? undefined : new Date(message.time).toISOString();
  return { text: JSON.stringify({ ...message, time: at, ...drop({ json, cef, leef }), raw: line }), ...time };
}

/**
 * Cuts a stream into messages (RFC 6587): counted octets where a message begins with a number, else lines. A message
 * longer than a record may be is cut there.
 */
export class SyslogFrames {
  #pending: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): string[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const messages: string[] = [];
    for (;;) {
      const message = this.#take();
      if (message === null) return messages;
      if (message.trim() !== '') messages.push(message);
    }
  }

  /** What came without an end before the connection closed. */
  end(): string[] {
    const rest = this.#pending.toString('utf8').trim();
    this.#pending = Buffer.alloc(0);
    return rest === '' ? [] : [rest];
  }

  #take(): string | null {
    const pending = this.#pending;
    const counted = /^(\d{1,7}) </.exec(pending.subarray(0, 10).toString('latin1'));
    if (counted) {
      const from = (counted[1]?.length ?? 0) + 1;
      const length = Math.min(Number(counted[1]), RECORD_BYTES_MAX);
      if (pending.length < from + length) return null;
      this.#pending = pending.subarray(from + Number(counted[1]));
      return pending.subarray(from, from + length).toString('utf8');
    }
    // Some appliances end messages with NUL.
    const [line, nul] = [pending.indexOf(0x0a), pending.indexOf(0)];
    const end = line === -1 ? nul : nul === -1 ? line : Math.min(line, nul);
    if (end === -1 && pending.length < RECORD_BYTES_MAX) return null;
    const to = end === -1 ? RECORD_BYTES_MAX : end;
    this.#pending = pending.subarray(to + (end === -1 ? 0 : 1));
    return pending.subarray(0, to).toString('utf8');
  }
}
