import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { note, printJson, printTable, take } from './output.ts';

const DAYS_DEFAULT = 180;

/** What a corporate directory needs to provision people into Cordon. */
export function addProvisioningCommands(program: Command, context: CliContext): void {
  const scim = program.command('scim').description('provisioning from a corporate directory (SCIM 2.0)');

  scim
    .command('token <name>')
    .description('make a token for a directory such as Okta or Entra; shown once')
    .option('--days <number>', 'how long it lives', Number, DAYS_DEFAULT)
    .action(async (name: string, { days }: { days: number }) => {
      const { api } = await context.connect();
      const made = take(await api.POST('/api/v1/scim/tokens', { body: { name, days } }));
      note('The token is shown this once and can not be read back.');
      printJson({ endpoint: made.endpoint, token: made.value, expires: made.token.expiresAt });
    });

  scim
    .command('tokens')
    .description('list the tokens of directories')
    .action(async () => {
      const { api } = await context.connect();
      const { tokens } = take(await api.GET('/api/v1/scim/tokens'));
      const rows = tokens.map((one) => [one.name, one.expiresAt, one.lastUsedAt ?? 'never', one.id]);
      printTable(['name', 'expires', 'last used', 'id'], rows);
    });
}
