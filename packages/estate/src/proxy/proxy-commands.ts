import { type Actor, appendAudit, authorize, createAuthority, type Queryable, type Transaction } from '@cordon/kernel';
import { proxyEntry } from '@cordon/policy';
import { z } from 'zod';
import { parseInput } from '../input.ts';
import type { EstateContext } from '../context.ts';
import { publish } from '../publication.ts';
import { tablesOf } from '../tables.ts';

const { unknown, sni, ports, blocked } = proxyEntry.shape;
const stored = z.object({ unknown, sni, ports, blocked });
/** A change names only what it changes. */
const patch = z.strictObject({
  unknown: unknown.unwrap().optional(),
  sni: sni.unwrap().optional(),
  ports: ports.unwrap().optional(),
});

export type ProxyPatch = z.input<typeof patch>;

/** The forward proxy as the API shows it; the authority's key is nobody's to see. */
export interface ProxySettings {
  readonly unknown: 'refuse' | 'observe';
  readonly sni: 'match' | 'any';
  readonly ports: readonly number[];
  /** Hosts of forbidden apps; what lies beneath them is refused too. */
  readonly blocked: readonly string[];
  /** PEM. */
  readonly certificate: string;
  readonly updatedAt: number;
}

const AUTHORITY_CONTEXT = 'proxy-authority';
const ENTRY_KEY = 'proxy:settings';
const CERTIFICATE_NAME = 'Cordon forward proxy';

async function readRow(db: Queryable) {
  return tablesOf(db).selectFrom('proxy_settings').selectAll().executeTakeFirst();
}

type Row = NonNullable<Awaited<ReturnType<typeof readRow>>>;

function present(row: Row): ProxySettings {
  return { ...stored.parse(row.settings), certificate: row.certificate, updatedAt: row.updated_at.getTime() };
}

async function publishRow(tx: Transaction, row: Row, at: number): Promise<void> {
  const authority = { certificate: row.certificate, sealed: row.sealed_key };
  await publish(tx, { set: [[ENTRY_KEY, { id: 'settings', ...stored.parse(row.settings), authority }]], at });
}

export function createProxyCommands({ db, clock, envelope }: EstateContext) {
  /** The row, made with an authority of its own when it is first asked for. */
  const ensure = async (): Promise<Row> => {
    const known = await readRow(db);
    if (known) return known;
    const at = clock.now();
    const authority = await createAuthority(CERTIFICATE_NAME, at);
    return db.transaction(async (tx) => {
      await tablesOf(tx)
        .insertInto('proxy_settings')
        .values({
          one: true,
          settings: JSON.stringify(stored.parse({})),
          certificate: authority.cert,
          sealed_key: envelope.seal(authority.key, AUTHORITY_CONTEXT),
          created_at: new Date(at),
          updated_at: new Date(at),
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      // Of two that begin at once one made it; both go on with that one.
      const row = await readRow(tx);
      await publishRow(tx, row!, at);
      return row!;
    });
  };

  return {
    async get(): Promise<ProxySettings> {
      return present(await ensure());
    },

    /** The hosts of forbidden apps, all of them, in the transaction of the decision. Gateways refuse them from its commit on. */
    async block(tx: Transaction, hosts: readonly string[], at: number): Promise<void> {
      await ensure();
      const tables = tablesOf(tx);
      const before = await tables.selectFrom('proxy_settings').selectAll().forUpdate().executeTakeFirstOrThrow();
      const settings = stored.parse({ ...stored.parse(before.settings), blocked: hosts });
      await tables
        .updateTable('proxy_settings')
        .set({ settings: JSON.stringify(settings), updated_at: new Date(at) })
        .execute();
      await publishRow(tx, (await readRow(tx))!, at); // locked above
    },

    async update(actor: Actor, raw: unknown): Promise<ProxySettings> {
      authorize(actor, 'policy.write');
      const changes = parseInput(patch, raw);
      await ensure();
      const at = clock.now();
      return db.transaction(async (tx) => {
        const tables = tablesOf(tx);
        const before = await tables.selectFrom('proxy_settings').selectAll().forUpdate().executeTakeFirstOrThrow();
        const settings = stored.parse({ ...stored.parse(before.settings), ...changes });
        await tables
          .updateTable('proxy_settings')
          .set({ settings: JSON.stringify(settings), updated_at: new Date(at) })
          .execute();
        const row = (await readRow(tx))!; // locked above
        await publishRow(tx, row, at);
        const target = { type: 'proxy', id: 'settings', name: 'forward proxy' };
        await appendAudit(tx, { actor, action: 'proxy.updated', target, detail: { ...changes }, at });
        return present(row);
      });
    },
  };
}

/** Brings the authority's key under the newest key-encryption key; returns how many were rewrapped. */
export async function rewrapProxyKey(
  tx: Transaction,
  envelope: EstateContext['envelope'],
  at: number,
): Promise<number> {
  const row = await tablesOf(tx).selectFrom('proxy_settings').selectAll().forUpdate().executeTakeFirst();
  const sealed = row ? envelope.rewrap(row.sealed_key, AUTHORITY_CONTEXT) : null;
  if (!row || sealed === null) return 0;
  await tablesOf(tx).updateTable('proxy_settings').set({ sealed_key: sealed }).execute();
  await publishRow(tx, { ...row, sealed_key: sealed }, at);
  return 1;
}
