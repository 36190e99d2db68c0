import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const ROLES = ['owner', 'security', 'developer', 'app-owner', 'responder', 'auditor'] as const;

interface AskOptions {
  readonly reason: string;
  readonly minutes: number;
  readonly integration?: string;
  readonly operation?: string[];
}

/** Access for a while: ask, decide, end, and the history. */
export function addElevationCommands(program: Command, context: CliContext): void {
  const elevation = program.command('elevation').description('access for a while: ask, approve, end, history');
  addAskCommand(elevation, context);
  elevation
    .command('list')
    .description('your own; with --all everybody’s, with --waiting those that wait for you')
    .option('--all', 'everybody’s')
    .option('--waiting', 'those that you decide about')
    .option('--json', 'as JSON')
    .action(async (options: { all?: true; waiting?: true; json?: boolean }) => {
      const { api } = await context.connect();
      const scope = options.all ? 'all' : options.waiting ? 'to-decide' : 'own';
      const { items } = take(await api.GET('/api/v1/elevations', { params: { query: { scope } } }));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [
        one.id,
        one.person.name,
        `${one.kind} ${one.name}`,
        one.integration?.name ?? '',
        one.state,
        String(one.minutes),
        one.decidedBy?.name ?? `waits for ${one.approver?.name ?? 'an owner'}`,
        one.endedAt ?? one.endsAt ?? '',
        one.reason,
      ]);
      return printTable(['id', 'who', 'what', 'for', 'state', 'minutes', 'decided by', 'ends', 'why'], rows);
    });
  for (const approve of [true, false]) {
    elevation
      .command(`${approve ? 'approve' : 'refuse'} <id>`)
      .description(approve ? 'approve what somebody else asked for' : 'refuse it')
      .option('--note <text>', 'kept with the decision', '')
      .action(async (id: string, options: { note: string }) => {
        const { api } = await context.connect();
        const body = { approve, note: options.note };
        const done = take(await api.POST('/api/v1/elevations/{id}/decide', { params: { path: { id } }, body }));
        print(done.endsAt === null ? done.state : `live until ${done.endsAt}`);
      });
  }
  elevation
    .command('end <id>')
    .description('end it now, or withdraw what nobody decided')
    .requiredOption('--why <text>', 'kept with it')
    .action(async (id: string, options: { why: string }) => {
      const { api } = await context.connect();
      const body = { why: options.why };
      print(take(await api.POST('/api/v1/elevations/{id}/end', { params: { path: { id } }, body })).state);
    });
}

function addAskCommand(elevation: Command, context: CliContext): void {
  elevation
    .command('ask <kind> <what>')
    .description('ask for a role, a group, an app (sign-on) or operations of an app behind the gateway; by name')
    .requiredOption('--reason <text>', 'why; whoever decides reads it')
    .option('--minutes <number>', 'how long, from the approval', Number, 60)
    .option('--integration <name>', 'for operations: which integration')
    .option('--operation <id...>', 'for operations: which')
    .action(async (kind: string, what: string, options: AskOptions) => {
      const { api } = await context.connect();
      const common = { reason: options.reason, minutes: options.minutes };
      const body = await bodyOf(context, kind, what, options);
      const made = take(await api.POST('/api/v1/elevations', { body: { ...common, ...body } }));
      note(`Waits for ${made.approver?.name ?? 'an owner of Cordon'}.`);
      print(made.id);
    });
}

/** What is asked for, with the id behind the name. */
async function bodyOf(context: CliContext, kind: string, what: string, options: AskOptions) {
  const { api } = await context.connect();
  if (kind === 'role') {
    const ref = ROLES.find((role) => role === what);
    if (!ref) throw new UsageWrong(`A role is one of: ${ROLES.join(', ')}.`);
    return { kind: 'role' as const, ref };
  }
  if (kind === 'group' || kind === 'app') {
    const choices = take(await api.GET('/api/v1/elevations/choices'));
    const found = (kind === 'group' ? choices.groups : choices.apps).find(
      ({ id, name }) => id === what || name === what,
    );
    if (!found) throw new UsageWrong(`There is no ${kind} ${what}.`);
    return kind === 'group' ? { kind: 'group' as const, ref: found.id } : { kind: 'app' as const, ref: found.id };
  }
  if (kind !== 'operation') throw new UsageWrong('Ask for a role, a group, an app or an operation.');
  const apps = take(await api.GET('/api/v1/apps')).items;
  const app = apps.find(({ id, name }) => id === what || name === what);
  const integrations = take(await api.GET('/api/v1/integrations')).items;
  const integration = integrations.find(({ id, name }) => id === options.integration || name === options.integration);
  if (!app) throw new UsageWrong(`There is no app ${what}.`);
  if (!integration || !options.operation) throw new UsageWrong('Name --integration and --operation.');
  return { kind: 'operation' as const, ref: app.id, integrationId: integration.id, operations: options.operation };
}
