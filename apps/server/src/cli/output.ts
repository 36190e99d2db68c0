import { CordonError, hideSecrets } from '@cordon/kernel';
import { isProblem, type Problem } from '@cordon/client';

/** An answer of the API that is no success. */
export class ApiRefused extends CordonError {
  readonly code = 'cli.api_refused';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail, { code: problem.code });
    this.problem = problem;
  }
}

export class UsageWrong extends CordonError {
  readonly code = 'cli.usage';
}

/** Unwraps an answer of the typed client; a problem document becomes an error that says what the server said. */
export function take<Data>(answer: { data?: Data; error?: unknown; response: Response }): Data {
  if (answer.response.ok) return answer.data as Data; // a 2xx answer carries the schema's data (or nothing for 204)
  if (isProblem(answer.error)) throw new ApiRefused(answer.error);
  const { status } = answer.response;
  throw new ApiRefused({ status, title: 'Failed', detail: `The server answered ${status}.`, code: 'unknown' });
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A reader that has seen enough (`cordon events | head`) ends the program quietly, as it ends others. */
export function endWithReader(output: NodeJS.EventEmitter, end: (status: number) => void): void {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    end(0);
  });
}

export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Columns as wide as their widest cell; the last one runs on. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, index) => Math.max(title.length, ...rows.map((row) => (row[index] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => (index === head.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd();
  print(line(head.map((title) => title.toUpperCase())));
  for (const row of rows) print(line(row));
}

export function day(ms: number | null): string {
  return ms === null ? 'never' : new Date(ms).toISOString().slice(0, 10);
}

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is no folder',
  EEXIST: 'it exists already',
};

/** A path that the person gave and that can't be used is their mistake, not a fault of the program. */
function describeFileError(error: unknown): string | null {
  if (!(error instanceof Error && 'code' in error && 'path' in error)) return null;
  const why = FILE_ERRORS[String(error.code)];
  return why === undefined ? null : `${String(error.path)}: ${why}.`;
}

/** What the person sees of an error, and the exit status (sysexits.h). */
export function describeFailure(error: unknown): { text: string; status: number } {
  if (error instanceof ApiRefused) {
    const { fields } = error.problem;
    const lines = Array.isArray(fields) ? fields.map((field) => `  ${JSON.stringify(field)}`) : [];
    return { text: [`cordon: ${error.message}`, ...lines].join('\n'), status: 1 };
  }
  const missing = describeFileError(error);
  if (missing !== null) return { text: `cordon: ${missing}`, status: 66 };
  if (error instanceof CordonError) return { text: `cordon: ${error.message}`, status: 64 };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text: `cordon: ${hideSecrets(text)}`, status: 70 };
}
