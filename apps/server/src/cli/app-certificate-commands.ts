import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { day, printJson, printTable, take } from './output.ts';

export function addAppCertificateCommands(
  app: Command,
  context: CliContext,
  findAppId: (context: CliContext, name: string) => Promise<string>,
): void {
  app
    .command('certificates <name>')
    .description("certificates and TLS of an app's hosts, as the gateways saw them")
    .option('--json', 'as JSON')
    .action(async (name: string, options: { json?: boolean }) => {
      const { api } = await context.connect();
      const params = { path: { id: await findAppId(context, name) } };
      const { items } = take(await api.GET('/api/v1/apps/{id}/certificates', { params }));
      if (options.json) return printJson(items);
      const rows = items.map(({ host, seen, refused, problems }) => {
        const leaf = seen?.chain[0];
        return [
          host,
          problems.join(', ') || '-',
          refused ?? '-',
          leaf?.issuer ?? '-',
          leaf ? day(leaf.notAfter) : '-',
          leaf ? `${leaf.keyType}${leaf.keyBits === null ? '' : ` ${leaf.keyBits}`}` : '-',
          leaf?.signature ?? '-',
          seen?.protocol ?? '-',
        ];
      });
      return printTable(['host', 'problems', 'refused', 'issuer', 'ends', 'key', 'signature', 'TLS'], rows);
    });
}
