import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { parseSpan } from './event-commands.ts';
import { note, printJson, printTable, take, UsageWrong } from './output.ts';

const GROUPS = ['app', 'integration', 'operation', 'reason', 'edge'] as const;
const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
const percent = (part: number, whole: number): string =>
  whole === 0 ? '-' : `${((part / whole) * 100).toFixed(part === 0 ? 0 : 2)}%`;

interface SloOptions {
  readonly app: string;
  readonly objective: string;
  readonly latency?: string;
  readonly integration?: string;
  readonly operation?: string;
  readonly days: number;
}

/** `cordon monitor`: how calls go, and what was promised. */
export function addMonitorCommands(program: Command, context: CliContext): void {
  const monitor = program.command('monitor').description('how calls go: rate, errors, latency, and what was promised');

  monitor
    .command('calls')
    .description('calls by app, integration, operation, reason or pair')
    .option('--by <group>', GROUPS.join(', '), 'app')
    .option('--since <span>', 'how far back: 15m, 24h, 7d', '1h')
    .option('--app <id>', 'of one app')
    .option('--integration <id>', 'of one integration')
    .option('--json', 'as JSON')
    .action(async (options: { by: string; since: string; app?: string; integration?: string; json?: boolean }) => {
      const by = GROUPS.find((one) => one === options.by);
      if (!by) throw new UsageWrong(`--by is one of: ${GROUPS.join(', ')}.`);
      const { api } = await context.connect();
      const about = {
        ...(options.app !== undefined && { app: options.app }),
        ...(options.integration !== undefined && { integration: options.integration }),
      };
      const query = { by, windowMs: parseSpan(options.since), ...about };
      const { items } = take(await api.GET('/api/v1/monitor/rows', { params: { query } }));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [
        one.key.map(({ name, id }) => name || id || 'none').join(' to '),
        String(one.calls),
        percent(one.failures, one.calls),
        String(one.refusals),
        ms(one.p50),
        ms(one.p95),
        ms(one.p99),
        String(one.responseBytes),
        String(one.records),
      ]);
      return printTable([by, 'calls', 'failed', 'refused', 'p50', 'p95', 'p99', 'bytes', 'records'], rows);
    });

  const slo = monitor.command('slo').description('what apps promise: availability and latency');
  slo
    .command('list')
    .description('promises, their budget and what burns')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/monitor/slos'));
      if (options.json) return printJson(items);
      const rows = items.map(({ name, kind, objective, latencyMs, state }) => [
        name,
        kind === 'latency' ? `${objective * 100}% under ${latencyMs} ms` : `${objective * 100}% available`,
        state === null ? '-' : percent(state.total - state.bad, state.total),
        state === null ? '-' : `${(state.budgetLeft * 100).toFixed(1)}%`,
        state === null ? 'not measured yet' : (state.firing ?? 'kept'),
      ]);
      return printTable(['SLO', 'promise', 'measured', 'budget left', 'state'], rows);
    });
  slo
    .command('add <name>')
    .description('promise something of an app')
    .requiredOption('--app <id>', 'whose calls')
    .requiredOption('--objective <percent>', 'share of good calls, such as 99.9')
    .option('--latency <ms>', 'calls that take longer are bad; absent: availability')
    .option('--integration <id>', 'of one integration')
    .option('--operation <id>', 'of one operation')
    .option('--days <days>', 'the period', Number, 30)
    .action(async (name: string, options: SloOptions) => {
      const { api } = await context.connect();
      const latencyMs = options.latency === undefined ? null : Number(options.latency);
      const body = {
        name,
        kind: latencyMs === null ? ('availability' as const) : ('latency' as const),
        appId: options.app,
        integrationId: options.integration ?? null,
        operation: options.operation ?? null,
        objective: Number(options.objective.replace(/%$/, '')) / 100,
        periodDays: options.days,
        latencyMs,
      };
      take(await api.POST('/api/v1/monitor/slos', { body }));
      note(`${name} is measured from now on`);
    });
  slo
    .command('remove <name>')
    .description('measure it no longer')
    .action(async (name: string) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/monitor/slos'));
      const found = items.find((one) => one.name === name);
      if (!found) throw new UsageWrong(`There is no SLO ${name}.`);
      take(await api.DELETE('/api/v1/monitor/slos/{id}', { params: { path: { id: found.id } } }));
      note('removed');
    });
}
