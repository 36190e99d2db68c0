import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

type Api = Awaited<ReturnType<CliContext['connect']>>['api'];

async function findReceiver(api: Api, given: string) {
  const { items } = take(await api.GET('/api/v1/signals/receivers'));
  const found = items.find((one) => one.name === given || one.id === given);
  if (!found) throw new UsageWrong(`There is no receiver ${given}. See: cordon sso signal receiver list`);
  return found;
}

async function findSource(api: Api, given: string) {
  const { items } = take(await api.GET('/api/v1/signals/sources'));
  const found = items.find((one) => one.name === given || one.id === given);
  if (!found) throw new UsageWrong(`There is no source ${given}. See: cordon sso signal source list`);
  return found;
}

const secretOf = async (path: string | undefined): Promise<string | undefined> =>
  path === undefined ? undefined : (await readFile(path, 'utf8')).trim();

function addReceiverCommands(signal: Command, context: CliContext): void {
  const receiver = signal.command('receiver').description('who is told of sessions, factors and accounts');
  receiver
    .command('list')
    .description('receivers, by name')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items, metadataUrl } = take(await api.GET('/api/v1/signals/receivers'));
      if (options.json) return printJson(items);
      printTable(
        ['name', 'audience', 'delivery', 'status', 'events'],
        items.map((one) => [one.name, one.audience, one.delivery ?? 'no stream yet', one.status, one.events.join(' ')]),
      );
      note(`Receivers find everything at ${metadataUrl}`);
      return undefined;
    });
  receiver
    .command('add <name>')
    .description('add a receiver; its token is shown once')
    .requiredOption('--audience <aud>', 'whom the tokens are for; of another Cordon: its address')
    .option('--by-id', 'name people by their id instead of their address')
    .option('--selected', 'only of people whom the receiver adds')
    .option('--push <url>', 'for a receiver that makes no stream itself: where to push')
    .option('--authorization-file <path>', 'of push: a file with the Authorization to send')
    .action(
      async (
        name: string,
        options: { audience: string; byId?: boolean; selected?: boolean; push?: string; authorizationFile?: string },
      ) => {
        const { api } = await context.connect();
        const authorization = await secretOf(options.authorizationFile);
        const push =
          options.push === undefined
            ? null
            : { endpointUrl: options.push, ...(authorization === undefined ? {} : { authorization }) };
        const body = {
          name,
          audience: options.audience,
          subjectFormat: options.byId ? ('iss_sub' as const) : ('email' as const),
          allSubjects: options.selected !== true,
          push,
        };
        const made = take(await api.POST('/api/v1/signals/receivers', { body }));
        print(made.token);
        note(`${made.receiver.name} is added. This token is not shown again; the receiver makes its stream with it.`);
      },
    );
  receiver
    .command('events <receiver>')
    .description('what was sent, waits or is dead')
    .option('--dead', 'only what nobody took')
    .option('--json', 'as JSON')
    .action(async (given: string, options: { dead?: boolean; json?: boolean }) => {
      const { api } = await context.connect();
      const { id } = await findReceiver(api, given);
      const query = options.dead ? { state: 'dead' as const } : {};
      const { items } = take(
        await api.GET('/api/v1/signals/receivers/{id}/events', { params: { path: { id }, query } }),
      );
      if (options.json) return printJson(items);
      printTable(
        ['when', 'event', 'state', 'tries', 'outcome', 'id'],
        items.map((one) => [
          one.createdAt.slice(0, 19),
          one.event,
          one.state,
          String(one.attempts),
          one.outcome ?? '',
          one.id,
        ]),
      );
      return undefined;
    });
  receiver
    .command('requeue <receiver> <ids...>')
    .description('try dead events again')
    .action(async (given: string, ids: string[]) => {
      const { api } = await context.connect();
      const { id } = await findReceiver(api, given);
      const params = { path: { id } };
      const { count } = take(await api.POST('/api/v1/signals/receivers/{id}/requeue', { params, body: { ids } }));
      print(`${count} events are tried again.`);
    });
  receiver
    .command('remove <receiver>')
    .description('remove a receiver; its token ends')
    .action(async (given: string) => {
      const { api } = await context.connect();
      const { id, name } = await findReceiver(api, given);
      take(await api.DELETE('/api/v1/signals/receivers/{id}', { params: { path: { id } } }));
      print(`${name} is removed.`);
    });
}

