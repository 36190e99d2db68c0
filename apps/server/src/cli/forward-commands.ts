import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { parseSpan } from './event-commands.ts';
import { note, printJson, printTable, take, UsageWrong } from './output.ts';

interface AddOptions {
  readonly kind: string;
  readonly query?: string;
  readonly since?: string;
  readonly set: readonly string[];
  readonly caFile?: string;
  readonly secretEnv?: string;
  readonly secretFile?: string;
  readonly allowAddress?: readonly string[];
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** `port=6514` as settings; numbers where the setting is one. */
function readSettings(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1)
        throw new UsageWrong(
          '--set takes name=value, such as url=https://splunk.example:8088/services/collector/event',
        );
      const [key, value] = [pair.slice(0, at), pair.slice(at + 1)];
      return [key, key === 'port' ? Number(value) : value];
    }),
  );
}

async function readSecret(context: CliContext, { secretEnv, secretFile }: AddOptions): Promise<string | null> {
  if (secretFile !== undefined) return (await readFile(secretFile, 'utf8')).trim();
  if (secretEnv === undefined) return null;
  const value = context.env[secretEnv];
  if (value === undefined || value === '') throw new UsageWrong(`The environment variable ${secretEnv} is empty.`);
  return value;
}

/** `cordon forward`: events on to other systems. */
export function addForwardCommands(program: Command, context: CliContext): void {
  const forward = program.command('forward').description('events on to Splunk, Elastic, syslog, S3 or a webhook');

  async function find(name: string) {
    const { api } = await context.connect();
    const { items } = take(await api.GET('/api/v1/forward-targets'));
    const found = items.find((one) => one.name === name || one.id === name);
    if (!found) throw new UsageWrong(`There is no target ${name}.`);
    return { api, params: { path: { id: found.id } } };
  }

  forward
    .command('add <name>')
    .description('forward what the lake takes from now on, or from an earlier time')
    .requiredOption('--kind <kind>', 'splunk, elastic, syslog, s3 or webhook')
    .option('--set <name=value>', 'a setting of the kind, such as url=… or host=…; repeatable', collect, [])
    .option('--query <query>', 'only what this search finds')
    .option('--since <span>', 'also what the lake took in the last 15m, 24h, 7d')
    .option('--ca-file <path>', 'certificate authority of the target, PEM')
    .option('--secret-env <name>', 'environment variable that holds token, key or signing secret')
    .option('--secret-file <path>', 'file that holds it')
    .option('--allow-address <ip...>', 'exact private addresses that the target may lie at')
    .action(async (name: string, options: AddOptions) => {
      const { api } = await context.connect();
      const secret = await readSecret(context, options);
      const body = {
        name,
        kind: options.kind,
        settings: {
          ...readSettings(options.set),
          ...(options.caFile !== undefined && { ca: await readFile(options.caFile, 'utf8') }),
        },
        ...(secret !== null && { secret }),
        ...(options.query !== undefined && { query: options.query }),
        ...(options.since !== undefined && { from: Date.now() - parseSpan(options.since) }),
        ...(options.allowAddress && { privateAddresses: options.allowAddress }),
      };
      // The server checks kind and settings together, whatever they are.
      const target = take(await api.POST('/api/v1/forward-targets', { body: body as never }));
      note(`${target.name} forwards to ${target.place}`);
    });

  forward
    .command('list')
    .description('targets, how far each has got, and what stands in its way')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/forward-targets'));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [
        one.name,
        one.kind,
        one.place,
        one.status,
        String(one.sent),
        String(one.refused),
        one.lagMs === 0 ? 'none' : `${Math.round(one.lagMs / 1000)} s`,
        one.lastError ?? one.lastRefusal ?? '',
      ]);
      return printTable(['name', 'kind', 'to', 'state', 'sent', 'refused', 'lag', 'last error'], rows);
    });

  for (const [command, status, said] of [
    ['pause', 'paused', 'paused; its place is kept'],
    ['resume', 'active', 'goes on from where it was'],
  ] as const) {
    forward
      .command(`${command} <name>`)
      .description(status === 'paused' ? 'send nothing until it is resumed' : 'go on, and try a failing target at once')
      .action(async (name: string) => {
        const { api, params } = await find(name);
        take(await api.PATCH('/api/v1/forward-targets/{id}', { params, body: { status } }));
        note(`${name} ${said}`);
      });
  }

  forward
    .command('rewind <name>')
    .description('send again what the lake took in the last 15m, 24h, 7d')
    .requiredOption('--since <span>', 'how far back')
    .action(async (name: string, options: { since: string }) => {
      const { api, params } = await find(name);
      const body = { from: Date.now() - parseSpan(options.since) };
      take(await api.PATCH('/api/v1/forward-targets/{id}', { params, body }));
      note(`${name} starts again ${options.since} ago`);
    });

  forward
    .command('remove <name>')
    .description('forward to it no longer')
    .action(async (name: string) => {
      const { api, params } = await find(name);
      take(await api.DELETE('/api/v1/forward-targets/{id}', { params }));
      note('removed');
    });
}
