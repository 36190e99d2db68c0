import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { print, printJson, printTable } from './output.ts';

const CONTENT = fileURLToPath(new URL('../../../../content/', import.meta.url));
const SHOWN_CHARS_MAX = 100;

async function checkFile(file: string, { json = false, content }: { json?: boolean; content: string }): Promise<void> {
  const { checkContract, createFileReader, loadClauses } = await import('@cordon/vendors');
  const document = await createFileReader().read(await readFile(file));
  const result = checkContract(document, loadClauses(content));
  if (json) {
    printJson(result);
    return;
  }
  const rows = result.clauses.map(({ id, status, clock, spans: [span] }) => [
    id,
    status,
    clock?.text ?? '-',
    span ? `p. ${span.page}: ${span.text.slice(0, SHOWN_CHARS_MAX)}` : '-',
  ]);
  printTable(['clause', 'status', 'clock', 'where'], rows);
  for (const { clause, severity, problem } of result.findings) print(`${severity} ${clause}: ${problem}`);
}

/** Contracts, checked without a running Cordon. */
export function addContractCommands(program: Command): void {
  program
    .command('contract')
    .description('contracts with vendors')
    .command('check <file>')
    .description('find the clauses that a contract should hold in a PDF, Word document or text')
    .option('--json', 'every clause with its passages, clocks and findings')
    .option('--content <folder>', 'folder with clauses/', CONTENT)
    .action(checkFile);
}
