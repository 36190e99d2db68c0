import { z } from 'zod';

const DAYS_MAX = 3_660;
const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
const weekday = z.enum(WEEKDAYS);

const holiday = z.union([
  /** The same date each year; `observed` moves it off a weekend: to the nearest weekday, or to the next one. */
  z.strictObject({
    name: z.string(),
    date: z.string().regex(/^\d{2}-\d{2}$/),
    observed: z.enum(['nearest', 'next']).optional(),
  }),
  /** Days from Easter Sunday (Gregorian). */
  z.strictObject({ name: z.string(), easter: z.int().min(-60).max(60) }),
  /** The nth weekday of a month; -1 the last. */
  z.strictObject({ name: z.string(), month: z.int().min(1).max(12), weekday, nth: z.int().min(-1).max(5) }),
]);

export const calendarSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,40}$/),
  title: z.string().min(3),
  /** IANA name: days begin and end there. */
  timezone: z.string().min(2),
  /** When the recipient stops taking things on a business day. */
  closes: z.string().regex(/^\d{2}:\d{2}$/),
  weekend: z.array(weekday),
  holidays: z.array(holiday),
  source: z.string().min(3),
});
export type Calendar = z.output<typeof calendarSchema>;

/** Anonymous Gregorian computus (Meeus, Jones, Butcher). */
export function easterOf(year: number): Temporal.PlainDate {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = Math.floor(b / 4);
  const e = b % 4;
  const g = Math.floor((8 * b + 13) / 25);
  const h = (19 * a + b - d - g + 15) % 30;
  const l = (32 + 2 * e + 2 * Math.floor(c / 4) - h - (c % 4)) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const month = Math.floor((h + l - 7 * m + 114) / 31);
  return new Temporal.PlainDate(year, month, ((h + l - 7 * m + 114) % 31) + 1);
}

function dateOf(one: Calendar['holidays'][number], year: number, isWeekend: (day: Temporal.PlainDate) => boolean) {
  if ('easter' in one) return easterOf(year).add({ days: one.easter });
  if ('date' in one) {
    const [month = 1, day = 1] = one.date.split('-').map(Number);
    let found = new Temporal.PlainDate(year, month, day);
    if (one.observed === 'nearest' && isWeekend(found)) return found.add({ days: found.dayOfWeek === 6 ? -1 : 1 });
    if (one.observed === 'next') while (isWeekend(found)) found = found.add({ days: 1 });
    return found;
  }
  const wanted = WEEKDAYS.indexOf(one.weekday) + 1;
  const first = new Temporal.PlainDate(year, one.month, 1);
  if (one.nth === -1) {
    const last = first.add({ months: 1 }).subtract({ days: 1 });
    return last.subtract({ days: (last.dayOfWeek - wanted + 7) % 7 });
  }
  return first.add({ days: ((wanted - first.dayOfWeek + 7) % 7) + 7 * (one.nth - 1) });
}

export function isBusinessDay(calendar: Calendar, day: Temporal.PlainDate): boolean {
  const isWeekend = (one: Temporal.PlainDate): boolean =>
    calendar.weekend.includes(WEEKDAYS[one.dayOfWeek - 1] ?? 'sunday');
  if (isWeekend(day)) return false;
  // New Year's Day may be observed in the year before.
  const years = [day.year, day.year + 1];
  const taken = new Set<string>();
  for (const year of years) {
    for (const one of calendar.holidays) {
      let date = dateOf(one, year, isWeekend);
      // Two holidays that move to the same day follow each other (Christmas and the day after on a weekend).
      const follows = 'observed' in one && one.observed === 'next';
      if (follows) while (taken.has(date.toString())) date = date.add({ days: 1 });
      taken.add(date.toString());
    }
  }
  return !taken.has(day.toString());
}

const zoned = (at: number, { timezone }: Calendar): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone);
const closing = (day: Temporal.PlainDate, { timezone, closes }: Calendar): number =>
  day.toZonedDateTime({ timeZone: timezone, plainTime: closes }).epochMilliseconds;

function nextBusinessDay(calendar: Calendar, from: Temporal.PlainDate): Temporal.PlainDate {
  let day = from;
  for (let steps = 0; steps < DAYS_MAX && !isBusinessDay(calendar, day); steps++) day = day.add({ days: 1 });
  return day;
}

/** The close of the nth business day after the day of `at`: the day of the event doesn't count. */
export function addBusinessDays(calendar: Calendar, at: number, count: number): number {
  let day = zoned(at, calendar).toPlainDate();
  for (let left = count; left > 0; left--) day = nextBusinessDay(calendar, day.add({ days: 1 }));
  return closing(day, calendar);
}

/** `at`, or `hour` of the next business day when `at` falls on a day that is none. */
export function rollForward(calendar: Calendar, at: number, hour: string): number {
  const day = zoned(at, calendar).toPlainDate();
  if (isBusinessDay(calendar, day)) return at;
  return closing(nextBusinessDay(calendar, day), { ...calendar, closes: hour });
}
