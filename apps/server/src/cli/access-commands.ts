import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { findAppId } from './app-commands.ts';
import type { CliContext } from './context.ts';
import { findIntegration } from './integration-commands.ts';
import { day, note, printJson, printTable, take, UsageWrong } from './output.ts';

type Days = 30 | 90 | 180;

interface Replay {
  readonly calls: number;
  readonly left: number;
  readonly leftBecause: readonly string[];
  readonly wouldBreak: number;
  readonly wouldOpen: number;
  readonly changes: readonly {
    readonly effect: string;
    readonly operation: string;
    readonly calls: number;
    readonly lastAt: number;
    readonly explanation: string;
  }[];
}

function windowOf(text: string): Days {
  const days = Number(text);
  if (days === 30 || days === 90 || days === 180) return days;
  throw new UsageWrong('--days is 30, 90 or 180.');
}

function showReplay(replay: Replay): void {
  note(
    `${replay.calls} recorded calls: ${replay.wouldBreak} would be refused, ${replay.wouldOpen} would be let through`,
  );
  if (replay.left > 0) note(`${replay.left} calls were not decided again: ${replay.leftBecause.join('; ')}`);
  if (replay.changes.length === 0) return;
  printTable(
    ['effect', 'operation', 'calls', 'last', 'why'],
    replay.changes.map((one) => [one.effect, one.operation, String(one.calls), day(one.lastAt), one.explanation]),
  );
}

export function addAccessCommands(program: Command, context: CliContext): void {
  const access = program.command('access').description('granted against used, and what a change would break');

  access
    .command('used <integration>')
    .description('how often each granted operation was used')
    .option('--json', 'as JSON')
    .action(async (name: string, { json }: { json?: boolean }) => {
      const { api } = await context.connect();
      const { id } = await findIntegration(context, name);
      const use = take(await api.GET('/api/v1/integrations/{id}/access', { params: { path: { id } } }));
      if (json) return printJson(use);
      note(`${use.used} of ${use.granted} granted operations used; recorded for ${use.observedDays} days`);
      const shown = (calls: number | null): string => (calls === null ? 'unknown' : String(calls));
      return printTable(
        ['operation', 'granted by', '30 days', '90 days', '180 days', 'refused', 'last'],
        use.operations.map(({ operation, grants, calls, refused, lastAt }) => [
          operation,
          grants.join(', ') || '-',
          shown(calls.d30),
          shown(calls.d90),
          shown(calls.d180),
          String(refused),
          day(lastAt),
        ]),
      );
    });

  access
    .command('propose <integration>')
    .description('the smallest grants that cover the use, replayed on recorded traffic; --apply makes it so')
    .option('--days <number>', 'what counts as used: 30, 90 or 180', '90')
    .option('--no-margin', 'also drop what was used in 180 days but not in these')
    .option('--apply', 'change the grants; undone by: cordon access undo')
    .option('--json', 'as JSON')
    .action(async (name: string, options: { days: string; margin: boolean; apply?: boolean; json?: boolean }) => {
      const { api } = await context.connect();
      const { id } = await findIntegration(context, name);
      const windowDays = windowOf(options.days);
      const query = { windowDays, margin: options.margin ? ('yes' as const) : ('no' as const) };
      const params = { path: { id }, query };
      const found = take(await api.GET('/api/v1/integrations/{id}/access/proposal', { params }));
      const { proposal, replay } = found;
      if (options.json) printJson(found);
      else {
        printTable(
          ['grant', 'change', 'used', 'margin', 'goes'],
          proposal.grants.map((one) => [
            one.name,
            one.change,
            one.used.join(' '),
            one.margin.join(' ') || '-',
            one.dropped.join(' ') || '-',
          ]),
        );
        for (const text of proposal.notes) note(text);
        showReplay(replay);
      }
      if (!options.apply) return;
      const body = { windowDays, withMargin: options.margin, digest: proposal.digest };
      const made = take(await api.POST('/api/v1/integrations/{id}/access/apply', { params: { path: { id } }, body }));
      note(`Applied. Undo: cordon access undo ${made.id}`);
    });

  access
    .command('undo <change>')
    .description('give back the grants as they were before a proposal was applied')
    .action(async (id: string) => {
      const { api } = await context.connect();
      take(await api.POST('/api/v1/access/changes/{id}/undo', { params: { path: { id } } }));
      note('The grants are as they were.');
    });

  access
    .command('what-if')
    .description('replay recorded calls under other grants, policies or inspection rules, or under other limits')
    .option('--remove-grant <id...>', 'grants that would go')
    .option('--policy <file>', 'a Cedar policy that would be added')
    .option('--file <path>', 'entries as JSON: {"set": {"inspection:…": {…}}, "remove": ["grant:…"]}')
    .option('--integration <name>', 'only its calls')
    .option('--app <name>', 'only calls to it')
    .option('--days <number>', 'how far back', '90')
    .option('--json', 'as JSON')
    .action(
      async (options: {
        removeGrant?: string[];
        policy?: string;
        file?: string;
        integration?: string;
        app?: string;
        days: string;
        json?: boolean;
      }) => {
        const { api } = await context.connect();
        // The server checks it and names what is wrong.
        const given = options.file ? (JSON.parse(await readFile(options.file, 'utf8')) as object) : {};
        const { set = {}, remove = [] } = given as { set?: Record<string, unknown>; remove?: string[] };
        if (options.policy) {
          const text = await readFile(options.policy, 'utf8');
          set['policy:what-if'] = { id: 'what-if', name: 'what-if', text };
        }
        const body = {
          set,
          remove: [...remove, ...(options.removeGrant ?? []).map((id) => `grant:${id}`)],
          days: Number(options.days),
          ...(options.integration ? { integrationId: (await findIntegration(context, options.integration)).id } : {}),
          ...(options.app ? { appId: await findAppId(context, options.app) } : {}),
        };
        const replay = take(await api.POST('/api/v1/access/what-if', { body }));
        if (options.json) printJson(replay);
        else showReplay(replay);
      },
    );
}
