import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { note, printJson, printTable, take, UsageWrong } from './output.ts';

const ENTITY_TYPES = ['person', 'account', 'integration', 'oauth-app', 'edge', 'network', 'resource'] as const;

export function addBehaviourCommands(program: Command, context: CliContext): void {
  const behaviour = program.command('behaviour').description('who behaves unusually, and why');
  behaviour
    .command('list')
    .description('the riskiest first')
    .option('--type <type>', ENTITY_TYPES.join(', '))
    .option('--limit <number>', 'how many', Number, 20)
    .option('--json', 'as JSON')
    .action(async (options: { type?: string; limit: number; json?: boolean }) => {
      const type = ENTITY_TYPES.find((one) => one === options.type);
      if (options.type !== undefined && !type) throw new UsageWrong(`The type is one of: ${ENTITY_TYPES.join(', ')}.`);
      const { api } = await context.connect();
      const query = { limit: options.limit, ...(type && { type }) };
      const { items } = take(await api.GET('/api/v1/behaviour', { params: { query } }));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [one.key, one.score.toFixed(1), one.state, one.name, one.reasons.join(', ')]);
      return printTable(['entity', 'score', 'state', 'name', 'why'], rows);
    });
  behaviour
    .command('show <entity>')
    .description('one entity with the terms of each day, as JSON')
    .action(async (key: string) => {
      const { api } = await context.connect();
      printJson(take(await api.GET('/api/v1/behaviour/entity', { params: { query: { key } } })));
    });
  behaviour
    .command('feedback <entity>')
    .description('say whether a term of a day was expected')
    .requiredOption('--feature <feature>', 'as behaviour show names it')
    .requiredOption('--day <date>', 'YYYY-MM-DD, UTC')
    .requiredOption('--verdict <verdict>', 'expected or not-expected')
    .requiredOption('--reason <text>', 'why')
    .option('--value <value>', 'only this value of a new-… feature')
    .action(
      async (key: string, options: Record<'feature' | 'day' | 'verdict' | 'reason', string> & { value?: string }) => {
        const { api } = await context.connect();
        const verdict = options.verdict === 'expected' ? 'expected' : 'not-expected';
        if (verdict !== options.verdict) throw new UsageWrong('The verdict is expected or not-expected.');
        const day = Date.parse(`${options.day}T00:00:00Z`);
        if (Number.isNaN(day)) throw new UsageWrong('The day is YYYY-MM-DD.');
        // The server checks the feature's name.
        const feature = options.feature as 'events';
        const body = {
          feature,
          day,
          verdict,
          reason: options.reason,
          ...(options.value !== undefined && { value: options.value }),
        } as const;
        take(await api.POST('/api/v1/behaviour/feedback', { params: { query: { key } }, body }));
        note('taken; the entity is judged again');
      },
    );
}
