import { createHash } from 'node:crypto';
import { CorrelationInvalid } from '../errors.ts';
import { type Level } from '../sigma/ast.ts';
import { type Signal } from '../signal.ts';
import { type Correlation } from './correlation.ts';
import { CorrelationGroup, type BucketChange } from './group.ts';
import { growsOnly, type Entry } from './window.ts';

const GROUPS_MAX_DEFAULT = 100_000;
const KEEP_MS_DEFAULT = 24 * 3_600_000;
const COMBINATIONS_MAX = 20;

/** A correlation that came true, changed, or after a late event turned out not to be true. */
export interface CorrelationAlert {
  readonly kind: 'raised' | 'updated' | 'withdrawn';
  /** The same for the same correlation, group and stretch of time, however often it is computed. */
  readonly id: string;
  readonly correlationId: string;
  readonly title: string;
  readonly level: Level;
  readonly group: Readonly<Record<string, string>>;
  readonly from: number;
  readonly to: number;
  readonly eventIds: readonly string[];
}

/** A window that can't be computed any more, or not wholly. */
export interface SkippedWindow {
  readonly kind: 'skipped';
  readonly correlationId: string;
  readonly group: Readonly<Record<string, string>>;
  readonly from: number;
  readonly to: number;
  readonly reason: 'too_late' | 'too_many_events' | 'too_many_groups';
}

export type CorrelationOutput = CorrelationAlert | SkippedWindow;

export interface CorrelatorOptions {
  readonly correlations: readonly Correlation[];
  /** How far behind its source's newest event the watermark stays: what usually comes late is waited for. */
  readonly latenessMs: number;
  /** How far behind the watermark a signal may still come and have the windows it touches run again. */
  readonly keepMs?: number;
  readonly groupsMax?: number;
}

export interface Correlator {
  /** Takes a signal in whatever order it comes; taking the same one again changes nothing. */
  add(signal: Signal): CorrelationOutput[];
  /** Says that a source has delivered everything up to this time; conditions that need that are decided now. */
  advance(source: string, time: number): CorrelationOutput[];
  /** Event time up to which every source has delivered, ms since epoch; -Infinity before the first. */
  watermark(): number;
}

/**
 * Runs correlations over signals in event time. A window ends at each event and reaches back the timespan; alerts
 * of one group whose windows end in the same stretch of `timespan` are one alert. Signals replayed after a restart
 * give the same alerts with the same ids.
 */
export function createCorrelator(options: CorrelatorOptions): Correlator {
  return new EventTimeCorrelator(options);
}

