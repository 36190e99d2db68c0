import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const problem = z.object({ detail: z.string() });

interface CreateOptions {
  readonly title?: string;
  readonly label?: 'public' | 'internal' | 'confidential' | 'restricted';
  readonly category?: string;
  readonly terms?: string;
  readonly pattern?: string;
  readonly values?: string;
  readonly document?: string;
  readonly least: string;
}

/** Sends a file as it is; a list may be larger than what is read whole. */
async function sendContent(context: CliContext, id: string, file: string, least: string): Promise<number> {
  const { url, token } = await context.connect();
  const address = new URL(`/api/v1/detectors/${encodeURIComponent(id)}/content`, url);
  address.searchParams.set('least', least);
  const answer = await fetch(address, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
    body: createReadStream(file),
    duplex: 'half',
  });
  const said: unknown = await answer.json();
  if (!answer.ok) throw new UsageWrong(problem.safeParse(said).data?.detail ?? `Cordon answered ${answer.status}.`);
  return z.object({ count: z.int() }).parse(said).count;
}

async function linesOf(file: string): Promise<string[]> {
  return (await readFile(file, 'utf8'))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** What to look for beside the shipped detectors. */
export function addDetectorCommands(program: Command, context: CliContext): void {
  const detector = program
    .command('detector')
    .description("your organisation's own data: words, expressions, lists, documents");
  const idOf = async (name: string): Promise<string> => {
    const { api } = await context.connect();
    const found = take(await api.GET('/api/v1/detectors')).items.find((one) => one.name === name || one.id === name);
    if (!found) throw new UsageWrong(`There is no detector called ${name}.`);
    return found.id;
  };
  detector
    .command('add <name>')
    .description('look for words, an expression, values of your records, or a document; findings are custom.<name>')
    .option('--terms <file>', 'a dictionary: one word or phrase a line')
    .option('--pattern <expression>', 'an expression in RE2 syntax')
    .option('--values <file>', 'exact data match: one value a line; only keyed hashes are kept')
    .option('--document <file>', 'text, PDF or DOCX of which parts are recognised; only keyed hashes are kept')
    .option('--least <share>', 'with --document: the smallest share of it that counts', '0.3')
    .option('--title <text>', 'what it is')
    .option('--label <label>', 'public, internal, confidential or restricted; confidential when absent')
    .option('--category <category>', 'fideslang category; user when absent')
    .action(async (name: string, options: CreateOptions) => {
      const given = [options.terms, options.pattern, options.values, options.document].filter(
        (one) => one !== undefined,
      );
      if (given.length !== 1) throw new UsageWrong('Give one of --terms, --pattern, --values and --document.');
      const common = {
        name,
        title: options.title ?? name,
        label: options.label ?? 'confidential',
        category: options.category ?? 'user',
        confidence: 0.9,
      } as const;
      const { api } = await context.connect();
      const body =
        options.terms !== undefined
          ? { ...common, kind: 'dictionary' as const, terms: await linesOf(options.terms) }
          : options.pattern !== undefined
            ? { ...common, kind: 'regex' as const, pattern: options.pattern }
            : { ...common, kind: options.values === undefined ? ('document' as const) : ('exact' as const) };
      const made = take(await api.POST('/api/v1/detectors', { body }));
      const file = options.values ?? options.document;
      let { count } = made;
      if (file !== undefined) {
        try {
          count = await sendContent(context, made.id, file, options.least);
        } catch (error) {
          // One that finds nothing helps nobody, and its name would be taken.
          await api.DELETE('/api/v1/detectors/{id}', { params: { path: { id: made.id } } });
          throw error;
        }
      }
      print(made.id);
      note(`${made.class} looks for ${count} ${count === 1 ? 'thing' : 'things'}. Rules: cordon inspection.`);
    });
  detector
    .command('give <name> <file>')
    .description('another list or document for an exact or document detector')
    .option('--least <share>', 'of a document: the smallest share of it that counts', '0.3')
    .action(async (name: string, file: string, options: { least: string }) => {
      note(`${await sendContent(context, await idOf(name), file, options.least)} kept.`);
    });
  detector
    .command('list')
    .description('your own detectors')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/detectors'));
      if (options.json) return printJson(items);
      return printTable(
        ['name', 'kind', 'looks for', 'label', 'state', 'title'],
        items.map((one) => [
          one.name,
          one.kind,
          String(one.count),
          one.label,
          one.enabled ? (one.count === 0 ? 'empty' : 'on') : 'off',
          one.title,
        ]),
      );
    });
  for (const [verb, enabled] of [
    ['enable', true],
    ['disable', false],
  ] as const) {
    detector
      .command(`${verb} <name>`)
      .description(enabled ? 'look for it again' : 'look for it no more, and keep it')
      .action(async (name: string) => {
        const { api } = await context.connect();
        take(
          await api.PATCH('/api/v1/detectors/{id}', { params: { path: { id: await idOf(name) } }, body: { enabled } }),
        );
      });
  }
  detector
    .command('remove <name>')
    .description('forget it and what it looked for')
    .action(async (name: string) => {
      const { api } = await context.connect();
      take(await api.DELETE('/api/v1/detectors/{id}', { params: { path: { id: await idOf(name) } } }));
    });
  detector
    .command('try <text>')
    .description('what all detectors, shipped and own, find in a text; nothing of it is kept')
    .option('--json', 'as JSON')
    .action(async (text: string, options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.POST('/api/v1/detectors/try', { body: { text } }));
      if (options.json) return printJson(items);
      return printTable(
        ['type', 'confidence', 'from', 'to', 'reasons'],
        items.map((one) => [
          one.type,
          String(one.confidence),
          String(one.start),
          String(one.end),
          one.reasons.join(', '),
        ]),
      );
    });
}
