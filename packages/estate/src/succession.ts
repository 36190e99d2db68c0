import { type Actor, appendAudit, type Clock, type Database, IntegrationId, type Transaction } from '@cordon/kernel';
import type { Integration } from './integration.ts';
import { integrationSnapshotEntry } from './integration.ts';
import { loadIntegration, lockIntegration, saveIntegration } from './integration-store.ts';
import { LIST_MAX } from './page.ts';
import { publish } from './publication.ts';
import { tablesOf } from './tables.ts';

/** How long an integration whose owner left goes on while somebody is looked for. */
export const ORPHAN_DAYS = 14;
const DAY_MS = 86_400_000;

export type Succession =
  | { readonly kind: 'promoted'; readonly to: { readonly id: string; readonly name: string } }
  | { readonly kind: 'orphaned'; readonly until: number }
  | { readonly kind: 'none'; readonly why: string };

/** Integrations that still work and that this person answers for, or would after somebody else. */
export async function listIntegrationsOf(db: Database, personId: string): Promise<Integration[]> {
  const rows = await tablesOf(db)
    .selectFrom('integrations')
    .select('id')
    .where('status', '!=', 'revoked')
    .where((any) => any.or([any('owner_id', '=', personId), any('backup_owner_id', '=', personId)]))
    .orderBy('name')
    .limit(LIST_MAX)
    .execute();
  return Promise.all(rows.map(({ id }) => loadIntegration(db, id)));
}

/**
 * An owner left: the backup owner takes over, if that one is still there; else the integration goes on for a while, so
 * that nothing breaks without notice, and is suspended when nobody took it.
 *
 * Doing it again changes nothing.
 */
export async function succeed(
  deps: { readonly db: Database; readonly clock: Clock },
  actor: Actor,
  input: {
    readonly integrationId: string;
    readonly leaver: string;
    readonly isActive: (id: string) => Promise<boolean>;
  },
): Promise<Succession> {
  const { db, clock } = deps;
  const before = await loadIntegration(db, input.integrationId);
  const backup = before.backupOwner;
  const takes = backup !== null && backup.id !== input.leaver && (await input.isActive(backup.id));
  return db.transaction(async (tx) => {
    const found = await lockIntegration(tx, IntegrationId.parse(input.integrationId));
    if (found.owner.id !== input.leaver) return keepOwner(tx, clock, actor, found, input.leaver);
    if (found.status === 'revoked') return { kind: 'none', why: 'It was cut off already.' };
    const at = clock.now();
    const until = found.orphanedUntil ?? at + ORPHAN_DAYS * DAY_MS;
    const after: Integration = takes
      ? { ...found, owner: backup, backupOwner: null, orphanedUntil: null, updatedAt: at }
      : { ...found, backupOwner: null, orphanedUntil: until, updatedAt: at };
    await saveIntegration(tx, after);
    await publish(tx, { set: [integrationSnapshotEntry(after)], at });
    await appendAudit(tx, {
      actor,
      action: takes ? 'integration.succeeded' : 'integration.orphaned',
      target: { type: 'integration', id: found.id, name: found.name },
      detail: { from: found.owner, ...(takes ? { to: backup } : { suspendedAt: until }) },
      at,
    });
    return takes ? { kind: 'promoted', to: backup } : { kind: 'orphaned', until };
  });
}

/** The leaver was only the backup, or somebody took over meanwhile. */
async function keepOwner(
  tx: Transaction,
  clock: Clock,
  actor: Actor,
  found: Integration,
  leaver: string,
): Promise<Succession> {
  const why = `${found.owner.name} answers for it.`;
  if (found.backupOwner?.id !== leaver) return { kind: 'none', why };
  const at = clock.now();
  await saveIntegration(tx, { ...found, backupOwner: null, updatedAt: at });
  const target = { type: 'integration', id: found.id, name: found.name };
  await appendAudit(tx, { actor, action: 'integration.backup_owner_left', target, detail: { was: leaver }, at });
  return { kind: 'none', why: `${why} A backup owner is to be named.` };
}

/** Suspends what nobody took over in time; returns how many. */
export async function suspendOrphans(
  db: Database,
  clock: Clock,
  suspend: (actor: Actor, id: string, reason: string) => Promise<unknown>,
): Promise<number> {
  const due = await tablesOf(db)
    .selectFrom('integrations')
    .select(['id', 'owner_name'])
    .where('status', '=', 'active')
    .where('orphaned_until', '<=', new Date(clock.now()))
    .limit(LIST_MAX)
    .execute();
  for (const { id, owner_name: owner } of due) {
    const reason = `${owner}, who answered for it, left, and nobody took over within ${ORPHAN_DAYS} days.`;
    await suspend({ kind: 'system', name: 'succession' }, id, reason);
  }
  return due.length;
}
