import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { note, printJson, printTable, take, UsageWrong } from './output.ts';

const day = (at: number | null): string => (at === null ? '' : new Date(at).toISOString().slice(0, 10));

function readDay(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new UsageWrong(`${option} is a day such as 2026-11-23.`);
  return at;
}

/** `cordon keep`: how long events are kept, and what must stay. */
export function addEventRetentionCommands(program: Command, context: CliContext): void {
  const keep = program.command('keep').description('how long events are kept, and which must stay');
  const state = async () => {
    const { api } = await context.connect();
    return { api, state: take(await api.GET('/api/v1/event-retention')) };
  };

  keep
    .command('show')
    .description('age, size, rules and holds')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { state: found } = await state();
      if (options.json) return printJson(found);
      note(`${found.events} events, ${found.bytes} bytes of ${found.bytesMax ?? 'any'}, kept ${found.days} days`);
      const rules = found.rules.map((one) => [
        'rule',
        one.name,
        one.query,
        `${one.days} days`,
        `${one.deleted} deleted`,
        one.lastError ?? '',
      ]);
      const holds = found.holds.map((one) => [
        'hold',
        one.name,
        one.query,
        `${day(one.from)}..${day(one.to)}`,
        one.reason,
        '',
      ]);
      return printTable(['what', 'name', 'search', 'how long', 'so far', 'problem'], [...rules, ...holds]);
    });

  keep
    .command('preview')
    .description('what a rule would delete now, and what holds keep of it; deletes nothing')
    .option('--query <query>', 'only what this search finds', '')
    .requiredOption('--days <number>', 'older than so many days')
    .option('--json', 'as JSON')
    .action(async (options: { query: string; days: string; json?: boolean }) => {
      const { api } = await context.connect();
      const body = { query: options.query, days: Number(options.days) };
      const found = take(await api.POST('/api/v1/event-retention/preview', { body }));
      if (options.json) return printJson(found);
      note(`${found.events} events would go, ${found.held} are held`);
      return printTable(
        ['day', 'would go', 'held'],
        found.days.map((one) => [one.day, `${one.events}`, `${one.held}`]),
      );
    });

  keep
    .command('rule <name>')
    .description('delete what a search finds after so many days; of two rules the shorter counts')
    .requiredOption('--query <query>', 'such as label:restricted or app:github')
    .requiredOption('--days <number>', 'older than so many days')
    .action(async (name: string, options: { query: string; days: string }) => {
      const { api } = await context.connect();
      const body = { name, query: options.query, days: Number(options.days) };
      take(await api.POST('/api/v1/event-retention/rules', { body }));
      note(`${name} runs within the hour`);
    });

  keep
    .command('hold <name>')
    .description('keep what a search finds, whatever a rule, age or size says')
    .requiredOption('--reason <text>', 'why it must stay')
    .option('--query <query>', 'only what this search finds', '')
    .option('--from <day>', 'what happened since')
    .option('--to <day>', 'what happened before')
    .action(async (name: string, options: { reason: string; query: string; from?: string; to?: string }) => {
      const { api } = await context.connect();
      const [from, to] = [readDay(options.from, '--from'), readDay(options.to, '--to')];
      const span = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
      const body = { name, query: options.query, reason: options.reason, ...span };
      take(await api.POST('/api/v1/event-retention/holds', { body }));
      note(`${name} is held`);
    });

  keep
    .command('lift <name>')
    .description('end a hold')
    .requiredOption('--reason <text>', 'why it may go')
    .action(async (name: string, { reason }: { reason: string }) => {
      const { api, state: found } = await state();
      const hold = found.holds.find((one) => one.name === name);
      if (!hold) throw new UsageWrong(`There is no hold ${name}.`);
      const params = { path: { id: hold.id } };
      take(await api.POST('/api/v1/event-retention/holds/{id}/lift', { params, body: { reason } }));
      note('lifted');
    });

  keep
    .command('remove <name>')
    .description('remove a rule')
    .action(async (name: string) => {
      const { api, state: found } = await state();
      const rule = found.rules.find((one) => one.name === name);
      if (!rule) throw new UsageWrong(`There is no rule ${name}.`);
      take(await api.DELETE('/api/v1/event-retention/rules/{id}', { params: { path: { id: rule.id } } }));
      note('removed');
    });

  keep
    .command('size <gigabytes>')
    .description('the most that events may take on disk; "none" for no limit; the oldest days go first')
    .action(async (text: string) => {
      const { api } = await context.connect();
      const bytesMax = text === 'none' ? null : Math.round(Number(text) * 1e9);
      take(await api.PUT('/api/v1/event-retention/size', { body: { bytesMax } }));
      note(bytesMax === null ? 'no limit' : `${bytesMax} bytes`);
    });
}
