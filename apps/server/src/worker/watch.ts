import {
  createMatcher,
  knownSignals,
  listSettings,
  raiseAlerts,
  type RaisedSignal,
  raisesAlert,
  type RuleSet,
  signalId,
} from '@cordon/detection';
import type { Clock, Database, Logger } from '@cordon/kernel';
import type { Lake, OcsfEvent } from '@cordon/lake';
import { type CorrelationRunner, createCorrelationRunner } from './correlation-runner.ts';
import type { CallMetrics } from './call-metrics.ts';
import { readSignal, signalFinding, type StoredSignal } from './finding-event.ts';
import type { Observed } from './observed-event.ts';
import { createWatchMetrics } from './watch-metrics.ts';

/** How far back correlations are rebuilt at a start, and how many signals of it. */
const REBUILD_MS = 24 * 3_600_000;
const REBUILD_PAGES_MAX = 100;
const REBUILD_PAGE = 1_000;
const FINDING_CLASS = 2004;

/** Rules, run on each event as it is stored. */
export interface Watch {
  /**
   * Stores events together with their signals and raises alerts. Resolves when all of it is on disk; the same batch
   * may come again after any failure. Gives the ids that the lake had before.
   */
  ingest(batchId: string, events: readonly Observed[]): Promise<{ readonly known: ReadonlySet<string> }>;
  /**
   * Runs the rules over events that the lake has, as somebody now knows more about them. Stores what the rules say and
   * raises alerts; the events stay as they are, and correlations don't see them.
   */
  reconsider(batchId: string, events: readonly Observed[]): Promise<number>;
  /** Makes the state of correlations anew from the lake, and raises what a crash kept from being raised. */
  rebuild(): Promise<number>;
  settleCorrelations(): Promise<void>;
  /** Reads which rules are switched off. */
  loadSettings(): Promise<void>;
  metrics(): string;
}

function raisedSignal({ signal, entity, receivedAt, drill }: StoredSignal): RaisedSignal {
  return {
    id: signalId(signal.ruleId, signal.eventId),
    ruleId: signal.ruleId,
    ruleKind: 'rule',
    title: signal.title,
    level: signal.level,
    entity,
    product: signal.product,
    at: signal.time,
    eventIds: [signal.eventId],
    receivedAt,
    drill,
  };
}

