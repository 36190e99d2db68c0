import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeCertificateRequest } from '@cordon/kernel';
import type { Command } from 'commander';
import { z } from 'zod';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';
import { postTls, type TlsParts } from './tls-request.ts';

const enrolled = z.object({
  clientId: z.string(),
  certificate: z.string(),
  authority: z.string(),
  spiffeId: z.string(),
  endsAt: z.string(),
  tokenEndpoint: z.string(),
  renewalEndpoint: z.string(),
});

/** What is kept beside key and certificate; nothing in it is secret. */
const stateSchema = enrolled.omit({ certificate: true, authority: true }).extend({ startedAt: z.string() });

const FILES = {
  key: 'client.key',
  cert: 'client.pem',
  authority: 'authority.pem',
  server: 'server-ca.pem',
  state: 'client.json',
};
/** Certificates are renewed when less than a third of their life is left. */
const LEFT_MIN = 1 / 3;

async function readOptional(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  await writeFile(`${path}.new`, text, { mode, flag: 'wx' });
  await rename(`${path}.new`, path);
}

async function store(
  dir: string,
  key: string,
  answer: unknown,
  ca: string | undefined,
): Promise<z.output<typeof enrolled>> {
  const parsed = enrolled.safeParse(answer);
  if (!parsed.success) throw new UsageWrong('What answered is no Cordon: it sent no certificate.');
  const { certificate, authority, ...state } = parsed.data;
  // The key first: a certificate without its key is useless, the other way round the old pair is still whole.
  await replaceFile(join(dir, FILES.key), key, 0o600);
  await replaceFile(join(dir, FILES.cert), certificate, 0o644);
  await replaceFile(join(dir, FILES.authority), authority, 0o644);
  if (ca !== undefined) await replaceFile(join(dir, FILES.server), ca, 0o644);
  const kept = { ...state, startedAt: new Date().toISOString() };
  await replaceFile(join(dir, FILES.state), `${JSON.stringify(kept, null, 2)}\n`, 0o644);
  return parsed.data;
}

/** The authority of Cordon's own listener: what is named, or the local one of this machine's installation. */
async function serverCa(context: CliContext, path: string | undefined): Promise<string | undefined> {
  if (path !== undefined) return readFile(path, 'utf8');
  const { data_dir: folder } = await context.config();
  return readOptional(join(folder, 'ca.pem'));
}

async function makeCode(
  context: CliContext,
  name: string,
): Promise<{ code: string; endpoint: string; expiresAt: string }> {
  const { api } = await context.connect();
  const { items } = take(await api.GET('/api/v1/integrations'));
  const found = items.find((one) => one.name === name || one.id === name);
  if (!found) throw new UsageWrong(`There is no integration ${name}.`);
  const body = { integrationId: found.id, name: found.name };
  const made = take(await api.POST('/api/v1/certificates/enrolments', { body }));
  return { code: made.code, endpoint: made.enrolmentEndpoint, expiresAt: made.expiresAt };
}

interface EnrolOptions {
  readonly dir?: string;
  readonly code?: string;
  readonly url?: string;
  readonly ca?: string;
  readonly codeOnly?: boolean;
}

async function enroll(context: CliContext, name: string, options: EnrolOptions): Promise<void> {
  if (options.codeOnly) {
    const { code, endpoint, expiresAt } = await makeCode(context, name);
    note(`Good once, until ${expiresAt}. On the machine of the integration:`);
    note(`  cordon integration enroll ${name} --code CODE --url ${endpoint} --dir DIR --ca FILE`);
    return print(code);
  }
  if ((options.code === undefined) !== (options.url === undefined)) {
    throw new UsageWrong('--code and --url go together: both are given by --code-only.');
  }
  const dir = resolve(options.dir ?? `${name}-client`);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if ((await readOptional(join(dir, FILES.key))) !== undefined) {
    throw new UsageWrong(
      `${dir} holds a key already. Renew it with "cordon integration renew --dir ${dir}", or name another folder.`,
    );
  }
  const ca = await serverCa(context, options.ca);
  const made =
    options.code === undefined || options.url === undefined
      ? await makeCode(context, name)
      : { code: options.code, endpoint: options.url };
  const { key, request } = await makeCertificateRequest(name);
  const tls: TlsParts = ca === undefined ? {} : { ca };
  const result = await store(dir, key, await postTls(made.endpoint, { code: made.code, request }, tls), ca);
  note(`The key was made here and is only here: ${join(dir, FILES.key)}`);
  printJson({
    client_id: result.clientId,
    spiffe_id: result.spiffeId,
    ends_at: result.endsAt,
    token_endpoint: result.tokenEndpoint,
    folder: dir,
  });
}

