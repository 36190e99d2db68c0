import { strToU8, zipSync } from 'fflate';
import { refOf } from './cell-ref.ts';
import type { Merge } from './workbook.ts';

/** A cell to write: its text, and where needed how it looks. */
export type CellInput =
  | string
  | number
  | { readonly text: string; readonly style?: 'bold' | 'wrap'; readonly rich?: boolean };

export interface SheetInput {
  readonly name: string;
  readonly rows: readonly (readonly (CellInput | null)[])[];
  readonly merges?: readonly Merge[];
  readonly widths?: readonly number[];
  readonly isHidden?: boolean;
}

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const TYPES = 'application/vnd.openxmlformats-officedocument.spreadsheetml';
const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
/** Excel's own earliest date; zip has none before 1980. The same input gives the same bytes. */
const WRITTEN_AT = new Date(1980, 0, 1);
const STYLES = { plain: 0, bold: 1, wrap: 2 } as const;
// XML 1.0 can't hold these even escaped; a cell spells them as _xHHHH_.
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const UNPRINTABLE = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;

export function escapeXml(text: string): string {
  return text
    .replaceAll(/_x([0-9A-Fa-f]{4})_/g, '_x005F_x$1_')
    .replaceAll(UNPRINTABLE, (char) => `_x${char.charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()}_`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A text cell that needs no table of shared strings. Text is never a formula, whatever it begins with. */
export function inlineCell(ref: string, text: string, style: string, prefix = ''): string {
  const tag = (name: string): string => `${prefix}${name}`;
  return (
    `<${tag('c')} r="${ref}"${style} t="inlineStr"><${tag('is')}>` +
    `<${tag('t')} xml:space="preserve">${escapeXml(text)}</${tag('t')}></${tag('is')}></${tag('c')}>`
  );
}

interface Strings {
  readonly items: string[];
  readonly index: Map<string, number>;
}

function sharedIndex(strings: Strings, xml: string): number {
  const known = strings.index.get(xml);
  if (known !== undefined) return known;
  strings.items.push(xml);
  strings.index.set(xml, strings.items.length - 1);
  return strings.items.length - 1;
}

function stringXml(text: string, isRich: boolean): string {
  const t = (piece: string): string => `<t xml:space="preserve">${escapeXml(piece)}</t>`;
  if (!isRich) return `<si>${t(text)}</si>`;
  const middle = Math.ceil(text.length / 2);
  return `<si><r><rPr><b/></rPr>${t(text.slice(0, middle))}</r><r>${t(text.slice(middle))}</r></si>`;
}

function cellXml(input: CellInput, ref: string, strings: Strings): string {
  if (typeof input === 'number') return `<c r="${ref}"><v>${input}</v></c>`;
  const { text, style = 'plain', rich = false } = typeof input === 'string' ? { text: input } : input;
  const styled = style === 'plain' ? '' : ` s="${STYLES[style]}"`;
  return `<c r="${ref}"${styled} t="s"><v>${sharedIndex(strings, stringXml(text, rich))}</v></c>`;
}

function sheetXml({ rows, merges = [], widths = [] }: SheetInput, strings: Strings): string {
  const columns = widths.map(
    (width, index) => `<col min="${index + 1}" max="${index + 1}" width="${width}" customWidth="1"/>`,
  );
  const body = rows.map((cells, index) => {
    const row = index + 1;
    const xml = cells.map((cell, at) => (cell === null ? '' : cellXml(cell, refOf({ row, column: at + 1 }), strings)));
    return `<row r="${row}">${xml.join('')}</row>`;
  });
  const merged = merges.map(
    ({ top, left, bottom, right }) =>
      `<mergeCell ref="${refOf({ row: top, column: left })}:${refOf({ row: bottom, column: right })}"/>`,
  );
  return (
    `${DECLARATION}<worksheet xmlns="${MAIN}">${columns.length > 0 ? `<cols>${columns.join('')}</cols>` : ''}` +
    `<sheetData>${body.join('')}</sheetData>` +
    `${merged.length > 0 ? `<mergeCells count="${merged.length}">${merged.join('')}</mergeCells>` : ''}</worksheet>`
  );
}

const STYLES_XML =
  `${DECLARATION}<styleSheet xmlns="${MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>` +
  `<font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill>` +
  `<fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders>` +
  `<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf/><xf fontId="1" applyFont="1"/>` +
  `<xf applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf></cellXfs></styleSheet>`;

function relationships(rows: readonly (readonly [id: string, type: string, target: string])[]): string {
  const xml = rows.map(
    ([id, type, target]) => `<Relationship Id="${id}" Type="${OFFICE}/${type}" Target="${target}"/>`,
  );
  return `${DECLARATION}<Relationships xmlns="${PACKAGE}/relationships">${xml.join('')}</Relationships>`;
}

function contentTypes(sheets: number): string {
  const override = (path: string, type: string): string =>
    `<Override PartName="/${path}" ContentType="${TYPES}.${type}+xml"/>`;
  return (
    `${DECLARATION}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ` +
    `ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
    override('xl/workbook.xml', 'sheet.main') +
    Array.from({ length: sheets }, (_, at) => override(`xl/worksheets/sheet${at + 1}.xml`, 'worksheet')).join('') +
    `${override('xl/styles.xml', 'styles')}${override('xl/sharedStrings.xml', 'sharedStrings')}</Types>`
  );
}

/** Writes a workbook (ECMA-376, transitional) that Excel and others open. */
export function writeWorkbook(sheets: readonly SheetInput[]): Uint8Array {
  const strings: Strings = { items: [], index: new Map() };
  const bodies = sheets.map((sheet) => sheetXml(sheet, strings));
  const list = sheets.map(
    ({ name, isHidden }, at) =>
      `<sheet name="${escapeXml(name.slice(0, 31))}" sheetId="${at + 1}"${isHidden ? ' state="hidden"' : ''} r:id="rId${at + 1}"/>`,
  );
  const rels = sheets.map((_, at) => [`rId${at + 1}`, 'worksheet', `worksheets/sheet${at + 1}.xml`] as const);
  const files: Record<string, string> = {
    '[Content_Types].xml': contentTypes(sheets.length),
    '_rels/.rels': relationships([['rId1', 'officeDocument', 'xl/workbook.xml']]),
    'xl/workbook.xml': `${DECLARATION}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets>${list.join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relationships([
      ...rels,
      ['rIdStyles', 'styles', 'styles.xml'],
      ['rIdStrings', 'sharedStrings', 'sharedStrings.xml'],
    ]),
    'xl/styles.xml': STYLES_XML,
    'xl/sharedStrings.xml': `${DECLARATION}<sst xmlns="${MAIN}" uniqueCount="${strings.items.length}">${strings.items.join('')}</sst>`,
    ...Object.fromEntries(bodies.map((xml, at) => [`xl/worksheets/sheet${at + 1}.xml`, xml])),
  };
  const packed = Object.fromEntries(Object.entries(files).map(([path, text]) => [path, strToU8(text)]));
  return zipSync(packed, { level: 6, mtime: WRITTEN_AT });
}
