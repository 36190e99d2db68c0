import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { findAppId } from './app-commands.ts';
import type { CliContext } from './context.ts';
import { day, note, print, printJson, printTable, take, UsageWrong } from './output.ts';

interface ProposalOptions {
  readonly without?: string[];
  readonly closed?: boolean;
}

async function loadProposal(context: CliContext, name: string, options: ProposalOptions) {
  const { api } = await context.connect();
  const id = await findAppId(context, name);
  const closed = options.closed ? ('true' as const) : ('false' as const);
  const load = async (without: string[]) =>
    take(
      await api.GET('/api/v1/apps/{id}/learning/proposal', { params: { path: { id }, query: { without, closed } } }),
    );
  const all = await load([]);
  const without = (options.without ?? []).map((wanted) => {
    const teacher = all.teachers.find((one) => one.name === wanted || one.id === wanted);
    if (!teacher) throw new UsageWrong(`Nothing was learned from ${wanted}.`);
    return teacher.id;
  });
  return { api, id, without, proposal: without.length === 0 ? all : await load(without) };
}

/** `cordon app learn …`: a description from traffic. */
export function addLearnCommands(program: Command, context: CliContext): void {
  const app = program.commands.find((command) => command.name() === 'app');
  const learn = (app ?? program).command('learn').description('propose an API description from traffic');

  for (const [verb, mode, text] of [
    ['start', 'observe', 'learn from the calls that pass, names and types only'],
    ['stop', 'off', 'learn no more'],
  ] as const) {
    learn
      .command(`${verb} <app>`)
      .description(text)
      .option('--unknown-operations', 'let granted calls pass that nothing describes yet')
      .action(async (name: string, options: { unknownOperations?: boolean }) => {
        const { api } = await context.connect();
        const params = { path: { id: await findAppId(context, name) } };
        const body = { learn: mode, ...(options.unknownOperations ? { unknownOperations: 'allow' as const } : {}) };
        take(await api.PATCH('/api/v1/apps/{id}', { params, body }));
        note(mode === 'observe' ? `Look at it with: cordon app learn show ${name}` : `${name}: learning is off.`);
      });
  }

  const withChoice = (command: Command): Command =>
    command
      .option('--without <integration...>', 'leave out what these taught')
      .option('--closed', 'request bodies may hold only members that were seen');

  withChoice(learn.command('show <app>'))
    .description('the proposal: operations, fields, who taught them, how they stand to the description')
    .option('--fields', 'each field too')
    .option('--output <file>', 'write the proposed OpenAPI document to a file')
    .option('--json', 'as JSON')
    .action(async (name: string, options: ProposalOptions & { fields?: boolean; output?: string; json?: boolean }) => {
      const { proposal } = await loadProposal(context, name, options);
      if (options.output !== undefined)
        await writeFile(options.output, `${JSON.stringify(proposal.description, null, 2)}\n`);
      if (options.json) return printJson(proposal);
      const nameOf = new Map(proposal.teachers.map((one) => [one.id, one.name]));
      printTable(
        ['integration', 'calls', 'since', ''],
        proposal.teachers.map((one) => [
          one.name,
          String(one.calls),
          day(one.firstAt),
          one.isLeftOut ? 'left out' : '',
        ]),
      );
      print('');
      printTable(
        ['operation', 'calls', 'taught by', 'confidence', 'against the description'],
        proposal.operations.map((one) => [
          `${one.method} ${one.path}`,
          String(one.calls),
          one.teachers.map(({ id, calls }) => `${nameOf.get(id) ?? id} ${calls}`).join(', '),
          one.confidence,
          one.standing,
        ]),
      );
      if (options.fields) printFields(proposal.operations, nameOf);
      print('');
      print(`digest ${proposal.digest}`);
      return undefined;
    });

  withChoice(learn.command('accept <app>'))
    .description('make the proposal the description; calls that do not fit are noted, not refused')
    .requiredOption('--digest <digest>', 'of the proposal that you looked at')
    .option('--replace', 'also where somebody wrote a description')
    .action(async (name: string, options: ProposalOptions & { digest: string; replace?: boolean }) => {
      const { api, id, without } = await loadProposal(context, name, options);
      const body = {
        digest: options.digest,
        without,
        closed: options.closed ?? false,
        replace: options.replace ?? false,
      };
      const result = take(await api.POST('/api/v1/apps/{id}/learning/accept', { params: { path: { id } }, body }));
      note(`${result.description?.operations ?? 0} operations known, observed. Then: cordon app learn enforce ${name}`);
    });

  learn
    .command('enforce <app>')
    .description('refuse calls that do not fit the description, and those it does not name; learning ends')
    .action(async (name: string) => {
      const { api } = await context.connect();
      const params = { path: { id: await findAppId(context, name) } };
      const body = { validateRequests: 'enforce', unknownOperations: 'refuse', learn: 'off' } as const;
      take(await api.PATCH('/api/v1/apps/{id}', { params, body }));
      note(`${name}: requests are refused unless they fit the description.`);
    });

  learn
    .command('forget <app>')
    .description('drop what was learned')
    .option('--integration <name>', 'only what this one taught')
    .action(async (name: string, options: { integration?: string }) => {
      const wanted = options.integration === undefined ? {} : { without: [options.integration] };
      const { api, id, without } = await loadProposal(context, name, wanted);
      const query = without[0] === undefined ? {} : { integration: without[0] };
      take(await api.DELETE('/api/v1/apps/{id}/learning/lessons', { params: { path: { id }, query } }));
    });
}

type Operations = Awaited<ReturnType<typeof loadProposal>>['proposal']['operations'];

function printFields(operations: Operations, nameOf: ReadonlyMap<string, string>): void {
  const named = (ids: readonly string[]): string => ids.map((id) => nameOf.get(id) ?? id).join(', ');
  for (const operation of operations) {
    print('');
    print(`${operation.method} ${operation.path}`);
    printTable(
      ['in', 'field', 'type', 'seen', 'taught by', 'against the description', 'odd'],
      operation.fields.map((field) => [
        field.in,
        `${field.path}${field.required ? ' *' : ''}`,
        field.types.join('|') + (field.format === null ? '' : ` (${field.format})`),
        String(field.seen),
        named(field.teachers),
        field.standing,
        field.odd.map(({ type, teachers }) => `${type} by ${named(teachers)}`).join('; '),
      ]),
    );
  }
}
