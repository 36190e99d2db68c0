import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type Queryable,
  uuidv7,
} from '@cordon/kernel';
import { z } from 'zod';
import { type Alert, LEVELS } from './alert/alert.ts';
import { loadAlert } from './alert/alert-store.ts';
import type { Level } from './sigma/ast.ts';
import { TargetUnknown, WatchInputInvalid } from './watch-errors.ts';
import type { WatchTables } from './watch-tables.ts';

const TARGETS_MAX = 100;
const DELIVERIES_MAX = 50;
/** Together about two days; then a person has to look. */
const ATTEMPTS_MAX = 30;
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 2 * 3_600_000;
const ERROR_CHARS_MAX = 500;

export const targetInput = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  url: z.url({ protocol: /^https?$/ }).max(2_000),
  levelMin: z.enum(LEVELS as readonly [Level, ...Level[]]).default('medium'), // LEVELS is not empty
  /** Private addresses that this webhook may resolve to; all others are refused. */
  privateAddresses: z
    .array(z.union([z.ipv4(), z.ipv6()]))
    .max(10)
    .default([]),
});

export interface NotificationTarget {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly levelMin: Level;
  readonly privateAddresses: readonly string[];
  readonly createdAt: number;
  readonly createdBy: string;
}

export async function listTargets(db: Queryable): Promise<NotificationTarget[]> {
  const rows = await db
    .tables<WatchTables>()
    .selectFrom('notification_target')
    .selectAll()
    .orderBy('name')
    .limit(TARGETS_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    url: row.url,
    levelMin: row.level_min,
    privateAddresses: row.private_addresses,
    createdAt: row.created_at,
    createdBy: row.created_by,
  }));
}

/** Where new alerts are told. */
export function createTargetCommands({ db, clock }: { db: Database; clock: Clock }) {
  return {
    async add(actor: Actor, input: z.output<typeof targetInput>): Promise<NotificationTarget> {
      authorize(actor, 'detection.write');
      const at = clock.now();
      const target = { ...input, id: uuidv7(at), createdAt: at, createdBy: describeActor(actor).name };
      await db.transaction(async (tx) => {
        const known = await listTargets(tx);
        if (known.some(({ name }) => name === input.name)) throw new WatchInputInvalid('The name is taken.');
        if (known.length >= TARGETS_MAX) throw new WatchInputInvalid(`There are ${TARGETS_MAX} targets already.`);
        await tx
          .tables<WatchTables>()
          .insertInto('notification_target')
          .values({
            id: target.id,
            name: target.name,
            url: target.url,
            level_min: target.levelMin,
            private_addresses: target.privateAddresses,
            created_at: at,
            created_by: target.createdBy,
          })
          .execute();
        // The path of a webhook's address often is its secret: only the host is put on record.
        const detail = { host: new URL(input.url).host, levelMin: input.levelMin };
        const named = { type: 'notification-target', id: target.id, name: target.name };
        await appendAudit(tx, { actor, action: 'notification-target.created', target: named, detail, at });
      });
      return target;
    },

    async remove(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'detection.write');
      const at = clock.now();
      await db.transaction(async (tx) => {
        const row = await tx
          .tables<WatchTables>()
          .deleteFrom('notification_target')
          .where('id', '=', id)
          .returning('name')
          .executeTakeFirst();
        if (!row) throw new TargetUnknown('There is no such target.');
        const target = { type: 'notification-target', id, name: row.name };
        await appendAudit(tx, { actor, action: 'notification-target.removed', target, at });
      });
    },
  };
}

export interface DueDelivery {
  readonly id: string;
  readonly attempts: number;
  readonly url: string;
  readonly privateAddresses: readonly string[];
  readonly alert: Alert;
}

export async function dueDeliveries(db: Queryable, now: number): Promise<DueDelivery[]> {
  const rows = await db
    .tables<WatchTables>()
    .selectFrom('notification_delivery as delivery')
    .innerJoin('notification_target as target', 'target.id', 'delivery.target_id')
    .select(['delivery.id', 'delivery.attempts', 'delivery.alert_id', 'target.url', 'target.private_addresses'])
    .where('delivery.delivered_at', 'is', null)
    .where('delivery.failed_at', 'is', null)
    .where('delivery.next_at', '<=', now)
    .orderBy('delivery.next_at')
    .limit(DELIVERIES_MAX)
    .execute();
  return Promise.all(
    rows.map(async (row) => ({
      id: row.id,
      attempts: row.attempts,
      url: row.url,
      privateAddresses: row.private_addresses,
      alert: await loadAlert(db, row.alert_id),
    })),
  );
}

/** Doubles with each try. */
function retryDelayMs(attempts: number): number {
  return Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(attempts, 20));
}

export async function settleDelivery(
  db: Queryable,
  delivery: Pick<DueDelivery, 'id' | 'attempts'>,
  error: string | null,
  now: number,
): Promise<void> {
  const attempts = delivery.attempts + 1;
  const outcome =
    error === null
      ? { delivered_at: now, last_error: null }
      : attempts >= ATTEMPTS_MAX
        ? { failed_at: now, last_error: error.slice(0, ERROR_CHARS_MAX) }
        : { next_at: now + retryDelayMs(delivery.attempts), last_error: error.slice(0, ERROR_CHARS_MAX) };
  await db
    .tables<WatchTables>()
    .updateTable('notification_delivery')
    .set({ attempts, ...outcome })
    .where('id', '=', delivery.id)
    .execute();
}

/** What a webhook is sent. `alert_id` is the idempotency key: a delivery may come twice after a crash. */
export function notificationBody(alert: Alert, publicUrl: string): Record<string, unknown> {
  return {
    type: 'cordon.alert.raised',
    alert_id: alert.id,
    title: alert.title,
    severity: alert.level,
    rule: alert.ruleId,
    entity: alert.entity,
    product: alert.product,
    first_seen: new Date(alert.firstAt).toISOString(),
    last_seen: new Date(alert.lastAt).toISOString(),
    signals: alert.signals,
    url: `${publicUrl}/alerts/${alert.id}`,
  };
}
