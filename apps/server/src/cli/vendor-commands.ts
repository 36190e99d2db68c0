import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { note, printJson, printTable, take, UsageWrong } from './output.ts';

/** Vendors of a running Cordon. */
export function addVendorCommands(program: Command, context: CliContext): void {
  const group = program.command('vendor').description('vendors');

  const find = async (name: string) => {
    const { api } = await context.connect();
    const { items } = take(await api.GET('/api/v1/vendors'));
    const vendor = items.find((one) => one.name.toLowerCase() === name.toLowerCase() || one.id === name);
    if (!vendor) throw new UsageWrong(`There is no vendor named ${name}.`);
    return { api, vendor };
  };

  group
    .command('list')
    .description('all vendors with their stage and tier')
    .option('--json', 'everything that is known')
    .action(async ({ json }: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/vendors'));
      if (json) return printJson(items);
      return printTable(
        ['name', 'stage', 'tier', 'apps', 'owner'],
        items.map(({ name, stage, profile, appIds }) => [
          name,
          stage,
          profile.tier,
          String(appIds.length),
          profile.owner,
        ]),
      );
    });

  group
    .command('adopt')
    .description('make a vendor of each app that has none')
    .action(async () => {
      const { api } = await context.connect();
      const { created, linked } = take(await api.POST('/api/v1/vendors/adopt'));
      note(`${created} vendors added, ${linked} apps linked`);
    });

  group
    .command('subprocessors <vendor> <file>')
    .description("read a vendor's published list of subprocessors")
    .action(async (name: string, file: string) => {
      const { api, vendor } = await find(name);
      const body = { name: basename(file), content: (await readFile(file)).toString('base64') };
      const params = { path: { id: vendor.id } };
      const { subprocessors } = take(await api.PUT('/api/v1/vendors/{id}/subprocessors', { params, body }));
      printTable(
        ['company', 'where', 'what for'],
        subprocessors.map((one) => [one.name, one.country ?? '-', one.purpose ?? '-']),
      );
    });

  group
    .command('offboard <vendor>')
    .description('cut off every integration of a vendor and begin its offboarding')
    .requiredOption('--reason <text>', 'why; kept as evidence')
    .action(async (name: string, { reason }: { reason: string }) => {
      const { api, vendor } = await find(name);
      const params = { path: { id: vendor.id } };
      const { tasks } = take(await api.POST('/api/v1/vendors/{id}/offboard', { params, body: { reason } }));
      printTable(
        ['task', 'done'],
        tasks.map(({ title, doneAt }) => [title, doneAt === null ? 'no' : 'yes']),
      );
    });
}
