import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  checkPlaybook,
  createActionTable,
  createSchemaCheck,
  parsePlaybook,
  PLAYBOOK_BYTES_MAX,
  PlaybookInvalid,
  type PlaybookProblem,
  problemText,
  refusals,
} from '@cordon/incidents';
import type { Command } from 'commander';
import { PLAYBOOKS_FOLDER } from '../roles/incident-parts.ts';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const WATCH_MS = 300;
const OVER = new Set(['succeeded', 'failed', 'cancelled', 'undone', 'undo-failed']);

/** `--input name=value`, as often as there are inputs; underscores may be left out. */
function collectInput(text: string, before: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageWrong('--input is name=value.');
  const name = text.slice(0, at);
  return { ...before, [name.startsWith('__') ? name : `__${name}__`]: text.slice(at + 1) };
}

interface Report {
  readonly valid: boolean;
  readonly problems: readonly PlaybookProblem[];
  /** Commands that Cordon simulates, but doesn't run. */
  readonly refusals: readonly { readonly stepId: string; readonly command: string; readonly reason: string }[];
  readonly lines: readonly string[];
}

async function checkFile(file: string): Promise<Report> {
  const text = await readFile(file, 'utf8');
  if (Buffer.byteLength(text) > PLAYBOOK_BYTES_MAX) throw new UsageWrong(`${file} is larger than a playbook may be.`);
  try {
    const playbook = parsePlaybook(JSON.parse(text) as unknown);
    const actions = createActionTable();
    const problems = checkPlaybook(playbook, { schema: createSchemaCheck(join(PLAYBOOKS_FOLDER, 'schemas')), actions });
    return {
      valid: problems.every(({ level }) => level !== 'error'),
      problems,
      refusals: refusals(playbook, actions),
      lines: problems.map((problem) => problemText(playbook, problem)),
    };
  } catch (error) {
    if (!(error instanceof PlaybookInvalid) && !(error instanceof SyntaxError)) throw error;
    const problem: PlaybookProblem = { level: 'error', code: 'not_cacao', step: null, message: error.message };
    return { valid: false, problems: [problem], refusals: [], lines: [`error   playbook: ${error.message}`] };
  }
}

export function addPlaybookCommands(program: Command, context: CliContext): void {
  const playbook = program.command('playbook').description('CACAO 2.0 playbooks: check, run, approve, undo');
  playbook
    .command('validate <file>')
    .description(
      'check a playbook against the schemas of OASIS, its graph, variables and commands; needs no running Cordon',
    )
    .option('--json', 'as JSON')
    .action(async (file: string, options: { json?: boolean }) => {
      const report = await checkFile(file);
      const { lines, ...rest } = report;
      if (options.json) printJson(rest);
      else for (const line of lines) print(line);
      if (!options.json) note(report.valid ? 'valid' : 'not valid');
      if (!report.valid) process.exitCode = 1;
    });
  playbook
    .command('list')
    .description('ready playbooks and your own')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/playbooks'));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [
        one.name,
        one.origin,
        String(one.steps),
        String(one.errors),
        one.triggers.join(', '),
      ]);
      return printTable(['playbook', 'origin', 'steps', 'errors', 'asked for by detections as'], rows);
    });
  playbook
    .command('import <file>')
    .description('store a playbook of your own; one with errors is refused')
    .action(async (file: string) => {
      const { api } = await context.connect();
      const document = parsePlaybook(JSON.parse(await readFile(file, 'utf8')) as unknown);
      print(
        take(await api.PUT('/api/v1/playbooks/{id}', { params: { path: { id: document.id } }, body: document })).id,
      );
    });
  playbook
    .command('export <id>')
    .description('the document of a playbook, whole')
    .action(async (id: string) => {
      const { api } = await context.connect();
      printJson(take(await api.GET('/api/v1/playbooks/{id}', { params: { path: { id } } })).document);
    });
  for (const mode of ['live', 'simulate'] as const) {
    playbook
      .command(mode === 'live' ? 'run <playbook>' : 'simulate <playbook>')
      .description(
        mode === 'live' ? 'start a run; acts that need it wait for approval' : 'a dry run: it has no way to act',
      )
      .option('--input <name=value>', 'a value from outside; repeat it', collectInput, {})
      .option('--case <id>', 'the case that it belongs to')
      .option('--wait', 'until it is over or waits for somebody')
      .action(async (name: string, options: { input: Record<string, string>; case?: string; wait?: boolean }) => {
        const { api } = await context.connect();
        const body = {
          playbook: name,
          inputs: options.input,
          mode,
          ...(options.case !== undefined && { caseId: options.case }),
        };
        const run = take(await api.POST('/api/v1/playbook-runs', { body }));
        print(run.id);
        if (options.wait || mode === 'simulate') await follow(context, run.id);
      });
  }
  playbook
    .command('status <run>')
    .description('what a run did, who approved, and the proof')
    .option('--json', 'as JSON')
    .action(async (id: string, options: { json?: boolean }) => {
      if (!options.json) return show(context, id);
      const { api } = await context.connect();
      return printJson(take(await api.GET('/api/v1/playbook-runs/{id}', { params: { path: { id } } })));
    });
  addDecisions(playbook, context);
}

