import {
  type AppEntry,
  covers,
  fitsTemplate,
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
  /** The resource of that URI, or the template that it comes from, accepted ones first. */
  resource(appId: string, uri: string): McpItemEntry | undefined;
  /** Accepted resources whose contents are pinned. */
  pinned(app: AppEntry): string[];
  /** The grants of one integration on one app. */
  grants(integrationId: string, appId: string): readonly GrantEntry[];
}

/** So many resources are read by themselves at most, each time a server is looked at. */
const PINNED_MAX = 100;

/** Whether an app pins what a resource answers. */
export function pinsContents(app: AppEntry, uri: string): boolean {
  const facts = resourceFacts(uri);
  return (app.mcp?.pinContents ?? []).some((pattern) =>
    covers({ kind: 'path', method: 'READ', path: `/resources/${pattern}` }, facts),
  );
}

const NO_GRANTS: readonly GrantEntry[] = [];

export function compileMcp(entries: Entries): McpTables {
  const items = new Map<string, McpItemEntry>();
  const templates = new Map<string, McpItemEntry[]>();
  for (const item of listEntries(entries, 'mcp-item')) {
    items.set(`${item.appId} ${item.kind} ${item.name}`, item);
    if (item.kind !== 'resource-template') continue;
    const known = templates.get(item.appId);
    if (known) known.push(item);
    else templates.set(item.appId, [item]);
  }
  const grants = Map.groupBy(listEntries(entries, 'grant'), ({ integrationId, appId }) => `${integrationId} ${appId}`);
  return {
    item: (appId, kind, name) => items.get(`${appId} ${kind} ${name}`),
    resource: (appId, uri) => {
      const exact = items.get(`${appId} resource ${uri}`);
      if (exact) return exact;
      const fitting = (templates.get(appId) ?? []).filter(({ name }) => fitsTemplate(name, uri));
      return fitting.find(({ state }) => state === 'accepted') ?? fitting[0];
    },
    pinned: (app) => {
      const found = new Set<string>();
      for (const { appId, kind, state, name } of items.values()) {
        if (appId !== app.id || state !== 'accepted' || (kind !== 'resource' && kind !== 'contents')) continue;
        if (pinsContents(app, name) && found.size < PINNED_MAX) found.add(name);
      }
      return [...found];
    },
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

function factsOf(id: string, method: string, path: string, tag: string, access: 'read' | 'write'): OperationFacts {
  return { id, method, path, tags: [tag], access, deprecated: false };
}

const resourceFacts = (uri: string): OperationFacts =>
  factsOf(mcpOperationId.resource(uri), 'READ', `/resources/${uri}`, 'resources', 'read');

/** What authorization needs of an operation of an MCP app; undefined for a tool that nobody has accepted. */
export function mcpFacts(tables: McpTables, appId: string, id: string): OperationFacts | undefined {
  if (id.startsWith(RESOURCE)) return resourceFacts(id.slice(RESOURCE.length));
  if (id.startsWith(SESSION)) return factsOf(id, 'SESSION', `/session/${id.slice(SESSION.length)}`, 'session', 'read');
  if (id.startsWith(PROMPT)) {
    const name = id.slice(PROMPT.length);
    return tables.item(appId, 'prompt', name) && factsOf(id, 'GET', `/prompts/${name}`, 'prompts', 'read');
  }
  const tool = tables.item(appId, 'tool', id);
  return tool && factsOf(id, 'CALL', `/tools/${id}`, 'tools', tool.access);
}
