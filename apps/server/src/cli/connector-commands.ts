import { readFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ConnectorTest } from '@cordon/connectors';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { day, note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const FOLDER = fileURLToPath(new URL('../../../../content/connectors/', import.meta.url));
const POLL_MS = 500;
const WAIT_MS_MAX = 30 * 60_000;

type CredentialBody =
  | { kind: 'bearer'; token: string }
  | { kind: 'basic'; user: string; password: string }
  | { kind: 'header'; value: string }
  | { kind: 'query'; value: string };

/** One text stands for the simple kinds; the others are given as JSON. */
function credentialOf(kind: string, text: string): CredentialBody {
  const secret = text.trim();
  if (secret === '') throw new UsageWrong('The credential is empty.');
  // The API checks it member by member.
  if (secret.startsWith('{')) return { kind, ...(JSON.parse(secret) as object) } as CredentialBody;
  const colon = secret.indexOf(':');
  switch (kind) {
    case 'bearer':
      return { kind, token: secret };
    case 'header':
    case 'query':
      return { kind, value: secret };
    case 'basic':
      return { kind, user: secret.slice(0, colon), password: secret.slice(colon + 1) };
    default:
      throw new UsageWrong(
        `Give a credential of the kind ${kind} as JSON; docs/reference/connector-manifest.md names its members.`,
      );
  }
}

function pairs(options: readonly string[] | undefined): Record<string, string> {
  return Object.fromEntries(
    (options ?? []).map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new UsageWrong(`${text} is not NAME=VALUE.`);
      return [text.slice(0, at), text.slice(at + 1)] as const;
    }),
  );
}

async function findConnection(context: CliContext, name: string) {
  const { api } = await context.connect();
  const { items } = take(await api.GET('/api/v1/connections'));
  const found = items.find((one) => one.name === name || one.id === name);
  if (!found)
    throw new UsageWrong(
      `There is no connection ${name}. Known: ${items.map((one) => one.name).join(', ') || 'none'}.`,
    );
  return { api, connection: found };
}

async function waitFor<Value>(look: () => Promise<Value>, isDone: (value: Value) => boolean): Promise<Value> {
  for (let waited = 0; ; waited += POLL_MS) {
    const value = await look();
    if (isDone(value) || waited >= WAIT_MS_MAX) return value;
    await setTimeout(POLL_MS);
  }
}

function addManagement(connector: Command, context: CliContext): void {
  connector
    .command('list')
    .description('list connections, or with --known the tools that can be connected')
    .option('--known', 'the tools that can be connected')
    .option('--json', 'as JSON')
    .action(async (options: { known?: boolean; json?: boolean }) => {
      const { api } = await context.connect();
      if (options.known) {
        const { items } = take(await api.GET('/api/v1/connectors'));
        if (options.json) return printJson(items);
        const rows = items.map((one) => [
          one.app,
          one.title,
          one.evidence,
          String(one.streams.length),
          String(one.actions.length),
        ]);
        return printTable(['app', 'title', 'evidence', 'streams', 'actions'], rows);
      }
      const { items } = take(await api.GET('/api/v1/connections'));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [
        one.name,
        one.app,
        one.status,
        one.lastSync?.status ?? 'never',
        one.lastSync ? day(one.lastSync.createdAt) : '',
      ]);
      return printTable(['name', 'app', 'status', 'last sync', 'when'], rows);
    });

  connector
    .command('add <app> <name>')
    .description('connect a tool')
    .option('--config <name=value...>', 'fields that the connector asks for')
    .option('--credential-kind <kind>', 'as the connector names it', 'bearer')
    .option('--credential-env <name>', 'environment variable that holds the credential')
    .option('--credential-file <path>', 'file that holds the credential, as text or JSON')
    .option('--plan <name>', "the customer's plan")
    .option('--base-url <url>', "a server of the customer's own")
    .option('--allow-address <ip...>', 'exact private addresses that it may have')
    .option('--every <minutes>', 'how often it is read; 0: only by hand', Number)
    .action(
      async (
        app: string,
        name: string,
        options: {
          config?: string[];
          credentialKind: string;
          credentialEnv?: string;
          credentialFile?: string;
          plan?: string;
          baseUrl?: string;
          allowAddress?: string[];
          every?: number;
        },
      ) => {
        const { credentialEnv, credentialFile } = options;
        if (credentialEnv === undefined && credentialFile === undefined) {
          throw new UsageWrong('Give --credential-env NAME or --credential-file PATH.');
        }
        const text =
          credentialEnv === undefined
            ? await readFile(credentialFile ?? '', 'utf8')
            : (context.env[credentialEnv] ?? '');
        const { api } = await context.connect();
        const made = take(
          await api.POST('/api/v1/connections', {
            body: {
              app,
              name,
              config: pairs(options.config),
              credential: credentialOf(options.credentialKind, text),
              ...(options.plan === undefined ? {} : { plan: options.plan }),
              ...(options.baseUrl === undefined ? {} : { baseUrl: options.baseUrl }),
              ...(options.allowAddress ? { privateAddresses: options.allowAddress } : {}),
              ...(options.every === undefined ? {} : { everyMinutes: options.every === 0 ? null : options.every }),
            },
          }),
        );
        print(made.id);
      },
    );

  connector
    .command('remove <name>')
    .description('forget a connection and what was read through it')
    .action(async (name: string) => {
      const { api, connection } = await findConnection(context, name);
      take(await api.DELETE('/api/v1/connections/{id}', { params: { path: { id: connection.id } } }));
    });
}

