import type { Command } from 'commander';
import { findAppId } from './app-commands.ts';
import type { CliContext } from './context.ts';
import { day, note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const WATCH_MS = 1_000;
const OVER = new Set(['done', 'partial', 'failed', 'cancelled']);
const SETTLED = new Set(['verified', 'unverified', 'unenforceable', 'failed', 'undone']);
const ACTS = ['redact', 'tokenise', 'unshare', 'quarantine', 'delete', 'label'] as const;
const DECISIONS = ['dismiss', 'accept', 'justify', 'reopen'] as const;
const LABELS = ['public', 'internal', 'confidential', 'restricted'] as const;

const wait = () => new Promise((resolve) => setTimeout(resolve, WATCH_MS));

function oneOf<const Value extends string>(values: readonly Value[], given: string, what: string): Value {
  const found = values.find((value) => value === given);
  if (found === undefined) throw new UsageWrong(`${what} is one of ${values.join(', ')}.`);
  return found;
}

/** `cordon dlp …` */
export function addDlpCommands(program: Command, context: CliContext): void {
  const dlp = program.command('dlp').description('data loss prevention: scans, incidents, justifications, tokens');
  addScans(dlp, context);
  addIncidents(dlp, context);
  addPasses(dlp, context);
  addLabels(dlp, context);
  addTokens(dlp, context);
}

async function findConnection(context: CliContext, name: string): Promise<string> {
  const { api } = await context.connect();
  const { items } = take(await api.GET('/api/v1/dlp/targets'));
  const found = items.find((one) => one.name === name || one.connectionId === name);
  if (!found) throw new UsageWrong(`There is no connection ${name}.`);
  return found.connectionId;
}

function addScans(dlp: Command, context: CliContext): void {
  dlp
    .command('scan <connection>')
    .description('look for sensitive data in the records and files of a tool')
    .option('--incremental', 'only what changed since the last scan')
    .option('--enforce', 'do what rules say to what is found')
    .option('--stream <stream...>', 'only these streams')
    .option('--no-wait', 'print its id and end')
    .action(
      async (name: string, options: { incremental?: boolean; enforce?: boolean; stream?: string[]; wait: boolean }) => {
        const connectionId = await findConnection(context, name);
        const { api } = await context.connect();
        const body = {
          connectionId,
          mode: options.incremental ? ('incremental' as const) : ('full' as const),
          enforce: options.enforce === true,
          ...(options.stream && { streams: options.stream }),
        };
        let scan = take(await api.POST('/api/v1/dlp/scans', { body }));
        while (options.wait && !OVER.has(scan.status)) {
          await wait();
          scan = take(await api.GET('/api/v1/dlp/scans/{id}', { params: { path: { id: scan.id } } }));
        }
        for (const one of scan.streams) {
          const gaps = Object.entries(one.unreadable).map(([reason, count]) => `, ${count} ${reason}`);
          const counts = `${one.records} records, ${one.skipped} unchanged, ${one.files} files, ${one.found} found`;
          note(`${one.stream}: ${one.status}: ${counts}${gaps.join('')}${one.reason ? `: ${one.reason}` : ''}`);
        }
        print(scan.id);
        if (scan.status === 'failed') process.exitCode = 1;
      },
    );
  dlp.command('scans').action(async () => {
    const { api } = await context.connect();
    const { items } = take(await api.GET('/api/v1/dlp/scans', { params: { query: {} } }));
    const rows = items.map((scan) => [
      scan.id,
      scan.name,
      scan.mode,
      scan.status,
      String(scan.streams.reduce((sum, { records }) => sum + records, 0)),
      String(scan.streams.reduce((sum, { found }) => sum + found, 0)),
      day(scan.requestedAt),
    ]);
    printTable(['id', 'connection', 'mode', 'state', 'records', 'found', 'when'], rows);
  });
  dlp
    .command('schedule <connection> <hours>')
    .description('scan what changed every so many hours; 0 to stop')
    .option('--enforce', 'do what rules say to what is found')
    .action(async (name: string, hours: string, options: { enforce?: boolean }) => {
      const id = await findConnection(context, name);
      const { api } = await context.connect();
      const params = { path: { id } };
      if (Number(hours) === 0) {
        take(await api.DELETE('/api/v1/dlp/schedules/{id}', { params }));
        return;
      }
      const body = { everyHours: Number(hours), enforce: options.enforce === true };
      take(await api.PUT('/api/v1/dlp/schedules/{id}', { params, body }));
    });
}

function addIncidents(dlp: Command, context: CliContext): void {
  dlp
    .command('incidents')
    .option('--status <status>', 'open, waiting, justified, accepted, dismissed, remediated, failed, gone')
    .option('--app <app>')
    .option('--json', 'as JSON')
    .action(async (options: { status?: string; app?: string; json?: boolean }) => {
      const { api } = await context.connect();
      const query = {
        ...(options.status === undefined ? {} : { status: options.status as 'open' }), // the server checks it
        ...(options.app === undefined ? {} : { app: options.app }),
      };
      const { items } = take(await api.GET('/api/v1/dlp/incidents', { params: { query } }));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [
        one.id,
        one.status,
        `${one.app}:${one.object}`,
        one.title ?? one.recordId,
        one.classes.map(({ class: name, count }) => `${count} ${name}`).join(', '),
        one.rule.name,
      ]);
      return printTable(['id', 'state', 'data set', 'record', 'found', 'rule'], rows);
    });
  dlp
    .command('show <incident>')
    .description('an incident with its history, acts and evidence, as JSON')
    .action(async (id: string) => {
      const { api } = await context.connect();
      printJson(take(await api.GET('/api/v1/dlp/incidents/{id}', { params: { path: { id } } })));
    });
  dlp
    .command('decide <incident> <decision>')
    .description('dismiss, accept, justify or reopen')
    .requiredOption('--reason <text>', 'why; kept as evidence')
    .action(async (id: string, decision: string, options: { reason: string }) => {
      const { api } = await context.connect();
      const body = { decision: oneOf(DECISIONS, decision, 'The decision'), note: options.reason };
      note(take(await api.POST('/api/v1/dlp/incidents/{id}/decisions', { params: { path: { id } }, body })).status);
    });
  dlp
    .command('act <action> <incident...>')
    .description('redact, tokenise, unshare, quarantine, delete or label records, and read again')
    .action(async (action: string, ids: string[]) => {
      const { api } = await context.connect();
      const body = { ids, action: oneOf(ACTS, action, 'The action') };
      const begun = new Set(take(await api.POST('/api/v1/dlp/remedies', { body })).ids);
      for (const id of ids) {
        const load = async () => {
          const { remedies } = take(await api.GET('/api/v1/dlp/incidents/{id}', { params: { path: { id } } }));
          return remedies.find((one) => begun.has(one.id));
        };
        let remedy = await load();
        while (remedy && (!SETTLED.has(remedy.status) || remedy.endedAt === null)) {
          await wait();
          remedy = await load();
        }
        note(`${id}: ${remedy?.status ?? 'gone'}${remedy?.reason ? `: ${remedy.reason}` : ''}`);
        if (remedy?.status === 'failed') process.exitCode = 1;
      }
    });
  dlp
    .command('undo <remedy>')
    .description('take an act back, where the tool has a way')
    .action(async (id: string) => {
      const { api } = await context.connect();
      print(take(await api.POST('/api/v1/dlp/remedies/{id}/undo', { params: { path: { id } }, body: {} })).id);
    });
}

