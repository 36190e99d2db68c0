import { z } from 'zod';
import type { Queryable } from '@cordon/kernel';
import { LIST_MAX } from './page.ts';
import { tablesOf } from './tables.ts';

/** A gateway that hasn't reported for this long is taken for gone. */
export const GATEWAY_GONE_MS = 5_000;
const GATEWAY_KEPT_MS = 24 * 3_600_000;

/** What a gateway process reports on each poll. Times in milliseconds since the epoch. */
export const gatewayReport = z.object({
  gatewayId: z.string().min(1).max(128),
  pid: z.int().nonnegative(),
  version: z.int().nonnegative(),
  epoch: z.int().nonnegative(),
  appliedAt: z.int().nonnegative(),
});
export type GatewayReport = z.output<typeof gatewayReport>;

export interface GatewayStatus extends GatewayReport {
  readonly seenAt: number;
  readonly live: boolean;
}

export async function saveReport(db: Queryable, report: GatewayReport, now: number): Promise<void> {
  const values = {
    pid: report.pid,
    version: report.version,
    epoch: report.epoch,
    applied_at: new Date(report.appliedAt),
    seen_at: new Date(now),
  };
  const tables = tablesOf(db);
  await tables
    .insertInto('gateways')
    .values({ id: `${report.gatewayId}/${report.pid}`, ...values })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
    .execute();
}

export async function listGateways(db: Queryable, now: number): Promise<GatewayStatus[]> {
  const rows = await tablesOf(db)
    .selectFrom('gateways')
    .selectAll()
    .where('seen_at', '>', new Date(now - GATEWAY_KEPT_MS))
    .orderBy('id')
    .limit(LIST_MAX)
    .execute();
  return rows.map((row) => ({
    gatewayId: row.id,
    pid: row.pid,
    version: row.version,
    epoch: row.epoch,
    appliedAt: row.applied_at.getTime(),
    seenAt: row.seen_at.getTime(),
    live: now - row.seen_at.getTime() < GATEWAY_GONE_MS,
  }));
}

export async function forgetGateways(db: Queryable, now: number): Promise<void> {
  await tablesOf(db)
    .deleteFrom('gateways')
    .where('seen_at', '<=', new Date(now - GATEWAY_KEPT_MS))
    .execute();
}
