import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type Queryable,
} from '@cordon/kernel';
import { z } from 'zod';
import { parseInput } from '../context.ts';
import { NotFound } from '../errors.ts';
import { monitoringTablesOf } from './monitoring-tables.ts';
import { tellNews } from './news.ts';
import type { NoticeContext } from './notices.ts';

const CLIENTS_MAX = 20_000;
const CHUNK_MAX = 500;

/** A grant that a tool shows for an OAuth client. */
export interface ClientGrant {
  readonly clientId: string;
  readonly clientName: string;
  /** Unique among all grants. */
  readonly ref: string;
  /** Which tool, and who gave it. */
  readonly text: string;
  readonly connectionId: string;
}
export type FindClientGrants = (clientIds: ReadonlySet<string>) => Promise<readonly ClientGrant[]>;

export interface BadClient {
  readonly clientId: string;
  readonly reason: string;
  readonly source: string;
  readonly at: number;
  readonly told: readonly string[];
}

export async function listBadClients(db: Queryable): Promise<BadClient[]> {
  const rows = await monitoringTablesOf(db)
    .selectFrom('vendor_bad_clients')
    .selectAll()
    .orderBy('client_id')
    .limit(CLIENTS_MAX)
    .execute();
  return rows.map((row) => ({
    clientId: row.client_id,
    reason: row.reason,
    source: row.source,
    at: row.at.getTime(),
    told: z.array(z.string()).parse(row.told),
  }));
}

/** Adds to the list of OAuth clients that are known to be compromised. */
export async function keepBadClients(
  db: Queryable,
  clients: readonly { readonly clientId: string; readonly reason: string }[],
  source: string,
  at: number,
): Promise<void> {
  const rows = clients.map(({ clientId, reason }) => ({
    client_id: clientId,
    reason,
    source,
    at: new Date(at),
    told: '[]',
  }));
  for (let from = 0; from < rows.length; from += CHUNK_MAX) {
    await monitoringTablesOf(db)
      .insertInto('vendor_bad_clients')
      .values(rows.slice(from, from + CHUNK_MAX))
      .onConflict((conflict) =>
        conflict.column('client_id').doUpdateSet((build) => ({ reason: build.ref('excluded.reason') })),
      )
      .execute();
  }
}

export const badClientInput = z.strictObject({
  clientId: z.string().trim().min(1).max(300),
  reason: z.string().trim().min(1).max(1_000),
});

/** Compromised OAuth clients that a person names: news that came by mail or telephone. */
export function createBadClientCommands({ db, clock }: { readonly db: Database; readonly clock: Clock }) {
  return {
    /** From the next watch on, grants of the client open a case. */
    async add(actor: Actor, raw: unknown): Promise<void> {
      authorize(actor, 'vendor.write');
      const input = parseInput(badClientInput, raw);
      await db.transaction(async (tx) => {
        const at = clock.now();
        await keepBadClients(tx, [input], describeActor(actor).name, at);
        const target = { type: 'oauth_client', id: input.clientId, name: input.clientId };
        await appendAudit(tx, { actor, action: 'oauth_client.listed', target, detail: { reason: input.reason }, at });
      });
    },

    /** Throws `NotFound`. A feed that still names the client lists it again. */
    async remove(actor: Actor, clientId: string): Promise<void> {
      authorize(actor, 'vendor.write');
      await db.transaction(async (tx) => {
        const gone = await monitoringTablesOf(tx)
          .deleteFrom('vendor_bad_clients')
          .where('client_id', '=', clientId)
          .executeTakeFirst();
        if (gone.numDeletedRows === 0n) throw new NotFound('The list has no such client.', { client: clientId });
        const target = { type: 'oauth_client', id: clientId, name: clientId };
        await appendAudit(tx, { actor, action: 'oauth_client.unlisted', target, detail: {}, at: clock.now() });
      });
    },
  };
}

/** Looks for grants of compromised clients in the connected tools; each is a case and news once. Returns how many. */
export async function checkBadClients(
  context: NoticeContext & { readonly findGrants: FindClientGrants },
): Promise<number> {
  const { db, clock, openCase } = context;
  const bad = new Map((await listBadClients(db)).map((one) => [one.clientId, one]));
  if (bad.size === 0) return 0;
  const grants = await context.findGrants(new Set(bad.keys()));
  let found = 0;
  for (const [clientId, all] of Map.groupBy(grants, (one) => one.clientId)) {
    const client = bad.get(clientId);
    const fresh = all.filter(({ ref }) => client?.told.includes(ref) === false);
    const [first] = fresh;
    if (!client || !first) continue;
    const actor: Actor = { kind: 'system', name: `feed ${client.source}` };
    const title = `A compromised OAuth client holds ${fresh.length === 1 ? 'a grant' : `${fresh.length} grants`}: ${first.clientName}`;
    const text = `${client.reason}\n${fresh.map((one) => one.text).join('\n')}`.slice(0, 8_000);
    const reference = `${clientId} ${fresh.map(({ ref }) => ref).join(' ')}`.slice(0, 200);
    const given = { title, text, severity: 'critical', reference, occurredAt: null, csaf: null } as const;
    const { caseId } = await openCase(actor, { vendor: first.clientName, ...given });
    await db.transaction(async (tx) => {
      const at = clock.now();
      const detail = { clientId, case: caseId, connections: [...new Set(fresh.map((one) => one.connectionId))] };
      await tellNews(tx, context, null, [{ kind: 'client', severity: 'critical', title, detail }], at);
      await monitoringTablesOf(tx)
        .updateTable('vendor_bad_clients')
        .set({ told: JSON.stringify([...client.told, ...fresh.map(({ ref }) => ref)]) })
        .where('client_id', '=', clientId)
        .execute();
    });
    found += fresh.length;
  }
  return found;
}
