import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { printTable, take, UsageWrong } from './output.ts';

export interface AppHost {
  readonly role: string;
  readonly upstream: string;
}

/** `uploads=https://uploads.github.com`: what a further host of a vendor is for, and where it is. */
export function readHost(text: string): AppHost {
  const match = /^([a-z0-9][a-z0-9-]*)=(https?:\/\/.+)$/.exec(text);
  if (!match) throw new UsageWrong(`${text} is no host: write ROLE=URL, such as uploads=https://uploads.example.com.`);
  return { role: match[1] ?? '', upstream: (match[2] ?? '').replace(/\/+$/, '') };
}

/** The hosts that an app has afterwards: a role that was there is replaced, others stay. */
export function changeHosts(
  before: readonly AppHost[],
  set: readonly AppHost[],
  remove: readonly string[],
): readonly AppHost[] {
  const unknown = remove.find((role) => !before.some((host) => host.role === role));
  if (unknown !== undefined) throw new UsageWrong(`The app has no host for ${unknown}.`);
  const gone = new Set([...remove, ...set.map(({ role }) => role)]);
  return [...before.filter(({ role }) => !gone.has(role)), ...set];
}

export function addAppHostCommands(
  app: Command,
  context: CliContext,
  findAppId: (context: CliContext, name: string) => Promise<string>,
): void {
  app
    .command('hosts <name>')
    .description("the vendor's further hosts, each reached at /<name>~<role>/…")
    .option('--set <role=url...>', 'add a host, or replace the one of this role')
    .option('--remove <role...>', 'take a host away')
    .action(async (name: string, options: { set?: string[]; remove?: string[] }) => {
      const set = (options.set ?? []).map(readHost);
      const remove = options.remove ?? [];
      const { api } = await context.connect();
      const params = { path: { id: await findAppId(context, name) } };
      let { settings } = take(await api.GET('/api/v1/apps/{id}', { params }));
      if (set.length > 0 || remove.length > 0) {
        const hosts = [...changeHosts(settings.hosts ?? [], set, remove)];
        ({ settings } = take(await api.PATCH('/api/v1/apps/{id}', { params, body: { hosts } })));
      }
      const rows = (settings.hosts ?? []).map(({ role, upstream }) => [role, upstream]);
      return printTable(['role', 'upstream'], rows);
    });
}
