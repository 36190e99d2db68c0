import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type Queryable,
  type SecretEnvelope,
  uuidv7,
} from '@cordon/kernel';
import { z } from 'zod';
import type { Selectable } from 'kysely';
import { type Alert, LEVELS } from './alert/alert.ts';
import { loadAlert } from './alert/alert-store.ts';
import type { TargetKind } from './notification/format.ts';
import type { AlertEvent } from './notification/queue.ts';
import { type QuietHours, quietHours } from './notification/quiet-hours.ts';
import { type NotificationTemplate, notificationTemplate } from './notification/template.ts';
import type { Level } from './sigma/ast.ts';
import { sealContext } from './sealed.ts';
import { TargetUnknown, WatchInputInvalid } from './watch-errors.ts';
import type { WatchTables } from './watch-tables.ts';

const TARGETS_MAX = 100;
const DELIVERIES_MAX = 50;
/** Together about two days; then a person has to look. */
const ATTEMPTS_MAX = 30;
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 2 * 3_600_000;
const ERROR_CHARS_MAX = 500;

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
const common = {
  name,
  levelMin: z.enum(LEVELS as readonly [Level, ...Level[]]).default('medium'), // LEVELS is not empty
  template: notificationTemplate.nullable().default(null),
  quiet: quietHours.nullable().default(null),
  /** Whether the end of an alert is told too. */
  tellClosed: z.boolean().optional(),
};
const url = z.url({ protocol: /^https?$/ }).max(2_000);
/** Private addresses that the host may resolve to; all others are refused. */
const privateAddresses = z
  .array(z.union([z.ipv4(), z.ipv6()]))
  .max(10)
  .default([]);
const posted = { ...common, url, privateAddresses };
const PAGERDUTY_URL = 'https://events.pagerduty.com/v2/enqueue';

export const targetInput = z.union([
  // What was a webhook before there were kinds still is one.
  z.strictObject({ kind: z.literal('webhook').default('webhook'), ...posted }),
  z.strictObject({ kind: z.literal('slack'), ...posted }),
  z.strictObject({ kind: z.literal('teams'), ...posted }),
  z.strictObject({
    kind: z.literal('pagerduty'),
    ...posted,
    url: url.default(PAGERDUTY_URL),
    /** Integration key of an Events API v2 integration: 32 characters. */
    routingKey: z.string().regex(/^[A-Za-z0-9]{32}$/),
  }),
  z.strictObject({ kind: z.literal('mail'), ...common, to: z.array(z.email().max(254)).min(1).max(20) }),
]);
export type TargetInput = z.output<typeof targetInput>;

export interface NotificationTarget {
  readonly id: string;
  readonly name: string;
  readonly kind: TargetKind;
  /** Scheme and host only: the rest often is a secret. Empty for mail. */
  readonly url: string;
  readonly to: readonly string[];
  readonly levelMin: Level;
  readonly template: NotificationTemplate | null;
  readonly quiet: QuietHours | null;
  readonly tellClosed: boolean;
  readonly privateAddresses: readonly string[];
  readonly createdAt: number;
  readonly createdBy: string;
}

function toTarget(row: Selectable<WatchTables['notification_target']>): NotificationTarget {
  const [template, quiet] = [notificationTemplate.safeParse(row.template), quietHours.safeParse(row.quiet)];
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    url: row.sealed === null ? placeOf(row.url) : row.url,
    to: row.mail_to,
    levelMin: row.level_min,
    template: template.success ? template.data : null,
    quiet: quiet.success ? quiet.data : null,
    tellClosed: row.tell_closed,
    privateAddresses: row.private_addresses,
    createdAt: row.created_at,
    createdBy: row.created_by,
  };
}

export async function listTargets(db: Queryable): Promise<NotificationTarget[]> {
  const rows = await db
    .tables<WatchTables>()
    .selectFrom('notification_target')
    .selectAll()
    .orderBy('name')
    .limit(TARGETS_MAX)
    .execute();
  return rows.map(toTarget);
}

/** What of a target is secret: who has the address of a webhook can write there. */
const ways = z.object({ url: z.string(), routingKey: z.string().nullable() });
type Ways = z.output<typeof ways>;

function openWays(row: Selectable<WatchTables['notification_target']>, envelope: SecretEnvelope): Ways {
  // A row from before secrets were sealed; the worker seals it.
  if (row.sealed === null) return { url: row.url, routingKey: row.routing_key };
  return ways.parse(JSON.parse(envelope.open(row.sealed, sealContext('notification_target', row.id)).toString('utf8')));
}

/** What may be shown of an address. */
const placeOf = (url: string): string => (url === '' ? '' : `${new URL(url).origin}/…`);

