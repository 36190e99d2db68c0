import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { addEvaluateBehaviour } from './behaviour-evaluate.ts';

const CONTENT = fileURLToPath(new URL('../../../../content/', import.meta.url));

function open(file: string | undefined): NodeJS.ReadableStream {
  return file === undefined || file === '-' ? process.stdin : createReadStream(file);
}

function linesOf(file: string | undefined): AsyncIterable<string> {
  return createInterface({ input: open(file), crlfDelay: Infinity });
}

/** Writes each line as it comes, at the pace at which the reader takes them. */
async function printAll(lines: AsyncIterable<string>): Promise<void> {
  for await (const line of lines) {
    if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
  }
}

/** Chunks of text of any size, as readers of whole JSON documents take them. */
async function* textOf(file: string | undefined): AsyncGenerator<string> {
  for await (const chunk of open(file).setEncoding('utf8')) yield String(chunk);
}

interface Verdict {
  readonly policy: string;
  readonly verdict: string;
  readonly reason: string;
}

interface Replayed {
  readonly index: number;
  readonly event_id?: string;
  readonly error?: string;
  readonly rules: readonly { readonly id: string; readonly title: string; readonly severity: string }[];
}

/** One line per event for people: which rules fired. */
function replayText(line: string): string {
  const { index, event_id: id, error, rules } = JSON.parse(line) as Replayed; // detectReplay wrote it
  const fired = rules.map((rule) => `${rule.severity} ${rule.id} (${rule.title})`).join('; ');
  return `${index}${id === undefined ? '' : ` ${id}`}: ${error ?? (fired === '' ? 'quiet' : fired)}`;
}

async function* map<From, To>(items: AsyncIterable<From>, change: (item: From) => To): AsyncGenerator<To> {
  for await (const item of items) yield change(item);
}

/** Commands that need no running Cordon. Their packages are loaded only when they are used. */
export function addOfflineCommands(program: Command): void {
  program
    .command('classify [file]')
    .description('find sensitive data in a file or standard input')
    .option('--json', 'one JSON object a finding')
    .option('--batch', 'JSON lines with "text" and an optional "key"; one JSON line of findings each')
    .option('--type <media-type>', 'what the bytes are, such as application/json; guessed when absent')
    .action(async (file: string | undefined, options: { json?: boolean; batch?: boolean; type?: string }) => {
      const { classifyCommand } = await import('@cordon/classifier');
      await printAll(
        classifyCommand(open(file) as AsyncIterable<Uint8Array>, {
          json: options.json ?? false,
          batch: options.batch ?? false,
          ...(options.type === undefined ? {} : { contentType: options.type }),
        }),
      );
    });

  const detect = program.command('detect').description('detections');
  addEvaluateBehaviour(detect);
  detect
    .command('replay')
    .description('run raw vendor events through parser and rules and print which rules fire')
    .requiredOption('--product <name>', 'product or log type, such as okta or Okta.SystemLog')
    .option('--file <path>', 'events as JSON lines or a JSON array; standard input when absent')
    .option('--content <folder>', 'folder with parsers/ and detections/', CONTENT)
    .option('--json', 'one JSON object an event')
    .action(async (options: { product: string; file?: string; content: string; json?: boolean }) => {
      const { detectReplay } = await import('@cordon/detection');
      const lines = detectReplay(textOf(options.file), { product: options.product, contentFolder: options.content });
      await printAll(options.json ? lines : map(lines, replayText));
    });

  program
    .command('posture')
    .description('posture checks')
    .command('evaluate')
    .description('judge recorded settings offline: JSON lines with "policy" and "input"')
    .option('--cases <path>', 'the cases; standard input when absent')
    .option('--content <folder>', 'folder with posture/', CONTENT)
    .option('--json', 'one JSON object a case')
    .action(async (options: { cases?: string; content: string; json?: boolean }) => {
      const { evaluateCases } = await import('@cordon/posture');
      const verdicts = evaluateCases(linesOf(options.cases), { contentFolder: options.content });
      const text = (line: string): string => {
        const { policy, verdict, reason } = JSON.parse(line) as Verdict; // evaluateCases wrote it
        return `${verdict.padEnd(14)} ${policy}  ${reason}`;
      };
      await printAll(options.json ? verdicts : map(verdicts, text));
    });
}
