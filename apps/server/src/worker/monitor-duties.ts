import {
  type Anomaly,
  evaluateSlo,
  findAnomalies,
  liftAlerts,
  listSlos,
  monitorRuleId,
  raiseAlerts,
  type RaisedSignal,
  resolveAlerts,
  saveSloState,
  SEASON_DAYS,
  type Slo,
  sloRuleId,
  type sloState,
  stableId,
  WINDOWS_MS,
} from '@cordon/detection';
import type { Clock, Database, Logger } from '@cordon/kernel';
import { detectionFinding, type Lake } from '@cordon/lake';
import type { z } from 'zod';
import { repeat } from './repeating.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SLO_MS = 5_000;
/** The whole period is read seldom: it moves slowly, and costs a scan of it. */
const PERIOD_MS = 60_000;
const SEASON_MS = 60_000;

type State = z.output<typeof sloState>;

export interface Monitor {
  /** What Prometheus reads of SLOs. */
  metrics(): string;
  stop(): Promise<void>;
}

/** The filters of the search language that stand for what an SLO is about. */
export function sloFilters({ appId, integrationId, operation }: Pick<Slo, 'appId' | 'integrationId' | 'operation'>) {
  return [
    { field: 'app', operator: '=' as const, value: appId },
    ...(integrationId === null ? [] : [{ field: 'integration', operator: '=' as const, value: integrationId }]),
    ...(operation === null ? [] : [{ field: 'operation', operator: '=' as const, value: operation }]),
  ];
}

function sloTitle(slo: Slo, { windows }: State): string {
  const window = windows.find(({ firing }) => firing);
  const what = slo.kind === 'availability' ? 'fails' : `takes longer than ${slo.latencyMs} ms`;
  const burn = window ? ` ${window.longBurn.toFixed(1)} times as often as promised` : '';
  return `SLO ${slo.name} ${what}${burn}`;
}

function sloSignal(slo: Slo, state: State, level: RaisedSignal['level']): RaisedSignal {
  return {
    // One for each time that it burns, and for each severity that it reaches.
    id: stableId('slo', slo.id, state.since ?? 0, level),
    ruleId: sloRuleId(slo.id),
    ruleKind: 'rule',
    title: sloTitle(slo, state),
    level,
    entity: { type: 'resource', id: `slo:${slo.id}`, name: slo.name },
    product: 'cordon',
    at: state.at,
    eventIds: state.sample,
    receivedAt: state.at,
  };
}

function anomalySignal({ feature, level, hour, title }: Anomaly, now: number): RaisedSignal {
  return {
    id: stableId('monitor', feature, hour.appId, hour.integrationId, hour.at),
    ruleId: monitorRuleId(feature),
    ruleKind: 'rule',
    title,
    level,
    entity: { type: 'integration', id: hour.integrationId, name: hour.integrationName },
    product: 'cordon',
    at: now,
    eventIds: hour.sample,
    receivedAt: now,
  };
}

function findingOf(signal: RaisedSignal, kind: 'rule' | 'statistical') {
  return detectionFinding({
    id: stableId('finding', signal.id),
    time: signal.at,
    role: 'monitor',
    activity: 'create',
    severity: signal.level,
    findingId: signal.id,
    title: signal.title,
    message: signal.title,
    rule: { id: signal.ruleId, name: signal.title, kind },
    eventIds: signal.eventIds,
    ...(signal.entity.type === 'integration' && { integration: { id: signal.entity.id, name: signal.entity.name } }),
  });
}

