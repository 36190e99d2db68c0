import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const FRAMEWORKS = ['sscf', 'ccm', 'nist_csf', 'iso27001', 'cis', 'owasp_nhi'] as const;
const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'] as const;
const RESULTS = ['pass', 'fail', 'not_visible', 'not_applicable', 'error'] as const;

interface Options {
  readonly framework?: string;
  readonly control?: string;
  readonly severity?: string;
  readonly result?: string;
  readonly nhi?: boolean;
}

function oneOf<const Word extends string>(words: readonly Word[], given: string | undefined): Word | undefined {
  const found = words.find((one) => one === given);
  if (given !== undefined && found === undefined) throw new UsageWrong(`${given} is none of ${words.join(', ')}.`);
  return found;
}

function queryOf({ framework, control, severity, result, nhi }: Options) {
  const query = {
    framework: oneOf(FRAMEWORKS, framework),
    severity: oneOf(SEVERITIES, severity),
    result: oneOf(RESULTS, result),
  };
  return {
    ...(query.framework ? { framework: query.framework } : {}),
    ...(query.severity ? { severity: query.severity } : {}),
    ...(query.result ? { result: query.result } : {}),
    ...(control === undefined ? {} : { control }),
    ...(nhi === true ? { product: 'nhi' } : {}),
  };
}

const filtered = (command: Command): Command =>
  command
    .option('--framework <name>', `only what is mapped to it: ${FRAMEWORKS.join(', ')}`)
    .option('--control <id>', 'one control of the framework, such as NHI1')
    .option('--severity <word>', SEVERITIES.join(', '))
    .option('--result <word>', RESULTS.join(', '))
    .option('--nhi', 'only identities that are no people');

/** How connected tools stand; `evaluate`, beside these, needs no running Cordon. */
export function addPostureCommands(program: Command, context: CliContext): void {
  const group = program.commands.find((one) => one.name() === 'posture');
  if (!group) throw new Error('the command that judges recorded settings comes first');

  filtered(group.command('list'))
    .description('how all connected tools stand, and what is worst')
    .option('--json', 'everything that is known')
    .action(async (options: Options & { json?: boolean }) => {
      const { api } = await context.connect();
      const query = { result: 'fail' as const, ...queryOf(options) };
      const answer = take(await api.GET('/api/v1/posture', { params: { query } }));
      if (options.json) return printJson(answer);
      printTable(
        ['tool', 'score', 'seen', 'failing'],
        answer.tools.map(({ connection, score: { score, visibility, failed } }) => [
          connection,
          score === null ? '-' : String(score),
          `${Math.round(visibility * 100)} %`,
          String(failed),
        ]),
      );
      print('');
      return printTable(
        ['severity', 'tool', 'check', 'why'],
        answer.items.map((one) => [one.severity, one.connection, one.check, one.reason]),
      );
    });

  filtered(group.command('export'))
    .description('how all connected tools stand, for others to read')
    .requiredOption('--out <file>', 'where to')
    .option('--format <name>', 'csv, ocsf or oscal', 'csv')
    .action(async (options: Options & { out: string; format: string }) => {
      const { url, token } = await context.connect();
      const query = new URLSearchParams({ ...queryOf(options), format: options.format }).toString();
      const answer = await fetch(`${url}/api/v1/posture/export?${query}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      if (!answer.ok) throw new UsageWrong(`The server answered ${answer.status}: ${await answer.text()}`);
      await writeFile(options.out, Buffer.from(await answer.arrayBuffer()));
      note(`${options.out} is written`);
    });
}
