import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { parseSpan } from './event-commands.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const CLOSE_REASONS = ['resolved', 'false-positive', 'expected', 'duplicate', 'test'] as const;

function moment(ms: number | null): string {
  return ms === null ? 'never' : new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

interface CollectOptions {
  readonly syslog?: string;
  readonly peer: readonly string[];
  readonly file?: string;
  readonly s3?: string;
  readonly region: string;
  readonly endpoint?: string;
  readonly accessKey?: string;
  readonly secretEnv?: string;
  readonly allowAddress?: readonly string[];
}

function bucketOf({ s3 = '', region, endpoint, accessKey, allowAddress = [] }: CollectOptions) {
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)(?:\/(.*?))?\/?$/.exec(s3) ?? [];
  if (bucket === undefined) throw new UsageWrong('--s3 is a bucket and a prefix, such as s3://logs/okta.');
  if (accessKey === undefined) throw new UsageWrong('Give --access-key, and --secret-env for its secret.');
  return {
    kind: 's3' as const,
    endpoint: endpoint ?? `https://s3.${region}.amazonaws.com`,
    region,
    bucket,
    prefix,
    accessKeyId: accessKey,
    privateAddresses: [...allowAddress],
  };
}

function collectOf(options: CollectOptions) {
  const { syslog, peer, file, s3 } = options;
  if ([syslog, file, s3].filter((one) => one !== undefined).length > 1) {
    throw new UsageWrong('Give one of --syslog, --file and --s3.');
  }
  if (s3 !== undefined) return bucketOf(options);
  if (file !== undefined) return { kind: 'file' as const, path: resolve(file) };
  if (syslog === undefined) return null;
  const [, transport, port] = /^(udp|tcp|tls):(\d{1,5})$/.exec(syslog) ?? [];
  if (transport === undefined) throw new UsageWrong('--syslog is a transport and a port, such as tls:6514.');
  const way = transport as 'udp' | 'tcp' | 'tls'; // the expression allows no other
  return { kind: 'syslog' as const, transport: way, port: Number(port), peers: [...peer] };
}

