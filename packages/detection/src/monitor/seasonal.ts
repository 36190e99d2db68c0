import { median, spreadOf } from '../behaviour/statistics.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
/** 1970-01-01 was a Thursday: day 0 of this count is a Monday. */
const MONDAY_SHIFT = 3;

/** How far back hours are read. */
export const SEASON_DAYS = 35;
const WEEKS_MIN = 3;
const DAYS_MIN = 5;
/** Robust standard deviations above the usual. */
const SPREADS = 6;

export interface HourValue {
  /** Start of the hour (UTC), milliseconds. */
  readonly at: number;
  readonly value: number;
}

export interface Baseline {
  readonly usual: number;
  /** Above it, the hour is unusual. */
  readonly high: number;
  readonly season: 'hour-of-week' | 'hour-of-day';
  readonly samples: number;
}

const hourOf = (at: number): number => Math.floor(at / HOUR_MS) * HOUR_MS;
const weekday = (at: number): number => (Math.floor(at / DAY_MS) + MONDAY_SHIFT) % 7;
const isWeekend = (at: number): boolean => weekday(at) >= 5;

/**
 * What is usual for the hour that `at` lies in, from hours before it. The same hour of the week when there are three
 * weeks of it; before that, the same hour of days of the same kind (working day or weekend); null while there are too
 * few. A missing hour counts as `absent` once something was seen; null leaves it out. Medians, so that one odd week
 * changes nothing. Hours are UTC: where clocks are turned, a season is an hour off for some weeks.
 */
export function seasonalBaseline(
  history: readonly HourValue[],
  at: number,
  { floor, absent = 0 }: { readonly floor: number; readonly absent?: number | null },
): Baseline | null {
  const hour = hourOf(at);
  const known = new Map(history.filter((one) => one.at < hour).map((one) => [hourOf(one.at), one.value]));
  if (known.size === 0) return null;
  const first = Math.min(...known.keys());
  const values = (stepMs: number, belongs: (hourAt: number) => boolean): number[] => {
    const found: number[] = [];
    for (let one = hour - stepMs; one >= Math.max(first, hour - SEASON_DAYS * DAY_MS); one -= stepMs) {
      const value = known.get(one) ?? absent;
      if (value !== null && belongs(one)) found.push(value);
    }
    return found;
  };
  const weeks = values(WEEK_MS, () => true);
  const [season, samples]: [Baseline['season'], number[]] =
    weeks.length >= WEEKS_MIN
      ? ['hour-of-week', weeks]
      : ['hour-of-day', values(DAY_MS, (one) => isWeekend(one) === isWeekend(hour))];
  if (season === 'hour-of-day' && samples.length < DAYS_MIN) return null;
  const usual = median(samples);
  const margin = Math.max(SPREADS * spreadOf(samples, usual), usual, floor);
  return { usual, high: usual + margin, season, samples: samples.length };
}
