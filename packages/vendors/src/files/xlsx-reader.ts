import { FileRefused } from '../errors.ts';
import { parseRef } from './cell-ref.ts';
import { CELL_CHARS_MAX, CELLS_MAX, MERGES_MAX, SHEETS_MAX } from './limits.ts';
import type { Cell, Merge, Sheet, Workbook } from './workbook.ts';
import { dateText, readDateStyles } from './xlsx-dates.ts';
import { readXml } from './xml-reader.ts';
import type { Archive } from './zip-reader.ts';

interface SheetPart {
  readonly name: string;
  readonly isHidden: boolean;
  readonly path: string;
}

interface Context {
  readonly strings: readonly string[];
  readonly dateStyles: ReadonlySet<number>;
  readonly is1904: boolean;
  cellsLeft: number;
}

const BROKEN = 'vendors.file_broken';

/** `_x000D_` is how a cell spells what XML can't hold. */
function unescapeCell(text: string): string {
  return text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function part(archive: Archive, path: string): Uint8Array | undefined {
  const found = archive.get(path);
  if (found) return found;
  const lower = path.toLowerCase();
  for (const [name, bytes] of archive) if (name.toLowerCase() === lower) return bytes;
  return undefined;
}

function resolvePath(base: string, target: string): string {
  if (target.startsWith('/')) return target.slice(1);
  const parts = base.split('/').slice(0, -1);
  for (const step of target.split('/')) {
    if (step === '..') parts.pop();
    else if (step !== '.') parts.push(step);
  }
  return parts.join('/');
}

/** Where the workbook's main part is: `_rels/.rels` says so, nearly always `xl/workbook.xml`. */
function mainPart(archive: Archive): string {
  let found = '';
  const rels = part(archive, '_rels/.rels');
  if (rels) {
    readXml(rels, {
      open(name, { Type = '', Target = '' }) {
        if (name === 'Relationship' && Type.endsWith('/officeDocument')) found = resolvePath('', Target);
      },
    });
  }
  return found || 'xl/workbook.xml';
}

/** The sheets of a workbook and the parts that hold them, in the workbook's order. */
export function listSheets(archive: Archive): { sheets: SheetPart[]; is1904: boolean; folder: string } {
  const main = mainPart(archive);
  const workbook = part(archive, main);
  if (!workbook) throw new FileRefused(BROKEN, 'The workbook has no main part.');
  const targets = new Map<string, string>();
  const folder = main.includes('/') ? main.slice(0, main.lastIndexOf('/') + 1) : '';
  const rels = part(archive, `${folder}_rels/${main.slice(folder.length)}.rels`);
  if (rels) {
    readXml(rels, {
      open(name, { Id = '', Target = '', TargetMode }) {
        if (name === 'Relationship' && TargetMode !== 'External') targets.set(Id, resolvePath(main, Target));
      },
    });
  }
  const sheets: SheetPart[] = [];
  let is1904 = false;
  readXml(workbook, {
    open(name, attributes) {
      if (name === 'workbookPr') is1904 = ['1', 'true'].includes(attributes['date1904'] ?? '');
      if (name !== 'sheet') return;
      const path = targets.get(attributes['id'] ?? '') ?? `${folder}worksheets/sheet${sheets.length + 1}.xml`;
      sheets.push({ name: attributes['name'] ?? '', isHidden: (attributes['state'] ?? 'visible') !== 'visible', path });
    },
  });
  if (sheets.length > SHEETS_MAX) {
    throw new FileRefused('vendors.file_too_complex', `The workbook has more than ${SHEETS_MAX} sheets.`);
  }
  return { sheets, is1904, folder };
}

/** Shared strings, rich text joined; phonetic readings (rPh) are not part of the text. */
function readStrings(bytes: Uint8Array | undefined): string[] {
  const strings: string[] = [];
  if (!bytes) return strings;
  let [text, isText, phonetic] = ['', false, 0];
  readXml(bytes, {
    open(name) {
      if (name === 'si') text = '';
      else if (name === 'rPh') phonetic += 1;
      else if (name === 't') isText = true;
    },
    text(piece) {
      if (isText && phonetic === 0) text += piece;
    },
    close(name) {
      if (name === 'si') strings.push(unescapeCell(text));
      else if (name === 'rPh') phonetic -= 1;
      else if (name === 't') isText = false;
    },
  });
  return strings;
}

function cellText(type: string, style: number, value: string, inline: string, context: Context): string {
  switch (type) {
    case 's':
      return context.strings[Number(value)] ?? '';
    case 'inlineStr':
      return unescapeCell(inline);
    case 'b':
      return value === '1' || value === 'true' ? 'TRUE' : 'FALSE';
    case 'str':
    case 'e':
      return unescapeCell(value);
    default:
      return context.dateStyles.has(style) && value !== '' ? dateText(Number(value), context.is1904) : value;
  }
}

/** Cells and merged areas of a sheet. Rows and cells without a reference stand after the one before them. */
function readSheet(bytes: Uint8Array, context: Context): { cells: Cell[]; merges: Merge[] } {
  const cells: Cell[] = [];
  const merges: Merge[] = [];
  let [row, column, type, style, value, inline] = [0, 0, 'n', 0, '', ''];
  let [inCell, isValue, isInline, phonetic] = [false, false, false, 0];
  readXml(bytes, {
    open(name, attributes) {
      if (name === 'row') {
        row = attributes['r'] === undefined ? row + 1 : (parseRef(`A${attributes['r']}`)?.row ?? row + 1);
        column = 0;
      } else if (name === 'c') {
        const place = parseRef(attributes['r'] ?? '');
        if (place) [row, column] = [place.row, place.column];
        else column += 1;
        [type, style, value, inline, inCell] = [attributes['t'] ?? 'n', Number(attributes['s'] ?? 0), '', '', true];
      } else if (name === 'mergeCell') {
        const [from, to] = (attributes['ref'] ?? '').split(':').map(parseRef);
        if (from && to) merges.push({ top: from.row, left: from.column, bottom: to.row, right: to.column });
        if (merges.length > MERGES_MAX) throw new FileRefused('vendors.file_too_complex', 'Too many merged cells.');
      } else if (name === 'rPh') phonetic += 1;
      else if (name === 'v') isValue = inCell;
      else if (name === 't') isInline = inCell;
    },
    text(piece) {
      if (isValue) value += piece;
      else if (isInline && phonetic === 0) inline += piece;
    },
    close(name) {
      if (name === 'v') isValue = false;
      else if (name === 't') isInline = false;
      else if (name === 'rPh') phonetic -= 1;
      else if (name === 'c') {
        inCell = false;
        const text = cellText(type, style, value, inline, context);
        if (text === '') return;
        context.cellsLeft -= 1;
        if (context.cellsLeft < 0) throw new FileRefused('vendors.file_too_complex', `More than ${CELLS_MAX} cells.`);
        cells.push({ row, column, text: text.slice(0, CELL_CHARS_MAX) });
      }
    },
  });
  return { cells, merges };
}

/** Reads every sheet of a workbook, by values: formulas are not run, links not followed. Throws `FileRefused`. */
export function readWorkbook(archive: Archive): Workbook {
  const { sheets, is1904, folder } = listSheets(archive);
  const context: Context = {
    strings: readStrings(part(archive, `${folder}sharedStrings.xml`)),
    dateStyles: readDateStyles(part(archive, `${folder}styles.xml`)),
    is1904,
    cellsLeft: CELLS_MAX,
  };
  const read: Sheet[] = [];
  for (const { name, isHidden, path } of sheets) {
    const bytes = part(archive, path);
    // A chart sheet has no cells; its part is elsewhere and is not looked at.
    if (bytes) read.push({ name, isHidden, ...readSheet(bytes, context) });
  }
  return { sheets: read };
}
