import { createReadStream, createWriteStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { Connection } from './connection.ts';
import type { CliContext } from './context.ts';
import { note, print, printTable, take, UsageWrong } from './output.ts';

const HEAD_BYTES = 64;
const PROOF_HEADER = 'c2sp.org/tlog-proof@v1';
const EXPORT_MS_MAX = 3_600_000;

/** A file's content when it is one, else the text itself: keys are short enough to paste. */
async function textOrFile(value: string): Promise<string> {
  return /^[^\s+]+\+[0-9a-f]{8}\+[\w+/=]+\s*$/.test(value) ? value : readFile(value, 'utf8');
}

async function beginsWith(file: string, prefix: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead).toString('utf8').startsWith(prefix);
  } finally {
    await handle.close();
  }
}

/** Answers that aren't JSON come as they are: they are evidence, and every byte counts. */
async function save({ url, token }: Connection, path: string, out: string | undefined): Promise<void> {
  const response = await fetch(`${url}/api/v1/proof/${path}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(EXPORT_MS_MAX),
  });
  if (!response.ok || !response.body) {
    const problem = (await response.json().catch(() => null)) as { detail?: string } | null; // RFC 9457
    throw new UsageWrong(problem?.detail ?? `Cordon answered with status ${response.status}.`);
  }
  const body = Readable.fromWeb(response.body);
  if (out === undefined) for await (const chunk of body) process.stdout.write(chunk as Buffer); // a byte stream
  else await pipeline(body, createWriteStream(out, { flags: 'wx', mode: 0o600 }));
}

interface VerifyOptions {
  readonly key: string;
  readonly witness: readonly string[];
  readonly witnessesMin?: string;
  readonly kept?: string;
  readonly json?: boolean;
}

async function verify(file: string, options: VerifyOptions): Promise<void> {
  const { decodeKey, verifyExport, verifyRecordProof } = await import('@cordon/proof');
  const key = decodeKey(await textOrFile(options.key));
  const keys = await Promise.all(options.witness.map(async (one) => decodeKey(await textOrFile(one))));
  const min = options.witnessesMin === undefined ? keys.length : Number(options.witnessesMin);
  if (!Number.isInteger(min) || min < 0 || min > keys.length) {
    throw new UsageWrong('--witnesses-min is a number of the --witness keys that are given.');
  }
  const witnesses = { keys, min };
  if (await beginsWith(file, PROOF_HEADER)) {
    const proof = verifyRecordProof(await readFile(file, 'utf8'), key, witnesses);
    if (options.json) return print(JSON.stringify({ ...proof, record: JSON.parse(proof.record) as unknown }));
    const signed = proof.at === null ? '' : `, signed ${new Date(proof.at).toISOString()}`;
    return print(`Genuine: record ${proof.index + 1} of ${proof.size}${signed}.\n${proof.record}`);
  }
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  const kept = options.kept === undefined ? {} : { kept: await readFile(options.kept, 'utf8') };
  const report = await verifyExport(lines, { key, witnesses, ...kept });
  if (options.json) return print(JSON.stringify(report));
  const signed = report.signedAt === null ? '' : `, the last signed ${new Date(report.signedAt).toISOString()}`;
  print(`Genuine: ${report.records} records of ${report.log}, held by ${report.checkpoints} checkpoints${signed}.`);
  if (report.witnesses > 0) print(`${report.witnesses} witnesses cosigned the last one.`);
  if (report.uncovered > 0)
    print(`The last ${report.uncovered} records stand behind it: nothing vouches for them yet.`);
  if (options.kept === undefined && keys.length === 0) {
    note(
      'Give --kept with a checkpoint that you saved before, or --witness: else a log that was redone as a whole passes.',
    );
  }
}

/** Evidence for somebody who doesn't trust Cordon; `verify` needs no running Cordon. */
export function addProofCommands(program: Command, context: CliContext): void {
  const proof = program.command('proof').description('the audit trail as a Merkle log, for those who trust only a key');
  const file = ['--out <file>', 'where to; standard output when absent'] as const;
  const list = (value: string, all: readonly string[]): readonly string[] => [...all, value];

  proof
    .command('verify <file>')
    .description('check an export or the proof of one record, offline, with public keys alone')
    .requiredOption('--key <key>', "the log's verifier key, or a file that holds it (cordon proof key)")
    .option('--witness <key>', 'verifier key of a witness, or a file; may be repeated', list, [])
    .option('--witnesses-min <number>', 'how many of them must have cosigned; all when absent')
    .option('--kept <file>', 'a checkpoint saved before: the log must have grown from it')
    .option('--json', 'as JSON')
    .action(verify);
  proof
    .command('key')
    .description("print the log's verifier key: keep it where Cordon's operators can't change it")
    .action(async () => {
      const { log } = take(await (await context.connect()).api.GET('/api/v1/proof'));
      if (!log) throw new UsageWrong('The log is made within seconds of the first start. Try again.');
      print(log.key);
    });
  proof
    .command('checkpoint')
    .description('print the last signed checkpoint')
    .option(...file)
    .action(async ({ out }: { out?: string }) => save(await context.connect(), 'checkpoint', out));
  proof
    .command('export')
    .description('the whole trail with its checkpoints, one JSON value a line')
    .option(...file)
    .action(async ({ out }: { out?: string }) => save(await context.connect(), 'export', out));
  proof
    .command('record <number>')
    .description('the proof that one record is in the log (c2sp.org/tlog-proof)')
    .option(...file)
    .action(async (seq: string, { out }: { out?: string }) =>
      save(await context.connect(), `records/${encodeURIComponent(seq)}`, out),
    );
  proof
    .command('check')
    .description('let Cordon hold every stored record against its log')
    .action(async () => {
      const { records } = take(await (await context.connect()).api.POST('/api/v1/proof/check'));
      print(`${records} records are those that the log took in.`);
    });

  const lake = proof.command('lake').description('what the lake took, as a log of its own (proof.lake_batches)');
  lake
    .command('key')
    .description("print that log's verifier key")
    .action(async () => {
      const { log } = take(await (await context.connect()).api.GET('/api/v1/proof/lake'));
      if (!log) throw new UsageWrong('What the lake takes is not proved: set proof.lake_batches.');
      print(log.key);
    });
  lake
    .command('export')
    .description('its records with their checkpoints; `cordon proof verify` checks them offline')
    .option(...file)
    .action(async ({ out }: { out?: string }) => save(await context.connect(), 'lake/export', out));
  lake
    .command('record <number>')
    .description('the proof that one record is in it')
    .option(...file)
    .action(async (seq: string, { out }: { out?: string }) =>
      save(await context.connect(), `lake/records/${encodeURIComponent(seq)}`, out),
    );
  lake
    .command('check')
    .description('hold everything that is stored against it')
    .action(async () => {
      const found = take(await (await context.connect()).api.POST('/api/v1/proof/lake/check'));
      for (const one of found.broken) {
        print(`Broken: record ${one.leaf}, day ${one.day}: ${one.problem}, ${one.found} of ${one.expected} events.`);
      }
      if (found.broken.length > 0) throw new UsageWrong('The lake does not hold what the log took in.');
      print(
        `${found.events} events in ${found.leaves} records are as they were taken; retention deleted ${found.deleted}.`,
      );
    });

  const witness = proof.command('witness').description('others who cosign checkpoints (c2sp.org/tlog-witness)');
  witness
    .command('list')
    .description('who cosigns, and up to where')
    .action(async () => {
      const { witnesses } = take(await (await context.connect()).api.GET('/api/v1/proof'));
      const rows = witnesses.map(({ name, url, logs: [state] }) => {
        const at = state?.cosignedAt ? new Date(state.cosignedAt).toISOString() : 'never';
        return [name, url, String(state?.size ?? 0), at, state?.error ?? ''];
      });
      printTable(['name', 'address', 'records', 'cosigned', 'problem'], rows);
    });
  witness
    .command('add <name> <url> <key>')
    .description('ask another to cosign from now on')
    .action(async (name: string, url: string, key: string) => {
      const { api } = await context.connect();
      take(await api.POST('/api/v1/proof/witnesses', { body: { name, url, vkey: await textOrFile(key) } }));
      print(`${name} is asked to cosign each new checkpoint within a minute.`);
    });
  witness
    .command('remove <name>')
    .description('ask no longer')
    .action(async (name: string) => {
      const { api } = await context.connect();
      const found = take(await api.GET('/api/v1/proof')).witnesses.find((one) => one.name === name);
      if (!found) throw new UsageWrong(`There is no witness named ${name}.`);
      take(await api.DELETE('/api/v1/proof/witnesses/{id}', { params: { path: { id: found.id } } }));
      print(`${name} is asked no longer.`);
    });
}