function addDecisions(playbook: Command, context: CliContext): void {
  for (const approve of [true, false]) {
    playbook
      .command(approve ? 'approve <run>' : 'refuse <run>')
      .description(
        `say ${approve ? 'yes' : 'no'} to a run, or to one act; by a person with a fresh factor, not the one who started it`,
      )
      .requiredOption('--reason <text>', 'why')
      .option('--act <key>', 'one act of it')
      .option('--input <name=value>', 'what the alert could not say; repeat it', collectInput, {})
      .action(async (id: string, options: { reason: string; act?: string; input: Record<string, string> }) => {
        const { api } = await context.connect();
        const { reason, input: inputs, act } = options;
        const body = { approve, reason, inputs, ...(act !== undefined && { act }) };
        note(take(await api.POST('/api/v1/playbook-runs/{id}/decision', { params: { path: { id } }, body })).status);
      });
  }
  playbook
    .command('answer <run> <act>')
    .description('answer a manual step')
    .option('--value <name=value>', 'a field of its form; repeat it', collectInput, {})
    .option('--not-done', 'it could not be done')
    .option('--note <text>', 'what was found', '')
    .action(
      async (id: string, act: string, options: { value: Record<string, string>; notDone?: boolean; note: string }) => {
        const { api } = await context.connect();
        const body = { act, done: options.notDone !== true, values: options.value, note: options.note };
        note(take(await api.POST('/api/v1/playbook-runs/{id}/answer', { params: { path: { id } }, body })).status);
      },
    );
  for (const verb of ['cancel', 'undo'] as const) {
    playbook
      .command(`${verb} <run>`)
      .description(verb === 'undo' ? 'take back what a run did, last act first' : 'stop a run before its next act')
      .requiredOption('--reason <text>', 'why')
      .action(async (id: string, options: { reason: string }) => {
        const { api } = await context.connect();
        const path = verb === 'undo' ? '/api/v1/playbook-runs/{id}/undo' : '/api/v1/playbook-runs/{id}/cancel';
        note(take(await api.POST(path, { params: { path: { id } }, body: { reason: options.reason } })).status);
      });
  }
}

async function follow(context: CliContext, id: string): Promise<void> {
  const { api } = await context.connect();
  for (;;) {
    const run = take(await api.GET('/api/v1/playbook-runs/{id}', { params: { path: { id } } }));
    if (OVER.has(run.status) || run.status === 'waiting' || run.status === 'proposed') break;
    await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
  }
  await show(context, id);
}

async function show(context: CliContext, id: string): Promise<void> {
  const { api } = await context.connect();
  const run = take(await api.GET('/api/v1/playbook-runs/{id}', { params: { path: { id } } }));
  note(`${run.playbookName}: ${run.status}${run.error === null ? '' : ` (${run.error})`}`);
  const rows = run.acts
    .filter(({ kind }) => kind !== 'control')
    .map((act) => [
      act.status,
      act.command,
      act.title,
      act.error ?? JSON.stringify(act.proof ?? {}).slice(0, 120),
      act.key,
    ]);
  printTable(['status', 'command', 'step', 'proof', 'act'], rows);
}
