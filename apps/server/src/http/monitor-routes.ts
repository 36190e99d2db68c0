import {
  type Baseline,
  createSloCommands,
  listSlos,
  MONITOR_FEATURES,
  seasonalBaseline,
  SEASON_DAYS,
  sloInput,
  sloRuleId,
  sloState,
} from '@cordon/detection';
import { listApps, listIntegrations } from '@cordon/estate';
import type { Clock, Database } from '@cordon/kernel';
import type { Lake, MonitorBucket, PropertyFilter } from '@cordon/lake';
import { z } from 'zod';
import { actorOf, RequestInvalid } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';

export interface MonitorRouteDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly lake: Lake;
}

const tags = ['monitoring'];
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WINDOW_MS_MAX = 31 * DAY_MS;
/** Bars in a chart. */
const BUCKETS = 60;
const STEPS_MS = [10_000, 60_000, 5 * 60_000, 15 * 60_000, HOUR_MS, 6 * HOUR_MS, DAY_MS];

const measures = {
  calls: z.int(),
  refusals: z.int(),
  failures: z.int(),
  clientErrors: z.int(),
  requestBytes: z.number(),
  responseBytes: z.number(),
  records: z.number(),
  p50: z.number(),
  p95: z.number(),
  p99: z.number(),
};
const windowMs = z.coerce.number().int().min(60_000).max(WINDOW_MS_MAX).default(HOUR_MS);
/** What is measured: ids of an app and an integration, an operation, all of them optional. */
const aboutQuery = {
  app: z.string().max(100).optional(),
  integration: z.string().max(100).optional(),
  operation: z.string().max(300).optional(),
  windowMs,
};
const baselineBody = z
  .object({
    usual: z.number(),
    high: z.number(),
    season: z.enum(['hour-of-week', 'hour-of-day']),
    samples: z.int(),
  })
  .nullable();
const sloBody = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(['availability', 'latency']),
  appId: z.string(),
  integrationId: z.string().nullable(),
  operation: z.string().nullable(),
  objective: z.number(),
  periodDays: z.int(),
  latencyMs: z.number().nullable(),
  callsMin: z.int(),
  createdAt: z.int(),
  createdBy: z.string(),
  state: sloState.nullable(),
  /** The rule that its alerts carry. */
  ruleId: z.string(),
});

interface About {
  readonly app?: string | undefined;
  readonly integration?: string | undefined;
  readonly operation?: string | undefined;
}

function filtersOf({ app, integration, operation }: About): PropertyFilter[] {
  return Object.entries({ app, integration, operation }).flatMap(([field, value]) =>
    value === undefined ? [] : [{ field, operator: '=' as const, value }],
  );
}

/** What is usual for an hour, for the amounts that are watched. */
function baselinesOf(
  hours: readonly MonitorBucket[],
  at: number,
): { calls: Baseline | null; latency: Baseline | null } {
  const history = (value: (one: MonitorBucket) => number) => hours.map((one) => ({ at: one.at, value: value(one) }));
  return {
    calls: seasonalBaseline(
      history(({ calls }) => calls),
      at,
      { floor: MONITOR_FEATURES.calls.floor },
    ),
    latency: seasonalBaseline(
      history(({ p95 }) => p95),
      at,
      { floor: MONITOR_FEATURES.latency.floor, absent: null },
    ),
  };
}

