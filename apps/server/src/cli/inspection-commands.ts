import type { Command } from 'commander';
import { findAppId } from './app-commands.ts';
import type { CliContext } from './context.ts';
import { day, note, print, printTable, take, UsageWrong } from './output.ts';

const DAY_MS = 86_400_000;
const EXCEPTION_DAYS = 90;
const PLACES = ['path', 'query', 'header', 'body'] as const;

/** `cordon injection …` and `cordon proxy …`. */
export function addInspectionCommands(program: Command, context: CliContext): void {
  addInjection(program, context);
  addProxy(program, context);
}

async function loadApp(context: CliContext, name: string) {
  const { api } = await context.connect();
  const id = await findAppId(context, name);
  return { api, id, app: take(await api.GET('/api/v1/apps/{id}', { params: { path: { id } } })) };
}

function addInjection(program: Command, context: CliContext): void {
  const injection = program.command('injection').description('injection attempts: what an app does about them');
  injection
    .command('show <app>')
    .description('mode and exceptions of an app')
    .action(async (name: string) => {
      const { app } = await loadApp(context, name);
      print(`mode: ${app.settings.injection}`);
      const rows = app.settings.injectionExceptions.map((one) => [
        `${one.in}${one.pointer}`,
        one.kind ?? 'any',
        one.operationId ?? 'any',
        day(one.expiresAt),
        one.note,
      ]);
      if (rows.length > 0) printTable(['field', 'kind', 'operation', 'until', 'note'], rows);
    });
  injection
    .command('set <app> <mode>')
    .description('refuse, detect or off')
    .option('--answers', 'for what the app answers, instead of what it is sent')
    .action(async (name: string, mode: string, options: { answers?: boolean }) => {
      if (mode !== 'refuse' && mode !== 'detect' && mode !== 'off')
        throw new UsageWrong('The mode is refuse, detect or off.');
      const { api, id } = await loadApp(context, name);
      take(
        await api.PATCH('/api/v1/apps/{id}', {
          params: { path: { id } },
          body: options.answers ? { injectionAnswers: mode } : { injection: mode },
        }),
      );
      note(`${name}: ${mode}.`);
    });
  injection
    .command('except <app> <place> <pointer>')
    .description('let a field hold what reads like an attack, such as: body /rules/*/expression')
    .option('--kind <kind>', 'only this kind, such as sql')
    .option('--operation <id>', 'only in this operation')
    .option('--days <number>', 'when it ends', Number, EXCEPTION_DAYS)
    .option('--note <text>', 'why', '')
    .action(
      async (
        name: string,
        place: string,
        pointer: string,
        options: { kind?: string; operation?: string; days: number; note: string },
      ) => {
        const where = PLACES.find((one) => one === place);
        if (!where) throw new UsageWrong('The place is path, query, header or body.');
        const { api, id, app } = await loadApp(context, name);
        const added = {
          in: where,
          pointer,
          kind: (options.kind ?? null) as 'sql' | null, // the server checks it and names what is allowed
          operationId: options.operation ?? null,
          expiresAt: Date.now() + options.days * DAY_MS,
          note: options.note,
        };
        const injectionExceptions = [...app.settings.injectionExceptions, added];
        take(await api.PATCH('/api/v1/apps/{id}', { params: { path: { id } }, body: { injectionExceptions } }));
        note(`${place}${pointer} is excepted until ${day(added.expiresAt)}.`);
      },
    );
}

function addProxy(program: Command, context: CliContext): void {
  const proxy = program.command('proxy').description('the forward proxy (HTTPS_PROXY)');
  proxy
    .command('show')
    .description('what happens to destinations that belong to no app')
    .action(async () => {
      const { api } = await context.connect();
      const { unknown, sni, ports } = take(await api.GET('/api/v1/proxy'));
      print(`unknown destinations: ${unknown}, on port ${ports.join(', ')}\nname in the handshake: ${sni}`);
    });
  proxy
    .command('set')
    .description('change it')
    .option('--unknown <what>', 'refuse or observe')
    .option('--sni <what>', 'match or any')
    .option('--port <number...>', 'ports of unknown destinations')
    .action(async ({ unknown, sni, port }: { unknown?: string; sni?: string; port?: string[] }) => {
      const { api } = await context.connect();
      const body = {
        ...(unknown === undefined ? {} : { unknown: unknown as 'refuse' }), // the server checks both
        ...(sni === undefined ? {} : { sni: sni as 'match' }),
        ...(port === undefined ? {} : { ports: port.map(Number) }),
      };
      take(await api.PATCH('/api/v1/proxy', { body }));
      note('The gateways are told.');
    });
  proxy
    .command('ca')
    .description('print the certificate that clients of opened connections have to trust')
    .action(async () => {
      const { api } = await context.connect();
      print(take(await api.GET('/api/v1/proxy')).certificate.trim());
    });
  proxy
    .command('destinations')
    .description('where integrations went through the proxy')
    .action(async () => {
      const { api } = await context.connect();
      const query = { query: 'unmapped.cordon.proxy.way:*', fields: 'host' };
      const { fields } = take(await api.GET('/api/v1/events/facets', { params: { query } }));
      printTable(
        ['host', 'connections'],
        (fields['host'] ?? []).map(({ value, count }) => [value, String(count)]),
      );
    });
}
