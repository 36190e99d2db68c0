import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { findAppId } from './app-commands.ts';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const HOUR_MS = 3_600_000;

function moment(ms: number | null): string {
  return ms === null ? 'never' : new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/** Secrets come from the environment or a file, never from the argument list, which every user of the machine sees. */
async function readSecret(context: CliContext, options: { secretEnv?: string; secretFile?: string }): Promise<string> {
  const { secretEnv, secretFile } = options;
  if (secretEnv === undefined && secretFile === undefined) throw new UsageWrong('Give --secret-env or --secret-file.');
  const secret =
    secretEnv === undefined ? (await readFile(secretFile ?? '', 'utf8')).trim() : (context.env[secretEnv] ?? '');
  if (secret === '') throw new UsageWrong('The secret is empty.');
  return secret;
}

async function findEndpoint(context: CliContext, name: string) {
  const { api } = await context.connect();
  const { items } = take(await api.GET('/api/v1/webhooks'));
  const found = items.find((one) => one.name === name || one.id === name);
  if (!found) throw new UsageWrong(`There is no webhook endpoint ${name}.`);
  return { api, endpoint: found, params: { path: { id: found.id } } };
}

interface AddOptions {
  readonly app: string;
  readonly integration: string;
  readonly scheme: string;
  readonly schemeFile?: string;
  readonly url: string;
  readonly secretEnv?: string;
  readonly secretFile?: string;
  readonly type?: string[];
  readonly schemaFile?: string;
  readonly allowAddress?: string[];
  readonly allowPlaintext?: boolean;
}

export function addWebhookCommands(program: Command, context: CliContext): void {
  const webhook = program.command('webhook').description('webhooks of vendors, verified and handed to integrations');

  webhook
    .command('add <name>')
    .description('make an endpoint; prints the address for the vendor, then the secret for the integration (once)')
    .requiredOption('--app <name>', 'the app that sends')
    .requiredOption('--integration <name>', 'the integration that gets the deliveries')
    .requiredOption('--url <url>', 'where the integration takes them')
    .option('--scheme <name>', 'how the vendor signs; see: cordon webhook schemes', '')
    .option('--scheme-file <path>', 'a scheme of your own, as JSON')
    .option('--secret-env <name>', 'environment variable that holds what the vendor signs with')
    .option('--secret-file <path>', 'file that holds it')
    .option('--type <type...>', 'event types to take; all when absent')
    .option('--schema-file <path>', 'JSON Schema that bodies must fit')
    .option('--allow-address <ip...>', 'exact private addresses that the url may have')
    .option('--allow-plaintext', 'accept an http:// url')
    .action(async (name: string, options: AddOptions) => {
      const { api } = await context.connect();
      const [appId, secret] = await Promise.all([findAppId(context, options.app), readSecret(context, options)]);
      const { items } = take(await api.GET('/api/v1/integrations'));
      const integration = items.find((one) => one.name === options.integration || one.id === options.integration);
      if (!integration) throw new UsageWrong(`There is no integration ${options.integration}.`);
      const { schemeFile, schemaFile } = options;
      const scheme: unknown =
        schemeFile === undefined ? options.scheme : JSON.parse(await readFile(schemeFile, 'utf8'));
      const body = {
        name,
        appId,
        integrationId: integration.id,
        secret,
        scheme: scheme as string, // the server checks it, whatever it is
        url: options.url,
        ...(options.type && { types: options.type }),
        ...(schemaFile !== undefined && { schema: await readFile(schemaFile, 'utf8') }),
        ...(options.allowAddress && { privateAddresses: options.allowAddress }),
        ...(options.allowPlaintext && { plaintext: 'allow' as const }),
      };
      const { endpoint, signingSecret } = take(await api.POST('/api/v1/webhooks', { body }));
      note(
        `endpoint ${endpoint.id}; paste this address at the vendor, then give the integration its secret (shown once):`,
      );
      print(endpoint.address);
      print(signingSecret);
    });
  webhook
    .command('schemes')
    .description('the vendors whose signatures Cordon knows')
    .action(async () => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/webhook-schemes'));
      printTable(
        ['scheme', 'vendor', 'secret'],
        items.map(({ name, title, hint }) => [name, title, hint]),
      );
    });
  webhook
    .command('list')
    .description('endpoints with what became of their deliveries')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/webhooks'));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [
        one.name,
        one.status,
        ...[one.counts.delivered, one.counts.waiting, one.counts.dead, one.counts.duplicate].map(String),
        moment(one.lastReceivedAt),
        one.address,
      ]);
      return printTable(
        ['endpoint', 'status', 'delivered', 'waiting', 'dead', 'copies', 'last (UTC)', 'address'],
        rows,
      );
    });
  webhook
    .command('rotate <name>')
    .description('a new secret of the vendor; the one before stays good for a while')
    .option('--secret-env <name>', 'environment variable that holds the new secret')
    .option('--secret-file <path>', 'file that holds it')
    .option('--overlap <hours>', 'how long the old one stays good', Number, 24)
    .action(async (name: string, options: { secretEnv?: string; secretFile?: string; overlap: number }) => {
      const { api, params } = await findEndpoint(context, name);
      const body = { secret: await readSecret(context, options), overlapMs: Math.round(options.overlap * HOUR_MS) };
      take(await api.POST('/api/v1/webhooks/{id}/secret', { params, body }));
      note('replaced');
    });
  addStates();
  addDeliveries();

  function addStates(): void {
    const states = { pause: 'paused', resume: 'active', disable: 'disabled' } as const;
    const means = { pause: 'keep what comes, hand nothing on', resume: 'hand on again', disable: 'take nothing' };
    for (const [word, status] of Object.entries(states)) {
      webhook
        .command(`${word} <name>`)
        .description(means[word as keyof typeof means]) // the same keys
        .action(async (name: string) => {
          const { api, params } = await findEndpoint(context, name);
          take(await api.PATCH('/api/v1/webhooks/{id}', { params, body: { status } }));
          note(status);
        });
    }
    webhook
      .command('remove <name>')
      .description('remove an endpoint with its deliveries')
      .action(async (name: string) => {
        const { api, params } = await findEndpoint(context, name);
        take(await api.DELETE('/api/v1/webhooks/{id}', { params }));
        note('removed');
      });
  }

  function addDeliveries(): void {
    webhook
      .command('deliveries <name>')
      .description('what came, newest first')
      .option('--limit <number>', 'how many', Number, 50)
      .option('--json', 'as JSON')
      .action(async (name: string, options: { limit: number; json?: boolean }) => {
        const { api, params } = await findEndpoint(context, name);
        const query = { limit: options.limit };
        const { items } = take(await api.GET('/api/v1/webhooks/{id}/deliveries', { params: { ...params, query } }));
        if (options.json) return printJson(items);
        const rows = items.map((one) => [one.id, moment(one.receivedAt), one.status, String(one.attempts), one.type]);
        return printTable(['delivery', 'received (UTC)', 'status', 'attempts', 'type'], rows);
      });
    webhook
      .command('delivery <name> <id>')
      .description('one delivery with its attempts, sensitive data masked, as JSON')
      .action(async (name: string, id: string) => {
        const { api, endpoint } = await findEndpoint(context, name);
        const params = { path: { id: endpoint.id, delivery: id } };
        printJson(take(await api.GET('/api/v1/webhooks/{id}/deliveries/{delivery}', { params })));
      });
    webhook
      .command('redeliver <name> [id]')
      .description('send one delivery again, or all dead ones')
      .action(async (name: string, id?: string) => {
        const { api, endpoint, params } = await findEndpoint(context, name);
        if (id === undefined) {
          const { deliveries } = take(await api.POST('/api/v1/webhooks/{id}/redeliver-dead', { params }));
          note(`${deliveries} dead deliveries are sent again`);
          return;
        }
        const path = { id: endpoint.id, delivery: id };
        take(await api.POST('/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver', { params: { path } }));
        note('it is sent again');
      });
  }
}
