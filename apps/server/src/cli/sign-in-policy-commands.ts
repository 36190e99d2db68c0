import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

/** A set of policies in a file: what `show --json` prints. The server checks the rest. */
const setFile = z.object({
  base: z.boolean().default(true),
  policies: z
    .array(
      z.object({ name: z.string(), text: z.string(), mode: z.enum(['enforce', 'watch', 'off']).default('enforce') }),
    )
    .default([]),
  networks: z.array(z.object({ name: z.string(), cidrs: z.array(z.string()) })).default([]),
});

async function readSet(path: string): Promise<z.output<typeof setFile>> {
  try {
    return setFile.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const text = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new UsageWrong(`${path} can't be read as policies: ${text}`);
  }
}

function reasonsOf(reasons: readonly { policy: string; statement: string | null }[]): string {
  return reasons.map(({ policy, statement }) => statement ?? policy).join(', ');
}

/** `cordon sso policy …`: who may sign in, when and how. */
export function addSignInPolicyCommands(sso: Command, context: CliContext): void {
  const policy = sso.command('policy').description('policy on sign-in: who may sign in, when and how');
  policy
    .command('show')
    .description('the policies in force; as JSON they can be edited and applied')
    .option('--json', 'as JSON, for dry-run and apply')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { version, set, madeBy } = take(await api.GET('/api/v1/sign-in-policy'));
      if (options.json) return printJson(set);
      print(
        `Version ${version} by ${madeBy}; people sign in when no policy says otherwise: ${set.base ? 'yes' : 'no'}.`,
      );
      printTable(
        ['policy', 'mode', 'lines'],
        set.policies.map(({ name, mode, text }) => [name, mode, String(text.split('\n').length)]),
      );
      printTable(
        ['network', 'addresses'],
        set.networks.map(({ name, cidrs }) => [name, cidrs.join(' ')]),
      );
      return undefined;
    });
  policy
    .command('templates')
    .description('ready policies to begin from')
    .option('--json', 'as JSON, with their text')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/sign-in-policy/templates'));
      if (options.json) return printJson(items);
      printTable(
        ['name', 'what it does'],
        items.map((one) => [one.name, one.description]),
      );
      return undefined;
    });
  policy
    .command('dry-run <file>')
    .description('what it would have done to the sign-ins of the last days; changes nothing')
    .option('--days <n>', 'how many days back', '30')
    .option('--json', 'as JSON')
    .action(async (path: string, options: { days: string; json?: boolean }) => {
      const { api } = await context.connect();
      const body = { set: await readSet(path), days: Number(options.days) };
      const found = take(await api.POST('/api/v1/sign-in-policy/dry-run', { body }));
      if (options.json) return printJson(found);
      const { now, proposed } = found;
      print(`${found.examined} sign-ins since ${found.since.slice(0, 10)}.`);
      printTable(
        ['', 'let in', 'asked for more', 'refused'],
        [
          ['now', String(now.allow), String(now.stronger), String(now.refuse)],
          ['proposed', String(proposed.allow), String(proposed.stronger), String(proposed.refuse)],
        ],
      );
      printTable(
        ['person', 'refused', 'asked for more', 'by', 'last from'],
        found.people.map(({ personName, refuse, stronger, last }) => [
          personName,
          String(refuse),
          String(stronger),
          reasonsOf(last.reasons),
          `${last.address} ${last.country}`,
        ]),
      );
      note(`${found.owners.letIn} of ${found.owners.total} owners could sign in as they did last.`);
      if (found.incomplete > 0)
        note(`${found.incomplete} sign-ins lack facts; what is unknown spoke against the person.`);
      return undefined;
    });
  policy
    .command('apply <file>')
    .description('put policies in force; refused when every owner would be shut out')
    .option('--note <text>', 'why', '')
    .action(async (path: string, options: { note: string }) => {
      const { api } = await context.connect();
      const { version } = take(await api.GET('/api/v1/sign-in-policy'));
      const body = { set: await readSet(path), note: options.note, basedOn: version };
      const made = take(await api.PUT('/api/v1/sign-in-policy', { body }));
      print(`Version ${made.version} is in force.`);
    });
  policy
    .command('history')
    .description('every version, and who made it')
    .action(async () => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/sign-in-policy/history'));
      printTable(
        ['version', 'when', 'by', 'policies', 'note'],
        items.map((one) => [
          String(one.version),
          one.madeAt?.slice(0, 19) ?? '',
          one.madeBy,
          one.set.policies.map(({ name }) => name).join(', '),
          one.note,
        ]),
      );
    });
  policy
    .command('log')
    .description('what was decided of sign-ins, newest first')
    .option('--outcome <outcome>', 'allow, stronger or refuse')
    .option('--json', 'as JSON')
    .action(async (options: { outcome?: string; json?: boolean }) => {
      const { api } = await context.connect();
      const outcome = z.enum(['allow', 'stronger', 'refuse']).optional().safeParse(options.outcome);
      if (!outcome.success) throw new UsageWrong('An outcome is allow, stronger or refuse.');
      const query = outcome.data === undefined ? {} : { outcome: outcome.data };
      const { items } = take(await api.GET('/api/v1/sign-ins', { params: { query } }));
      if (options.json) return printJson(items);
      printTable(
        ['when', 'person', 'to', 'outcome', 'by', 'factor', 'from', 'browser', 'risk'],
        items.map(({ at, personName, service, outcome: came, reasons, facts }) => [
          at.slice(0, 19),
          personName,
          service.name,
          came,
          reasonsOf(reasons),
          facts.strength,
          `${facts.address} ${facts.country}`,
          facts.device,
          String(facts.risk),
        ]),
      );
      return undefined;
    });
}

/** `cordon sso session …`: browsers that are signed in. */
export function addSessionCommands(sso: Command, context: CliContext): void {
  const session = sso.command('session').description('browsers that are signed in');
  session
    .command('list')
    .description('sessions, newest first')
    .option('--person <id>', 'of one person')
    .option('--json', 'as JSON')
    .action(async (options: { person?: string; json?: boolean }) => {
      const { api } = await context.connect();
      const query = options.person === undefined ? { everyone: 'true' as const } : { person: options.person };
      const { sessions } = take(await api.GET('/api/v1/sessions', { params: { query } }));
      if (options.json) return printJson(sessions);
      printTable(
        ['id', 'person', 'from', 'with', 'began', 'last seen', 'ends', 'browser'],
        sessions.map((one) => [
          one.id,
          one.personId,
          one.ip,
          one.amr.join('+'),
          one.createdAt.slice(0, 19),
          one.seenAt.slice(0, 19),
          one.expiresAt.slice(0, 19),
          one.agent.slice(0, 60),
        ]),
      );
      return undefined;
    });
  session
    .command('end [id]')
    .description('end one session, or all of a person')
    .option('--person <id>', 'all of this person')
    .action(async (id: string | undefined, options: { person?: string }) => {
      const { api } = await context.connect();
      if (options.person !== undefined) {
        const path = { id: options.person };
        const { ended } = take(await api.DELETE('/api/v1/people/{id}/sessions', { params: { path } }));
        return print(`${ended} sessions are ended.`);
      }
      if (id === undefined) throw new UsageWrong('Give the id of a session, or --person.');
      take(await api.DELETE('/api/v1/sessions/{id}', { params: { path: { id } } }));
      return print('The session is ended.');
    });
}
