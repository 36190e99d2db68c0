import { type FileText, imageTexts, isImage, type TextPart } from '@cordon/dlp';
import { createFileReader, type FileReader } from '@cordon/vendors';

/** Text that is no document: read as it is, whatever else it might be taken for. */
const PLAIN = /^(?:text\/|application\/(?:json|xml|yaml|x-ndjson|csv|sql|javascript))/;
const REFUSALS: Readonly<Record<string, string>> = {
  'vendors.file_encrypted': 'encrypted',
  'vendors.file_kind_unsupported': 'unsupported',
  'vendors.file_too_large': 'too_large',
  'vendors.file_too_complex': 'too_large',
  'vendors.file_took_too_long': 'too_large',
  'vendors.file_took_too_much_memory': 'too_large',
  'vendors.file_macros': 'active_content',
  'vendors.file_active_content': 'active_content',
};

const csvCell = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Cells in their columns; gaps are kept narrow, however far apart somebody placed two cells. */
function csvOf(cells: readonly { readonly row: number; readonly column: number; readonly text: string }[]): string {
  const columns = [...new Set(cells.map(({ column }) => column))].toSorted((a, b) => a - b);
  const rows = Map.groupBy(cells, ({ row }) => row);
  return [...rows.keys()]
    .toSorted((a, b) => a - b)
    .map((row) => {
      const byColumn = new Map((rows.get(row) ?? []).map(({ column, text }) => [column, text]));
      return columns.map((column) => csvCell(byColumn.get(column) ?? '')).join(',');
    })
    .join('\n');
}

async function readDocument(reader: FileReader, bytes: Buffer): Promise<readonly TextPart[]> {
  const document = await reader.read(bytes);
  if (document.kind !== 'workbook') {
    return document.pages.map((page, index) => ({
      where: document.kind === 'pdf' ? `page ${index + 1}` : 'text',
      bytes: Buffer.from(page),
      contentType: 'text/plain',
    }));
  }
  // As CSV, so that the heading of a column is the context of its cells.
  return document.workbook.sheets.map(({ name, cells }) => ({
    where: `sheet ${name}`,
    bytes: Buffer.from(csvOf(cells)),
    contentType: 'text/csv',
  }));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Reads files as questionnaires are read: each in a process of its own, within limits of time and memory. */
export function createFileText(reader: FileReader = createFileReader()): FileText {
  return {
    async read(bytes, mediaType) {
      if (isImage(bytes)) {
        const parts = imageTexts(bytes).map(({ name, text }) => ({
          where: `image: ${name}`,
          bytes: Buffer.from(text),
          contentType: 'text/plain',
        }));
        return { parts };
      }
      if (mediaType !== null && PLAIN.test(mediaType) && !bytes.includes(0)) {
        return { parts: [{ where: 'text', bytes, contentType: mediaType.split(';')[0] ?? 'text/plain' }] };
      }
      try {
        return { parts: await readDocument(reader, bytes) };
      } catch (error) {
        const code = codeOf(error);
        if (!code.startsWith('vendors.')) throw error;
        return { unreadable: REFUSALS[code] ?? 'broken' };
      }
    },
  };
}