async function findByName(
  context: CliContext,
  path: '/api/v1/inspection-rules' | '/api/v1/integrations',
  name: string,
) {
  const { api } = await context.connect();
  const { items } = take(await api.GET(path, {}));
  const found = (items as readonly { id: string; name: string }[]).find((one) => one.id === name || one.name === name); // both lists have these
  if (!found) throw new UsageWrong(`There is no ${name}.`);
  return found.id;
}

function addPasses(dlp: Command, context: CliContext): void {
  dlp
    .command('justify <rule> <integration>')
    .description('say why, or release: the integration passes the rule for its time')
    .requiredOption('--reason <text>', 'at least ten characters; kept as evidence')
    .option('--app <app>', 'only to this app')
    .action(async (rule: string, integration: string, options: { reason: string; app?: string }) => {
      const { api } = await context.connect();
      const body = {
        ruleId: await findByName(context, '/api/v1/inspection-rules', rule),
        integrationId: await findByName(context, '/api/v1/integrations', integration),
        appId: options.app === undefined ? null : await findAppId(context, options.app),
        reason: options.reason,
      };
      const pass = take(await api.POST('/api/v1/dlp/passes', { body }));
      note(`It passes until ${new Date(pass.expiresAt).toISOString()}.`);
      print(pass.id);
    });
}

function addLabels(dlp: Command, context: CliContext): void {
  dlp
    .command('name-label <connector> <label> [toolLabel]')
    .description('which label of a tool stands for ours; without one: none')
    .action(async (connector: string, label: string, toolLabel: string | undefined) => {
      const { api } = await context.connect();
      const body = { connector, label: oneOf(LABELS, label, 'The label'), toolLabel: toolLabel ?? null };
      take(await api.PUT('/api/v1/dlp/labels', { body }));
    });
  dlp
    .command('sync-labels <connector>')
    .description('files that bear another label than what was found asks for; with --run put it on')
    .option('--run', 'put the labels on')
    .action(async (connector: string, options: { run?: boolean }) => {
      const { api } = await context.connect();
      const body = { connector, mode: options.run ? ('run' as const) : ('dry-run' as const) };
      const { items } = take(await api.POST('/api/v1/dlp/labels/sync', { body }));
      const rows = items.map((one) => [one.title ?? one.recordId, one.label, one.has ?? 'none', one.wanted]);
      printTable(['file', 'label', 'has', 'wanted'], rows);
    });
}

function addTokens(dlp: Command, context: CliContext): void {
  dlp
    .command('tokenise <category> <value>')
    .description('a token that a permitted person can put back')
    .action(async (category: string, value: string) => {
      const { api } = await context.connect();
      print(take(await api.POST('/api/v1/dlp/tokens', { body: { category, value, mode: 'token' } })).value);
    });
  dlp
    .command('reveal <category> <token>')
    .description('put a token back; on record, with its reason')
    .requiredOption('--reason <text>', 'at least ten characters')
    .action(async (category: string, token: string, options: { reason: string }) => {
      const { api } = await context.connect();
      const body = { category, token, reason: options.reason, mode: 'token' as const };
      print(take(await api.POST('/api/v1/dlp/tokens/reveal', { body })).value);
    });
}
