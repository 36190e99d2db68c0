import { z } from 'zod';
import type { Queryable } from '@cordon/kernel';
import { LIST_MAX } from './page.ts';
import { tablesOf } from './tables.ts';

/** A gateway that hasn't reported for this long is taken for gone. */
export const GATEWAY_GONE_MS = 5_000;
const GATEWAY_KEPT_MS = 24 * 3_600_000;

const UPSTREAMS_MAX = 2_000;

/** How upstreams fare at one gateway process, and what is left of vendors' own limits. */
const upstreamReport = z.object({
  gates: z
    .array(
      z.object({
        appId: z.string(),
        origin: z.string(),
        breaker: z.enum(['closed', 'open', 'half-open']),
        inFlight: z.int(),
        queued: z.int(),
      }),
    )
    .max(UPSTREAMS_MAX),
  budgets: z
    .array(
      z.object({
        appId: z.string(),
        bucket: z.string(),
        limit: z.number(),
        remaining: z.number(),
        resetAt: z.number(),
        shared: z.boolean(),
      }),
    )
    .max(UPSTREAMS_MAX),
});
type UpstreamReport = z.output<typeof upstreamReport>;

/** What a gateway process reports on each poll. Times in milliseconds since the epoch. */
export const gatewayReport = z.object({
  gatewayId: z.string().min(1).max(128),
  pid: z.int().nonnegative(),
  version: z.int().nonnegative(),
  epoch: z.int().nonnegative(),
  appliedAt: z.int().nonnegative(),
  upstreams: upstreamReport.optional(),
});
export type GatewayReport = z.output<typeof gatewayReport>;

export interface GatewayStatus extends Omit<GatewayReport, 'upstreams'> {
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
    upstreams: report.upstreams ? JSON.stringify(report.upstreams) : null,
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

export interface UpstreamStatus {
  readonly origin: string;
  /** The worst of all live gateway processes. */
  readonly breaker: 'closed' | 'open' | 'half-open';
  readonly inFlight: number;
  readonly queued: number;
  readonly gateways: number;
}

export interface VendorBudgetStatus {
  readonly bucket: string;
  readonly limit: number;
  readonly remaining: number;
  readonly resetAt: number;
}

const SEVERITY = { closed: 0, 'half-open': 1, open: 2 } as const;

/** How an app's upstreams fare, over all live gateway processes. */
export async function readUpstreams(
  db: Queryable,
  appId: string,
  now: number,
): Promise<{ upstreams: UpstreamStatus[]; budgets: VendorBudgetStatus[] }> {
  const rows = await tablesOf(db)
    .selectFrom('gateways')
    .select('upstreams')
    .where('seen_at', '>', new Date(now - GATEWAY_GONE_MS))
    .where('upstreams', 'is not', null)
    .limit(LIST_MAX)
    .execute();
  const upstreams = new Map<string, UpstreamStatus>();
  const budgets = new Map<string, VendorBudgetStatus>();
  for (const row of rows) {
    const report = upstreamReport.parse(row.upstreams);
    for (const gate of report.gates) if (gate.appId === appId) addGate(upstreams, gate);
    for (const { appId: of, bucket, limit, remaining, resetAt } of report.budgets) {
      if (of !== appId || resetAt <= now) continue;
      const known = budgets.get(bucket);
      if (!known || remaining < known.remaining) budgets.set(bucket, { bucket, limit, remaining, resetAt });
    }
  }
  return { upstreams: [...upstreams.values()], budgets: [...budgets.values()] };
}

function addGate(upstreams: Map<string, UpstreamStatus>, gate: UpstreamReport['gates'][number]): void {
  const { origin, breaker, inFlight, queued } = gate;
  const known = upstreams.get(origin) ?? { origin, breaker: 'closed', inFlight: 0, queued: 0, gateways: 0 };
  upstreams.set(origin, {
    origin,
    breaker: SEVERITY[breaker] > SEVERITY[known.breaker] ? breaker : known.breaker,
    inFlight: known.inFlight + inFlight,
    queued: known.queued + queued,
    gateways: known.gateways + 1,
  });
}

export async function forgetGateways(db: Queryable, now: number): Promise<void> {
  await tablesOf(db)
    .deleteFrom('gateways')
    .where('seen_at', '<=', new Date(now - GATEWAY_KEPT_MS))
    .execute();
}