export function createWatch(deps: {
  readonly ruleSet: RuleSet;
  readonly db: Database;
  readonly lake: Lake;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Counts the calls among what is stored. */
  readonly calls?: CallMetrics;
  /** Looks at what was stored; the same events may come again. */
  readonly onStored?: ((events: readonly OcsfEvent[]) => Promise<void>) | undefined;
  /** Adds what is known about the events: places, threats, the estate. */
  readonly enrich?: (events: readonly Observed[]) => Promise<readonly Observed[]>;
  /** Says which events are of an exercise: only those whose signature holds. */
  readonly labelDrills?: (events: readonly Observed[]) => Promise<readonly Observed[]>;
}): Watch {
  const { db, lake, clock, logger } = deps;
  const { rules, correlations } = deps.ruleSet;
  const matcher = createMatcher(rules, correlations);
  const metrics = createWatchMetrics(rules.length + correlations.length);
  let disabled: ReadonlySet<string> = new Set();
  const isEnabled = (ruleId: string): boolean => !disabled.has(ruleId);
  const real = createCorrelationRunner({ ...deps, correlations, isEnabled });
  // An exercise has windows of its own: its signals never make a real correlation true, nor the other way round.
  const exercises = new Map<string, { readonly runner: CorrelationRunner; usedAt: number }>();
  const runnerOf = (drill: string | undefined): CorrelationRunner => {
    if (drill === undefined) return real;
    const known = exercises.get(drill);
    const found = known ?? { runner: createCorrelationRunner({ ...deps, correlations, isEnabled, drill }), usedAt: 0 };
    found.usedAt = clock.now();
    exercises.set(drill, found);
    return found.runner;
  };

  const raise = async (signals: readonly StoredSignal[]): Promise<void> => {
    const loud = signals.filter(({ signal }) => raisesAlert(signal.level));
    if (loud.length === 0) return;
    const now = clock.now();
    // Exercises raise theirs, and count in no figure.
    const [exercised, meant] = [
      loud.filter(({ drill }) => drill !== undefined),
      loud.filter(({ drill }) => drill === undefined),
    ];
    const { raised, quieted } = await db.transaction(async (tx) => {
      await raiseAlerts(tx, exercised.map(raisedSignal), now);
      return raiseAlerts(tx, meant.map(raisedSignal), now);
    });
    metrics.countAlerts(
      raised.map(({ delayMs }) => delayMs),
      quieted,
    );
    for (const { id, delayMs } of raised) logger.info({ alert: id, delayMs }, 'an alert was raised');
  };

  const judge = (events: readonly Observed[]): { findings: OcsfEvent[]; signals: StoredSignal[] } => {
    const findings: OcsfEvent[] = [];
    const signals: StoredSignal[] = [];
    for (const observed of events) {
      if (observed.stored.class_uid === FINDING_CLASS && observed.seen.product === 'cordon') continue;
      for (const signal of matcher.match(observed.seen)) {
        if (!isEnabled(signal.ruleId)) continue;
        const { event, kept } = signalFinding(signal, observed);
        findings.push(event);
        signals.push(kept);
      }
    }
    return { findings, signals };
  };

  return {
    async ingest(batchId, given) {
      const enriched = deps.enrich ? await deps.enrich(given) : given;
      const events = deps.labelDrills ? await deps.labelDrills(enriched) : enriched;
      const { findings, signals } = judge(events);
      const stored = events.map((observed) => observed.stored);
      const { known } = await lake.ingest({ id: batchId, events: [...stored, ...findings] });
      const meant = events.flatMap((one) => (one.drill === undefined ? [one.stored] : []));
      deps.calls?.count(meant, known);
      await deps.onStored?.(meant);
      await raise(signals);
      for (const { signal, receivedAt, drill } of signals) runnerOf(drill).add(signal, receivedAt);
      metrics.countEvents(events.length, signals.length);
      return { known };
    },

    async reconsider(batchId, events) {
      const { findings, signals } = judge(events);
      if (findings.length === 0) return 0;
      await lake.ingest({ id: batchId, events: findings });
      await raise(signals);
      return signals.length;
    },

    async rebuild() {
      const now = clock.now();
      const scope = {
        query: 'class:detection-finding source:cordon.detection',
        from: now - REBUILD_MS,
        to: now + REBUILD_MS,
      };
      let cursor: string | undefined;
      let count = 0;
      for (let page = 0; page < REBUILD_PAGES_MAX; page++) {
        const request = { ...scope, order: 'oldest' as const, limit: REBUILD_PAGE };
        const found = await lake.search(cursor === undefined ? request : { ...request, cursor });
        const signals = found.events.flatMap(({ event }) => readSignal(event) ?? []);
        const known = await knownSignals(
          db,
          signals.map(({ signal }) => signalId(signal.ruleId, signal.eventId)),
        );
        await raise(signals.filter(({ signal }) => !known.has(signalId(signal.ruleId, signal.eventId))));
        for (const { signal, receivedAt, drill } of signals) runnerOf(drill).add(signal, receivedAt);
        count += signals.length;
        ({ cursor } = found);
        if (cursor === undefined) return count;
      }
      logger.warn({ signals: count }, 'there are more signals than are read at a start: older windows are not rebuilt');
      return count;
    },

    async settleCorrelations() {
      const { delaysMs } = await real.settle();
      metrics.countAlerts(delaysMs, 0);
      for (const [drill, { runner, usedAt }] of exercises) {
        await runner.settle();
        if (usedAt < clock.now() - REBUILD_MS) exercises.delete(drill);
      }
    },

    async loadSettings() {
      const settings = await listSettings(db);
      disabled = new Set(settings.filter(({ enabled }) => !enabled).map(({ ruleId }) => ruleId));
    },

    metrics: () => metrics.text(real.skipped()),
  };
}
