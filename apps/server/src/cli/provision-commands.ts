import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const GROUPS_PAGES_MAX = 1_000;

/** Tools that people are pushed to: what would change, what was changed, and the evidence. */
export function addProvisionCommands(program: Command, context: CliContext): void {
  const provision = program
    .command('provision')
    .description('push people to tools over SCIM: targets, previews, pushes, drift, dates');
  addTargetCommands(provision, context);
  addRunCommands(provision, context);
  addDateCommand(provision, context);
}

async function findTarget(context: CliContext, name: string) {
  const { api } = await context.connect();
  const { items } = take(await api.GET('/api/v1/provisioning/targets'));
  const found = items.find((one) => one.id === name || one.name.toLowerCase() === name.toLowerCase());
  if (!found) throw new UsageWrong(`There is no target ${name}.`);
  return { api, target: found };
}

async function groupIds(context: CliContext, names: readonly string[]): Promise<string[]> {
  const { api } = await context.connect();
  const left = new Set(names);
  const ids: string[] = [];
  let after: string | undefined;
  for (let page = 0; page < GROUPS_PAGES_MAX && left.size > 0; page += 1) {
    const query = after === undefined ? {} : { after };
    const { groups, next } = take(await api.GET('/api/v1/groups', { params: { query } }));
    for (const { id, displayName } of groups) {
      if (left.delete(displayName) || left.delete(id)) ids.push(id);
    }
    if (next === null) break;
    after = next;
  }
  if (left.size > 0) throw new UsageWrong(`There is no group ${[...left].join(', ')}.`);
  return ids;
}

interface AddOptions {
  readonly group: string[];
  readonly url?: string;
  readonly delete?: true;
  readonly private?: string[];
  readonly pushGroup?: string[];
}

function addTargetCommands(provision: Command, context: CliContext): void {
  provision
    .command('add <name>')
    .description('add a tool; its bearer token is read from standard input, never from the command line')
    .requiredOption('--group <name...>', 'whose members have an account there')
    .option('--url <url>', 'the SCIM server, such as https://tool.example/scim/v2; without it each change is a task')
    .option('--delete', 'delete accounts instead of turning them off')
    .option('--private <address...>', 'private addresses it may be reached at')
    .option('--push-group <name...>', 'groups to make there, with those of their members who have an account')
    .action(async (name: string, options: AddOptions) => {
      const { api } = await context.connect();
      const groups = await groupIds(context, options.group);
      const common = { name, groups, onLeave: options.delete ? ('delete' as const) : ('deactivate' as const) };
      const body =
        options.url === undefined
          ? { kind: 'task' as const, ...common }
          : {
              kind: 'scim' as const,
              ...common,
              baseUrl: options.url,
              token: (await text(process.stdin)).trim(),
              privateAddresses: options.private ?? [],
              pushGroups: await groupIds(context, options.pushGroup ?? []),
            };
      const made = take(await api.POST('/api/v1/provisioning/targets', { body }));
      note('Nothing was sent. Look at a preview first: cordon provision preview');
      print(made.id);
    });
  provision
    .command('targets')
    .description('the tools that people are pushed to')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/provisioning/targets'));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [
        one.name,
        one.kind,
        one.baseUrl ?? 'by hand',
        one.paused ? 'paused' : 'active',
        one.checkedAt === null ? 'never' : new Date(one.checkedAt).toISOString(),
        one.id,
      ]);
      return printTable(['target', 'kind', 'where', 'state', 'last compared', 'id'], rows);
    });
  for (const [verb, paused] of [
    ['pause', true],
    ['resume', false],
  ] as const) {
    provision
      .command(`${verb} <target>`)
      .description(paused ? 'stop pushing by itself' : 'push by itself again')
      .action(async (name: string) => {
        const { api, target } = await findTarget(context, name);
        const params = { path: { id: target.id } };
        take(await api.PATCH('/api/v1/provisioning/targets/{id}', { params, body: { paused } }));
      });
  }
}

