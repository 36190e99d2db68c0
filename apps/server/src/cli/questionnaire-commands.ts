import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { note, print, printJson, printTable, UsageWrong } from './output.ts';

const answersFile = z.union([
  z.object({ questions: z.array(z.looseObject({ id: z.string() })) }).transform(({ questions }) => questions),
  z.array(z.looseObject({ id: z.string() })),
]);
const text = z.string().nullable().optional();
const answerFields = z.object({ answer: text, ownership: text, implementation: text, responsibilities: text });

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageWrong(`${path} is not JSON.`);
    throw error;
  }
}

async function readAnswers(path: string) {
  const parsed = answersFile.safeParse(await readJson(path));
  if (!parsed.success) throw new UsageWrong(`${path} must hold "questions", each with an id and its answer.`);
  return new Map(parsed.data.map((row) => [row.id, answerFields.parse(row)] as const));
}

interface ImportOptions {
  readonly json?: boolean;
  readonly mapping?: string;
  readonly outline?: boolean;
}

async function importFile(file: string, { json = false, mapping, outline = false }: ImportOptions): Promise<void> {
  const vendors = await import('@cordon/vendors');
  const reader = vendors.createFileReader();
  const bytes = await readFile(file);
  if (outline) {
    printJson(vendors.outlineWorkbook(await vendors.readWorkbookFile(reader, bytes)));
    return;
  }
  const given = mapping === undefined ? undefined : ((await readJson(mapping)) as never); // parsed by importQuestionnaire
  const result = await vendors.importQuestionnaire(reader, bytes, given);
  if (json) {
    printJson(result);
    return;
  }
  const answered = result.questions.filter(({ answer }) => answer !== null).length;
  print(
    `${result.sheet}, version ${result.version ?? 'unknown'}: ${result.questions.length} questions, ${answered} answered`,
  );
  const rows = result.questions.map(({ id, answer, ownership, question }) => [
    id,
    answer ?? '-',
    ownership ?? '-',
    question.replaceAll('\n', ' ').slice(0, 80),
  ]);
  printTable(['id', 'answer', 'ownership', 'question'], rows);
  for (const { row, problem } of result.problems) note(`row ${row}: ${problem}`);
}

interface ExportOptions {
  readonly answers: string;
  readonly out: string;
  readonly mapping?: string;
}

async function exportFile(file: string, { answers, out, mapping }: ExportOptions): Promise<void> {
  const vendors = await import('@cordon/vendors');
  const given = mapping === undefined ? undefined : ((await readJson(mapping)) as never); // parsed by exportQuestionnaire
  const reader = vendors.createFileReader();
  const result = await vendors.exportQuestionnaire(reader, await readFile(file), await readAnswers(answers), given);
  await writeFile(out, result.bytes);
  for (const problem of result.problems) note(problem);
  note(`${result.written} cells written to ${out}`);
}

/** Questionnaires in workbooks, read and filled without a running Cordon. */
export function addQuestionnaireCommands(program: Command): void {
  const group = program.command('questionnaire').description('vendor questionnaires');
  group
    .command('import <file>')
    .description('read a CAIQ workbook, or any other by a mapping, and print what it says')
    .option('--json', 'every question with its answers')
    .option('--mapping <file>', 'JSON with sheet, headerRow and columns, for workbooks that are no CAIQ')
    .option('--outline', 'print sheets, first rows and a proposed mapping instead')
    .action(importFile);
  group
    .command('export <file>')
    .description("write answers into a publisher's workbook and leave everything else as it is")
    .requiredOption('--answers <file>', 'JSON as "questionnaire import --json" prints it')
    .requiredOption('--out <file>', 'workbook to write')
    .option('--mapping <file>', 'JSON with sheet, headerRow and columns, for workbooks that are no CAIQ')
    .action(exportFile);
}
