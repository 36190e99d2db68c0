import type { Command } from 'commander';
import { LABELS } from '@cordon/governance';
import type { CliContext } from './context.ts';
import { addDataMapCommands } from './data-map-commands.ts';
import { day, note, print, printJson, printTable, take, UsageWrong } from './output.ts';
import { addRetentionCommands } from './retention-commands.ts';
import { addSubjectCommands } from './subject-commands.ts';

type Label = (typeof LABELS)[number];
interface Json {
  readonly json?: boolean;
}

function labelOf(text: string): Label {
  const label = LABELS.find((one) => one === text);
  if (!label) throw new UsageWrong(`Labels are: ${LABELS.join(', ')}.`);
  return label;
}

/** What data there is, its labels, where it goes, how long it stays. */
export function addDataCommands(program: Command, context: CliContext): void {
  const data = program.command('data').description('what data there is, its labels, where it goes, how long it stays');
  addMap(data, context);
  addLabels(data, context);
  addExports(data, context);
  addDataMapCommands(data, context);
  addSubjectCommands(data, context);
  addRetentionCommands(data, context);
}

interface Filter extends Json {
  readonly app?: string;
  readonly label?: string;
  readonly category?: string;
}

const queryOf = ({ app, label, category }: Filter) => ({
  ...(app === undefined ? {} : { app }),
  ...(label === undefined ? {} : { label: labelOf(label) }),
  ...(category === undefined ? {} : { category }),
});

function addMap(data: Command, context: CliContext): void {
  data
    .command('sets')
    .description('data sets, with label and categories')
    .option('--app <app>', 'of this app')
    .option('--label <label>', LABELS.join(', '))
    .option('--category <category>', 'fideslang key, with what lies beneath it')
    .option('--json', 'as JSON')
    .action(async (options: Filter) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/data/sets', { params: { query: queryOf(options) } }));
      if (options.json) return printJson(items);
      const rows = items.map((set) => [
        set.app,
        set.object,
        set.pinnedLabel === null ? set.label : `${set.label} (pinned)`,
        String(set.fields),
        String(set.records),
        day(set.lastSeen),
        set.categories.join(' '),
      ]);
      return printTable(['app', 'data set', 'label', 'fields', 'sightings', 'last', 'categories'], rows);
    });
  data
    .command('fields <app> <set>')
    .description('fields of a data set, with the evidence for their category')
    .option('--json', 'as JSON')
    .action(async (app: string, object: string, options: Json) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/data/fields', { params: { query: { app, object } } }));
      if (options.json) return printJson(items);
      const rows = items.map((field) => [
        field.path,
        field.type ?? '',
        field.category,
        field.label,
        String(field.samples),
        [field.categoryFrom, ...Object.entries(field.detections).map(([type, count]) => `${type}:${count}`)].join(' '),
      ]);
      return printTable(['field', 'type', 'category', 'label', 'samples', 'evidence'], rows);
    });
  data
    .command('flows')
    .description('which data moved where, through which integration')
    .option('--app <app>', 'from or to this app')
    .option('--label <label>', LABELS.join(', '))
    .option('--category <category>', 'fideslang key, with what lies beneath it')
    .option('--json', 'as JSON')
    .action(async (options: Filter) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/data/flows', { params: { query: queryOf(options) } }));
      if (options.json) return printJson(items);
      const side = ({ app, object }: { app: string; object: string }): string =>
        app === '' ? '-' : `${app}:${object}`;
      const rows = items.map((flow) => [
        side(flow.from),
        side(flow.to),
        flow.integration.name,
        flow.how,
        flow.label,
        String(flow.records),
        flow.purpose ?? '',
        flow.id,
      ]);
      return printTable(['from', 'to', 'integration', 'evidence', 'label', 'records', 'purpose', 'id'], rows);
    });
  data
    .command('spread [identifier]')
    .description('where one record is; without an identifier the records that are in most apps')
    .option('--json', 'as JSON')
    .action(async (identifier: string | undefined, options: Json) => {
      const { api } = await context.connect();
      if (identifier === undefined) {
        const { items } = take(await api.GET('/api/v1/data/spreads', { params: { query: { apps: 1 } } }));
        if (options.json) return printJson(items);
        const rows = items.map((one) => [one.print, one.kind, String(one.places), one.apps.join(' ')]);
        return printTable(['fingerprint', 'kind', 'places', 'apps'], rows);
      }
      const found = take(await api.POST('/api/v1/data/find', { body: { identifier } }));
      if (options.json) return printJson(found);
      note(`looked for as ${found.kind}`);
      const rows = found.places.map((one) => [
        one.app,
        one.object,
        one.label,
        one.direction,
        String(one.seen),
        day(one.firstSeen),
        day(one.lastSeen),
      ]);
      return printTable(['app', 'data set', 'label', 'direction', 'times', 'first', 'last'], rows);
    });
}

