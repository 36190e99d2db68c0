import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { day, note, print, printJson, printTable, take, UsageWrong } from './output.ts';

interface PlaceOptions {
  readonly integration?: string;
}

type Api = Awaited<ReturnType<CliContext['connect']>>['api'];
type Items = Awaited<ReturnType<typeof list>>['items'];

async function list(api: Api, id: string) {
  return take(await api.GET('/api/v1/apps/{id}/credentials', { params: { path: { id } } }));
}

async function findIntegrationId(api: Api, name: string | undefined): Promise<string | null> {
  if (name === undefined) return null;
  const { items } = take(await api.GET('/api/v1/integrations'));
  const found = items.find((one) => one.name === name || one.id === name);
  if (!found) throw new UsageWrong(`There is no integration ${name}.`);
  return found.id;
}

/** The body as the API takes it, with its secrets: from a file that only its owner should be able to read. */
async function readBody(path: string, integrationId: string | null) {
  let body: unknown;
  try {
    body = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new UsageWrong(`${path} can't be read as JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof body !== 'object' || body === null) throw new UsageWrong(`${path} holds no JSON object.`);
  return { ...body, ...(integrationId === null ? {} : { integrationId }) } as never; // the server checks it
}

const time = (at: number | null): string => (at === null ? '-' : new Date(at).toISOString().slice(0, 19));

function show(items: Items): void {
  printTable(
    ['for', 'kind', 'stage', 'state', 'expires', 'renewed', 'verified', 'since', 'problem'],
    items.map((one) => [
      one.integrationId ?? 'the app',
      one.kind,
      one.stage,
      one.state,
      time(one.expiresAt),
      time(one.refreshedAt),
      time(one.verifiedAt),
      day(one.createdAt),
      one.problem ?? '',
    ]),
  );
}

async function current(api: Api, id: string, integrationId: string | null): Promise<string> {
  const { items } = await list(api, id);
  const one = items.find((item) => item.stage === 'current' && item.integrationId === integrationId);
  if (!one) throw new UsageWrong('There is no credential there.');
  return one.id;
}

/** `cordon app credential …`: what the vault holds of an app, and everything that can be done to it but read it. */
export function addCredentialCommands(
  credential: Command,
  context: CliContext,
  findAppId: (context: CliContext, name: string) => Promise<string>,
): void {
  const command = (name: string, description: string): Command =>
    credential
      .command(`${name} <app>`)
      .description(description)
      .option('--integration <name>', 'its own, not the app’s');

  const locate = async (app: string, options: PlaceOptions) => {
    const { api } = await context.connect();
    const [id, integrationId] = [await findAppId(context, app), await findIntegrationId(api, options.integration)];
    return { api, id, integrationId, params: { path: { id } } };
  };

  credential
    .command('status <app>')
    .description('how an app’s credentials fare, and its upstreams')
    .option('--json', 'as JSON')
    .action(async (app: string, options: { json?: boolean }) => {
      const { api, id, params } = await locate(app, {});
      const { items, redirectUri } = await list(api, id);
      const upstreams = take(await api.GET('/api/v1/apps/{id}/upstreams', { params }));
      if (options.json) return printJson({ items, redirectUri, ...upstreams });
      show(items);
      for (const one of upstreams.upstreams) {
        print(`${one.origin}: breaker ${one.breaker}, ${one.inFlight} calls under way`);
      }
      for (const one of upstreams.budgets) {
        print(
          `vendor’s limit ${one.bucket || '(unnamed)'}: ${one.remaining} of ${one.limit} until ${time(one.resetAt)}`,
        );
      }
      return undefined;
    });

  command('set', 'replace a credential at once, from a JSON file')
    .requiredOption('--file <path>', 'kind and secrets as JSON; see the vault guide')
    .action(async (app: string, options: PlaceOptions & { file: string }) => {
      const { api, integrationId, params } = await locate(app, options);
      const body = await readBody(options.file, integrationId);
      const { items } = take(await api.PUT('/api/v1/apps/{id}/credentials', { params, body }));
      show(items);
      if (items.some((one) => one.state === 'pending')) note('Connect it: cordon app credential connect');
    });

  command('rotate', 'verify a successor and switch to it, keeping the old one for a while')
    .requiredOption('--file <path>', 'kind and secrets as JSON')
    .option('--at <time>', 'when to switch (ISO 8601); at once by default')
    .option('--overlap-hours <number>', 'how long the old one is kept', Number, 24)
    .action(async (app: string, options: PlaceOptions & { file: string; at?: string; overlapHours: number }) => {
      const { api, integrationId, params } = await locate(app, options);
      const switchAt = options.at === undefined ? null : Date.parse(options.at);
      if (Number.isNaN(switchAt)) throw new UsageWrong('--at is a time such as 2026-12-01T03:00:00Z.');
      const next = await readBody(options.file, integrationId);
      const body = { credential: next, switchAt, overlapMs: Math.round(options.overlapHours * 3_600_000) };
      show(take(await api.POST('/api/v1/apps/{id}/credentials/rotate', { params, body })).items);
    });

  command('roll-back', 'go back to the credential before the last switch').action(
    async (app: string, options: PlaceOptions) => {
      const { api, integrationId, params } = await locate(app, options);
      const body = { integrationId };
      show(take(await api.POST('/api/v1/apps/{id}/credentials/roll-back', { params, body })).items);
    },
  );

  command('erase', 'erase a credential and its successor').action(async (app: string, options: PlaceOptions) => {
    const { api, integrationId, params } = await locate(app, options);
    show(take(await api.DELETE('/api/v1/apps/{id}/credentials', { params, body: { integrationId } })).items);
  });

  command('renew', 'mint a new token now').action(async (app: string, options: PlaceOptions) => {
    const { api, id, integrationId } = await locate(app, options);
    const params = { path: { id, credentialId: await current(api, id, integrationId) } };
    show(take(await api.POST('/api/v1/apps/{id}/credentials/{credentialId}/renew', { params })).items);
  });

  command('verify', 'try a credential at the vendor now').action(async (app: string, options: PlaceOptions) => {
    const { api, id, integrationId } = await locate(app, options);
    const params = { path: { id, credentialId: await current(api, id, integrationId) } };
    show(take(await api.POST('/api/v1/apps/{id}/credentials/{credentialId}/verify', { params })).items);
  });

  command('connect', 'say where a person connects the app by its vendor’s consent page').action(
    async (app: string, options: PlaceOptions) => {
      const { api, id, integrationId } = await locate(app, options);
      await current(api, id, integrationId);
      const { redirectUri } = await list(api, id);
      // The answer counts for the person who began: a browser that is signed in has to begin it.
      note(`Register this redirect address at the vendor: ${redirectUri}`);
      print(`${redirectUri.slice(0, redirectUri.lastIndexOf('/connect/'))}/apps/${id}`);
    },
  );
}
