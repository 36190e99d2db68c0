import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const CONTENT = fileURLToPath(new URL('../../../../content/', import.meta.url));
const SHOWN_CHARS_MAX = 90;

/** Reads a file without a running Cordon: what it is, and what it says where. */
async function readFileOffline(file: string, { json = false, kind }: { json?: boolean; kind?: string }): Promise<void> {
  const { createFileReader, loadAttestationKinds, readAttestation } = await import('@cordon/vendors');
  const kinds = loadAttestationKinds(CONTENT);
  if (kind !== undefined && !kinds.some(({ id }) => id === kind)) {
    throw new UsageWrong(`There is no kind named ${kind}: ${kinds.map(({ id }) => id).join(', ')}.`);
  }
  const document = await createFileReader().read(await readFile(file));
  const reading = readAttestation(document, kinds, kind);
  if (json) return printJson(reading);
  print(`kind: ${kind ?? reading.kinds[0]?.kind ?? 'not recognised'}`);
  printTable(
    ['fact', 'proposed', 'where'],
    reading.proposals.map(({ fact, value, passages: [first] }) => [
      fact,
      (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, SHOWN_CHARS_MAX),
      first ? `p. ${first.page}: ${first.text.slice(0, SHOWN_CHARS_MAX)}` : '-',
    ]),
  );
  for (const remark of reading.remarks) note(remark);
}

/** The vendor of this name or id, with the client that found it. */
export async function findVendor(context: CliContext, name: string) {
  const { api } = await context.connect();
  const { items } = take(await api.GET('/api/v1/vendors'));
  const vendor = items.find((one) => one.name.toLowerCase() === name.toLowerCase() || one.id === name);
  if (!vendor) throw new UsageWrong(`There is no vendor named ${name}.`);
  return { api, vendor };
}

/** Attestations: reports and certificates by others about a vendor. */
export function addAttestationCommands(program: Command, context: CliContext): void {
  const group = program.command('attestation').description('audits and certifications of vendors');

  group
    .command('read <file>')
    .description('what a PDF, Word document or text attests, with its passages; needs no running Cordon')
    .option('--kind <id>', 'what it is, when it is not recognised')
    .option('--json', 'everything that was read')
    .action(readFileOffline);

  group
    .command('list <vendor>')
    .description("a vendor's attestations")
    .option('--json', 'everything that is known')
    .action(async (name: string, { json }: { json?: boolean }) => {
      const { api, vendor } = await findVendor(context, name);
      const answer = take(await api.GET('/api/v1/vendors/{id}/attestations', { params: { path: { id: vendor.id } } }));
      if (json) return printJson(answer);
      printTable(
        ['kind', 'standing', 'until', 'file'],
        answer.items.map(({ kind, standing, validUntil, title }) => [kind || '?', standing, validUntil ?? '-', title]),
      );
      return answer.warnings.forEach(({ text }) => note(text));
    });

  group
    .command('add <vendor> <file>')
    .description('upload a report, letter or certificate; a person confirms in the console what was read')
    .option('--kind <id>', 'what it is, when it is not recognised')
    .action(async (name: string, file: string, { kind }: { kind?: string }) => {
      const { api, vendor } = await findVendor(context, name);
      const upload = { name: basename(file), content: (await readFile(file)).toString('base64') };
      const body = { ...upload, ...(kind === undefined ? {} : { kind }) };
      const params = { path: { id: vendor.id } };
      const made = take(await api.POST('/api/v1/vendors/{id}/attestations', { params, body }));
      print(made.id);
      note(`${made.kind || 'not recognised'}: ${made.reading.proposals.length} facts proposed, to be confirmed`);
      for (const remark of made.reading.remarks) note(remark);
    });

  group
    .command('warnings')
    .description('gaps, expiries and opinions of all vendors; ends with 3 when there is one')
    .action(async () => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/attestation-warnings'));
      const { items: vendors } = take(await api.GET('/api/v1/vendors'));
      const names = new Map(vendors.map(({ id, name }) => [id, name]));
      const open = items.filter(({ isCovered }) => !isCovered);
      printTable(
        ['vendor', 'what', 'warning'],
        open.map(({ vendorId, kind, text }) => [names.get(vendorId) ?? vendorId, kind, text]),
      );
      if (open.length > 0) process.exitCode = 3;
    });
}