/** Measures promises every few seconds and seasons every minute; both end in ordinary alerts. */
export function startMonitor(deps: {
  readonly db: Database;
  readonly lake: Lake;
  readonly clock: Clock;
  readonly logger: Logger;
}): Monitor {
  const { db, lake, clock, logger } = deps;
  const periods = new Map<string, { readonly at: number; readonly total: number; readonly bad: number }>();
  let shown: readonly { readonly slo: Slo; readonly state: State }[] = [];

  const raise = async (signals: readonly RaisedSignal[], kind: 'rule' | 'statistical'): Promise<void> => {
    if (signals.length === 0) return;
    const events = signals.map((signal) => findingOf(signal, kind));
    await lake.ingest({ id: `monitor-${stableId(signals.map(({ id }) => id))}`, events });
    const { raised } = await db.transaction((tx) => raiseAlerts(tx, signals, clock.now()));
    for (const { id } of raised) logger.info({ alert: id }, 'monitoring raised an alert');
  };

  const measure = async (slo: Slo): Promise<State> => {
    const at = clock.now();
    const latency = slo.latencyMs === null ? {} : { latencyMs: slo.latencyMs };
    const ask = { scope: { filters: sloFilters(slo) }, to: at, ...latency };
    const counts = await lake.monitor.budget({ ...ask, windowsMs: WINDOWS_MS });
    let period = periods.get(slo.id);
    if (!period || at - period.at > PERIOD_MS) {
      const [whole] = await lake.monitor.budget({ ...ask, windowsMs: [slo.periodDays * DAY_MS] });
      period = { at, total: whole?.total ?? 0, bad: whole?.bad ?? 0 };
      periods.set(slo.id, period);
    }
    return evaluateSlo(slo, { period: { windowMs: slo.periodDays * DAY_MS, ...period }, counts, at });
  };

  const judge = async (): Promise<void> => {
    const slos = await listSlos(db);
    const states: { slo: Slo; state: State }[] = [];
    for (const slo of slos) {
      const state = await measure(slo);
      states.push({ slo, state });
      const before = slo.state?.firing ?? null;
      // The alert comes first: a crash between the two raises the same signal again, which changes nothing.
      if (state.firing !== null) {
        await raise([sloSignal(slo, state, state.firing)], 'rule');
        const { firing } = state;
        await db.transaction((tx) => liftAlerts(tx, sloRuleId(slo.id), firing, sloTitle(slo, state), clock.now()));
      } else if (before !== null) {
        const left = `${(state.budgetLeft * 100).toFixed(1)}% of the error budget is left.`;
        await db.transaction((tx) =>
          resolveAlerts(tx, sloRuleId(slo.id), `The burning ended by itself. ${left}`, clock.now()),
        );
        logger.info({ slo: slo.name }, 'an SLO is kept again');
      }
      await saveSloState(db, slo.id, state);
    }
    shown = states;
    const known = new Set(slos.map(({ id }) => id));
    for (const id of periods.keys()) if (!known.has(id)) periods.delete(id);
  };

  const season = async (): Promise<void> => {
    const now = clock.now();
    const hours = await lake.monitor.edgeHours({ from: now - SEASON_DAYS * DAY_MS, to: now + 1 });
    const found = findAnomalies(hours, now);
    await raise(
      found.map((one) => anomalySignal(one, now)),
      'statistical',
    );
  };

  const duties = [
    repeat('service levels', SLO_MS, logger, judge),
    repeat('seasonal baselines', SEASON_MS, logger, season),
  ];
  return {
    metrics: () =>
      [
        "# HELP cordon_slo_budget_left Share of the period's error budget; negative when overdrawn.",
        '# TYPE cordon_slo_budget_left gauge',
        ...shown.map(({ slo, state }) => `cordon_slo_budget_left{slo="${slo.name}"} ${state.budgetLeft}`),
        '# TYPE cordon_slo_burn_rate gauge',
        ...shown.flatMap(({ slo, state }) =>
          state.windows.map(
            ({ longMs, longBurn }) =>
              `cordon_slo_burn_rate{slo="${slo.name}",window="${longMs / HOUR_MS}h"} ${longBurn}`,
          ),
        ),
        '# TYPE cordon_slo_firing gauge',
        ...shown.map(({ slo, state }) => `cordon_slo_firing{slo="${slo.name}"} ${state.firing === null ? 0 : 1}`),
        '',
      ].join('\n'),
    async stop() {
      await Promise.all(duties.map((duty) => duty.stop()));
    },
  };
}
