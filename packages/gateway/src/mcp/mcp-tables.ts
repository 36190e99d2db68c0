import {
  covers,
  type Entries,
  type GrantEntry,
  listEntries,
  type McpItemEntry,
  type McpItemKind,
  type OperationFacts,
} from '@cordon/policy';

/** What the snapshot says of MCP servers and their users, compiled for look-up. */
export interface McpTables {
  item(appId: string, kind: McpItemKind, name: string): McpItemEntry | undefined;
  /** The grants of one integration on one app. */
  grants(integrationId: string, appId: string): readonly GrantEntry[];
}

const NO_GRANTS: readonly GrantEntry[] = [];

export function compileMcp(entries: Entries): McpTables {
  const items = new Map<string, McpItemEntry>();
  for (const item of listEntries(entries, 'mcp-item')) items.set(`${item.appId} ${item.kind} ${item.name}`, item);
  const grants = Map.groupBy(listEntries(entries, 'grant'), ({ integrationId, appId }) => `${integrationId} ${appId}`);
  return {
    item: (appId, kind, name) => items.get(`${appId} ${kind} ${name}`),
    grants: (integrationId, appId) => grants.get(`${integrationId} ${appId}`) ?? NO_GRANTS,
  };
}

/** Whether some live grant holds on the app at all: who has none has no business with its server. */
export function hasGrant(grants: readonly GrantEntry[], now: number): boolean {
  return grants.some(({ expiresAt }) => expiresAt === null || expiresAt > now);
}

/** Whether a grant covers the operation for some arguments, if not for any. */
export function coversForSome(grants: readonly GrantEntry[], operation: OperationFacts, now: number): boolean {
  return grants.some(
    (grant) =>
      grant.resourceScope.length > 0 &&
      (grant.expiresAt === null || grant.expiresAt > now) &&
      grant.select.some((selector) => covers(selector, operation)),
  );
}

const RESOURCE = 'resource:';
const PROMPT = 'prompt:';
const SESSION = 'mcp:';

/**
 * Operations of an MCP server. A tool's id is its name, which can't hold a colon; the rest have a prefix. Paths let
 * grants take globs: `CALL /tools/get-*`, `READ /resources/file:///docs/**`, `GET /prompts/**`.
 */
export const mcpOperationId = {
  tool: (name: string): string => name,
  prompt: (name: string): string => `${PROMPT}${name}`,
  resource: (uri: string): string => `${RESOURCE}${uri}`,
  session: (method: string): string => `${SESSION}${method}`,
};

/** What authorization needs of an operation of an MCP app; undefined for a tool that nobody has accepted. */
export function mcpFacts(tables: McpTables, appId: string, id: string): OperationFacts | undefined {
  const facts = (method: string, path: string, tag: string, access: 'read' | 'write'): OperationFacts => ({
    id,
    method,
    path,
    tags: [tag],
    access,
    deprecated: false,
  });
  if (id.startsWith(RESOURCE)) return facts('READ', `/resources/${id.slice(RESOURCE.length)}`, 'resources', 'read');
  if (id.startsWith(SESSION)) return facts('SESSION', `/session/${id.slice(SESSION.length)}`, 'session', 'read');
  if (id.startsWith(PROMPT)) {
    const name = id.slice(PROMPT.length);
    return tables.item(appId, 'prompt', name) && facts('GET', `/prompts/${name}`, 'prompts', 'read');
  }
  const tool = tables.item(appId, 'tool', id);
  return tool && facts('CALL', `/tools/${id}`, 'tools', tool.access);
}
