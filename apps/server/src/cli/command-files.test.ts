import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addCommands, COMMAND_FILES, wantedCommand } from './command-files.ts';
import type { CliContext } from './context.ts';

const context: CliContext = {
  env: {},
  program: '',
  config: () => Promise.reject(new Error('no command runs here')),
  connect: () => Promise.reject(new Error('no command runs here')),
};

/** Every command below a command, as `app list`. */
function pathsOf(command: Command): string[] {
  return command.commands.flatMap((one) => [one.name(), ...pathsOf(one).map((below) => `${one.name()} ${below}`)]);
}

const whole = new Command('cordon');
await addCommands(whole, context);
const everything = pathsOf(whole);

test('the files hold exactly the commands that they say', () => {
  const said = new Set(COMMAND_FILES.flatMap(({ names }) => names));
  expect(whole.commands.map((one) => one.name()).toSorted()).toEqual([...said].toSorted());
});

test.each(whole.commands.map((one) => one.name()))('%s alone is as complete as among all the others', async (name) => {
  const program = new Command('cordon');
  await addCommands(program, context, name);
  const own = (path: string): boolean => path === name || path.startsWith(`${name} `);
  expect(pathsOf(program).filter(own)).toEqual(everything.filter(own));
});

test.each([
  [['app', 'list'], 'app'],
  [['--config', 'app', 'up'], 'up'],
  [['--config=x.yaml', 'up'], 'up'],
  [['--help'], undefined],
  [['help', 'app'], undefined],
  [['nothing'], undefined],
  [[], undefined],
])('%j asks for %s', (args, name) => {
  expect(wantedCommand(args)).toBe(name);
});
