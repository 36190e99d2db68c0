import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const HOUR_MS = 3_600_000;
const KINDS = ['vendor', 'app', 'regulator', 'insurer', 'customer-group', 'internal'] as const;

function left(dueAt: number | null, now: number): string {
  if (dueAt === null) return '-';
  const hours = (dueAt - now) / HOUR_MS;
  return hours < 0 ? `${(-hours).toFixed(1)} h late` : `${hours.toFixed(1)} h left`;
}

/** `name=true`, `name=false`, or `name=?` to take back. */
function collectFact(text: string, before: Record<string, boolean | null>): Record<string, boolean | null> {
  const [, name = '', value = ''] = /^([a-z0-9_]+)=(true|false|\?)$/.exec(text) ?? [];
  if (name === '') throw new UsageWrong('--fact is name=true, name=false or name=?.');
  return { ...before, [name]: value === '?' ? null : value === 'true' };
}

export function addCommunicationCommands(program: Command, context: CliContext): void {
  addDutyCommands(program, context);
  addContactCommands(program, context);
  program
    .command('notice <file>')
    .description("open a case for a vendor's notice: mail as text, or CSAF 2.0 as JSON")
    .option('--vendor <name>', 'the vendor, where the notice does not say')
    .action(async (file: string, { vendor }: { vendor?: string }) => {
      const { api } = await context.connect();
      const content = await readFile(file, 'utf8');
      const form = content.trimStart().startsWith('{') ? ('csaf' as const) : ('mail' as const);
      const body = { form, content, ...(vendor === undefined ? {} : { vendor }) };
      const made = take(await api.POST('/api/v1/notices', { body }));
      note(`${made.isNew ? 'new case' : 'known case'} about ${made.vendor.name}, ${made.links.length} things linked`);
      print(made.caseId);
    });
}

function addDutyCommands(program: Command, context: CliContext): void {
  const duty = program.command('duty').description('duties to notify: what applies, when it is due, what was sent');
  duty
    .command('list')
    .description('the duties that Cordon knows, with source and state')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/duties'));
      if (json) return printJson(items);
      const rows = items.map((one) => [one.id, one.status, one.from ?? '-', one.checked ?? 'not checked', one.law]);
      return printTable(['duty', 'state', 'from', 'checked', 'source'], rows);
    });
  duty
    .command('show <case>')
    .description('the duties of a case with the time that is left')
    .option('--all', 'also those that do not apply')
    .option('--json', 'as JSON')
    .action(async (id: string, options: { all?: boolean; json?: boolean }) => {
      const { api } = await context.connect();
      const { items, now } = take(await api.GET('/api/v1/cases/{id}/duties', { params: { path: { id } } }));
      const shown = items.filter(({ applies }) => options.all === true || applies !== false);
      if (options.json) return printJson(shown);
      const rows = shown.map((one) => [
        `${one.duty}/${one.stage}`,
        one.sent ? 'sent' : one.waived ? 'waived' : one.applies === null ? `? ${one.open.join(', ')}` : 'applies',
        left(one.dueAt, now),
        one.recipient,
        one.title,
      ]);
      return printTable(['duty', 'state', 'time', 'to', 'what'], rows);
    });
  duty
    .command('facts <case>')
    .description('say what is known: --fact personal_data=true')
    .option('--fact <name=value>', 'as often as there are facts', collectFact, {})
    .option('--people <count>', 'how many people are concerned')
    .action(async (id: string, options: { fact: Record<string, boolean | null>; people?: string }) => {
      const { api } = await context.connect();
      const people = options.people === undefined ? {} : { people: Number(options.people) };
      const body = { facts: options.fact, ...people, moments: {} };
      take(await api.PATCH('/api/v1/cases/{id}/facts', { params: { path: { id } }, body }));
      note('kept');
    });
  duty
    .command('draft <case> <duty/stage>')
    .description('the text to send, filled in from the case')
    .action(async (id: string, place: string) => {
      const { api } = await context.connect();
      const path = { id, ...placeOf(place) };
      const draft = take(await api.GET('/api/v1/cases/{id}/duties/{duty}/{stage}/draft', { params: { path } }));
      print(`${draft.subject}\n\n${draft.text}`);
    });
  duty
    .command('sent <case> <duty/stage>')
    .description('keep that it was sent')
    .requiredOption('--to <recipient>', 'who got it')
    .option('--reference <text>', "the recipient's reference", '')
    .option('--note <text>', 'how', '')
    .action(async (id: string, place: string, body: { to: string; reference: string; note: string }) => {
      const { api } = await context.connect();
      const path = { id, ...placeOf(place) };
      take(await api.POST('/api/v1/cases/{id}/duties/{duty}/{stage}/sent', { params: { path }, body }));
      note('on record');
    });
}

function placeOf(text: string): { duty: string; stage: string } {
  const at = text.lastIndexOf('/');
  if (at < 1) throw new UsageWrong('Name a duty and its stage: gdpr-33/notification.');
  return { duty: text.slice(0, at), stage: text.slice(at + 1) };
}

function addContactCommands(program: Command, context: CliContext): void {
  const contact = program
    .command('contact')
    .description('whom to reach in an incident, and whether they can be reached');
  contact
    .command('list')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/contacts'));
      if (json) return printJson(items);
      const rows = items.map((one) => [
        one.id,
        one.kind,
        one.name,
        one.isReachable ? 'yes' : 'no',
        one.confirmedAt === null ? '-' : `${new Date(one.confirmedAt).toISOString()} ${one.confirmedBy ?? ''}`,
      ]);
      return printTable(['id', 'kind', 'name', 'reachable', 'last confirmed'], rows);
    });
  contact
    .command('add <name>')
    .requiredOption('--kind <kind>', KINDS.join(', '))
    .requiredOption('--channel <name>', 'the channel by which to reach them')
    .option('--to <addresses>', 'mail addresses, with commas', '')
    .option('--about <what>', 'vendor, app or recipient of a duty', '')
    .action(async (name: string, options: { kind: string; channel: string; to: string; about: string }) => {
      const { api } = await context.connect();
      const kind = KINDS.find((one) => one === options.kind);
      if (!kind) throw new UsageWrong(`--kind is one of: ${KINDS.join(', ')}.`);
      const to = options.to.split(',').filter((one) => one !== '');
      const body = { kind, name, about: options.about, steps: [{ channel: options.channel, to }] };
      print(take(await api.POST('/api/v1/contacts', { body })).id);
    });
  contact
    .command('test <id>')
    .description('send a test message that asks to be confirmed')
    .action(async (id: string) => {
      const { api } = await context.connect();
      take(await api.POST('/api/v1/contacts/{id}/tests', { params: { path: { id } } }));
      note('on its way');
    });
}
