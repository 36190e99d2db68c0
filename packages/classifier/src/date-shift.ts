import { RedactionInvalid } from './errors.ts';

const ISO = /^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(.*)$/s;
const MONTH_LAST = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(.*)$/s;
const DAY_MILLISECONDS = 86_400_000;

function shifted(year: number, month: number, day: number, days: number): [string, string, string] | undefined {
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCMonth() !== month - 1) return undefined;
  const [y = '', m = '', d = ''] = new Date(date.getTime() + days * DAY_MILLISECONDS)
    .toISOString()
    .slice(0, 10)
    .split('-');
  return [y, m, d];
}

/**
 * Moves a date by whole days and writes it the way it was written: year first, or year last with the day before the
 * month unless that can't be. Throws `RedactionInvalid` for what is no date.
 */
export function shiftDate(value: string, days: number): string {
  const iso = ISO.exec(value);
  if (iso) {
    const [, year = '', sign = '', month = '', day = '', rest = ''] = iso;
    const moved = shifted(Number(year), Number(month), Number(day), days);
    if (moved) return moved.join(sign) + rest;
  }
  const last = MONTH_LAST.exec(value);
  if (last) {
    const [, first = '', sign = '', second = '', year = '', rest = ''] = last;
    const dayFirst = shifted(Number(year), Number(second), Number(first), days);
    if (dayFirst) return [dayFirst[2], dayFirst[1], dayFirst[0]].join(sign) + rest;
    const monthFirst = shifted(Number(year), Number(first), Number(second), days);
    if (monthFirst) return [monthFirst[1], monthFirst[2], monthFirst[0]].join(sign) + rest;
  }
  throw new RedactionInvalid('this is no date that can be moved');
}
