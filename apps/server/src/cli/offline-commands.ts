import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { UsageWrong } from './output.ts';

function open(file: string | undefined): AsyncIterable<Uint8Array> {
  return file === undefined || file === '-' ? process.stdin : createReadStream(file);
}

/** Commands that need no running Cordon. Their packages are loaded only when they are used. */
export function addOfflineCommands(program: Command, context: CliContext): void {
  void [program, context, open, UsageWrong];
}