async function renew(options: { readonly dir: string; readonly force?: boolean }): Promise<void> {
  const dir = resolve(options.dir);
  const state = stateSchema.parse(JSON.parse(await readFile(join(dir, FILES.state), 'utf8')));
  const [starts, ends] = [Date.parse(state.startedAt), Date.parse(state.endsAt)];
  if (!options.force && ends - Date.now() > (ends - starts) * LEFT_MIN) {
    return note(`Still good until ${state.endsAt}; nothing to do (--force renews all the same).`);
  }
  const ca = await readOptional(join(dir, FILES.server));
  const cert = await readFile(join(dir, FILES.cert), 'utf8');
  const old = await readFile(join(dir, FILES.key), 'utf8');
  const { key, request } = await makeCertificateRequest(state.clientId);
  await Promise.all(Object.values(FILES).map((name) => rm(join(dir, `${name}.new`), { force: true })));
  const answer = await postTls(
    state.renewalEndpoint,
    { request },
    { cert, key: old, ...(ca === undefined ? {} : { ca }) },
  );
  const result = await store(dir, key, answer, ca);
  note(`Renewed, with a new key, until ${result.endsAt}.`);
}

/** Certificates of integrations: made where the integration runs, renewed by what they prove. */
export function addCertificateCommands(program: Command, context: CliContext): void {
  const integration = program.commands.find((command) => command.name() === 'integration');
  if (!integration) throw new Error('the integration commands come first');
  integration
    .command('enroll <name>')
    .description('get a short-lived client certificate; the key is made here and never leaves')
    .option('--dir <folder>', 'where key and certificate go (NAME-client)')
    .option('--code-only', 'only print a one-time code, for another machine')
    .option('--code <code>', 'the one-time code; needs no access to the API')
    .option('--url <address>', 'where to enrol, as told with the code')
    .option('--ca <file>', 'PEM of the authority of Cordon’s own certificate (ca.pem of its data directory)')
    .action((name: string, options: EnrolOptions) => enroll(context, name, options));
  integration
    .command('renew')
    .description('renew a client certificate with a new key when less than a third of its life is left')
    .requiredOption('--dir <folder>', 'what enroll made')
    .option('--force', 'now, whatever is left')
    .action(renew);
  integration
    .command('certificates <name>')
    .description('certificates that were issued to an integration')
    .action(async (name: string) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/integrations'));
      const found = items.find((one) => one.name === name || one.id === name);
      if (!found) throw new UsageWrong(`There is no integration ${name}.`);
      const listed = take(await api.GET('/api/v1/certificates', { params: { query: { integrationId: found.id } } }));
      const rows = listed.items.map((one) => [one.id, one.status, one.endsAt, one.issuedBy, one.serial]);
      printTable(['id', 'status', 'ends', 'issued by', 'serial'], rows);
    });
  integration
    .command('revoke-certificate <id>')
    .description('end a certificate and the tokens of its client')
    .requiredOption('--reason <text>', 'why; kept as evidence')
    .action(async (id: string, { reason }: { reason: string }) => {
      const { api } = await context.connect();
      take(await api.POST('/api/v1/certificates/{id}/revoke', { params: { path: { id } }, body: { reason } }));
      note('Revoked.');
    });
}