function addReading(connector: Command, context: CliContext): void {
  connector
    .command('sync <name>')
    .description('read a tool now')
    .option('--stream <name...>', 'only these streams')
    .option('--no-wait', 'do not wait for the end')
    .action(async (name: string, options: { stream?: string[]; wait: boolean }) => {
      const { api, connection } = await findConnection(context, name);
      const params = { path: { id: connection.id } };
      const started = take(
        await api.POST('/api/v1/connections/{id}/syncs', {
          params,
          body: options.stream ? { streams: options.stream } : {},
        }),
      );
      if (!options.wait) return print(started.id);
      const look = async () => take(await api.GET('/api/v1/connections/{id}', { params })).lastSync;
      const ended = await waitFor(look, (sync) => sync?.id !== started.id || sync.endedAt !== null);
      const rows = (ended?.streams ?? []).map((one) => [
        one.stream,
        one.status,
        String(one.entities),
        `+${one.added} ~${one.changed} -${one.removed}`,
        String(one.events),
        one.reason ?? '',
      ]);
      printTable(['stream', 'status', 'read', 'changes', 'events', 'reason'], rows);
      if (ended?.status === 'failed') throw new UsageWrong(ended.error ?? 'The sync failed.');
    });

  connector
    .command('status <name>')
    .description('show what is known of a connection')
    .option('--json', 'as JSON')
    .action(async (name: string, options: { json?: boolean }) => {
      const { api, connection } = await findConnection(context, name);
      const one = take(await api.GET('/api/v1/connections/{id}', { params: { path: { id: connection.id } } }));
      if (options.json) return printJson(one);
      note(`${one.name} (${one.app}): ${one.status}${one.statusReason === null ? '' : `, ${one.statusReason}`}`);
      const counts = (stream: string) =>
        one.counts
          .filter((count) => count.stream === stream)
          .map(({ kind, count }) => `${count} ${kind}`)
          .join(', ');
      const rows = one.streams.map((stream) => [
        stream.stream,
        stream.status,
        counts(stream.stream),
        stream.okAt === null ? '' : day(stream.okAt),
        stream.reason ?? '',
      ]);
      return printTable(['stream', 'status', 'known', 'read', 'reason'], rows);
    });

  connector
    .command('entities <name>')
    .description('list what was read')
    .option('--kind <kind>', 'account, group, grant, credential, setting or schema')
    .option('--stream <name>', 'of one stream')
    .option('--match <text>', 'whose name or id contains this')
    .option('--limit <number>', 'at most', '100')
    .option('--json', 'as JSON')
    .action(
      async (
        name: string,
        options: { kind?: string; stream?: string; match?: string; limit: string; json?: boolean },
      ) => {
        const { api, connection } = await findConnection(context, name);
        const { kind, stream, match } = options;
        const query = {
          connectionId: connection.id,
          limit: Number(options.limit),
          ...(kind === undefined ? {} : { kind }),
          ...(stream === undefined ? {} : { stream }),
          ...(match === undefined ? {} : { text: match }),
        };
        const { items, next } = take(await api.GET('/api/v1/entities', { params: { query } }));
        if (options.json) return printJson(items);
        printTable(
          ['kind', 'id', 'name', 'stream', 'changed'],
          items.map((row) => [row.kind, row.id, row.name ?? '', row.stream, day(row.changedAt)]),
        );
        if (next !== null) note('There are more; narrow it, or raise --limit.');
      },
    );
}

