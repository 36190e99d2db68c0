import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { addSessionCommands, addSignInPolicyCommands } from './sign-in-policy-commands.ts';
import { addSignalCommands } from './signal-commands.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

type Api = Awaited<ReturnType<CliContext['connect']>>['api'];

async function providersOf(api: Api) {
  return take(await api.GET('/api/v1/sign-on/providers')).items;
}

async function findProvider(api: Api, name: string) {
  const found = (await providersOf(api)).find((one) => one.name === name || one.id === name);
  if (!found) throw new UsageWrong(`There is no provider ${name}. See: cordon sso provider list`);
  return found;
}

async function readJson(path: string): Promise<never> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as never; // the server checks it
  } catch (error) {
    throw new UsageWrong(`${path} can't be read as JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

interface AddOptions {
  readonly issuer?: string;
  readonly clientId?: string;
  readonly secretFile?: string;
  readonly metadata?: string;
  readonly settings?: string;
}

/** Settings of a new provider, from what the command line says. */
async function settingsOf(api: Api, options: AddOptions) {
  if (options.settings !== undefined) return readJson(options.settings);
  if (options.metadata !== undefined) {
    const isUrl = /^https?:/.test(options.metadata);
    const body = isUrl ? { url: options.metadata } : { xml: await readFile(options.metadata, 'utf8') };
    const { entityId, ssoUrl, sloUrl, certificates } = take(await api.POST('/api/v1/sign-on/metadata', { body }));
    return { protocol: 'saml' as const, entityId, ssoUrl, sloUrl, certificates };
  }
  const { issuer, clientId } = options;
  if (issuer === undefined || clientId === undefined) {
    throw new UsageWrong('Give --issuer and --client-id, or --metadata, or --settings.');
  }
  const auth = options.secretFile === undefined ? ('none' as const) : ('client_secret_basic' as const);
  return { protocol: 'oidc' as const, issuer, clientId, auth };
}

/** `cordon sso provider …`: corporate providers that people come from. */
function addProviderCommands(sso: Command, context: CliContext): void {
  const provider = sso.command('provider').description('corporate providers that people come from');
  provider
    .command('list')
    .description('providers, and whether they are on')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const items = await providersOf(api);
      if (options.json) return printJson(items);
      printTable(
        ['name', 'protocol', 'state', 'tested', 'id'],
        items.map((one) => [one.name, one.settings.protocol, one.status, one.tested ? 'yes' : 'no', one.id]),
      );
      return undefined;
    });
  provider
    .command('add <name>')
    .description('add a provider as a draft')
    .option('--issuer <url>', 'OpenID Connect: its issuer')
    .option('--client-id <id>', 'OpenID Connect: the client id')
    .option('--secret-file <path>', 'OpenID Connect: a file with the client secret')
    .option('--metadata <url-or-file>', 'SAML: its metadata')
    .option('--settings <file>', 'all settings as JSON')
    .action(async (name: string, options: AddOptions) => {
      const { api } = await context.connect();
      const secret =
        options.secretFile === undefined ? {} : { clientSecret: (await readFile(options.secretFile, 'utf8')).trim() };
      const body = { name, settings: await settingsOf(api, options), ...secret };
      const made = take(await api.POST('/api/v1/sign-on/providers', { body }));
      print(`${made.name} is a draft. Enter at the provider:`);
      const { addresses, settings } = made;
      const lines =
        settings.protocol === 'oidc'
          ? {
              'redirect address': addresses.redirectUri,
              'after sign-out': addresses.postLogoutUrl,
              'back-channel logout': addresses.backchannelLogoutUrl,
            }
          : {
              'entity id and metadata': addresses.entityId,
              'assertion consumer': addresses.acsUrl,
              'single logout': addresses.sloUrl,
            };
      printTable(['what', 'address'], Object.entries(lines));
      note(`Next: cordon sso domain add "${made.name}" <domain>, then try a sign-in on its page in the console.`);
    });
  for (const [name, status] of [
    ['on', 'active'],
    ['off', 'disabled'],
  ] as const) {
    provider
      .command(`${name} <provider>`)
      .description(name === 'on' ? 'switch it on; a test sign-in must have gone well' : 'switch it off')
      .action(async (given: string) => {
        const { api } = await context.connect();
        const { id } = await findProvider(api, given);
        const after = take(
          await api.PUT('/api/v1/sign-on/providers/{id}/status', { params: { path: { id } }, body: { status } }),
        );
        print(`${after.name}: ${after.status}`);
      });
  }
  provider
    .command('remove <provider>')
    .description('remove it; sessions that came from there end')
    .action(async (given: string) => {
      const { api } = await context.connect();
      const { id, name } = await findProvider(api, given);
      take(await api.DELETE('/api/v1/sign-on/providers/{id}', { params: { path: { id } } }));
      print(`${name} is removed.`);
    });
  provider
    .command('log <provider>')
    .description('the latest sign-ins, and what to do about those that failed')
    .option('--json', 'as JSON')
    .action(async (given: string, options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { id } = await findProvider(api, given);
      const { items } = take(await api.GET('/api/v1/sign-on/providers/{id}/attempts', { params: { path: { id } } }));
      if (options.json) return printJson(items);
      printTable(
        ['when', 'what', 'outcome', 'what to do'],
        items.map((one) => [one.at.slice(0, 19), one.kind, one.reason ?? 'went well', one.advice ?? '']),
      );
      return undefined;
    });
}

/** `cordon sso domain …`: whose addresses lead to a provider. */
function addDomainCommands(sso: Command, context: CliContext): void {
  const domain = sso.command('domain').description('e-mail domains that lead to a provider');
  domain
    .command('list <provider>')
    .description('its domains, and the TXT records that prove them')
    .action(async (given: string) => {
      const { api } = await context.connect();
      const { id } = await findProvider(api, given);
      const { items } = take(await api.GET('/api/v1/sign-on/providers/{id}/domains', { params: { path: { id } } }));
      printTable(
        ['domain', 'verified', 'record', 'value'],
        items.map((one) => [one.domain, one.verifiedBy ?? 'no', one.record.name, one.record.value]),
      );
    });
  domain
    .command('add <provider> <domain>')
    .description('add a domain')
    .action(async (given: string, name: string) => {
      const { api } = await context.connect();
      const { id } = await findProvider(api, given);
      const made = take(
        await api.POST('/api/v1/sign-on/providers/{id}/domains', { params: { path: { id } }, body: { domain: name } }),
      );
      print(
        `Set the TXT record ${made.record.name} to ${made.record.value}, then: cordon sso domain verify "${given}" ${made.domain}`,
      );
    });
  domain
    .command('verify <provider> <domain>')
    .description('verify a domain by its TXT record')
    .option('--owner', 'by your word alone, which stands in the audit trail')
    .action(async (given: string, name: string, options: { owner?: boolean }) => {
      const { api } = await context.connect();
      const { id } = await findProvider(api, given);
      const params = { path: { id, domain: name } };
      const body = { byOwner: options.owner ?? false };
      const after = take(await api.POST('/api/v1/sign-on/providers/{id}/domains/{domain}/verify', { params, body }));
      print(`${after.domain} is verified (${after.verifiedBy ?? ''}).`);
    });
}

/** `cordon sso app …`: tools that people sign in to through Cordon. */
function addAppCommands(sso: Command, context: CliContext): void {
  const app = sso.command('app').description('tools that people sign in to through Cordon');
  app
    .command('catalogue')
    .description('tools whose settings are ready')
    .action(async () => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/sso/catalogue'));
      printTable(
        ['tool', 'title', 'protocol', 'fields'],
        items.map((one) => [one.app, one.title, one.protocol, one.fields.map(({ name }) => name).join(', ')]),
      );
    });
  app
    .command('list')
    .description('apps, by name')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/sso/apps'));
      if (options.json) return printJson(items);
      printTable(
        ['name', 'protocol', 'from', 'status', 'client id'],
        items.map((one) => [one.name, one.settings.protocol, one.catalogue ?? '', one.status, one.id]),
      );
      return undefined;
    });
  app
    .command('add <tool>')
    .description('add a tool of the catalogue')
    .option('--set <name=value...>', 'fill in a field')
    .option('--name <name>', 'as people see it')
    .option('--everyone', 'everybody may use it; otherwise nobody until access is given')
    .action(async (tool: string, options: { set?: string[]; name?: string; everyone?: boolean }) =>
      addFromCatalogue(context, tool, options),
    );
  app
    .command('remove <name>')
    .description('remove an app; its open sessions are told')
    .action(async (given: string) => {
      const { api } = await context.connect();
      const found = take(await api.GET('/api/v1/sso/apps')).items.find((one) => one.name === given || one.id === given);
      if (!found) throw new UsageWrong(`There is no app ${given}.`);
      take(await api.DELETE('/api/v1/sso/apps/{id}', { params: { path: { id: found.id } } }));
      print(`${found.name} is removed.`);
    });
}

function fillIn(value: unknown, fields: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string') {
    return value.replace(/\{([A-Za-z_]+)\}/g, (whole, name: string) =>
      Object.hasOwn(fields, name) ? (fields[name] ?? whole) : whole,
    );
  }
  if (Array.isArray(value)) return value.map((one: unknown) => fillIn(one, fields));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fillIn(one, fields)]));
}

async function addFromCatalogue(
  context: CliContext,
  tool: string,
  options: { set?: string[]; name?: string; everyone?: boolean },
): Promise<void> {
  const { api } = await context.connect();
  const entry = take(await api.GET('/api/v1/sso/catalogue')).items.find((one) => one.app === tool);
  if (!entry) throw new UsageWrong(`The catalogue has no ${tool}. See: cordon sso app catalogue`);
  const given = (options.set ?? []).map(
    (pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const,
  );
  const values: Readonly<Record<string, string>> = Object.fromEntries(given);
  for (const { name, help, pattern, example } of entry.fields) {
    if (!new RegExp(`^(?:${pattern})$`).test(values[name] ?? '')) {
      throw new UsageWrong(`Give --set ${name}=…: ${help} For example ${example}.`);
    }
  }
  const settings = { protocol: entry.protocol, ...(fillIn(entry.settings, values) as object) } as never; // the server checks it
  const launchUrl = entry.launchUrl === null ? null : String(fillIn(entry.launchUrl, values));
  const body = {
    name: options.name ?? entry.title,
    catalogue: entry.app,
    settings,
    launchUrl,
    access: { everyone: options.everyone ?? false },
  };
  const made = take(await api.POST('/api/v1/sso/apps', { body }));
  const { certificates, ...addresses } = take(await api.GET('/api/v1/sso/addresses'));
  const known = {
    ...values,
    ...addresses,
    certificate: `the certificate in ${addresses.samlMetadataUrl}`,
    clientId: made.app.id,
    clientSecret: made.clientSecret ?? '',
  };
  print(`${made.app.name} is added. At the tool:`);
  for (const [index, step] of entry.steps.entries()) print(`${index + 1}. ${String(fillIn(step, known))}`);
  for (const text of entry.notes) note(String(fillIn(text, known)));
  note(`${certificates.length} certificates are published; sources: ${entry.sources.join(' ')}`);
}

/** `cordon sso …` */
export function addSignOnCommands(program: Command, context: CliContext): void {
  const sso = program.command('sso').description('single sign-on: where people come from, and what they open');
  addProviderCommands(sso, context);
  addDomainCommands(sso, context);
  addAppCommands(sso, context);
  addSignInPolicyCommands(sso, context);
  addSessionCommands(sso, context);
  addSignalCommands(sso, context);
}