class EventTimeCorrelator implements Correlator {
  readonly #options: CorrelatorOptions;
  readonly #listeners = new Map<string, { correlation: Correlation; rule: number }[]>();
  readonly #groups = new Map<Correlation, Map<string, CorrelationGroup>>();
  readonly #newest = new Map<string, number>();
  readonly #keepMs: number;
  #groupCount = 0;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(options: CorrelatorOptions) {
    this.#options = options;
    this.#keepMs = options.keepMs ?? KEEP_MS_DEFAULT;
    const names = new Map(options.correlations.map((one) => [one.name ?? one.id, one]));
    for (const correlation of options.correlations) {
      checkAcyclic(correlation, names, []);
      this.#groups.set(correlation, new Map());
      for (const [rule, reference] of correlation.rules.entries()) {
        const list = this.#listeners.get(reference) ?? [];
        list.push({ correlation, rule });
        this.#listeners.set(reference, list);
      }
    }
  }

  watermark(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const time of this.#newest.values()) lowest = Math.min(lowest, time);
    return lowest === Number.POSITIVE_INFINITY ? Number.NEGATIVE_INFINITY : lowest - this.#options.latenessMs;
  }

  add(signal: Signal): CorrelationOutput[] {
    const newest = this.#newest.get(signal.product) ?? Number.NEGATIVE_INFINITY;
    const late = signal.time < newest - this.#options.latenessMs - this.#keepMs;
    const outputs = this.#take(signal, late);
    if (signal.time > newest) {
      this.#newest.set(signal.product, signal.time);
      outputs.push(...this.#settle());
    }
    return outputs;
  }

  advance(source: string, time: number): CorrelationOutput[] {
    const newest = this.#newest.get(source) ?? Number.NEGATIVE_INFINITY;
    // A source that delivered everything up to `time` has no lateness left to wait for.
    this.#newest.set(source, Math.max(newest, time + this.#options.latenessMs));
    return this.#settle();
  }

  #listening(signal: Signal): { correlation: Correlation; rule: number }[] {
    const byId = this.#listeners.get(signal.ruleId) ?? [];
    const named = signal.ruleName !== undefined && signal.ruleName !== signal.ruleId;
    return named ? [...byId, ...(this.#listeners.get(signal.ruleName ?? '') ?? [])] : byId;
  }

  #take(signal: Signal, late: boolean): CorrelationOutput[] {
    return this.#listening(signal).flatMap(({ correlation, rule }) =>
      groupsOf(correlation, signal).flatMap((group) => {
        if (late) return [skipped(correlation, group, signal.time, 'too_late')];
        const entry: Entry = { time: signal.time, eventId: signal.eventId, rule, value: valueOf(correlation, signal) };
        const state = this.#group(correlation, group);
        if (!state) return [skipped(correlation, group, signal.time, 'too_many_groups')];
        if (!state.add(entry)) return [skipped(correlation, group, signal.time, 'too_many_events')];
        const until = growsOnly(correlation) ? Number.POSITIVE_INFINITY : this.watermark();
        return this.#publish(correlation, group, state.changes(until));
      }),
    );
  }

  #group(correlation: Correlation, group: Readonly<Record<string, string>>): CorrelationGroup | undefined {
    const groups = this.#groups.get(correlation);
    const key = JSON.stringify(group);
    const known = groups?.get(key);
    if (known || !groups) return known;
    if (this.#groupCount >= (this.#options.groupsMax ?? GROUPS_MAX_DEFAULT)) return undefined;
    const created = new CorrelationGroup(correlation, group);
    groups.set(key, created);
    this.#groupCount++;
    return created;
  }

  /** Decides what waited for the watermark, and forgets what no event can reach any more. */
  #settle(): CorrelationOutput[] {
    const watermark = this.watermark();
    if (watermark === Number.NEGATIVE_INFINITY) return [];
    const outputs: CorrelationOutput[] = [];
    for (const [correlation, groups] of this.#groups) {
      if (growsOnly(correlation)) continue;
      for (const group of groups.values()) {
        if (group.isWaiting(watermark))
          outputs.push(...this.#publish(correlation, group.key, group.changes(watermark)));
      }
    }
    this.#sweep(watermark);
    return outputs;
  }

  #sweep(watermark: number): void {
    const step = Math.max(this.#options.latenessMs, 1_000);
    if (watermark < this.#sweptAt + step) return;
    this.#sweptAt = watermark;
    for (const [correlation, groups] of this.#groups) {
      for (const [key, group] of groups) {
        group.forgetBefore(watermark - this.#keepMs - 2 * correlation.timespanMs);
        if (!group.isEmpty()) continue;
        groups.delete(key);
        this.#groupCount--;
      }
    }
  }

  #publish(
    correlation: Correlation,
    group: Readonly<Record<string, string>>,
    changes: readonly BucketChange[],
  ): CorrelationOutput[] {
    return changes.flatMap((change) => {
      const alert: CorrelationAlert = {
        kind: change.kind,
        id: alertId(correlation, group, change.bucket),
        correlationId: correlation.id,
        title: correlation.title,
        level: correlation.level,
        group,
        from: change.from,
        to: change.to,
        eventIds: change.eventIds,
      };
      return [alert, ...this.#chain(correlation, alert)];
    });
  }

  /** A correlation may be built on another: its alert is a signal at the time its window closed. */
  #chain(correlation: Correlation, alert: CorrelationAlert): CorrelationOutput[] {
    const keys = Object.fromEntries(Object.entries(alert.group).map(([name, value]) => [name, [value]]));
    const signal: Signal = {
      ruleId: correlation.id,
      ruleName: correlation.name,
      title: correlation.title,
      level: correlation.level,
      covers: correlation.covers,
      eventId: alert.id,
      time: alert.to,
      product: '',
      keys,
    };
    const outputs = this.#withdraw(signal);
    return alert.kind === 'withdrawn' ? outputs : [...outputs, ...this.#take(signal, false)];
  }

  /** Takes an earlier form of a chained signal away, so that an update moves it and doesn't double it. */
  #withdraw(signal: Signal): CorrelationOutput[] {
    return this.#listening(signal).flatMap(({ correlation }) =>
      groupsOf(correlation, signal).flatMap((group) => {
        const state = this.#groups.get(correlation)?.get(JSON.stringify(group));
        if (!state?.remove(signal.eventId)) return [];
        const until = growsOnly(correlation) ? Number.POSITIVE_INFINITY : this.watermark();
        return this.#publish(correlation, group, state.changes(until));
      }),
    );
  }
}

function checkAcyclic(
  correlation: Correlation,
  names: ReadonlyMap<string, Correlation>,
  path: readonly string[],
): void {
  if (path.includes(correlation.id)) {
    throw new CorrelationInvalid(`The correlation ${correlation.id} is built on itself.`, {
      path: [...path, correlation.id],
    });
  }
  for (const reference of correlation.rules) {
    const inner = names.get(reference) ?? [...names.values()].find((one) => one.id === reference);
    if (inner) checkAcyclic(inner, names, [...path, correlation.id]);
  }
}

function fieldFor(correlation: Correlation, signal: Signal, name: string): string {
  const alias = correlation.aliases[name];
  return alias?.[signal.ruleName ?? ''] ?? alias?.[signal.ruleId] ?? name;
}

/** The groups a signal belongs to: one, unless a field that is grouped by holds a list. */
function groupsOf(correlation: Correlation, signal: Signal): Record<string, string>[] {
  let groups: Record<string, string>[] = [{}];
  for (const name of correlation.groupBy) {
    const values = signal.keys[fieldFor(correlation, signal, name)] ?? signal.keys[name] ?? [];
    groups = groups.flatMap((group) => values.map((value) => ({ ...group, [name]: value }))).slice(0, COMBINATIONS_MAX);
  }
  return groups;
}

function valueOf(correlation: Correlation, signal: Signal): string | undefined {
  if (correlation.valueFields.length === 0) return undefined;
  const values = correlation.valueFields.map((name) => signal.keys[fieldFor(correlation, signal, name)]?.[0]);
  if (values.some((value) => value === undefined)) return undefined;
  return values.length === 1 ? values[0] : JSON.stringify(values);
}

function alertId(correlation: Correlation, group: Readonly<Record<string, string>>, bucket: number): string {
  return createHash('sha256')
    .update(JSON.stringify([correlation.id, group, bucket]))
    .digest('hex')
    .slice(0, 32);
}

function skipped(
  correlation: Correlation,
  group: Readonly<Record<string, string>>,
  time: number,
  reason: SkippedWindow['reason'],
): SkippedWindow {
  return {
    kind: 'skipped',
    correlationId: correlation.id,
    group,
    from: time,
    to: time + correlation.timespanMs,
    reason,
  };
}
