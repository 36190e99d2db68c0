import { readFile } from 'node:fs/promises';
import { parseSelector } from '@cordon/policy';
import type { Command } from 'commander';
import { findAppId } from './app-commands.ts';
import type { CliContext } from './context.ts';
import { day, note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const DAY_MS = 86_400_000;

export async function findIntegration(context: CliContext, name: string) {
  const { api } = await context.connect();
  const { items } = take(await api.GET('/api/v1/integrations'));
  const integration = items.find((candidate) => candidate.name === name || candidate.id === name);
  if (!integration) {
    throw new UsageWrong(
      `There is no integration ${name}. Known: ${items.map((one) => one.name).join(', ') || 'none'}.`,
    );
  }
  return integration;
}

function expiryOf(options: { days?: number; expires?: string }): { expiresAt?: number } {
  if (options.expires !== undefined) {
    const at = Date.parse(options.expires);
    if (Number.isNaN(at)) throw new UsageWrong('--expires is a date such as 2027-06-30.');
    return { expiresAt: at };
  }
  return options.days === undefined ? {} : { expiresAt: Date.now() + options.days * DAY_MS };
}

/** `ping=https://client.example/told`. */
function deliveryOf(text: string | undefined): { mode: 'ping' | 'push'; endpoint: string } | undefined {
  if (text === undefined) return undefined;
  const [, mode, endpoint = ''] = /^(ping|push)=(https:.+)$/.exec(text) ?? [];
  if (mode !== 'ping' && mode !== 'push') throw new UsageWrong('--told is ping=https://… or push=https://….');
  return { mode, endpoint };
}

export function addIntegrationCommands(program: Command, context: CliContext): void {
  const integration = program.command('integration').description('who calls SaaS tools, and the off switch');

  integration
    .command('add <name>')
    .description('register an integration')
    .requiredOption('--purpose <text>', 'what it is for')
    .option('--days <number>', 'how long it may live; a year when absent', Number)
    .option('--expires <date>', 'the day on which it ends')
    .option('--kind <kind>', 'service, automation, agent, webhook or user', 'service')
    .action(async (name: string, options: { purpose: string; days?: number; expires?: string; kind: string }) => {
      const { api } = await context.connect();
      const kind = options.kind as 'service'; // the server checks it and names what is allowed
      const body = { name, purpose: options.purpose, kind, assurance: 'm0' as const, ...expiryOf(options) };
      print(take(await api.POST('/api/v1/integrations', { body })).id);
    });

  integration
    .command('credential <name>')
    .description('make client credentials; a secret is shown once')
    .option('--jwks <file>', 'public keys for private_key_jwt, the stronger choice: no secret exists to be stolen')
    .option('--told <ping=url>', 'how it learns of approvals: ping=https://… or push=https://…; else it polls')
    .action(async (name: string, options: { jwks?: string; told?: string }) => {
      const { api } = await context.connect();
      const { id } = await findIntegration(context, name);
      const delivery = deliveryOf(options.told);
      const method = options.jwks
        ? {
            method: 'private_key_jwt' as const,
            jwks: JSON.parse(await readFile(options.jwks, 'utf8')) as { keys: Record<string, unknown>[] }, // checked by the server
          }
        : { method: 'client_secret_basic' as const };
      const body = { ...method, ...(delivery ? { delivery } : {}) };
      const made = take(await api.POST('/api/v1/integrations/{id}/credentials', { params: { path: { id } }, body }));
      const { clientId } = made;
      if (made.clientSecret !== null) note('The secret is shown this once and can not be read back.');
      const proof = made.clientSecret === null ? '--key FILE' : '--secret-env NAME';
      note(`A token for a try: cordon token --client-id ${clientId} ${proof}`);
      printJson({
        client_id: clientId,
        ...(made.clientSecret === null ? {} : { client_secret: made.clientSecret }),
        token_endpoint: made.tokenEndpoint,
      });
    });

  integration
    .command('list')
    .description('list integrations')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/integrations'));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [one.name, one.status, one.owner.name, day(one.expiresAt), one.purpose]);
      return printTable(['name', 'status', 'owner', 'expires', 'purpose'], rows);
    });

  for (const [verb, text] of [
    ['revoke', 'cut an integration off: its tokens end and every gateway refuses it within a second'],
    ['suspend', 'quarantine an integration; undone by restore'],
    ['restore', 'undo a cut-off; old tokens stay dead'],
  ] as const) {
    integration
      .command(`${verb} <name>`)
      .description(text)
      .requiredOption('--reason <text>', 'why; kept as evidence')
      .action(async (name: string, { reason }: { reason: string }) => {
        const { api } = await context.connect();
        const { id } = await findIntegration(context, name);
        take(await api.POST(`/api/v1/integrations/{id}/${verb}`, { params: { path: { id } }, body: { reason } }));
        note(`${name}: ${verb === 'restore' ? 'active again' : 'cut off'}`);
      });
  }

  integration
    .command('cut-offs <name>')
    .description('when it was cut off and how long each gateway took')
    .action(async (name: string) => {
      const { api } = await context.connect();
      const { id } = await findIntegration(context, name);
      const { items } = take(await api.GET('/api/v1/integrations/{id}/cut-offs', { params: { path: { id } } }));
      const rows = items.map((one) => [
        new Date(one.decidedAt).toISOString(),
        one.gateways.map((gateway) => `${gateway.id} ${gateway.delayMs} ms`).join(', ') || 'waiting for gateways',
      ]);
      printTable(['decided', 'reached'], rows);
    });

  addGrantCommands(program, context);
}

