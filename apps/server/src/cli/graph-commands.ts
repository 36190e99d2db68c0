import type { paths } from '@cordon/client';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { note, printJson, printTable, take, UsageWrong } from './output.ts';

type Question = paths['/api/v1/graph/paths']['post']['requestBody']['content']['application/json'];
type Filter = NonNullable<Question['through']>;

const when = (ms: number | null): string => (ms === null ? '-' : new Date(ms).toISOString().slice(0, 10));

async function findNode(context: CliContext, text: string): Promise<{ id: string; name: string }> {
  const { api } = await context.connect();
  const { items } = take(await api.GET('/api/v1/graph/nodes', { params: { query: { text } } }));
  const exact = items.filter(({ id, name }) => id === text || name.toLowerCase() === text.toLowerCase());
  const [found, ...others] = exact.length > 0 ? exact : items;
  if (!found) throw new UsageWrong(`Nothing in the graph is called ${text}.`);
  if (others.length > 0) {
    const names = [found, ...others].slice(0, 10).map(({ id, name }) => `${id} (${name})`);
    throw new UsageWrong(`Several are called that. Name one by its id: ${names.join(', ')}.`);
  }
  return found;
}

/** `person`, `app,sanctioned=false`, `data_set,classification=restricted`, `name=drive`. */
export function parseFilter(text: string): Filter {
  const filter: Record<string, unknown> = {};
  for (const part of text.split(',')) {
    const [key = '', ...rest] = part.split('=');
    const value = rest.join('=');
    if (rest.length === 0) filter['kind'] = [...((filter['kind'] as string[] | undefined) ?? []), key]; // set here only
    else if (key === 'sanctioned') filter['sanctioned'] = value === 'true';
    else if (key === 'classification') filter['classification'] = value.split('|');
    else filter[key] = value;
  }
  return filter; // the server checks it and names what is wrong
}

export function addGraphCommands(program: Command, context: CliContext): void {
  const graph = program.command('graph').description('who can reach what, and the cut that ends it');

  graph
    .command('radius <node>')
    .description('everything that a vendor, app, integration, credential or person reaches')
    .option('--json', 'everything that is known')
    .action(async (name: string, { json }: { json?: boolean }) => {
      const { api } = await context.connect();
      const { id } = await findNode(context, name);
      const radius = take(await api.GET('/api/v1/graph/radius', { params: { query: { node: id, limit: 500 } } }));
      if (json) return printJson(radius);
      const kinds = Object.entries(radius.counts).map(([kind, count]) => `${count} ${kind.replaceAll('_', ' ')}`);
      note(`${radius.start.name}: ${kinds.join(', ') || 'reaches nothing'}`);
      printTable(
        ['data', 'in', 'classification', 'values seen', 'by these', 'last'],
        radius.data.map((one) => [
          one.dataClass,
          one.app,
          one.classification,
          String(one.values),
          String(one.seenValues),
          when(one.lastAt),
        ]),
      );
      return printTable(
        ['steps', 'kind', 'name', 'how', 'via'],
        radius.reached.map((one) => [
          String(one.distance),
          one.node.kind,
          one.node.name,
          one.isPartial ? `${one.by} (in part)` : one.by,
          one.via,
        ]),
      );
    });

  graph
    .command('path')
    .description(
      'who can reach something: --from person --through app,sanctioned=false --to data_set,classification=restricted',
    )
    .requiredOption('--from <filter>', 'kinds and conditions, separated by commas')
    .requiredOption('--to <filter>', 'what is reached')
    .option('--through <filter>', 'what lies in between')
    .option('--json', 'as JSON')
    .action(async (options: { from: string; to: string; through?: string; json?: boolean }) => {
      const { api } = await context.connect();
      const through = options.through === undefined ? {} : { through: parseFilter(options.through) };
      const body = { from: parseFilter(options.from), to: parseFilter(options.to), ...through, limit: 100 };
      const answer = take(await api.POST('/api/v1/graph/paths', { body }));
      if (options.json) return printJson(answer);
      const { matched, total } = answer;
      note(`${total} of ${matched.from} can; ${matched.to} to reach, ${matched.through ?? 'anything'} in between`);
      for (const { steps } of answer.paths) note(steps.map(({ node }) => node.name).join(' → '));
    });

  graph
    .command('cut <node>')
    .description('cut off what a node reaches: shows what it would do, and does it with --run')
    .option('--run', 'carry it out')
    .option('--reason <text>', 'why; kept as evidence')
    .action(async (name: string, { run, reason }: { run?: boolean; reason?: string }) => {
      const { api } = await context.connect();
      const { id } = await findNode(context, name);
      const plan = take(await api.GET('/api/v1/graph/cut', { params: { query: { node: id } } }));
      if (!run) {
        printTable(
          ['act', 'what', 'why'],
          plan.targets.map((one) => [one.act, one.name, one.why]),
        );
        note('Nothing was changed. Carry it out with --run --reason TEXT.');
        return;
      }
      if (reason === undefined) throw new UsageWrong('Say why: --reason TEXT.');
      const cut = take(await api.POST('/api/v1/graph/cut', { body: { node: id, digest: plan.digest, reason } }));
      printTable(
        ['act', 'what', 'outcome', 'evidence'],
        cut.results.map((one) => [
          one.target.act,
          one.target.name,
          one.outcome,
          one.evidence ?? one.problem ?? one.target.why,
        ]),
      );
    });
}
