import { z } from 'zod';

/** A day of the calendar, `2026-03-31`: a period of a report has no time zone. Days compare as texts. */
export const calendarDay = z.iso.date();

export function addDays(day: string, days: number): string {
  return Temporal.PlainDate.from(day).add({ days }).toString();
}

/** The same day of a later month; the last one where that month is shorter. */
export function addMonths(day: string, months: number): string {
  return Temporal.PlainDate.from(day).add({ months }).toString();
}

/** The day in UTC at which a moment falls. */
export function dayAt(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

export function daysBetween(from: string, to: string): number {
  return Temporal.PlainDate.from(from).until(Temporal.PlainDate.from(to), { largestUnit: 'days' }).days;
}