function addSourceCommands(signal: Command, context: CliContext): void {
  const source = signal.command('source').description('who tells Cordon, and what follows from it');
  source
    .command('list')
    .description('sources, by name')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/signals/sources'));
      if (options.json) return printJson(items);
      printTable(
        ['name', 'issuer', 'delivery', 'status', 'verified', 'last', 'trouble'],
        items.map((one) => [
          one.name,
          one.issuer,
          one.delivery,
          one.status,
          one.verifiedAt?.slice(0, 19) ?? 'no',
          one.lastAt?.slice(0, 19) ?? '',
          one.lastError ?? '',
        ]),
      );
      return undefined;
    });
  source
    .command('add <name> <issuer>')
    .description('add a source; with a token its stream is made there')
    .option('--token-file <path>', 'a file with our token at the transmitter')
    .option('--audience <aud>', 'whom its tokens are for, if it isn’t the address of this Cordon')
    .option('--poll', 'ask for events, instead of being told')
    .action(
      async (name: string, issuer: string, options: { tokenFile?: string; audience?: string; poll?: boolean }) => {
        const { api } = await context.connect();
        const token = await secretOf(options.tokenFile);
        const body = {
          name,
          issuer,
          delivery: options.poll ? ('poll' as const) : ('push' as const),
          ...(token === undefined ? {} : { token }),
          ...(options.audience === undefined ? {} : { audience: options.audience }),
        };
        const { source: made, address } = take(await api.POST('/api/v1/signals/sources', { body }));
        print(`${made.name} is added.`);
        if (made.streamId !== null) return;
        print('At the transmitter, make a stream that pushes to:');
        printTable(
          ['what', 'value'],
          [
            ['address', address.endpointUrl],
            ['Authorization', address.authorization],
          ],
        );
      },
    );
  source
    .command('events <source>')
    .description('what came in, and what followed')
    .option('--json', 'as JSON')
    .action(async (given: string, options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { id } = await findSource(api, given);
      const { items } = take(await api.GET('/api/v1/signals/sources/{id}/events', { params: { path: { id } } }));
      if (options.json) return printJson(items);
      printTable(
        ['when', 'event', 'person', 'outcome'],
        items.map((one) => [one.at.slice(0, 19), one.event, one.personId ?? '', one.outcome]),
      );
      return undefined;
    });
  source
    .command('act <source> <event> <act>')
    .description('what follows from an event: none, end-sessions, require-factor, factor-reset, suspend, restore, …')
    .action(async (given: string, event: string, act: string) => {
      const { api } = await context.connect();
      const { id, acts, name } = await findSource(api, given);
      if (!(event in acts)) throw new UsageWrong(`Events are: ${Object.keys(acts).join(', ')}`);
      const known = z
        .enum([
          'none',
          'end-sessions',
          'require-factor',
          'factor-reset',
          'suspend',
          'restore',
          'note-compliance',
          'note-risk',
        ])
        .safeParse(act);
      if (!known.success) throw new UsageWrong(`There is no act ${act}.`);
      const body = { acts: { ...acts, [event]: known.data } };
      take(await api.PATCH('/api/v1/signals/sources/{id}', { params: { path: { id } }, body }));
      print(`${name}: ${event} → ${act}`);
    });
  source
    .command('remove <source>')
    .description('remove a source, and our stream there')
    .action(async (given: string) => {
      const { api } = await context.connect();
      const { id, name } = await findSource(api, given);
      take(await api.DELETE('/api/v1/signals/sources/{id}', { params: { path: { id } } }));
      print(`${name} is removed.`);
    });
}

/** `cordon sso signal …`: OpenID Shared Signals. */
export function addSignalCommands(sso: Command, context: CliContext): void {
  const signal = sso.command('signal').description('OpenID Shared Signals: who is told, who tells');
  addReceiverCommands(signal, context);
  addSourceCommands(signal, context);
  signal
    .command('holds')
    .description('people who may not sign in because of a signal')
    .action(async () => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/signals/holds'));
      printTable(
        ['person', 'hold', 'because', 'since'],
        items.map((one) => [one.personId, one.hold ?? '', one.reason ?? '', one.at?.slice(0, 19) ?? '']),
      );
    });
  signal
    .command('lift <person>')
    .description('let a person sign in again')
    .action(async (id: string) => {
      const { api } = await context.connect();
      take(await api.DELETE('/api/v1/signals/holds/{id}', { params: { path: { id } } }));
      print('The person may sign in again.');
    });
}
