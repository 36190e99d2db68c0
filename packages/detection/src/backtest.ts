import { lakeMapping, ownMapping } from './lake-mapping.ts';
import type { Rule } from './sigma/ast.ts';
import { compileToSql, type SqlParameter } from './sigma/sql.ts';

const DAY_MS = 86_400_000;
/** Alerts a day (one for each actor of that day) beyond which people stop reading them. */
export const ALERTS_PER_DAY_MAX = 10;
/** Signals a day of a rule whose alerts are few: one cause, over and over. */
export const SIGNALS_PER_DAY_MAX = 1_000;

export interface BacktestDay {
  /** Start of a UTC day, milliseconds. */
  readonly day: number;
  readonly hits: number;
  readonly actors: number;
}

export interface BacktestVerdict {
  readonly hits: number;
  /** Upper bound: an alert that stays open takes up the signals of later days too. */
  readonly alerts: number;
  readonly alertsPerDay: number;
  readonly tooOften: boolean;
}

/** The condition on the lake's events that stands for a rule, with its values apart. */
export function ruleCondition(rule: Rule): {
  readonly where: string;
  readonly params: Readonly<Record<string, SqlParameter>>;
} {
  const { where, params } = compileToSql(rule, rule.logsource.product === 'cordon' ? ownMapping() : lakeMapping());
  return { where, params };
}

/** Whether a rule would have fired too often in a span of time. */
export function judgeBacktest(days: readonly BacktestDay[], spanMs: number): BacktestVerdict {
  const hits = days.reduce((sum, one) => sum + one.hits, 0);
  const alerts = days.reduce((sum, one) => sum + Math.max(1, one.actors), 0);
  const dayCount = Math.max(1, spanMs / DAY_MS);
  const alertsPerDay = alerts / dayCount;
  const tooOften = alertsPerDay > ALERTS_PER_DAY_MAX || hits / dayCount > SIGNALS_PER_DAY_MAX;
  return { hits, alerts, alertsPerDay, tooOften };
}
