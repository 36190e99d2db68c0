import type { Command } from 'commander';
import { LABELS, TRANSFER_INSTRUMENTS } from '@cordon/governance';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

interface Json {
  readonly json?: boolean;
}

interface MapOptions extends Json {
  readonly app?: string;
  readonly label?: string;
  readonly category?: string;
  readonly region?: string;
  readonly vendor?: string;
}

function oneOf<T extends string>(all: readonly T[], text: string | undefined, what: string): T | null {
  if (text === undefined) return null;
  const found = all.find((one) => one === text);
  if (found === undefined) throw new UsageWrong(`${what}: ${all.join(', ')}.`);
  return found;
}

/** The map, where things are, transfers, and what apps have in common. */
export function addDataMapCommands(data: Command, context: CliContext): void {
  addMap(data, context);
  addTransfers(data, context);
  addCommon(data, context);
}

function addMap(data: Command, context: CliContext): void {
  data
    .command('map')
    .description('apps, data sets and flows, as the console draws them')
    .option('--app <app>', "this app's data sets, and what flows from and to them")
    .option('--label <label>', LABELS.join(', '))
    .option('--category <category>', 'fideslang key, with what lies beneath it')
    .option('--region <region>', 'of apps there')
    .option('--vendor <vendor>', 'of apps of this vendor')
    .option('--json', 'as JSON')
    .action(async ({ json, label, ...filter }: MapOptions) => {
      const { api } = await context.connect();
      const found = oneOf(LABELS, label, 'Labels are');
      const query = { ...filter, ...(found === null ? {} : { label: found }) };
      const map = take(await api.GET('/api/v1/data/map', { params: { query } }));
      if (json) return printJson(map);
      const names = new Map(map.integrations.map((one) => [one.id, `${one.name} itself`]));
      const title = (id: string): string => names.get(id) ?? id.replace(/^(?:set|app):/, '');
      const nodes = map.level === 'sets' ? map.sets : map.apps;
      printTable(
        [map.level === 'sets' ? 'data set' : 'app', 'label', 'sightings'],
        nodes.map((one) => [title(one.id), one.label, String(one.records)]),
      );
      if (map.lines.length > 0) {
        print('');
        const rows = map.lines.map((one) => [
          title(one.from),
          title(one.to),
          one.integration.name,
          one.how,
          one.label,
          String(one.records),
        ]);
        printTable(['from', 'to', 'integration', 'evidence', 'label', 'records'], rows);
      }
      const { apps, sets, lines } = map.left;
      if (apps + sets + lines > 0)
        note(`Left out: ${apps} apps, ${sets} data sets, ${lines} flows. Ask for one --app.`);
    });
  data
    .command('places')
    .description('where apps and integrations are, as people said')
    .option('--json', 'as JSON')
    .action(async (options: Json) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/data/places'));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [one.app, one.region ?? '', one.vendor ?? '', one.clearance ?? '']);
      return printTable(['app', 'region', 'vendor', 'cleared up to'], rows);
    });
  data
    .command('place <app>')
    .description('say where an app is, who runs it, and up to which label it is cleared; sets all three')
    .option('--region <region>', 'a country or region: DE, eu-central-1, United States')
    .option('--vendor <vendor>', 'who runs it')
    .option('--clearance <label>', LABELS.join(', '))
    .action(async (app: string, options: { region?: string; vendor?: string; clearance?: string }) => {
      const { api } = await context.connect();
      const clearance = oneOf(LABELS, options.clearance, 'Labels are');
      const body = { region: options.region ?? null, vendor: options.vendor ?? null, clearance };
      take(await api.PUT('/api/v1/data/places/{app}', { params: { path: { app } }, body }));
      note('Kept.');
    });
}

function addTransfers(data: Command, context: CliContext): void {
  data
    .command('transfers')
    .description('the register of transfers to third countries (GDPR Chapter V), as CSV')
    .option('--json', 'as JSON')
    .action(async (options: Json) => {
      const { api } = await context.connect();
      if (options.json) return printJson(take(await api.GET('/api/v1/data/transfers')).items);
      return print(take(await api.GET('/api/v1/data/transfers.csv', { parseAs: 'text' })).trimEnd());
    });
  data
    .command('transfer <flow>')
    .description('say what makes a transfer lawful, and who receives it; sets all three')
    .option('--safeguard <instrument>', TRANSFER_INSTRUMENTS.join(', '))
    .option('--importer <name>', 'who receives it there; the vendor of the app when left out')
    .option('--assessment <where>', 'where the assessment of the country is kept')
    .action(async (flowId: string, options: { safeguard?: string; importer?: string; assessment?: string }) => {
      const { api } = await context.connect();
      const instrument = oneOf(TRANSFER_INSTRUMENTS, options.safeguard, 'Safeguards are');
      const body = { instrument, importer: options.importer ?? null, assessment: options.assessment ?? null };
      take(await api.PUT('/api/v1/data/transfers/{flowId}', { params: { path: { flowId } }, body }));
      note('Kept.');
    });
  data
    .command('dpv')
    .description('flows of personal data in the terms of the W3C Data Privacy Vocabulary, as JSON-LD')
    .action(async () => {
      const { api } = await context.connect();
      printJson(take(await api.GET('/api/v1/data/dpv')));
    });
}

function addCommon(data: Command, context: CliContext): void {
  data
    .command('overlaps')
    .description('how many records apps have in common, and texts that are much alike; estimates')
    .option('--json', 'as JSON')
    .action(async (options: Json) => {
      const { api } = await context.connect();
      const { apps, pairs, documents } = take(await api.GET('/api/v1/data/overlaps'));
      if (options.json) return printJson({ apps, pairs, documents });
      printTable(
        ['app', 'and', 'records'],
        [
          ...apps.map((one) => [one.app, '', String(one.records)]),
          ...pairs.map((one) => [one.a, one.b, String(one.records)]),
        ],
      );
      if (documents.length === 0) return undefined;
      print('');
      const rows = documents.map(({ a, b, likeness }) => [
        `${a.app}:${a.object}`,
        `${b.app}:${b.object}`,
        `${Math.round(likeness * 100)}%`,
      ]);
      return printTable(['text in', 'and in', 'alike'], rows);
    });
  data
    .command('forget <fingerprint>')
    .description('forget one record: its places, its links to flows')
    .action(async (fingerprint: string) => {
      const { api } = await context.connect();
      const { forgotten } = take(await api.POST('/api/v1/data/forget', { body: { print: fingerprint } }));
      note(`Forgotten in ${forgotten} places.`);
    });
  data
    .command('rotate-key')
    .description('forget every fingerprint: delete the key and all that was computed with it, and make a new one')
    .requiredOption('--yes', 'there is no way back')
    .action(async () => {
      const { api } = await context.connect();
      note(`New key ${take(await api.POST('/api/v1/data/fingerprint-key/rotate', { body: {} })).id}.`);
    });
}
