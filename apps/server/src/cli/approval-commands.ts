import { parseSelector } from '@cordon/policy';
import type { Command } from 'commander';
import { findAppId } from './app-commands.ts';
import type { CliContext } from './context.ts';
import { note, print, printTable, take, UsageWrong } from './output.ts';

interface RequirementOptions {
  readonly app?: string;
  readonly operation?: string[];
  readonly assurance?: string;
  readonly nonce?: boolean;
  readonly approval?: string;
  readonly argument?: string[];
  readonly calls?: number;
}

function approvalOf({ approval: bind, argument = [], calls = 1 }: RequirementOptions) {
  if (bind === undefined) return null;
  if (bind !== 'body' && bind !== 'arguments' && bind !== 'operation') {
    throw new UsageWrong('--approval is body, arguments or operation: what the second person approves.');
  }
  return { bind, arguments: argument, countMax: calls } as const;
}

/** What sensitive calls require, who was asked to approve them, and who is locked out. */
export function addApprovalCommands(program: Command, context: CliContext): void {
  const requirement = program.command('requirement').description('what sensitive calls need beyond a grant');
  requirement
    .command('put <name>')
    .description('require a stronger proof, a nonce or the approval of a second person; replaces that of the same name')
    .option('--app <name>', 'only of this app')
    .option('--operation <selector...>', 'only these: an operation id, tag:NAME, write:*, "POST /payouts/**"')
    .option('--assurance <level>', 'm1 (one key) or m2 (two different keys)')
    .option('--nonce', 'DPoP proofs need a nonce of the gateway')
    .option('--approval <what>', 'a second person approves: the whole body, some arguments, or the operation')
    .option('--argument <pointer...>', 'JSON pointers such as /amount, with --approval arguments')
    .option('--calls <number>', 'calls that one approval may cover', Number)
    .action(async (name: string, options: RequirementOptions) => {
      const { api } = await context.connect();
      const body = {
        name,
        appId: options.app === undefined ? null : await findAppId(context, options.app),
        select: (options.operation ?? []).map((text) => parseSelector(text)),
        assurance: options.assurance ?? 'm0',
        dpopNonce: options.nonce ?? false,
        approval: approvalOf(options),
      };
      print(take(await api.POST('/api/v1/requirements', { body: body as never })).id); // the server's schema checks it
    });
  requirement
    .command('list')
    .description('list requirements')
    .action(async () => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/requirements'));
      printTable(
        ['id', 'name', 'what'],
        items.map((one) => [one.id, one.name, JSON.stringify(one.entry)]),
      );
    });
  requirement
    .command('remove <id>')
    .description('take a requirement away')
    .action(async (id: string) => {
      const { api } = await context.connect();
      take(await api.DELETE('/api/v1/requirements/{id}', { params: { path: { id } } }));
    });

  program
    .command('approval')
    .description('calls that integrations ask a second person to approve; they are decided in the console')
    .command('list')
    .description('newest first')
    .action(async () => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/approvals'));
      const rows = items.map((one) => [
        one.createdAt,
        one.state,
        one.integration.name,
        `${one.call.app} ${one.call.operation}`,
        one.decidedBy?.name ?? '',
        one.message ?? '',
      ]);
      printTable(['asked', 'state', 'integration', 'call', 'decided by', 'message'], rows);
    });

  const lock = program.command('lock').description('addresses and clients that failed again and again');
  lock
    .command('list')
    .description('who is locked and until when')
    .action(async () => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/locks'));
      const rows = items.map((one) => [one.kind, one.value, String(one.failures), one.lockedUntil ?? '', one.reason]);
      printTable(['kind', 'who', 'failures', 'locked until', 'latest failure'], rows);
    });
  lock
    .command('remove <kind> <who>')
    .description('let an address, client or gateway (an address there) try again at once')
    .requiredOption('--reason <text>', 'why; kept as evidence')
    .action(async (kind: string, value: string, { reason }: { reason: string }) => {
      const { api } = await context.connect();
      const body = { kind: kind as 'address', value, reason }; // the server checks it and names what is allowed
      take(await api.POST('/api/v1/locks/remove', { body }));
      note(`${value} may try again.`);
    });
}
