import { z } from 'zod';
import { isAtLeast, LEVELS } from '../alert/alert.ts';
import type { Level } from '../sigma/ast.ts';

const HOUR_MS = 3_600_000;
const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time such as 22:00');
const minutesOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

/** When a target is left alone; what waits is sent when they end. */
export const quietHours = z
  .strictObject({
    /** IANA name: the hours are of its clock, whatever happens to it. */
    zone: z.string().refine((zone) => knowsZone(zone), 'There is no such time zone.'),
    from: clockTime,
    to: clockTime,
    /** Days that are quiet all day: 1 Monday to 7 Sunday. */
    days: z.array(z.int().min(1).max(7)).max(6).default([]),
    /** From this severity on, they are not quiet. */
    passLevel: z.enum(LEVELS as readonly [Level, ...Level[]]).default('critical'), // LEVELS is not empty
  })
  .refine(({ from, to }) => from !== to, { path: ['to'], message: 'Quiet hours that never end tell nobody anything.' });
export type QuietHours = z.output<typeof quietHours>;

function knowsZone(zone: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
    return true;
  } catch {
    return false;
  }
}

function isQuiet({ from, to, days }: QuietHours, at: Temporal.ZonedDateTime): boolean {
  if (days.includes(at.dayOfWeek)) return true;
  const minute = at.hour * 60 + at.minute;
  const [start, end] = [minutesOf(from), minutesOf(to)];
  return start < end ? minute >= start && minute < end : minute >= start || minute < end;
}

/** When something of this severity may be told: now, or the first minute that is not quiet. */
export function tellAt(quiet: QuietHours | null, level: Level, now: number): number {
  if (!quiet || isAtLeast(level, quiet.passLevel)) return now;
  const zoned = (at: number) => Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(quiet.zone);
  if (!isQuiet(quiet, zoned(now))) return now;
  const step = HOUR_MS / 60;
  const first = Math.floor(now / step) * step;
  // Six quiet days at most, so a week of minutes always holds one that is not.
  for (let at = first + step; at <= first + 8 * 24 * HOUR_MS; at += step) if (!isQuiet(quiet, zoned(at))) return at;
  return now;
}