export function addDetectionCommands(program: Command, context: CliContext): void {
  addAlerts();
  addSources();

  function addAlerts(): void {
    const alerts = program.command('alerts').description('what the watch found');
    alerts
      .command('list')
      .description('the one that changed last comes first')
      .option('--status <list>', 'open, acknowledged, closed; with commas', 'open,acknowledged')
      .option('--limit <number>', 'how many', Number, 50)
      .option('--json', 'as JSON')
      .action(async (options: { status: string; limit: number; json?: boolean }) => {
        const { api } = await context.connect();
        const query = { status: options.status, limit: options.limit };
        const { items } = take(await api.GET('/api/v1/alerts', { params: { query } }));
        if (options.json) return printJson(items);
        const rows = items.map((one) => [
          one.id,
          one.level,
          one.status,
          String(one.signals),
          moment(one.lastAt),
          one.entity.name,
          one.title,
        ]);
        return printTable(['alert', 'severity', 'status', 'signals', 'last seen (UTC)', 'who', 'what'], rows);
      });
    alerts
      .command('show <id>')
      .description('one alert with its timeline and comments, as JSON')
      .action(async (id: string) => {
        const { api } = await context.connect();
        printJson(take(await api.GET('/api/v1/alerts/{id}', { params: { path: { id } } })));
      });
    alerts
      .command('ack <id>')
      .description('say that somebody looks at it')
      .option('--assign <name>', 'who')
      .action(async (id: string, options: { assign?: string }) => {
        const { api } = await context.connect();
        const body = { status: 'acknowledged' as const, ...(options.assign && { assignee: options.assign }) };
        take(await api.PATCH('/api/v1/alerts/{id}', { params: { path: { id } }, body }));
        note('acknowledged');
      });
    alerts
      .command('close <id>')
      .description('close with a reason')
      .requiredOption('--reason <reason>', CLOSE_REASONS.join(', '))
      .option('--comment <text>', 'why')
      .option('--quiet <span>', 'keep the rule quiet about this entity: 24h, 7d')
      .action(async (id: string, options: { reason: string; comment?: string; quiet?: string }) => {
        const reason = CLOSE_REASONS.find((one) => one === options.reason);
        if (!reason) throw new UsageWrong(`The reason is one of: ${CLOSE_REASONS.join(', ')}.`);
        const { api } = await context.connect();
        const body = {
          reason,
          ...(options.comment !== undefined && { comment: options.comment }),
          ...(options.quiet !== undefined && { quietUntil: Date.now() + parseSpan(options.quiet) }),
        };
        take(await api.POST('/api/v1/alerts/{id}/close', { params: { path: { id } }, body }));
        note('closed');
      });
  }

  function addSources(): void {
    const source = program.command('source').description('where vendor events come from');
    source
      .command('add <name>')
      .description('make a source; its credential is printed once, on standard output')
      .requiredOption('--product <product>', 'whose events: okta, github, slack, …')
      .option('--rate <events>', 'events a second', Number, 5_000)
      .option('--syslog <transport:port>', 'listen for syslog: udp:5514, tcp:5514 or tls:6514')
      .option(
        '--peer <network>',
        'who may send syslog; may be repeated',
        (one: string, all: readonly string[]) => [...all, one],
        [],
      )
      .option('--file <path>', 'read a file, or the files of a folder, as they grow')
      .option('--s3 <url>', 'read the objects under a prefix: s3://bucket/prefix')
      .option('--endpoint <url>', 'of a store other than Amazon’s')
      .option('--region <region>', 'of the bucket', 'us-east-1')
      .option('--access-key <id>', 'access key id of the bucket')
      .option('--secret-env <name>', 'environment variable that holds its secret')
      .option('--allow-address <ip...>', 'exact private addresses that the endpoint may lie at')
      .action(async (name: string, options: CollectOptions & { product: string; rate: number }) => {
        const { api } = await context.connect();
        const collect = collectOf(options);
        const secret = options.secretEnv === undefined ? undefined : context.env[options.secretEnv];
        const body = {
          name,
          product: options.product,
          rateMax: options.rate,
          collect,
          ...(secret !== undefined && { collectSecret: secret }),
        };
        const { source: made, credential } = take(await api.POST('/api/v1/sources', { body }));
        if (collect)
          note(`source ${made.id} is collected by the worker; events may also be pushed, with this as bearer:`);
        else note(`source ${made.id}; send events to /ingest/v1/events with this as bearer (shown once):`);
        print(credential);
      });
    source
      .command('list')
      .description('sources with their state')
      .option('--json', 'as JSON')
      .action(async (options: { json?: boolean }) => {
        const { api } = await context.connect();
        const { items } = take(await api.GET('/api/v1/sources'));
        if (options.json) return printJson(items);
        const rows = items.map((one) => [
          one.name,
          one.product,
          one.status,
          String(one.accepted),
          String(one.deadLetters),
          moment(one.lastReceivedAt),
          one.lagMs === null ? '-' : `${Math.round(one.lagMs / 1_000)} s`,
        ]);
        for (const one of items) if (one.collectError !== null) note(`${one.name}: ${one.collectError}`);
        return printTable(['source', 'product', 'status', 'events', 'dead', 'last (UTC)', 'lag'], rows);
      });
    source
      .command('replay <name>')
      .description('try the dead letters of a source again')
      .action(async (name: string) => {
        const { api } = await context.connect();
        const { items } = take(await api.GET('/api/v1/sources'));
        const found = items.find((one) => one.name === name);
        if (!found) throw new UsageWrong(`There is no source ${name}.`);
        const params = { path: { id: found.id } };
        const { letters } = take(await api.POST('/api/v1/sources/{id}/dead-letters/replay', { params }));
        note(`${letters} dead letters are tried again`);
      });
  }
}