function addGrantCommands(program: Command, context: CliContext): void {
  const grant = program.command('grant').description('what an integration may do in an app');

  grant
    .command('add <integration> <app>')
    .description('grant operations; replaces the grant of the same name')
    .option('--name <text>', 'name of the grant', 'default')
    .option('--operation <id...>', 'operation ids, see: cordon app operations')
    .option('--tag <tag...>', 'every operation with this tag')
    .option('--path <path...>', 'by method and path with globs: "CALL /tools/get-*", "QUERY /repository/**"')
    .option('--access <kind>', 'read, write or any: everything of that kind')
    .action(
      async (
        name: string,
        appName: string,
        options: {
          name: string;
          operation?: string[];
          tag?: string[];
          path?: string[];
          access?: 'read' | 'write' | 'any';
        },
      ) => {
        const { api } = await context.connect();
        const select = [
          ...(options.operation ? [{ kind: 'operations' as const, ids: options.operation }] : []),
          ...(options.tag ?? []).map((tag) => ({ kind: 'tag' as const, tag, access: 'any' as const })),
          ...(options.path ?? []).map(parseSelector),
          ...(options.access ? [{ kind: 'access' as const, access: options.access }] : []),
        ];
        if (select.length === 0)
          throw new UsageWrong(
            'Say what to grant: --operation ID, --path "GET /repos/**", --tag TAG or --access read.',
          );
        const [{ id: integrationId }, appId] = [
          await findIntegration(context, name),
          await findAppId(context, appName),
        ];
        const body = { integrationId, appId, name: options.name, select, resourceScope: [], expiresAt: null };
        print(take(await api.POST('/api/v1/grants', { body })).id);
      },
    );

  grant
    .command('list')
    .description('list grants')
    .option('--integration <name>', 'only of this integration')
    .action(async (options: { integration?: string }) => {
      const { api } = await context.connect();
      const integration = options.integration ? await findIntegration(context, options.integration) : null;
      const query = integration ? { integrationId: integration.id } : {};
      const [{ items }, apps, integrations] = [
        take(await api.GET('/api/v1/grants', { params: { query } })),
        take(await api.GET('/api/v1/apps')).items,
        take(await api.GET('/api/v1/integrations')).items,
      ];
      const rows = items.map((one) => [
        one.id,
        integrations.find((candidate) => candidate.id === one.integrationId)?.name ?? one.integrationId,
        apps.find((candidate) => candidate.id === one.appId)?.name ?? one.appId,
        JSON.stringify(one.select),
      ]);
      printTable(['id', 'integration', 'app', 'what'], rows);
    });

  grant
    .command('remove <id>')
    .description('take a grant away')
    .action(async (id: string) => {
      const { api } = await context.connect();
      take(await api.DELETE('/api/v1/grants/{id}', { params: { path: { id } } }));
    });
}
