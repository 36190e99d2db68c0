import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { UsageWrong, day, note, print, printJson, printTable, take } from './output.ts';
import type { CliContext } from './context.ts';
import { addAppCertificateCommands } from './app-certificate-commands.ts';
import { addAppHostCommands } from './app-host-commands.ts';
import { addCredentialCommands } from './credential-commands.ts';

const FETCH_MS_MAX = 30_000;

async function readSource(source: string): Promise<string> {
  if (!/^https?:\/\//.test(source)) return readFile(source, 'utf8');
  const response = await fetch(source, { signal: AbortSignal.timeout(FETCH_MS_MAX) });
  if (!response.ok) throw new UsageWrong(`${source} answered ${response.status}.`);
  return response.text();
}

interface CredentialOptions {
  readonly credentialKind?: string;
  readonly credentialEnv?: string;
  readonly credentialFile?: string;
  readonly credentialHeader?: string;
  readonly credentialParameter?: string;
  readonly credentialScheme?: string;
}

/** Secrets come from the environment or a file, never from the argument list, which every user of the machine sees. */
async function readCredential(options: CredentialOptions, context: CliContext) {
  const { credentialEnv, credentialFile } = options;
  if (credentialEnv === undefined && credentialFile === undefined) return null;
  const secret =
    credentialEnv === undefined
      ? (await readFile(credentialFile ?? '', 'utf8')).trim()
      : (context.env[credentialEnv] ?? '');
  if (secret === '') {
    const where = credentialEnv === undefined ? `file ${credentialFile}` : `variable ${credentialEnv}`;
    throw new UsageWrong(`The credential is empty: the ${where} holds nothing.`);
  }
  switch (options.credentialKind ?? 'bearer') {
    case 'bearer':
      return { kind: 'bearer' as const, secret, scheme: options.credentialScheme ?? 'Bearer' };
    case 'basic':
      return { kind: 'basic' as const, secret };
    case 'api-key-header':
      return { kind: 'api-key-header' as const, secret, header: options.credentialHeader ?? 'X-Api-Key', prefix: '' };
    case 'api-key-query':
      return { kind: 'api-key-query' as const, secret, parameter: options.credentialParameter ?? 'api_key' };
    default:
      throw new UsageWrong('--credential-kind is bearer, basic, api-key-header or api-key-query.');
  }
}

function withCredential(command: Command): Command {
  return command
    .option('--credential-kind <kind>', 'bearer, basic, api-key-header or api-key-query', 'bearer')
    .option('--credential-env <name>', 'environment variable that holds the vendor secret')
    .option('--credential-file <path>', 'file that holds the vendor secret')
    .option('--credential-header <name>', 'header for api-key-header')
    .option('--credential-parameter <name>', 'query parameter for api-key-query')
    .option('--credential-scheme <scheme>', 'what stands before a bearer token, such as token');
}

export async function findAppId(context: CliContext, name: string): Promise<string> {
  const { api } = await context.connect();
  const { items } = take(await api.GET('/api/v1/apps'));
  const app = items.find((candidate) => candidate.name === name || candidate.id === name);
  if (!app)
    throw new UsageWrong(`There is no app ${name}. Known: ${items.map((one) => one.name).join(', ') || 'none'}.`);
  return app.id;
}

export function addAppCommands(program: Command, context: CliContext): void {
  const app = program.command('app').description('SaaS tools behind the gateway');

  withCredential(
    app
      .command('add <name>')
      .description('add a SaaS tool')
      .requiredOption('--upstream <url>', 'base URL of its API')
      .option('--title <text>', 'name that people read')
      .option('--description <file-or-url>', 'its OpenAPI description')
      .option('--port <number>', 'a listener of its own, for SDKs that drop path prefixes', Number)
      .option('--allow-address <ip...>', 'exact private addresses that the upstream may have')
      .option('--allow-plaintext', 'accept an http:// upstream')
      .option('--allow-unknown-operations', 'let calls pass that the description does not name'),
  ).action(
    async (
      name: string,
      options: CredentialOptions & {
        upstream: string;
        title?: string;
        description?: string;
        port?: number;
        allowAddress?: string[];
        allowPlaintext?: boolean;
        allowUnknownOperations?: boolean;
      },
    ) => {
      const { api } = await context.connect();
      const [credential, description] = await Promise.all([
        readCredential(options, context),
        options.description === undefined ? null : readSource(options.description),
      ]);
      const created = take(
        await api.POST('/api/v1/apps', {
          body: {
            name,
            upstream: options.upstream,
            ...(options.title === undefined ? {} : { title: options.title }),
            ...(options.port === undefined ? {} : { port: options.port }),
            ...(options.allowAddress ? { privateAddresses: options.allowAddress } : {}),
            ...(options.allowPlaintext ? { plaintext: 'allow' as const } : {}),
            ...(options.allowUnknownOperations ? { unknownOperations: 'allow' as const } : {}),
          },
        }),
      );
      const params = { path: { id: created.id } };
      if (description !== null) {
        const app = take(await api.PUT('/api/v1/apps/{id}/description', { params, body: { document: description } }));
        note(`${app.description?.operations ?? 0} operations known`);
      } else if (!options.allowUnknownOperations) {
        note('Without a description every call is refused; give one with: cordon app describe');
      }
      if (credential) take(await api.PUT('/api/v1/apps/{id}/credential', { params, body: credential }));
      print(created.id);
    },
  );

  app
    .command('describe <name> <file-or-url>')
    .description('set or replace the OpenAPI description')
    .action(async (name: string, source: string) => {
      const { api } = await context.connect();
      const params = { path: { id: await findAppId(context, name) } };
      const document = await readSource(source);
      const result = take(await api.PUT('/api/v1/apps/{id}/description', { params, body: { document } }));
      print(`${result.description?.operations ?? 0} operations known`);
    });

  const credential = withCredential(
    app.command('credential').argument('[name]').description('set or replace the vendor credential'),
  );
  addCredentialCommands(credential, context, findAppId);
  credential.action(async (name: string | undefined, options: CredentialOptions) => {
    if (name === undefined) throw new UsageWrong('Name an app, or one of the commands: cordon app credential --help');
    const { api } = await context.connect();
    const body = await readCredential(options, context);
    if (!body) throw new UsageWrong('Give --credential-env NAME or --credential-file PATH.');
    const params = { path: { id: await findAppId(context, name) } };
    take(await api.PUT('/api/v1/apps/{id}/credential', { params, body }));
    note('The credential was replaced; integrations go on unnoticed.');
  });

  addAppHostCommands(app, context, findAppId);
  addAppCertificateCommands(app, context, findAppId);

  app
    .command('list')
    .description('list apps')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/apps'));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [
        one.name,
        one.settings.upstream ?? '',
        String(one.description?.operations ?? 'no description'),
        one.credential ? `${one.credential.kind}, ${day(one.credential.createdAt)}` : 'none',
      ]);
      return printTable(['name', 'upstream', 'operations', 'credential'], rows);
    });

  app
    .command('operations <name>')
    .description('list the operations that can be granted')
    .option('--match <text>', 'only those whose id or path contains this')
    .action(async (name: string, options: { match?: string }) => {
      const { api } = await context.connect();
      const params = { path: { id: await findAppId(context, name) } };
      const { items } = take(await api.GET('/api/v1/apps/{id}/operations', { params }));
      const wanted = items.filter((one) => `${one.id} ${one.path}`.includes(options.match ?? ''));
      printTable(
        ['operation', 'access', 'call'],
        wanted.map((one) => [one.id, one.access, `${one.method} ${one.path}`]),
      );
    });

  app
    .command('remove <name>')
    .description('remove an app and every grant to it')
    .action(async (name: string) => {
      const { api } = await context.connect();
      const params = { path: { id: await findAppId(context, name) } };
      take(await api.DELETE('/api/v1/apps/{id}', { params }));
    });
}
