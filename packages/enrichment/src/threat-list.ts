import { z } from 'zod';
import { ThreatListInvalid } from './errors.ts';
import { guessKind, type Indicator, INDICATOR_KINDS, indicatorValue } from './indicator.ts';
import { csvCells } from './range-table.ts';
import { readStix } from './stix.ts';

/** What a list's entries are: a threat, or a network of that kind. */
export const LIST_MEANINGS = ['threat', 'tor', 'vpn', 'hosting', 'proxy'] as const;
export type ListMeaning = (typeof LIST_MEANINGS)[number];
export const LIST_FORMATS = ['stix', 'csv', 'lines'] as const;
export type ListFormat = (typeof LIST_FORMATS)[number];

export const INDICATORS_A_LIST_MAX = 200_000;
const TEXT_CHARS_MAX = 48 * 1024 * 1024;
const LIFE_MS_MAX = 5 * 366 * 86_400_000;

export const threatListInput = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes'),
  /** Where the list comes from, for whoever reads an alert. */
  source: z.string().trim().min(1).max(300),
  meaning: z.enum(LIST_MEANINGS).default('threat'),
  format: z.enum(LIST_FORMATS),
  text: z.string().min(1).max(TEXT_CHARS_MAX),
  /** When its entries end that don't say it themselves; ms since epoch. */
  expiresAt: z.int().positive(),
});
export type ThreatListInput = z.output<typeof threatListInput>;

export const lifeIsFit = (expiresAt: number, now: number): boolean => expiresAt > now && expiresAt <= now + LIFE_MS_MAX;

export interface ReadList {
  readonly indicators: readonly Indicator[];
  /** Entries that can't be compared with one value, or are of no kind that is known. */
  readonly skipped: number;
}

/** Reads a list; throws `ThreatListInvalid` when nothing in it is an indicator, or there are too many. */
export function readThreatList(format: ListFormat, text: string): ReadList {
  const read = format === 'stix' ? readStix(text) : format === 'csv' ? readCsv(text) : readLines(text);
  if (!read) throw new ThreatListInvalid('The text is no STIX 2.1 bundle.', { field: 'text' });
  const byValue = new Map(read.indicators.map((one) => [`${one.kind}\0${one.value}`, one]));
  if (byValue.size === 0) {
    throw new ThreatListInvalid('The list holds no indicator that can be compared.', { skipped: read.skipped });
  }
  if (byValue.size > INDICATORS_A_LIST_MAX) {
    throw new ThreatListInvalid(`A list holds at most ${INDICATORS_A_LIST_MAX} indicators.`, { found: byValue.size });
  }
  return { indicators: [...byValue.values()], skipped: read.skipped };
}

/** One value a line, its kind by its look; what follows `#` or `;` is a remark. */
function readLines(text: string): ReadList {
  const indicators: Indicator[] = [];
  let skipped = 0;
  for (const line of text.split('\n')) {
    const [value = '', note = ''] = line.split(/\s+[#;]|^[#;]/, 2);
    if (value.trim() === '') continue;
    const kind = guessKind(value);
    const comparable = kind && indicatorValue(kind, value);
    if (!kind || comparable === null) skipped += 1;
    else indicators.push({ kind, value: comparable, expiresAt: null, note: note.trim().slice(0, 300) });
  }
  return { indicators, skipped };
}

const COLUMN_NAMES: Readonly<Record<string, 'kind' | 'value' | 'note' | 'until'>> = {
  type: 'kind',
  kind: 'kind',
  indicator_type: 'kind',
  value: 'value',
  indicator: 'value',
  ioc: 'value',
  note: 'note',
  description: 'note',
  comment: 'note',
  expires: 'until',
  valid_until: 'until',
  expiration: 'until',
};
const KIND_NAMES: Readonly<Record<string, (typeof INDICATOR_KINDS)[number]>> = {
  ip: 'address',
  ipv4: 'address',
  ipv6: 'address',
  'ipv4-addr': 'address',
  'ipv6-addr': 'address',
  cidr: 'address',
  'domain-name': 'domain',
  hostname: 'domain',
  'email-addr': 'email',
  md5: 'hash',
  sha1: 'hash',
  sha256: 'hash',
  useragent: 'user-agent',
  oauth_client: 'client-id',
};

/** With a heading that names at least `value`; `type`, `note` and `expires` (ISO 8601) may stand beside it. */
function readCsv(text: string): ReadList {
  const [head = '', ...lines] = text.split(/\r?\n/);
  const columns = csvCells(head.replace(/^\uFEFF/, '')).map((name) => COLUMN_NAMES[name.trim().toLowerCase()]);
  if (!columns.includes('value')) {
    throw new ThreatListInvalid('The first line must name a column "value" (or "indicator", "ioc").', {
      field: 'text',
    });
  }
  const indicators: Indicator[] = [];
  let skipped = 0;
  for (const line of lines) {
    if (line.trim() === '') continue;
    const cells = csvCells(line);
    const cell = (name: 'kind' | 'value' | 'note' | 'until'): string => cells[columns.indexOf(name)]?.trim() ?? '';
    const named = cell('kind').toLowerCase();
    const kind =
      named === '' ? guessKind(cell('value')) : (KIND_NAMES[named] ?? INDICATOR_KINDS.find((k) => k === named));
    const value = kind ? indicatorValue(kind, cell('value')) : null;
    const until = cell('until') === '' ? null : Date.parse(cell('until'));
    if (!kind || value === null || Number.isNaN(until)) skipped += 1;
    else indicators.push({ kind, value, expiresAt: until, note: cell('note').slice(0, 300) });
  }
  return { indicators, skipped };
}