function addRunCommands(provision: Command, context: CliContext): void {
  const begin = async (name: string, mode: 'preview' | 'push', options: { reason: string; allow?: number }) => {
    const { api, target } = await findTarget(context, name);
    const leaversAllowed = options.allow === undefined ? {} : { leaversAllowed: options.allow };
    const body = { mode, reason: options.reason, ...leaversAllowed };
    const params = { path: { id: target.id } };
    const { runId } = take(await api.POST('/api/v1/provisioning/targets/{id}/runs', { params, body }));
    note(`Under way: cordon provision show ${runId}`);
    print(runId);
  };
  provision
    .command('preview <target>')
    .description('compare and show what a push would do; sends nothing that changes')
    .option('--reason <text>', 'why', 'preview')
    .action((name: string, options: { reason: string }) => begin(name, 'preview', options));
  provision
    .command('push <target>')
    .description('bring the tool to what is wanted, drift included')
    .requiredOption('--reason <text>', 'why; kept as evidence')
    .option('--allow <number>', 'how many accounts it may take away', Number)
    .action((name: string, options: { reason: string; allow?: number }) => begin(name, 'push', options));
  provision
    .command('runs')
    .description('newest first')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/provisioning/runs', { params: { query: {} } }));
      if (options.json) return printJson(items);
      const rows = items.map(({ id, targetName, mode, startedAt, endedAt, error, counts }) => [
        id,
        targetName,
        mode,
        new Date(startedAt).toISOString(),
        error ?? (endedAt === null ? 'under way' : 'ended'),
        String(mode === 'preview' ? counts.planned : counts.done + counts.nothing),
        String(counts.task),
        String(counts.failed),
      ]);
      return printTable(['run', 'target', 'mode', 'began', 'state', 'planned or done', 'tasks', 'failed'], rows);
    });
  provision
    .command('show <run>')
    .description('every person with what differs and the evidence')
    .option('--json', 'as JSON')
    .action(async (id: string, options: { json?: boolean }) => {
      const { api } = await context.connect();
      const shown = take(await api.GET('/api/v1/provisioning/runs/{id}', { params: { path: { id } } }));
      if (options.json) return printJson(shown);
      const rows = shown.items.map((one) => [
        one.state,
        one.act,
        one.personName,
        one.differences.map(({ path, changed }) => (changed === 'there' ? `${path} (drift)` : path)).join(', '),
        one.detail ?? '',
        one.personId,
      ]);
      const groups = shown.groups.map((one) => [
        one.state,
        one.act,
        `group ${one.groupName}`,
        one.differences.map(({ path, changed }) => (changed === 'there' ? `${path} (drift)` : path)).join(', '),
        one.detail ?? '',
        one.groupId,
      ]);
      note(
        shown.run.error ?? (shown.run.endedAt === null ? 'Under way.' : `${shown.run.unmanaged} not managed there.`),
      );
      return printTable(['state', 'act', 'who', 'differs', 'evidence', 'id'], [...rows, ...groups]);
    });
  provision
    .command('done <run> <person>')
    .description('say how a task was done; it is the evidence')
    .requiredOption('--note <text>', 'what was done')
    .action(async (id: string, person: string, options: { note: string }) => {
      const { api } = await context.connect();
      const body = { person, note: options.note };
      take(await api.POST('/api/v1/provisioning/runs/{id}/tasks', { params: { path: { id } }, body }));
    });
}

function instantOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new UsageWrong(`${text} is not a date such as 2026-12-31.`);
  return at;
}

function addDateCommand(provision: Command, context: CliContext): void {
  provision
    .command('dates <person>')
    .description('set when a person (by id) begins and ends; a date that is not given is taken away')
    .option('--starts <date>', 'no account in any target before this day')
    .option('--ends <date>', 'on this day the person becomes a leaver')
    .action(async (id: string, options: { starts?: string; ends?: string }) => {
      const { api } = await context.connect();
      const body = { startsAt: instantOf(options.starts), endsAt: instantOf(options.ends) };
      take(await api.PUT('/api/v1/people/{id}/dates', { params: { path: { id } }, body }));
    });
}
