const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hour12: false,
});

type Moment = number | string;

function instantOf(moment: Moment): number {
  return typeof moment === 'number' ? moment : Date.parse(moment);
}

export function showTime(moment: Moment): string {
  return full.format(instantOf(moment));
}

export function showDay(moment: Moment): string {
  return day.format(instantOf(moment));
}

/** Time of day with milliseconds; with the day where that is not today. */
export function showClock(moment: Moment, now: number): string {
  const at = instantOf(moment);
  const text = clock.format(at);
  return new Date(at).toDateString() === new Date(now).toDateString() ? text : `${day.format(at)}, ${text}`;
}

/** `4 s ago`, `in 3 days`: the largest unit only. */
export function showAge(moment: Moment, now: number): string {
  const distance = now - instantOf(moment);
  const size = Math.abs(distance);
  if (size < SECOND_MS) return 'just now';
  const text =
    size < MINUTE_MS
      ? `${Math.floor(size / SECOND_MS)} s`
      : size < HOUR_MS
        ? `${Math.floor(size / MINUTE_MS)} min`
        : size < 2 * DAY_MS
          ? `${Math.floor(size / HOUR_MS)} h`
          : `${Math.floor(size / DAY_MS)} days`;
  return distance >= 0 ? `${text} ago` : `in ${text}`;
}