function addActing(connector: Command, context: CliContext): void {
  connector
    .command('action <name> <action>')
    .description('run an action; a dry run unless --run')
    .option('--input <name=value...>', 'what the action asks for')
    .option('--run', 'do it')
    .option('--verify', 'only look whether it has taken effect')
    .option('--undo <run>', 'take a finished run back')
    .option('--key <text>', 'idempotency key; the same key never acts twice')
    .option('--json', 'as JSON')
    .action(
      async (
        name: string,
        action: string,
        options: { input?: string[]; run?: boolean; verify?: boolean; undo?: string; key?: string; json?: boolean },
      ) => {
        const { api, connection } = await findConnection(context, name);
        const { undo } = options;
        const mode = undo !== undefined ? 'undo' : options.run ? 'run' : options.verify ? 'verify' : 'dry-run';
        const before =
          undo === undefined
            ? null
            : take(await api.GET('/api/v1/connector-actions/{id}', { params: { path: { id: undo } } }));
        const asked = take(
          await api.POST('/api/v1/connections/{id}/actions', {
            params: { path: { id: connection.id } },
            body: {
              action,
              mode,
              input: before ? before.input : pairs(options.input),
              idempotencyKey: options.key ?? randomUUID(),
              ...(undo === undefined ? {} : { undoOf: undo }),
            },
          }),
        );
        const params = { path: { id: asked.id } };
        const ended = await waitFor(
          async () => take(await api.GET('/api/v1/connector-actions/{id}', { params })),
          (run) => run.status === 'ended' || run.status === 'failed',
        );
        if (options.json) return printJson(ended);
        note(`${ended.outcome ?? ended.status}: ${ended.summary ?? ended.error ?? ''}`);
        if (ended.state !== null && ended.state !== undefined) printJson(ended.state);
        return print(ended.id);
      },
    );
}

function showTest({ recording, origin, streams, actions }: ConnectorTest): number {
  let wrong = 0;
  note(`${recording}: ${origin}`);
  for (const one of streams) {
    if (one.notVisible !== null) note(`  ${one.stream}: not visible: ${one.notVisible}`);
    for (const problem of one.problems) note(`  ${one.stream}: ${problem}`);
    for (const entity of one.entities) print(JSON.stringify({ stream: one.stream, ...entity }));
    const { entities, notVisible, hidden } = one;
    const emitted = notVisible === null ? { entities, ...(hidden.length > 0 ? { hidden } : {}) } : { notVisible };
    if (one.problems.length > 0 || !isSame(emitted, one.expected)) wrong += 1;
  }
  for (const one of actions) {
    const isRight = one.outcome === one.expected && isSame(one.writes, one.expectedWrites);
    note(
      `  ${one.action} (${one.mode}): ${one.outcome}${isRight ? '' : `, expected ${one.expected} with ${one.expectedWrites.join(', ') || 'no write'}`}`,
    );
    if (!isRight) wrong += 1;
  }
  return wrong;
}

/** Members in any order. */
function isSame(one: unknown, other: unknown): boolean {
  const sorted = (_key: string, value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return JSON.stringify(one, sorted) === JSON.stringify(other, sorted);
}

/** Tools that are read and acted on through their own interfaces. */
export function addConnectorCommands(program: Command, context: CliContext): void {
  const connector = program.command('connector').description('SaaS tools that are read and acted on by API');
  addManagement(connector, context);
  addReading(connector, context);
  addActing(connector, context);
  connector
    .command('test <app>')
    .description('run a manifest against its recordings, and print what it would emit')
    .option('--content <folder>', 'folder with <app>/connector.yaml and recordings', FOLDER)
    .action(async (app: string, options: { content: string }) => {
      const { testConnector } = await import('@cordon/connectors');
      const tests = await testConnector(options.content, app);
      if (tests.length === 0) note(`${app} has no recordings.`);
      const wrong = tests.reduce((sum, one) => sum + showTest(one), 0);
      if (wrong > 0) throw new UsageWrong(`${wrong} of the expectations are not met.`);
    });
}
