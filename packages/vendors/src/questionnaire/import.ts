import { ContentUnrecognised } from '../errors.ts';
import type { FileReader } from '../files/file-reader.ts';
import type { Workbook } from '../files/workbook.ts';
import { readCaiq } from './caiq.ts';
import { type ExportedAnswer, planExport } from './export.ts';
import type { ImportedQuestionnaire } from './imported.ts';
import { type MappingInput, readMapped } from './mapped.ts';

/** The workbook that a file is; any other kind of file is no questionnaire. Throws `FileRefused`. */
export async function readWorkbookFile(reader: FileReader, bytes: Uint8Array): Promise<Workbook> {
  const document = await reader.read(bytes);
  if (document.kind !== 'workbook') {
    throw new ContentUnrecognised(`A questionnaire is a workbook (.xlsx); this file is ${document.kind}.`);
  }
  return document.workbook;
}

/** Reads a CAIQ, or with a mapping any questionnaire, from a file. */
export async function importQuestionnaire(
  reader: FileReader,
  bytes: Uint8Array,
  mapping?: MappingInput,
): Promise<ImportedQuestionnaire> {
  const workbook = await readWorkbookFile(reader, bytes);
  return mapping === undefined ? readCaiq(workbook) : readMapped(workbook, mapping);
}

/** The publisher's workbook with answers in its cells, and everything else as the publisher wrote it. */
export async function exportQuestionnaire(
  reader: FileReader,
  bytes: Uint8Array,
  answers: ReadonlyMap<string, ExportedAnswer>,
  mapping?: MappingInput,
): Promise<{ bytes: Uint8Array; problems: readonly string[]; written: number }> {
  const workbook = await readWorkbookFile(reader, bytes);
  const imported = mapping === undefined ? readCaiq(workbook) : readMapped(workbook, mapping);
  const { sheet, edits, problems } = planExport(workbook, imported, answers);
  return { bytes: await reader.patch(bytes, sheet, edits), problems, written: edits.length };
}
