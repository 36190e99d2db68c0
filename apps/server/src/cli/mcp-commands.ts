import { isDeepStrictEqual } from 'node:util';
import { mcpSettings } from '@cordon/policy';
import type { Command } from 'commander';
import { z } from 'zod';
import { findAppId } from './app-commands.ts';
import type { CliContext } from './context.ts';
import { day, note, print, printJson, printTable, take, UsageWrong } from './output.ts';

async function listItems(context: CliContext, appName: string) {
  const { api } = await context.connect();
  const id = await findAppId(context, appName);
  const { items } = take(await api.GET('/api/v1/apps/{id}/mcp/items', { params: { path: { id } } }));
  return { api, id, items };
}

async function findItem(context: CliContext, appName: string, name: string) {
  const { api, id, items } = await listItems(context, appName);
  const found = items.filter((one) => one.name === name || `${one.kind}:${one.name}` === name);
  const [item] = found;
  if (!item) throw new UsageWrong(`${appName} offers no ${name}. See: cordon mcp items ${appName}`);
  if (found.length > 1)
    throw new UsageWrong(`There are several: ${found.map((one) => `${one.kind}:${one.name}`).join(', ')}.`);
  return { api, id, item };
}

/** Lines of two definitions, one below the other where they differ. */
function difference(before: Record<string, unknown> | null, after: Record<string, unknown>): string[] {
  const lines: string[] = [];
  for (const key of new Set([...Object.keys(before ?? {}), ...Object.keys(after)])) {
    const [was, is] = [before?.[key], after[key]];
    if (isDeepStrictEqual(was, is)) continue;
    if (was !== undefined) lines.push(`- ${key}: ${JSON.stringify(was)}`);
    if (is !== undefined) lines.push(`+ ${key}: ${JSON.stringify(is)}`);
  }
  return lines;
}

function addReading(mcp: Command, context: CliContext): void {
  mcp
    .command('items <app>')
    .description('list what an MCP server offers, with the state of each item')
    .option('--json', 'as JSON')
    .action(async (app: string, options: { json?: boolean }) => {
      const { items } = await listItems(context, app);
      if (options.json) return printJson(items);
      const rows = items.map((one) => [
        one.kind,
        one.name,
        one.state,
        one.access,
        one.flags.map(({ rule }) => rule).join(', ') || '-',
        one.grantedTo.join(', ') || 'nobody',
        day(one.seenAt),
      ]);
      return printTable(['kind', 'name', 'state', 'access', 'flags', 'granted to', 'seen'], rows);
    });
  mcp
    .command('show <app> <item>')
    .description('show a definition, what to look at twice, and how it differs from the accepted one')
    .action(async (app: string, name: string) => {
      const { item } = await findItem(context, app, name);
      print(`${item.kind} ${item.name}: ${item.state}, ${item.access}`);
      for (const { rule, at, excerpt } of item.flags)
        print(`! ${rule} at ${at}${excerpt === '' ? '' : `: ${excerpt}`}`);
      const lines = item.state === 'accepted' ? [] : difference(item.accepted, item.seen);
      if (lines.length === 0) printJson(item.seen);
      else for (const line of lines) print(line);
      print(`sha256 ${item.seenSha256}`);
    });
  mcp
    .command('look <app>')
    .description('have the gateways ask the server for its tools, prompts and resources now')
    .action(async (app: string) => {
      const { api } = await context.connect();
      const id = await findAppId(context, app);
      take(await api.POST('/api/v1/apps/{id}/mcp/look', { params: { path: { id } } }));
      note('The gateways ask the server; see cordon mcp items in a moment.');
    });
}

const SETTINGS = {
  newItems: [
    '--new-items <how>',
    'review, or accept-unflagged: trust what is seen for the first time and looks harmless',
  ],
  resources: ['--resources <how>', 'review, or granted: a grant on the URI is enough'],
  sampling: ['--sampling <how>', 'allow or refuse what the server asks the client to sample'],
  elicitation: ['--elicitation <how>', 'allow or refuse questions of the server to the user'],
  roots: ['--roots <how>', 'allow or refuse the list of roots'],
} as const;

