import { type App, findGraphqlSchema, GRANT_PLACES, listMcpItems } from '@cordon/estate';
import type { Database } from '@cordon/kernel';

/** An operation as the API shows it, beside those of API descriptions. */
export interface ProtocolOperation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly tags: string[];
  readonly access: 'read' | 'write';
  readonly deprecated: boolean;
}

function textOf(definition: Readonly<Record<string, unknown>>, member: string): string {
  const value = definition[member];
  return typeof value === 'string' ? value.slice(0, 300) : '';
}

async function mcpOperations(db: Database, appId: string): Promise<ProtocolOperation[]> {
  const items = await listMcpItems(db, appId);
  return items.flatMap((item) => {
    const place = GRANT_PLACES[item.kind];
    if (!place || item.kind === 'contents') return [];
    const { method, path, tag, id } = place;
    const summary = textOf(item.accepted ?? item.seen, 'description');
    const access = item.kind === 'tool' ? item.access : 'read';
    return [{ id: id + item.name, method, path: path + item.name, summary, tags: [tag], access, deprecated: false }];
  });
}

/** The tools of an MCP server and the root fields of a GraphQL schema: operations that no API description names. */
export async function protocolOperations(db: Database, app: App): Promise<ProtocolOperation[]> {
  const tools = app.settings.mcp ? await mcpOperations(db, app.id) : [];
  const schema = app.settings.graphql ? await findGraphqlSchema(db, app.id) : null;
  const fields = (schema?.operations ?? []).map(({ id, access, summary, deprecated }): ProtocolOperation => {
    const [, kind = '', ...path] = id.split('.');
    const tags = ['graphql', kind];
    return { id, method: kind.toUpperCase(), path: `/${path.join('/')}`, summary, tags, access, deprecated };
  });
  return [...tools, ...fields];
}
