import { DAY_MS, type DaySum, type Facts } from './behaviour.ts';
import type { Candidate, ScoreContext } from './candidate.ts';

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * DAY_MS;
const WEEK_HOURS = 168;
const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
/** So many weeks of doubt: with fewer weeks of history no hour is surprising. */
const DOUBT_WEEKS = 1;
/** A silence of this long is one; shorter ones are weekends and holidays. */
const SILENCE_MS = 14 * DAY_MS;

/** Hours of the week in which the entity is seldom active, and activity after a long silence. */
export function whenTerms(facts: Facts, past: readonly DaySum[], context: ScoreContext): Candidate[] {
  const isExpected = (feature: 'hour' | 'dormant'): boolean =>
    context.feedback.some((one) => one.verdict === 'expected' && one.feature === feature);
  return [
    ...(isExpected('hour') ? [] : hourTerm(facts, past, context)),
    ...(isExpected('dormant') ? [] : dormantTerm(past, context)),
  ];
}

/** Monday 00:00 UTC is 0. 1 January 1970 was a Thursday. */
const slotOf = (at: number): number => (Math.floor(at / HOUR_MS) + 72) % WEEK_HOURS;

function hourTerm(facts: Facts, past: readonly DaySum[], { day }: ScoreContext): Candidate[] {
  const first = past[0]?.day;
  if (first === undefined) return [];
  const weeks = Math.max(1, (day - first) / WEEK_MS);
  const isWorkday = slotOf(day) < 5 * 24;
  const activeIn = (slot: number): number => facts.slots[(slot + WEEK_HOURS) % WEEK_HOURS] ?? 0;
  const chance = (at: number): number => {
    const slot = slotOf(at);
    // Nine o'clock on other workdays says much about nine o'clock on this one.
    const others = isWorkday ? [0, 1, 2, 3, 4] : [5, 6];
    const sameHour = others.reduce((sum, weekday) => sum + activeIn(weekday * 24 + (slot % 24)), 0) / others.length;
    const around = (activeIn(slot - 1) + activeIn(slot + 1)) / 2;
    const seen = Math.max(activeIn(slot), 0.7 * sameHour, 0.5 * around);
    return (seen + 0.5 * DOUBT_WEEKS * 0.1) / (weeks + DOUBT_WEEKS);
  };
  const odd = facts.hours.map((at) => ({ at, p: chance(at) })).sort((a, b) => a.p - b.p);
  const [oddest] = odd;
  if (!oddest) return [];
  const probability = Math.min(1, oddest.p * Math.sqrt(odd.length));
  const slot = slotOf(oddest.at);
  return [
    {
      feature: 'hour',
      group: 'when',
      value: `${WEEKDAYS[Math.floor(slot / 24)]} ${String(slot % 24).padStart(2, '0')}:00 UTC`,
      observed: slot,
      baseline: { usual: oddest.p, high: 0, days: past.length, borrowed: 0 },
      peers: { count: 0, usual: null, organisation: null },
      probability,
      narrow: `time>=${new Date(oddest.at).toISOString()} time<${new Date(oddest.at + HOUR_MS).toISOString()}`,
    },
  ];
}

function dormantTerm(past: readonly DaySum[], { day }: ScoreContext): Candidate[] {
  const last = past.at(-1)?.day;
  if (last === undefined || day - last < SILENCE_MS) return [];
  const gaps = past.slice(1).map((one, index) => one.day - (past[index]?.day ?? one.day));
  const silences = gaps.filter((gap) => gap >= day - last).length;
  return [
    {
      feature: 'dormant',
      group: 'when',
      value: `active again after ${Math.round((day - last) / DAY_MS)} days of silence`,
      observed: (day - last) / DAY_MS,
      baseline: { usual: 1, high: SILENCE_MS / DAY_MS, days: past.length, borrowed: 0 },
      peers: { count: 0, usual: null, organisation: null },
      probability: (silences + 0.5) / (past.length + 10),
      narrow: '',
    },
  ];
}