function addSettings(mcp: Command, context: CliContext): void {
  const command = mcp.command('set <app>').description('change how the gateway treats an MCP server');
  for (const [flag, text] of Object.values(SETTINGS)) command.option(flag, text);
  command
    .option('--pin-contents <pattern...>', 'resources whose contents are pinned too, such as notes://handbook/**')
    .option('--no-pin-contents', 'pin no contents')
    .action(async (appName: string, options: Record<string, string | string[] | boolean>) => {
      const { api } = await context.connect();
      const id = await findAppId(context, appName);
      const params = { path: { id } };
      const { settings } = take(await api.GET('/api/v1/apps/{id}', { params }));
      if (!settings.mcp) throw new UsageWrong(`${appName} is no MCP server.`);
      const { pinContents, ...chosen } = options;
      const pins = Array.isArray(pinContents) ? { pinContents } : pinContents === false ? { pinContents: [] } : {};
      const wanted = mcpSettings.safeParse({ ...settings.mcp, ...chosen, ...pins });
      if (!wanted.success) throw new UsageWrong(z.prettifyError(wanted.error));
      take(await api.PATCH('/api/v1/apps/{id}', { params, body: { mcp: wanted.data } }));
      note('Saved; the gateways follow within a second.');
    });
}

/** `cordon mcp …`: MCP servers behind the gateway, and the decisions about what they offer. */
export function addMcpCommands(program: Command, context: CliContext): void {
  const mcp = program.command('mcp').description('MCP servers: tools, prompts, resources and the decisions about them');
  mcp
    .command('add <name>')
    .description('add an MCP server; its tools stay invisible until they are accepted')
    .requiredOption('--upstream <url>', 'its endpoint, such as https://mcp.example.com/mcp')
    .option('--title <text>', 'name that people read')
    .option('--allow-address <ip...>', 'exact private addresses that the server may have')
    .option('--allow-plaintext', 'accept an http:// server')
    .option('--accept-unflagged', 'accept what is seen for the first time and looks harmless')
    .action(
      async (
        name: string,
        options: {
          upstream: string;
          title?: string;
          allowAddress?: string[];
          allowPlaintext?: boolean;
          acceptUnflagged?: boolean;
        },
      ) => {
        const { api } = await context.connect();
        const body = {
          name,
          upstream: options.upstream,
          mcp: { newItems: options.acceptUnflagged ? ('accept-unflagged' as const) : ('review' as const) },
          ...(options.title === undefined ? {} : { title: options.title }),
          ...(options.allowAddress ? { privateAddresses: options.allowAddress } : {}),
          ...(options.allowPlaintext ? { plaintext: 'allow' as const } : {}),
        };
        const app = take(await api.POST('/api/v1/apps', { body }));
        print(app.id);
        note(`Agents reach it at /mcp/${name}. Its tools: cordon mcp items ${name}`);
      },
    );
  addReading(mcp, context);
  addSettings(mcp, context);
  for (const verb of ['accept', 'reject'] as const) {
    mcp
      .command(`${verb} <app> <item...>`)
      .description(
        verb === 'accept' ? 'accept the definitions that were seen last' : 'reject items: nobody may use them',
      )
      .option('--access <access>', 'what grants take it for: read or write')
      .option('--sha256 <hash>', 'only if this is the definition (one item)')
      .action(async (app: string, names: string[], options: { access?: string; sha256?: string }) => {
        const { access, sha256 } = options;
        if (access !== undefined && access !== 'read' && access !== 'write')
          throw new UsageWrong('--access is read or write.');
        if (sha256 !== undefined && names.length > 1) throw new UsageWrong('--sha256 names one definition.');
        for (const name of names) {
          const { api, id, item } = await findItem(context, app, name);
          const params = { path: { id, itemId: item.id } };
          const body: { sha256: string; access?: 'read' | 'write' } = {
            sha256: sha256 ?? item.seenSha256,
            ...(access === 'read' || access === 'write' ? { access } : {}),
          };
          take(
            verb === 'accept'
              ? await api.POST('/api/v1/apps/{id}/mcp/items/{itemId}/accept', { params, body })
              : await api.POST('/api/v1/apps/{id}/mcp/items/{itemId}/reject', { params, body }),
          );
          note(`${item.name}: ${verb}ed`);
        }
      });
  }
}