/** Seals what rows of an earlier version hold in clear. */
export async function sealTargets(db: Database, envelope: SecretEnvelope): Promise<number> {
  return db.transaction(async (tx) => {
    const tables = tx.tables<WatchTables>();
    const rows = await tables
      .selectFrom('notification_target')
      .selectAll()
      .where('sealed', 'is', null)
      .forUpdate()
      .execute();
    for (const row of rows) {
      const sealed = envelope.seal(JSON.stringify(openWays(row, envelope)), sealContext('notification_target', row.id));
      await tables
        .updateTable('notification_target')
        .set({ sealed, url: placeOf(row.url), routing_key: null })
        .where('id', '=', row.id)
        .execute();
    }
    return rows.length;
  });
}

/** Where new alerts are told. */
export function createTargetCommands(deps: { db: Database; clock: Clock; envelope: SecretEnvelope }) {
  const { db, clock, envelope } = deps;
  return {
    async add(actor: Actor, input: TargetInput): Promise<NotificationTarget> {
      authorize(actor, 'detection.write');
      const at = clock.now();
      const id = uuidv7(at);
      const way: Ways = {
        url: input.kind === 'mail' ? '' : input.url,
        routingKey: input.kind === 'pagerduty' ? input.routingKey : null,
      };
      const row = {
        id,
        name: input.name,
        kind: input.kind,
        url: placeOf(way.url),
        mail_to: input.kind === 'mail' ? input.to : [],
        routing_key: null,
        sealed: envelope.seal(JSON.stringify(way), sealContext('notification_target', id)),
        level_min: input.levelMin,
        template: input.template === null ? null : JSON.stringify(input.template),
        quiet: input.quiet === null ? null : JSON.stringify(input.quiet),
        // An incident at PagerDuty that never ends pages for nothing.
        tell_closed: input.tellClosed ?? input.kind === 'pagerduty',
        private_addresses: input.kind === 'mail' ? [] : input.privateAddresses,
        created_at: at,
        created_by: describeActor(actor).name,
      };
      return db.transaction(async (tx) => {
        const known = await listTargets(tx);
        if (known.some((one) => one.name === input.name)) throw new WatchInputInvalid('The name is taken.');
        if (known.length >= TARGETS_MAX) throw new WatchInputInvalid(`There are ${TARGETS_MAX} targets already.`);
        const stored = await tx
          .tables<WatchTables>()
          .insertInto('notification_target')
          .values(row)
          .returningAll()
          .executeTakeFirstOrThrow();
        // The path of a webhook's address often is its secret: only the host is put on record.
        const where = input.kind === 'mail' ? { to: input.to } : { host: new URL(input.url).host };
        const detail = { kind: input.kind, ...where, levelMin: input.levelMin, quiet: input.quiet };
        const named = { type: 'notification-target', id: row.id, name: row.name };
        await appendAudit(tx, { actor, action: 'notification-target.created', target: named, detail, at });
        return toTarget(stored);
      });
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
  readonly event: AlertEvent;
  readonly kind: TargetKind;
  readonly url: string;
  readonly to: readonly string[];
  readonly routingKey: string | null;
  readonly template: NotificationTemplate | null;
  readonly privateAddresses: readonly string[];
  readonly alert: Alert;
}

export async function dueDeliveries(db: Queryable, envelope: SecretEnvelope, now: number): Promise<DueDelivery[]> {
  const rows = await db
    .tables<WatchTables>()
    .selectFrom('notification_delivery as delivery')
    .innerJoin('notification_target as target', 'target.id', 'delivery.target_id')
    .selectAll('target')
    .select(['delivery.id as delivery_id', 'delivery.attempts', 'delivery.alert_id', 'delivery.event'])
    .where('delivery.delivered_at', 'is', null)
    .where('delivery.failed_at', 'is', null)
    .where('delivery.next_at', '<=', now)
    .orderBy('delivery.next_at')
    .limit(DELIVERIES_MAX)
    .execute();
  return Promise.all(
    rows.map(async (row) => ({
      ...toTarget(row),
      id: row.delivery_id,
      attempts: row.attempts,
      event: row.event,
      ...openWays(row, envelope),
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
  /** `final`: not to be tried again. */
  again: 'later' | 'final' = 'later',
): Promise<void> {
  const attempts = delivery.attempts + 1;
  const outcome =
    error === null
      ? { delivered_at: now, last_error: null }
      : attempts >= ATTEMPTS_MAX || again === 'final'
        ? { failed_at: now, last_error: error.slice(0, ERROR_CHARS_MAX) }
        : { next_at: now + retryDelayMs(delivery.attempts), last_error: error.slice(0, ERROR_CHARS_MAX) };
  await db
    .tables<WatchTables>()
    .updateTable('notification_delivery')
    .set({ attempts, ...outcome })
    .where('id', '=', delivery.id)
    .execute();
}