/** How calls go, what is usual, and what is promised. */
export function addMonitorRoutes(server: ApiServer, { db, clock, lake }: MonitorRouteDeps): void {
  server.get(
    '/api/v1/monitor/rows',
    {
      config: { permission: 'event.read' },
      schema: {
        tags,
        querystring: z.object({
          ...aboutQuery,
          by: z.enum(['app', 'integration', 'operation', 'reason', 'edge']).default('app'),
          limit: z.coerce.number().int().min(1).max(1_000).default(100),
        }),
        response: {
          200: z.object({
            from: z.int(),
            to: z.int(),
            items: z.array(
              z.object({
                ...measures,
                key: z.array(z.object({ id: z.string(), name: z.string() })),
                lastAt: z.int(),
              }),
            ),
          }),
        },
      },
    },
    async (request) => {
      const { by, limit, windowMs: span, ...about } = request.query;
      const to = clock.now();
      const from = to - span;
      const groups = by === 'edge' ? (['integration', 'app'] as const) : ([by] as const);
      const items = await lake.monitor.rows({ filters: filtersOf(about), from, to, by: groups, limit });
      return { from, to, items: items.map((item) => ({ ...item, key: [...item.key] })) };
    },
  );
  server.get(
    '/api/v1/monitor/series',
    {
      config: { permission: 'event.read' },
      schema: {
        tags,
        querystring: z.object(aboutQuery),
        response: {
          200: z.object({
            from: z.int(),
            to: z.int(),
            stepMs: z.int(),
            /** With empty buckets between; `usual` and `high` are of the bucket's length, null while it is learnt. */
            buckets: z.array(
              z.object({ ...measures, at: z.int(), usual: z.number().nullable(), high: z.number().nullable() }),
            ),
            now: z.object({ calls: baselineBody, latency: baselineBody }),
          }),
        },
      },
    },
    async (request) => {
      const { windowMs: span, ...about } = request.query;
      const filters = filtersOf(about);
      const to = clock.now();
      const stepMs = STEPS_MS.find((step) => step * BUCKETS >= span) ?? DAY_MS;
      const from = Math.floor((to - span) / stepMs) * stepMs;
      const [found, hours] = await Promise.all([
        lake.monitor.series({ filters, from, to, stepMs }),
        lake.monitor.series({ filters, from: to - SEASON_DAYS * DAY_MS - span, to, stepMs: HOUR_MS }),
      ]);
      const byTime = new Map(found.map((one) => [one.at, one]));
      const hourly = new Map<number, Baseline | null>();
      const usualAt = (at: number): Baseline | null => {
        const hour = Math.floor(at / HOUR_MS) * HOUR_MS;
        if (!hourly.has(hour)) hourly.set(hour, baselinesOf(hours, hour).calls);
        return hourly.get(hour) ?? null;
      };
      const share = Math.min(1, stepMs / HOUR_MS);
      const buckets = [];
      for (let at = from; at < to; at += stepMs) {
        // A bar of several hours has no one season.
        const baseline = stepMs > HOUR_MS ? null : usualAt(at);
        const band = { usual: baseline && baseline.usual * share, high: baseline && baseline.high * share };
        buckets.push({ ...NOTHING, ...byTime.get(at), at, ...band });
      }
      return { from, to, stepMs, buckets, now: baselinesOf(hours, to) };
    },
  );
  addSlos();

  function addSlos(): void {
    const slos = createSloCommands({ db, clock });
    server.get(
      '/api/v1/monitor/slos',
      {
        config: { permission: 'detection.read' },
        schema: { tags, response: { 200: z.object({ items: z.array(sloBody) }) } },
      },
      async () => ({ items: (await listSlos(db)).map((slo) => ({ ...slo, ruleId: sloRuleId(slo.id) })) }),
    );
    server.post(
      '/api/v1/monitor/slos',
      { config: { permission: 'detection.write' }, schema: { tags, body: sloInput, response: { 201: sloBody } } },
      async (request, reply) => {
        const { appId, integrationId } = request.body;
        if (!(await listApps(db)).some(({ id }) => id === appId)) throw new RequestInvalid('There is no such app.');
        if (integrationId !== null && !(await listIntegrations(db)).some(({ id }) => id === integrationId)) {
          throw new RequestInvalid('There is no such integration.');
        }
        const slo = await slos.add(actorOf(request), request.body);
        return reply.status(201).send({ ...slo, ruleId: sloRuleId(slo.id) });
      },
    );
    server.delete(
      '/api/v1/monitor/slos/:id',
      { config: { permission: 'detection.write' }, schema: { tags, params: idParameter, response: { 204: z.null() } } },
      async (request, reply) => {
        await slos.remove(actorOf(request), request.params.id);
        return reply.status(204).send(null);
      },
    );
  }
}

const NOTHING = {
  calls: 0,
  refusals: 0,
  failures: 0,
  clientErrors: 0,
  requestBytes: 0,
  responseBytes: 0,
  records: 0,
  p50: 0,
  p95: 0,
  p99: 0,
};
