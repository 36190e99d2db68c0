import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { day, note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const WATCH_MS = 500;
const OVER: readonly string[] = ['waiting', 'done', 'failed', 'refused'];

interface RuleOptions {
  readonly app?: string;
  readonly set?: string;
  readonly category?: string;
  readonly days: string;
  readonly action: string;
  readonly approvalAbove: string;
}

/** `cordon data retention …` */
export function addRetentionCommands(data: Command, context: CliContext): void {
  const retention = data.command('retention').description('rules, legal holds, dry runs and runs');
  addRules(retention, context);
  addRuns(retention, context);
}

function addRules(retention: Command, context: CliContext): void {
  retention
    .command('rules')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/retention/rules'));
      if (options.json) return printJson(items);
      const rows = items.map(({ id, name, settings }) => [
        id,
        settings.action,
        String(settings.days),
        settings.app ?? 'any',
        settings.object ?? 'any',
        name,
      ]);
      return printTable(['id', 'action', 'days', 'app', 'data set', 'name'], rows);
    });
  retention
    .command('add <name>')
    .description('a rule does nothing until it is run')
    .option('--app <app>', 'of this app')
    .option('--set <set>', 'of this data set')
    .option('--category <category>', 'data sets with this fideslang key')
    .requiredOption('--days <days>', 'since the record was made')
    .option('--action <action>', 'delete, anonymise, report', 'report')
    .option('--approval-above <records>', 'another person approves above', '100')
    .action(async (name: string, options: RuleOptions) => {
      const action = (['delete', 'anonymise', 'report'] as const).find((one) => one === options.action);
      if (!action) throw new UsageWrong('--action is delete, anonymise or report.');
      const { api } = await context.connect();
      const settings = {
        app: options.app ?? null,
        object: options.set ?? null,
        category: options.category ?? null,
        clock: 'createdAt' as const,
        days: Number(options.days),
        action,
        approvalAbove: Number(options.approvalAbove),
      };
      print(take(await api.POST('/api/v1/retention/rules', { body: { name, settings } })).id);
    });
  addRuleChanges(retention, context);
  retention.command('holds').action(async () => {
    const { api } = await context.connect();
    const { items } = take(await api.GET('/api/v1/retention/holds'));
    const rows = items.map((hold) => [
      hold.id,
      hold.releasedAt === null ? 'stands' : `released ${day(hold.releasedAt)}`,
      hold.scope.app ?? 'any',
      hold.scope.object ?? 'any',
      hold.name,
    ]);
    printTable(['id', 'state', 'app', 'data set', 'name'], rows);
  });
  retention
    .command('hold <name>')
    .description('a legal hold: wins over every rule')
    .option('--app <app>', 'of this app')
    .option('--set <set>', 'of this data set')
    .option('--record <id>', "this record, by the tool's own id")
    .requiredOption('--reason <text>', 'why; kept as evidence')
    .action(async (name: string, options: { app?: string; set?: string; record?: string; reason: string }) => {
      const { api } = await context.connect();
      const scope = { app: options.app ?? null, object: options.set ?? null, recordId: options.record ?? null };
      print(take(await api.POST('/api/v1/retention/holds', { body: { name, scope, reason: options.reason } })).id);
    });
  retention.command('release <hold>').action(async (id: string) => {
    const { api } = await context.connect();
    take(await api.DELETE('/api/v1/retention/holds/{id}', { params: { path: { id } } }));
  });
}

function addRuleChanges(retention: Command, context: CliContext): void {
  retention
    .command('edit <rule>')
    .description('change what a rule says; what a run planned stays as planned')
    .option('--name <name>')
    .option('--days <days>', 'since the record was made')
    .option('--action <action>', 'delete, anonymise, report')
    .option('--approval-above <records>', 'another person approves above')
    .action(async (id: string, options: { name?: string; days?: string; action?: string; approvalAbove?: string }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/retention/rules'));
      const rule = items.find((one) => one.id === id);
      if (!rule) throw new UsageWrong(`There is no rule ${id}.`);
      const action = (['delete', 'anonymise', 'report'] as const).find((one) => one === options.action);
      const settings = {
        ...rule.settings,
        ...(action && { action }),
        ...(options.days !== undefined && { days: Number(options.days) }),
        ...(options.approvalAbove !== undefined && { approvalAbove: Number(options.approvalAbove) }),
      };
      const body = { name: options.name ?? rule.name, settings };
      take(await api.PUT('/api/v1/retention/rules/{id}', { params: { path: { id } }, body }));
    });
  retention
    .command('remove <rule>')
    .description('it runs no more; its runs stay as evidence')
    .action(async (id: string) => {
      const { api } = await context.connect();
      take(await api.DELETE('/api/v1/retention/rules/{id}', { params: { path: { id } } }));
    });
  retention
    .command('schedule <rule> <days>')
    .description('run it by itself every so many days; 0 for only when asked')
    .action(async (id: string, days: string) => {
      const { api } = await context.connect();
      const body = { everyDays: Number(days) === 0 ? null : Number(days) };
      take(await api.PUT('/api/v1/retention/rules/{id}/schedule', { params: { path: { id } }, body }));
    });
}

function addRuns(retention: Command, context: CliContext): void {
  retention
    .command('run <rule>')
    .description('read, judge and act; with --dry-run change nothing')
    .option('--dry-run', 'change nothing')
    .action(async (rule: string, options: { dryRun?: boolean }) => {
      const { api } = await context.connect();
      const mode = options.dryRun ? ('dry-run' as const) : ('run' as const);
      const params = { path: { id: rule } };
      let run = take(await api.POST('/api/v1/retention/rules/{id}/runs', { params, body: { mode } }));
      while (!OVER.includes(run.status)) {
        await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
        run = take(await api.GET('/api/v1/retention/runs/{id}', { params: { path: { id: run.id } } }));
      }
      note(
        `${run.status}: ${Object.entries(run.counts)
          .map(([what, count]) => `${count} ${what}`)
          .join(', ')}`,
      );
      for (const gap of run.unenforceable) note(`cannot be enforced here: ${gap.app} ${gap.object}: ${gap.because}`);
      print(run.id);
      if (run.status === 'failed') process.exitCode = 1;
    });
  retention
    .command('show <run>')
    .description('a run with its counts and evidence, as JSON')
    .action(async (id: string) => {
      const { api } = await context.connect();
      printJson(take(await api.GET('/api/v1/retention/runs/{id}', { params: { path: { id } } })));
    });
  retention
    .command('items <run>')
    .description('the first 500 records of a run, with verdict and state')
    .action(async (id: string) => {
      const { api } = await context.connect();
      const params = { path: { id }, query: {} };
      const { items } = take(await api.GET('/api/v1/retention/runs/{id}/items', { params }));
      const rows = items.map((one) => [
        `${one.app}:${one.object}`,
        one.recordId,
        day(one.clockAt),
        one.verdict,
        one.status,
        one.error ?? one.reason ?? '',
      ]);
      printTable(['data set', 'record', 'date', 'verdict', 'state', 'why'], rows);
    });
  retention
    .command('approve <run>')
    .description("approve somebody else's run that waits")
    .action(async (id: string) => {
      const { api } = await context.connect();
      note(take(await api.POST('/api/v1/retention/runs/{id}/approve', { params: { path: { id } }, body: {} })).status);
    });
}
