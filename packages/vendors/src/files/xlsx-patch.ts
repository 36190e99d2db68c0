import { zipSync } from 'fflate';
import { ContentUnrecognised } from '../errors.ts';
import { parseRef, refOf } from './cell-ref.ts';
import { listSheets } from './xlsx-reader.ts';
import { inlineCell } from './xlsx-writer.ts';
import { xmlText } from './xml-reader.ts';
import type { Archive } from './zip-reader.ts';

export interface CellEdit {
  readonly row: number;
  readonly column: number;
  readonly text: string;
}

interface Tag {
  readonly start: number;
  readonly end: number;
  readonly name: string;
  readonly isClose: boolean;
  readonly isEmpty: boolean;
  readonly text: string;
}

const WRITTEN_AT = new Date(1980, 0, 1);
// Attribute values may hold `>`; comments, CDATA and processing instructions are skipped whole.
const TAG = /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<(\/?)([\w.:-]+)((?:[^>"']|"[^"]*"|'[^']*')*)>/g;

function* tagsOf(xml: string): Generator<Tag> {
  for (const match of xml.matchAll(TAG)) {
    const name = match[2];
    if (name === undefined) continue;
    const start = match.index;
    const isEmpty = (match[3] ?? '').endsWith('/');
    yield { start, end: start + match[0].length, name, isClose: match[1] === '/', isEmpty, text: match[0] };
  }
}

const localName = (name: string): string => name.slice(name.indexOf(':') + 1);
const attribute = (tag: string, name: string): string | undefined =>
  new RegExp(`\\s${name}=(?:"([^"]*)"|'([^']*)')`)
    .exec(tag)
    ?.slice(1)
    .find((value) => value !== undefined);

interface Span {
  readonly start: number;
  readonly end: number;
  readonly xml: string;
}

interface RowEdits {
  readonly row: number;
  readonly cells: Map<number, string>;
}

/** Changes of one sheet, as spans of its XML in order: everything else of it stays as the publisher wrote it. */
class SheetPatch {
  readonly #rows: RowEdits[];
  readonly #spans: Span[] = [];
  #prefix = '';

  constructor(edits: readonly CellEdit[]) {
    const rows = new Map<number, Map<number, string>>();
    for (const { row, column, text } of edits)
      rows.set(row, (rows.get(row) ?? new Map<number, string>()).set(column, text));
    this.#rows = [...rows].map(([row, cells]) => ({ row, cells })).sort((a, b) => a.row - b.row);
  }

  apply(xml: string): string {
    let [row, column, current, cell, rowTag] = [0, 0, null as RowEdits | null, null as Tag | null, null as Tag | null];
    for (const tag of tagsOf(xml)) {
      const name = localName(tag.name);
      if (name === 'sheetData') {
        if (tag.isEmpty) this.#fillEmpty(tag);
        else if (tag.isClose) this.#insertRows(tag.start, Number.POSITIVE_INFINITY);
        this.#prefix = tag.name.slice(0, tag.name.length - name.length);
      } else if (name === 'row' && !tag.isClose) {
        row = Number(attribute(tag.text, 'r') ?? row + 1);
        column = 0;
        this.#insertRows(tag.start, row);
        current = this.#rows[0]?.row === row ? (this.#rows.shift() ?? null) : null;
        rowTag = tag;
        if (tag.isEmpty && current)
          this.#spans.push({ start: tag.start, end: tag.end, xml: this.#wholeRow(current, tag) });
      } else if (name === 'row' && tag.isClose) {
        if (current && rowTag) this.#insertCells(tag.start, current, Number.POSITIVE_INFINITY);
        current = null;
      } else if (name === 'c' && !tag.isClose && current) {
        column = parseRef(attribute(tag.text, 'r') ?? '')?.column ?? column + 1;
        this.#insertCells(tag.start, current, column);
        cell = tag;
        if (tag.isEmpty) this.#replaceCell(tag, tag.end, current, column);
      } else if (name === 'c' && tag.isClose && current && cell) {
        this.#replaceCell(cell, tag.end, current, column);
      }
    }
    let [out, at] = ['', 0];
    for (const span of this.#spans) {
      out += xml.slice(at, span.start) + span.xml;
      at = span.end;
    }
    return out + xml.slice(at);
  }

  #cell(row: number, column: number, text: string, style = ''): string {
    return inlineCell(refOf({ row, column }), text, style, this.#prefix);
  }

  #cells({ row, cells }: RowEdits): string {
    const sorted = [...cells].sort(([a], [b]) => a - b);
    return sorted.map(([column, text]) => this.#cell(row, column, text)).join('');
  }

  #wholeRow(edits: RowEdits, tag?: Tag): string {
    const open = tag ? `${tag.text.replace(/\s*\/>$/, '')}>` : `<${this.#prefix}row r="${edits.row}">`;
    return `${open}${this.#cells(edits)}</${this.#prefix}row>`;
  }

  #insertRows(at: number, before: number): void {
    while (this.#rows[0] && this.#rows[0].row < before) {
      const edits = this.#rows.shift();
      if (edits) this.#spans.push({ start: at, end: at, xml: this.#wholeRow(edits) });
    }
  }

  #insertCells(at: number, { row, cells }: RowEdits, before: number): void {
    for (const [column, text] of [...cells].sort(([a], [b]) => a - b)) {
      if (column >= before) break;
      cells.delete(column);
      this.#spans.push({ start: at, end: at, xml: this.#cell(row, column, text) });
    }
  }

  #replaceCell(tag: Tag, end: number, { row, cells }: RowEdits, column: number): void {
    const text = cells.get(column);
    if (text === undefined) return;
    cells.delete(column);
    const style = attribute(tag.text, 's');
    this.#spans.push({
      start: tag.start,
      end,
      xml: this.#cell(row, column, text, style === undefined ? '' : ` s="${style}"`),
    });
  }

  #fillEmpty(tag: Tag): void {
    const rows = this.#rows.splice(0).map((edits) => this.#wholeRow(edits));
    this.#spans.push({
      start: tag.start,
      end: tag.end,
      xml: `${tag.text.slice(0, -2)}>${rows.join('')}</${tag.name}>`,
    });
  }
}

/**
 * Writes texts into cells of one sheet and leaves everything else as it is: styles, widths, validations, other sheets.
 * The calculation chain goes, since it may name a formula that is no more; Excel builds it anew.
 */
export function patchWorkbook(archive: Archive, sheetName: string, edits: readonly CellEdit[]): Uint8Array {
  const sheet = listSheets(archive).sheets.find(({ name }) => name === sheetName);
  const bytes = sheet && archive.get(sheet.path);
  if (!sheet || !bytes) throw new ContentUnrecognised(`The workbook has no sheet named ${sheetName}.`);
  const files: Record<string, Uint8Array> = {};
  for (const [path, content] of archive) {
    if (/(^|\/)calcChain\.xml$/i.test(path)) continue;
    files[path] = content;
    if (path === '[Content_Types].xml' || path.endsWith('.rels')) {
      const without = xmlText(content).replaceAll(/<[^<>]*calcChain[^<>]*\/>/gi, '');
      files[path] = Buffer.from(without);
    }
  }
  files[sheet.path] = Buffer.from(new SheetPatch(edits).apply(xmlText(bytes)));
  return zipSync(files, { level: 6, mtime: WRITTEN_AT });
}