function addLabels(data: Command, context: CliContext): void {
  const label = data.command('label').description("a person's word on labels");
  label
    .command('pin <app> <set> <label>')
    .description('pin a label; a lower one waits for another person; "none" takes the pin away')
    .option('--field <path>', 'of this field only')
    .requiredOption('--reason <text>', 'why; kept as evidence')
    .action(async (app: string, object: string, given: string, options: { field?: string; reason: string }) => {
      const { api } = await context.connect();
      const to = given === 'none' ? null : labelOf(given);
      const body = { app, object, path: options.field ?? null, label: to, reason: options.reason };
      const change = take(await api.POST('/api/v1/data/labels', { body }));
      note(change.status === 'waiting' ? 'It waits for another person.' : 'Pinned.');
      print(change.id);
    });
  label
    .command('changes')
    .description('what people said; what lowers a label waits here')
    .option('--json', 'as JSON')
    .action(async (options: Json) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/data/label-changes', { params: { query: {} } }));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [
        one.status,
        `${one.app} ${one.object} ${one.path ?? ''}`.trim(),
        one.from,
        one.to ?? 'as judged',
        one.requestedBy,
        one.decidedBy ?? '',
        one.id,
      ]);
      return printTable(['state', 'what', 'from', 'to', 'asked by', 'decided by', 'id'], rows);
    });
  for (const verb of ['grant', 'refuse'] as const) {
    label
      .command(`${verb} <change>`)
      .description(verb === 'grant' ? 'grant a lower label that somebody else asked for' : 'leave the label as it is')
      .action(async (id: string) => {
        const { api } = await context.connect();
        const body = { granted: verb === 'grant' };
        const path = { params: { path: { id } }, body };
        note(take(await api.POST('/api/v1/data/label-changes/{id}/decide', path)).status);
      });
  }
}

function addExports(data: Command, context: CliContext): void {
  data
    .command('record')
    .description('the record of processing activities (GDPR Article 30), as CSV')
    .option('--json', 'as JSON')
    .action(async (options: Json) => {
      const { api } = await context.connect();
      if (options.json) return printJson(take(await api.GET('/api/v1/data/processing')).items);
      return print(take(await api.GET('/api/v1/data/processing.csv', { parseAs: 'text' })).trimEnd());
    });
  data
    .command('fideslang')
    .description('data sets and systems as a fideslang manifest')
    .action(async () => {
      const { api } = await context.connect();
      printJson(take(await api.GET('/api/v1/data/fideslang')));
    });
  data
    .command('purpose <flow> <purpose>')
    .description('say what a flow is for; sets all three')
    .option(
      '--basis <basis>',
      'consent, contract, legal obligation, vital interests, public task, legitimate interests',
    )
    .option('--safeguard <text>', 'of a transfer to another region')
    .action(async (id: string, purpose: string, options: { basis?: string; safeguard?: string }) => {
      const { api } = await context.connect();
      // The server knows the six bases and refuses others by name.
      const legalBasis = (options.basis ?? null) as 'consent' | null;
      const body = { purpose, legalBasis, safeguard: options.safeguard ?? null };
      take(await api.PUT('/api/v1/data/flows/{id}', { params: { path: { id } }, body }));
    });
}
