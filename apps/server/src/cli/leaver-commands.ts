import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const PAGE = 200;

/** What is taken from people who leave, and the evidence. */
export function addLeaverCommands(program: Command, context: CliContext): void {
  const leaver = program.command('leaver').description('people who leave: what was taken, where, and what is open');

  const findPerson = async (email: string) => {
    const { api } = await context.connect();
    let after: string | undefined;
    for (;;) {
      const query = { limit: PAGE, ...(after === undefined ? {} : { after }) };
      const { people } = take(await api.GET('/api/v1/people', { params: { query } }));
      const found = people.find((one) => one.email.toLowerCase() === email.toLowerCase());
      if (found) return found;
      if (people.length < PAGE) throw new UsageWrong(`Nobody has the address ${email}.`);
      after = people.at(-1)?.id;
    }
  };

  leaver
    .command('start <email>')
    .description('disable a person and take everything they have; sessions and tokens end at once')
    .requiredOption('--reason <text>', 'why; kept as evidence')
    .action(async (email: string, options: { reason: string }) => {
      const { api } = await context.connect();
      const { id } = await findPerson(email);
      const body = { reason: options.reason };
      take(await api.POST('/api/v1/people/{id}/disable', { params: { path: { id } }, body }));
      const { items } = take(await api.GET('/api/v1/leavers', { params: { query: { person: id, limit: 1 } } }));
      note('Sessions, API tokens and links are gone. The rest is under way:');
      print(items[0]?.id ?? '');
    });
  leaver
    .command('list')
    .description('newest first')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/leavers', { params: { query: {} } }));
      if (options.json) return printJson(items);
      const rows = items.map(({ id, person, startedAt, endedAt, counts }) => [
        id,
        person.name,
        new Date(startedAt).toISOString(),
        endedAt === null ? 'open' : 'complete',
        String(counts.done + counts.nothing),
        String(counts.task),
        String(counts.failed),
      ]);
      return printTable(['leaver', 'who', 'began', 'state', 'done', 'tasks', 'failed'], rows);
    });
  leaver
    .command('show <id>')
    .description('every target with its evidence')
    .option('--json', 'as JSON')
    .action(async (id: string, options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { run, targets } = take(await api.GET('/api/v1/leavers/{id}', { params: { path: { id } } }));
      if (options.json) return printJson({ run, targets });
      const rows = targets.map((one) => [one.state, one.kind, one.name, one.act, one.detail ?? '']);
      return printTable(['state', 'kind', 'what', 'act', 'evidence'], rows);
    });
  leaver
    .command('retry <id>')
    .description('try again what failed')
    .action(async (id: string) => {
      const { api } = await context.connect();
      const { targets } = take(await api.POST('/api/v1/leavers/{id}/retry', { params: { path: { id } } }));
      note(targets === 0 ? 'Nothing failed.' : `${targets} are tried again.`);
    });
}
