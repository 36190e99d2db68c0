import type { Kysely, Selectable } from 'kysely';
import type { Queryable, Transaction } from '@cordon/kernel';
import { type McpItemKind, mcpItemKind } from '@cordon/policy';
import { NotFound } from '../errors.ts';
import { ITEMS_MAX, type McpItem, mcpItemKey, type McpState } from './mcp-item.ts';

interface McpTables {
  mcp_items: {
    id: string;
    app_id: string;
    kind: string;
    name: string;
    state: McpState;
    accepted: string | null;
    accepted_sha256: string | null;
    seen: string;
    seen_sha256: string;
    access: 'read' | 'write';
    first_seen_at: Date;
    seen_at: Date;
    decided_at: Date | null;
    decided_by: string | null;
  };
}

function tablesOf(source: Queryable): Kysely<McpTables> {
  return source.tables<McpTables>();
}

const parsed = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>; // written by saveItem

function toItem(row: Selectable<McpTables['mcp_items']>): McpItem {
  return {
    id: row.id,
    appId: row.app_id,
    kind: mcpItemKind.parse(row.kind),
    name: row.name,
    state: row.state,
    accepted: row.accepted === null ? null : parsed(row.accepted),
    acceptedSha256: row.accepted_sha256,
    seen: parsed(row.seen),
    seenSha256: row.seen_sha256,
    access: row.access,
    firstSeenAt: row.first_seen_at.getTime(),
    seenAt: row.seen_at.getTime(),
    decidedAt: row.decided_at?.getTime() ?? null,
    decidedBy: row.decided_by,
  };
}

export async function listMcpItems(db: Queryable, appId: string): Promise<McpItem[]> {
  const query = tablesOf(db).selectFrom('mcp_items').selectAll().where('app_id', '=', appId);
  return (await query.orderBy('kind', 'desc').orderBy('name').limit(ITEMS_MAX).execute()).map(toItem);
}

/** Under the row's lock: a report and a decision follow each other. */
export async function findMcpItem(
  tx: Transaction,
  by: { readonly appId: string; readonly kind: McpItemKind; readonly name: string },
): Promise<McpItem | undefined> {
  const row = await tablesOf(tx)
    .selectFrom('mcp_items')
    .selectAll()
    .where('app_id', '=', by.appId)
    .where('kind', '=', by.kind)
    .where('name', '=', by.name)
    .forUpdate()
    .executeTakeFirst();
  return row && toItem(row);
}

export async function lockMcpItem(tx: Transaction, appId: string, id: string): Promise<McpItem> {
  const row = await tablesOf(tx)
    .selectFrom('mcp_items')
    .selectAll()
    .where('app_id', '=', appId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw new NotFound('There is no such tool, prompt or instruction.', { item: id });
  return toItem(row);
}

/** Every tool name of the other MCP servers: what a description could be shadowing. */
export async function listToolNames(db: Queryable, exceptAppId: string): Promise<string[]> {
  const rows = await tablesOf(db)
    .selectFrom('mcp_items')
    .select('name')
    .distinct()
    .where('kind', '=', 'tool')
    .where('app_id', '!=', exceptAppId)
    .limit(ITEMS_MAX)
    .execute();
  return rows.map(({ name }) => name);
}

export async function saveMcpItem(tx: Transaction, item: McpItem): Promise<void> {
  const values = {
    state: item.state,
    accepted: item.accepted === null ? null : JSON.stringify(item.accepted),
    accepted_sha256: item.acceptedSha256,
    seen: JSON.stringify(item.seen),
    seen_sha256: item.seenSha256,
    access: item.access,
    seen_at: new Date(item.seenAt),
    decided_at: item.decidedAt === null ? null : new Date(item.decidedAt),
    decided_by: item.decidedBy,
  };
  await tablesOf(tx)
    .insertInto('mcp_items')
    .values({
      id: item.id,
      app_id: item.appId,
      kind: item.kind,
      name: item.name,
      first_seen_at: new Date(item.firstSeenAt),
      ...values,
    })
    .onConflict((conflict) => conflict.columns(['app_id', 'kind', 'name']).doUpdateSet(values))
    .execute();
}

/** Snapshot keys of an app's items, to be removed with it. */
export async function mcpKeys(tx: Transaction, appId: string): Promise<string[]> {
  return (await listMcpItems(tx, appId)).map(({ id }) => mcpItemKey(id));
}
