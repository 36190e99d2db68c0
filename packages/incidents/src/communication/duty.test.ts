import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { addBusinessDays, easterOf, isBusinessDay } from './calendar.ts';
import { dueAt, loadDuties, readDuty, sampleFacts } from './duty.ts';
import { FACT_NAMES, mergeFacts, NO_FACTS } from './fact.ts';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '../../../../content/duties');
const { duties, calendars } = loadDuties(FOLDER);
const VERDICTS = { applies: true, undecided: null, no: false } as const;
const isoOf = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

describe('duties of the product', () => {
  const samples = duties.flatMap((duty) => duty.samples.map((sample) => [duty.id, sample.name, duty, sample] as const));
  test.each(samples)('%s: %s', (_id, _name, duty, sample) => {
    const facts = sampleFacts(sample);
    expect(duty.judge(facts).applies).toBe(VERDICTS[sample.expect]);
    const sent = Object.fromEntries(Object.entries(sample.sent).map(([stage, text]) => [stage, Date.parse(text)]));
    for (const stage of duty.stages.filter(({ id }) => sample.due[id] !== undefined)) {
      expect(duty.judgeStage(stage.id, facts).applies).toBe(true);
      const due = isoOf(dueAt(stage, facts.moments, sent, calendars));
      expect([stage.id, due]).toEqual([stage.id, isoOf(Date.parse(sample.due[stage.id] ?? ''))]);
    }
  });

  test.each(duties.map((duty) => [duty.id, duty] as const))(
    '%s has a firing, a quiet and a timed sample',
    (_id, duty) => {
      const expected = duty.samples.map(({ expect: verdict }) => verdict);
      expect(expected).toEqual(expect.arrayContaining(['applies', 'no']));
      for (const { id } of duty.stages.filter(({ start }) => !start.startsWith('sent:')))
        expect([id, duty.samples.some(({ due }) => due[id] !== undefined)]).toEqual([id, true]);
      expect(duty.status === 'pending' || duty.from !== null).toBe(true);
    },
  );

  test.each(duties.map((duty) => [duty.id, duty] as const))('%s never falls away by a yes', (_id, duty) => {
    const bases = [() => true, () => false, (_: string, place: number) => place % 2 === 0];
    const applies = (facts: Record<string, boolean>) => duty.judge({ facts, people: 1, moments: {} }).applies;
    for (const base of bases) {
      const given = Object.fromEntries(FACT_NAMES.map((name, place) => [name, base(name, place)]));
      const falls = FACT_NAMES.filter(
        (name) => applies({ ...given, [name]: false }) === true && applies({ ...given, [name]: true }) === false,
      );
      expect(falls).toEqual([]);
    }
    expect(applies(Object.fromEntries(FACT_NAMES.map((name) => [name, true])))).toBe(true);
  });
});

describe('what is not known', () => {
  const text = (trigger: string) =>
    JSON.stringify({
      id: 'test',
      title: 'Test',
      summary: 'A duty of a test.',
      source: { law: 'Law', article: '1', url: 'https://example.com' },
      checked: null,
      status: 'in-force',
      from: '2026-01-01',
      trigger,
      stages: [{ id: 'one', title: 'One', recipient: 'them', start: 'aware', clock: { hours: 1 } }],
      samples: [
        { name: 'yes', expect: 'applies' },
        { name: 'not', expect: 'no' },
      ],
    });

  test('is asked for, and only where it matters', () => {
    const duty = readDuty(text('personal_data && (in_eu || in_uk)'), 'test');
    expect(duty.judge(NO_FACTS)).toEqual({ applies: null, open: ['personal_data', 'in_eu', 'in_uk'] });
    const eu = mergeFacts(NO_FACTS, { facts: { personal_data: true, in_eu: true }, moments: {} });
    expect(duty.judge(eu)).toEqual({ applies: true, open: [] });
    const none = mergeFacts(eu, { facts: { personal_data: false }, moments: {} });
    expect(duty.judge(none)).toEqual({ applies: false, open: [] });
    expect(mergeFacts(none, { facts: { personal_data: null }, moments: {} }).facts).toEqual({ in_eu: true });
  });

  test.each(['nobody_knows', 'people', 'personal_data &&', '1 + 1'])('a trigger like "%s" is refused', (trigger) => {
    expect(() => readDuty(text(trigger), 'test')).toThrow(/trigger is not valid/);
  });
});

describe('calendars', () => {
  const calendar = (id: string) => {
    const found = calendars.get(id);
    if (!found) throw new Error(`no calendar ${id}`);
    return found;
  };
  test.each([
    [2024, '2024-03-31'],
    [2025, '2025-04-20'],
    [2026, '2026-04-05'],
    [2038, '2038-04-25'],
  ])('Easter of %s is %s', (year, day) => {
    expect(easterOf(year).toString()).toBe(day);
  });

  test.each([
    ['us-federal', '2026-07-03', false], // the 4th is a Saturday
    ['us-federal', '2026-07-06', true],
    ['us-federal', '2026-11-26', false],
    ['us-federal', '2027-12-31', false], // New Year's Day of 2028 is a Saturday
    ['target', '2026-04-03', false],
    ['target', '2026-04-06', false],
    ['target', '2026-05-01', false],
    ['england', '2026-12-28', false], // Boxing Day is a Saturday
    ['england', '2027-12-27', false], // Christmas Day is a Saturday,
    ['england', '2027-12-28', false], // and Boxing Day follows it
    ['england', '2027-12-29', true],
    ['england', '2026-08-31', false],
  ])('%s on %s: business day %s', (id, day, is) => {
    expect(isBusinessDay(calendar(id), Temporal.PlainDate.from(day))).toBe(is);
  });

  test('the day of the event is not counted, and time zones are kept', () => {
    const late = Date.parse('2026-03-07T03:00:00Z'); // Friday evening in New York
    expect(isoOf(addBusinessDays(calendar('us-federal'), late, 1))).toBe('2026-03-09T21:30:00.000Z');
  });
});
