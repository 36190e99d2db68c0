import { ContentUnrecognised } from '../errors.ts';
import type { Document } from '../files/read-document.ts';
import { gridOf } from '../files/workbook.ts';

export interface Subprocessor {
  readonly key: string;
  readonly name: string;
  readonly country: string | null;
  readonly purpose: string | null;
}

const SUBPROCESSORS_MAX = 2_000;
const NAME_CHARS_MAX = 120;
const FIELD_CHARS_MAX = 300;
const LEGAL_FORM =
  /\b(?:inc|incorporated|llc|llp|ltd|limited|gmbh|ag|se|sa|sas|sarl|s\.?a\.?r\.?l|bv|b\.v|nv|plc|pty|corp|corporation|co|company|oy|ab|as|aps|spa|srl|kk|pbc|emea|holdings?)\b\.?/gi;

/** One company under several spellings is one node of the graph. */
export function companyKey(name: string): string {
  const bare = name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/\([^)]*\)/g, ' ')
    .replaceAll(LEGAL_FORM, ' ');
  return (
    bare
      .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
      .trim()
      .replaceAll(' ', '-') || name.toLowerCase().trim()
  );
}

const HEADINGS = {
  name: /^(?:(?:name of )?(?:the )?(?:sub-?\s?processors?|sub-?contractors?|entity|company|vendor|third part(?:y|ies)|supplier|provider)(?: (?:name|entity))?|(?:entity |company |legal )?name)$/i,
  country: /country|location|region|hosting|jurisdiction|where/i,
  purpose: /purpose|service|activit|processing|description|use|function|nature/i,
} as const;

type Table = readonly (readonly string[])[];

function tableOfHtml(html: string): Table {
  const rows = html.match(/<tr\b[\s\S]*?<\/tr>/gi) ?? [];
  const decode = (cell: string): string =>
    cell
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll('&nbsp;', ' ')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll(/&#39;|&apos;/g, "'")
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&')
      .replaceAll(/\s+/g, ' ')
      .trim();
  return rows.map((row) => (row.match(/<t[dh]\b[\s\S]*?<\/t[dh]>/gi) ?? []).map(decode));
}

/** A line of comma, semicolon or tab separated values; quotes as RFC 4180 has them. */
function splitCsv(line: string, separator: string): string[] {
  const cells: string[] = [];
  let [cell, quoted] = ['', false];
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? '';
    if (quoted && char === '"' && line[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else if (char === '"') quoted = !quoted;
    else if (char === separator && !quoted) {
      cells.push(cell.trim());
      cell = '';
    } else cell += char;
  }
  return [...cells, cell.trim()];
}

function tableOfText(text: string): Table {
  if (/<tr\b/i.test(text)) return tableOfHtml(text);
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const piped = lines.filter((line) => /^\s*\|.*\|\s*$/.test(line));
  if (piped.length > 1) {
    const cells = piped.map((line) =>
      line
        .trim()
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
    return cells.filter((row) => !row.every((cell) => /^:?-*:?$/.test(cell)));
  }
  const separator = ['\t', ';', ','].find(
    (one) => lines.filter((line) => line.includes(one)).length > lines.length / 2,
  );
  if (separator !== undefined) return lines.map((line) => splitCsv(line, separator));
  // A plain list: one a line, with or without a dash before it and a remark behind.
  return lines.map((line) => line.replace(/^\s*(?:[-*•]|\d+[.)])\s*/, '').split(/\s+[-–—:]\s+/));
}

function tablesOf(document: Document): Table[] {
  if (document.kind !== 'workbook') return [tableOfText(document.pages.join('\n'))];
  return document.workbook.sheets.map((sheet) => {
    const grid = gridOf(sheet);
    return Array.from({ length: Math.min(grid.rows, SUBPROCESSORS_MAX * 2) }, (_, row) =>
      Array.from({ length: Math.min(grid.columns, 50) }, (__, column) => grid.value(row + 1, column + 1).trim()),
    );
  });
}

function readTable(table: Table): Subprocessor[] {
  const head = table.findIndex((row) => row.some((cell) => HEADINGS.name.test(cell)));
  const names = table[head] ?? [];
  const nameAt = head < 0 ? 0 : names.findIndex((cell) => HEADINGS.name.test(cell));
  const find = (pattern: RegExp): number => names.findIndex((cell, at) => at !== nameAt && pattern.test(cell));
  const [countryAt, purposeAt] = head < 0 ? [-1, 1] : [find(HEADINGS.country), find(HEADINGS.purpose)];
  const field = (row: readonly string[], at: number): string | null => {
    const text = at < 0 ? '' : (row[at] ?? '');
    return text === '' ? null : text.slice(0, FIELD_CHARS_MAX);
  };
  return table.slice(head + 1).flatMap((row) => {
    const name = (row[nameAt] ?? '').trim();
    if (name === '' || name.length > NAME_CHARS_MAX || !/\p{L}/u.test(name)) return [];
    return [{ key: companyKey(name), name, country: field(row, countryAt), purpose: field(row, purposeAt) }];
  });
}

/** Reads a published list of subprocessors: a page, a table in text or markdown, CSV, a workbook, or plain lines. */
export function readSubprocessors(document: Document): Subprocessor[] {
  const found = new Map<string, Subprocessor>();
  for (const table of tablesOf(document))
    for (const one of readTable(table)) if (!found.has(one.key)) found.set(one.key, one);
  if (found.size === 0) throw new ContentUnrecognised('The file holds no list of subprocessors.');
  return [...found.values()].slice(0, SUBPROCESSORS_MAX);
}
