const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** Below this a number is seconds: in milliseconds it would be 1973. */
const SECONDS_BELOW = 100_000_000_000;
const NANOSECONDS_FROM = 100_000_000_000_000_000;

/** Seconds, milliseconds or nanoseconds since the epoch, as numbers or digits; or null. */
export function epochMs(value: unknown): number | null {
  const number =
    typeof value === 'number' ? value : typeof value === 'string' && value !== '' ? Number(value) : Number.NaN;
  if (!Number.isFinite(number) || number <= 0) return null;
  if (number >= NANOSECONDS_FROM) return Math.round(number / 1_000_000);
  return Math.round(number < SECONDS_BELOW ? number * 1_000 : number);
}

/** A moment as logs write it: ISO 8601, epoch, `Mon Jun 20 15:29:11 2022`, `23/Nov/2026:12:00:00 +0100`. Or null. */
export function readTime(value: unknown, utcOffsetMs = 0): number | null {
  const epoch = epochMs(value);
  if (epoch !== null || typeof value !== 'string') return epoch;
  const text = value.trim();
  const common =
    /^(\d{1,2})[/-]([A-Za-z]{3})[/-](\d{4})[: ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,3})\d*)?(?: ([+-])(\d{2})(\d{2}))?$/.exec(
      text,
    );
  if (common) {
    const [, day = '', name = '', year = '', h = '', m = '', s = '', ms = '0', sign, zoneH = '0', zoneM = '0'] = common;
    const month = MONTHS.indexOf(name.toLowerCase());
    if (month < 0) return null;
    const at = Date.UTC(Number(year), month, Number(day), Number(h), Number(m), Number(s), Number(ms.padEnd(3, '0')));
    const zone =
      sign === undefined ? utcOffsetMs : (sign === '-' ? -1 : 1) * (Number(zoneH) * 60 + Number(zoneM)) * 60_000;
    return at - zone;
  }
  const unix = /^[A-Za-z]{3} ([A-Za-z]{3}) +(\d{1,2}) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/.exec(text);
  if (unix) {
    const [, name = '', day = '', h = '', m = '', s = '', year = ''] = unix;
    const month = MONTHS.indexOf(name.toLowerCase());
    return month < 0 ? null : Date.UTC(Number(year), month, Number(day), Number(h), Number(m), Number(s)) - utcOffsetMs;
  }
  const isLocal = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?$/.test(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return null;
  const at = Date.parse(isLocal ? `${text.replace(' ', 'T')}Z` : text.replace(' ', 'T'));
  return Number.isNaN(at) ? null : isLocal ? at - utcOffsetMs : at;
}

/** A count of bytes; what is no number counts as nothing. */
export function bytesOf(...values: readonly unknown[]): number {
  let sum = 0;
  for (const value of values) {
    const number = typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : 0;
    if (Number.isFinite(number) && number > 0) sum += Math.round(number);
  }
  return sum;
}

/** `-`, empty and the like stand for nothing. */
export function whoOf(...values: readonly unknown[]): string | null {
  for (const value of values) {
    if (typeof value !== 'string') continue;
    const text = value.trim();
    if (text !== '' && text !== '-' && !/^(?:none|null|unknown|n\/?a|anonymous|\(empty\))$/i.test(text)) {
      return text.slice(0, 256).toLowerCase();
    }
  }
  return null;
}

export type Fields = Readonly<Record<string, unknown>>;

/** A JSON object of a line, its members by lower-case name; null: the line holds none. */
export function jsonFields(line: string): Fields | null {
  if (!line.startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    const inner: unknown =
      'event' in value && typeof value.event === 'object' && value.event !== null ? value.event : value;
    return lowerKeys(inner as Record<string, unknown>); // an object, checked above
  } catch {
    return null;
  }
}

export function lowerKeys(value: Readonly<Record<string, unknown>>): Fields {
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toLowerCase(), member]));
}

/** One line of CSV (RFC 4180) without line breaks inside of quotes; null when a quote stays open. */
export function splitCsv(line: string, separator = ','): string[] | null {
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    if (line[at] === '"') {
      let cell = '';
      let from = at + 1;
      for (;;) {
        const quote = line.indexOf('"', from);
        if (quote < 0) return null;
        cell += line.slice(from, quote);
        from = quote + 1;
        if (line[from] !== '"') break;
        cell += '"';
        from += 1;
      }
      cells.push(cell);
      if (from >= line.length) return cells;
      if (line[from] !== separator) return null;
      at = from + 1;
    } else {
      const end = line.indexOf(separator, at);
      if (end < 0) {
        cells.push(line.slice(at));
        return cells;
      }
      cells.push(line.slice(at, end));
      at = end + 1;
    }
  }
}

/** Members of a record by the first of several names that is there. */
export function pick(fields: Fields, ...names: readonly string[]): unknown {
  for (const name of names) {
    const value = fields[name];
    if (value !== undefined && value !== null && value !== '' && value !== '-') return value;
  }
  return undefined;
}

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
