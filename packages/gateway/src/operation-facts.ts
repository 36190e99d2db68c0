import type { Entries, OperationFacts } from '@cordon/policy';
import { getEntry } from '@cordon/policy';
import { graphqlFacts } from './graphql/graphql-operation-id.ts';
import { mcpFacts } from './mcp/mcp-tables.ts';
import type { GatewayRuntime } from './runtime.ts';

/** What authorization asks about an operation: a tool of an MCP server, a GraphQL field, or a described HTTP operation. */
export function operationFacts(
  runtime: GatewayRuntime,
  appId: string,
  operationId: string,
): OperationFacts | undefined {
  const { tables } = runtime;
  const entry = tables?.app(appId)?.entry;
  if (tables && entry?.mcp) return mcpFacts(tables.mcp, appId, operationId);
  const field = entry?.graphql ? graphqlFacts(operationId) : undefined;
  return field ?? runtime.operations.facts(appId, operationId);
}

/** Apps of which an MCP item was decided about anew: what was concluded from the old decision must go. */
export function appsWithChangedItems(changed: readonly string[] | undefined, ...versions: Entries[]): Set<string> {
  const apps = new Set<string>();
  for (const key of changed ?? []) {
    if (!key.startsWith('mcp-item:')) continue;
    for (const entries of versions) {
      const item = getEntry(entries, 'mcp-item', key.slice('mcp-item:'.length));
      if (item) apps.add(item.appId);
    }
  }
  return apps;
}
