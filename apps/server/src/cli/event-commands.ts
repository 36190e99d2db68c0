import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isProblem } from '@cordon/client';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { ApiRefused, note, print, printJson, take, UsageWrong } from './output.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `15m`, `24h`, `7d` as milliseconds. */
export function parseSpan(text: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  const unit = UNITS[match?.[2] ?? ''];
  if (!match || unit === undefined) throw new UsageWrong('A time span is a number and s, m, h or d: 15m, 24h, 7d.');
  return Number(match[1]) * unit;
}

interface Shown {
  readonly time: number;
  readonly event: Readonly<Record<string, unknown>>;
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function inner(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const key of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined;
  return at;
}

/** One line a person can read: when, what was decided, who, what, why. */
export function eventLine({ time, event }: Shown): string {
  const cordon = inner(event, 'unmapped', 'cordon');
  const who =
    text(inner(cordon, 'integration', 'name')) ||
    text(inner(event, 'actor', 'app_name')) ||
    text(inner(event, 'user', 'name')) ||
    text(inner(event, 'actor', 'user', 'name'));
  const what = text(inner(event, 'api', 'operation')) || text(event['activity_name']) || text(event['message']);
  const why = text(event['status_detail']);
  const cells = [
    new Date(time).toISOString().slice(11, 23),
    (text(inner(cordon, 'decision')) || text(event['status']) || '-').padEnd(7),
    (who || '-').padEnd(18),
    (text(inner(event, 'api', 'service', 'name')) || '-').padEnd(10),
    what || '-',
    why,
  ];
  return cells.join('  ').trimEnd();
}

export function addEventCommands(program: Command, context: CliContext): void {
  const events = program.command('events').description('everything that happened');

  events
    .command('search [query...]')
    .description('search; for example: app:github decision:deny "invoice"')
    .option('--since <span>', 'how far back: 15m, 24h, 7d', '24h')
    .option('--limit <number>', 'how many', Number, 100)
    .option('--json', 'whole events as JSON')
    .action(async (words: string[], options: { since: string; limit: number; json?: boolean }) => {
      const { api } = await context.connect();
      const query = { query: words.join(' '), from: Date.now() - parseSpan(options.since), limit: options.limit };
      const { items, cursor } = take(await api.GET('/api/v1/events', { params: { query } }));
      if (options.json) return printJson(items.map((item) => item.event));
      for (const item of items.toReversed()) print(eventLine(item));
      return note(
        `${items.length} events${cursor === null ? '' : '; there are more: raise --limit or narrow the query'}`,
      );
    });

  events
    .command('export [query...]')
    .description('write what a search finds to a file, oldest first')
    .requiredOption('--out <file>', 'the file; it must not be there yet')
    .option('--format <format>', 'ndjson or parquet', 'ndjson')
    .option('--since <span>', 'how far back: 15m, 24h, 7d', '24h')
    .option('--limit <number>', 'how many at most; 1,000,000 as NDJSON, 200,000 as Parquet')
    .action(async (words: string[], options: { out: string; format: string; since: string; limit?: string }) => {
      const { url, token } = await context.connect();
      const address = new URL('/api/v1/events/export', url);
      address.searchParams.set('format', options.format);
      address.searchParams.set('from', String(Date.now() - parseSpan(options.since)));
      if (words.length > 0) address.searchParams.set('query', words.join(' '));
      if (options.limit !== undefined) address.searchParams.set('limit', options.limit);
      const response = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
      if (!response.ok || !response.body) {
        const problem: unknown = await response.json().catch(() => null);
        if (isProblem(problem)) throw new ApiRefused(problem);
        throw new UsageWrong(`The server answered ${response.status}.`);
      }
      await pipeline(Readable.fromWeb(response.body), createWriteStream(options.out, { flags: 'wx', mode: 0o600 }));
      note(`written to ${options.out}`);
    });

  events
    .command('tail [query...]')
    .description('follow events live, with the same filters as search')
    .option('--json', 'whole events, one JSON object a line')
    .action(async (words: string[], options: { json?: boolean }) => {
      const { url, token } = await context.connect();
      const address = new URL('/api/v1/events/tail', url);
      if (words.length > 0) address.searchParams.set('query', words.join(' '));
      const response = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
      if (!response.ok || !response.body) {
        const problem: unknown = await response.json().catch(() => null);
        if (isProblem(problem)) throw new ApiRefused(problem);
        throw new UsageWrong(`The server answered ${response.status}.`);
      }
      const lines = createInterface({ input: Readable.fromWeb(response.body) });
      for await (const line of lines) {
        if (line === '') continue;
        const shown = JSON.parse(line) as Shown; // the server's own schema wrote it
        print(options.json ? JSON.stringify(shown.event) : eventLine(shown));
      }
    });
}
