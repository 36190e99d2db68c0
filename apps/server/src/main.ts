import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { addCommands, wantedCommand } from './cli/command-files.ts';
import { connect } from './cli/connection.ts';
import type { CliContext } from './cli/context.ts';
import { describeFailure, endWithReader, note } from './cli/output.ts';
import { loadSettings } from './cli/settings.ts';

/** The composition root: the only place that reads the environment. */
async function buildProgram(): Promise<Command> {
  const { env } = process;
  const program = new Command('cordon')
    .description('The integration security perimeter')
    .option('--config <path>', 'configuration file; cordon.yaml in this folder when absent')
    .showHelpAfterError()
    .exitOverride();
  const context: CliContext = {
    env,
    program: fileURLToPath(import.meta.url),
    config: () => loadSettings(env, program.opts<{ config?: string }>().config),
    connect: async () => connect(env, await context.config()),
  };
  await addCommands(program, context, wantedCommand(process.argv.slice(2)));
  return program;
}

endWithReader(process.stdout, (status) => process.exit(status));
try {
  await (await buildProgram()).parseAsync();
} catch (error) {
  // Commander has already said what is wrong with the arguments, or printed the help that was asked for.
  const shown = error instanceof Error && 'exitCode' in error && typeof error.exitCode === 'number';
  if (shown) process.exitCode = error.exitCode === 0 ? 0 : 64;
  else {
    const { text, status } = describeFailure(error);
    note(text);
    process.exitCode = status;
  }
}
