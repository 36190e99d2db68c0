import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { findAppId } from './app-commands.ts';
import type { CliContext } from './context.ts';
import { note, printTable, take } from './output.ts';

/** `cordon graphql …`: GraphQL endpoints of apps. */
export function addGraphqlCommands(program: Command, context: CliContext): void {
  const graphql = program.command('graphql').description('GraphQL endpoints: limits, schema, operations');
  graphql
    .command('enable <app>')
    .description('judge GraphQL documents that are sent to an app')
    .option('--path <path...>', 'where it speaks GraphQL', ['/graphql'])
    .option('--introspection', 'let integrations ask for the schema')
    .option('--depth <number>', 'how deep documents may nest', Number)
    .option('--cost <number>', 'how many objects a document may ask for', Number)
    .action(
      async (app: string, options: { path: string[]; introspection?: boolean; depth?: number; cost?: number }) => {
        const { api } = await context.connect();
        const body = {
          graphql: {
            paths: options.path,
            introspection: options.introspection ? ('allow' as const) : ('refuse' as const),
            ...(options.depth === undefined ? {} : { depthMax: options.depth }),
            ...(options.cost === undefined ? {} : { costMax: options.cost }),
          },
        };
        const params = { path: { id: await findAppId(context, app) } };
        take(await api.PATCH('/api/v1/apps/{id}', { params, body: body as never })); // the server fills in what is left out
        note(`Fields are operations now: cordon grant add INTEGRATION ${app} --path "QUERY /viewer/**"`);
      },
    );
  graphql
    .command('schema <app> <file>')
    .description('give the schema (SDL, or the JSON of an introspection) that documents are checked against')
    .action(async (app: string, file: string) => {
      const { api } = await context.connect();
      const params = { path: { id: await findAppId(context, app) } };
      const document = await readFile(file, 'utf8');
      const summary = take(await api.PUT('/api/v1/apps/{id}/graphql/schema', { params, body: { document } }));
      note(`${summary?.types ?? 0} types, ${summary?.operations.length ?? 0} root fields`);
    });
  graphql
    .command('operations <app>')
    .description('list the root fields that can be granted')
    .option('--match <text>', 'only those whose id contains this')
    .action(async (app: string, options: { match?: string }) => {
      const { api } = await context.connect();
      const params = { path: { id: await findAppId(context, app) } };
      const summary = take(await api.GET('/api/v1/apps/{id}/graphql/schema', { params }));
      const wanted = (summary?.operations ?? []).filter(({ id }) => id.includes(options.match ?? ''));
      printTable(
        ['operation', 'access', 'summary'],
        wanted.map((one) => [one.id, one.access, one.summary]),
      );
    });
}
