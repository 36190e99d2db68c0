import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Environment } from '@marcbachmann/cel-js';
import { parse } from 'yaml';
import { z } from 'zod';
import { DutyInvalid } from '../errors.ts';
import { addBusinessDays, type Calendar, calendarSchema, rollForward } from './calendar.ts';
import { type CaseFacts, FACT_NAMES, type FactName, PEOPLE_UNKNOWN_MAX, storedFacts } from './fact.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const dutyId = z.string().regex(/^[a-z][a-z0-9-]{1,60}$/);

const clockSchema = z.union([
  z.strictObject({
    hours: z.number().positive(),
    /** On a day that is no business day there, the time is this hour of the next one. */
    roll: z.strictObject({ calendar: z.string(), hour: z.string() }).optional(),
  }),
  z.strictObject({ days: z.int().positive() }),
  z.strictObject({ months: z.int().positive() }),
  z.strictObject({ businessDays: z.int().positive(), calendar: z.string() }),
]);
export type DutyClock = z.output<typeof clockSchema>;

const stageSchema = z.strictObject({
  id: dutyId,
  title: z.string().min(3).max(200),
  recipient: dutyId,
  /** A moment of the case, or the sending of an earlier stage: `sent:early-warning`. */
  start: z.union([z.enum(['aware', 'classified', 'determined', 'fixed']), z.templateLiteral(['sent:', z.string()])]),
  clock: clockSchema,
  /** A second limit, counted from elsewhere; the earlier counts. */
  latest: z
    .strictObject({ start: z.enum(['aware', 'classified', 'determined', 'fixed']), clock: clockSchema })
    .optional(),
  /** False where the law says "without undue delay" and the number is a target of ours. */
  isLimit: z.boolean().default(true),
  /** More that must be so for this stage. */
  trigger: z.string().optional(),
  template: dutyId.optional(),
});

const sampleSchema = z.strictObject({
  name: z.string().min(3),
  facts: z.array(z.enum(FACT_NAMES)).default([]),
  not: z.array(z.enum(FACT_NAMES)).default([]),
  people: z.int().nonnegative().optional(),
  moments: z.record(z.string(), z.iso.datetime({ offset: true })).default({}),
  sent: z.record(z.string(), z.iso.datetime({ offset: true })).default({}),
  expect: z.enum(['applies', 'undecided', 'no']),
  due: z.record(z.string(), z.iso.datetime({ offset: true })).default({}),
});

const dutySchema = z.strictObject({
  id: dutyId,
  title: z.string().min(3).max(200),
  summary: z.string().min(10).max(2_000),
  source: z.strictObject({ law: z.string().min(3), article: z.string().min(1), url: z.url() }),
  /** When this file was last compared with its source or a commentary on it; null: not yet. */
  checked: date.nullable(),
  status: z.enum(['in-force', 'pending']),
  /** From when it applies; null for a pending one without a date. */
  from: date.nullable(),
  trigger: z.string().min(1).max(2_000),
  stages: z.array(stageSchema).min(1).max(8),
  samples: z.array(sampleSchema).min(2),
});

export type DutyStage = z.output<typeof stageSchema>;
export type DutySample = z.output<typeof sampleSchema>;
type DutyFile = z.output<typeof dutySchema>;
/** True for what applies, false for what doesn't, null where it hangs on what isn't known yet. */
type Verdict = { readonly applies: boolean | null; readonly open: readonly FactName[] };

export interface Duty extends DutyFile {
  judge(facts: CaseFacts): Verdict;
  judgeStage(stage: string, facts: CaseFacts): Verdict;
}

function compile(text: string, where: string): (facts: CaseFacts) => Verdict {
  const environment = new Environment({ unlistedVariablesAreDyn: false });
  for (const name of FACT_NAMES) environment.registerVariable(name, 'bool');
  environment.registerVariable('people', 'int');
  let parsed: ReturnType<Environment['parse']>;
  try {
    parsed = environment.parse(text);
    const { valid, type, error } = parsed.check();
    if (!valid || type !== 'bool') throw error ?? new Error('it is neither true nor false');
  } catch (cause) {
    throw new DutyInvalid(`${where}: the trigger is not valid: ${String(cause).split('\n', 1)[0]}`, {}, cause);
  }
  const words = new Set(text.match(/[a-z_0-9]+/g) ?? []);
  const names = FACT_NAMES.filter((name) => words.has(name));
  const asks = words.has('people');
  return ({ facts, people }) => {
    const open = names.filter((name) => facts[name] === undefined);
    const holds = (unknown: boolean): boolean => {
      const values = Object.fromEntries(FACT_NAMES.map((name) => [name, facts[name] ?? unknown]));
      const count = people ?? (unknown ? PEOPLE_UNKNOWN_MAX : 0);
      return parsed({ ...values, people: BigInt(count) }) === true;
    };
    if (holds(false)) return { applies: true, open: [] };
    if (!holds(true)) return { applies: false, open: [] };
    return { applies: null, open: asks && open.length === 0 ? [] : open };
  };
}

/** Reads one duty; a file that is none is an error of the build. */
export function readDuty(text: string, name: string): Duty {
  const parsed = dutySchema.safeParse(parse(text));
  if (!parsed.success) throw new DutyInvalid(`${name}: ${z.prettifyError(parsed.error)}`);
  const file = parsed.data;
  const whole = compile(file.trigger, name);
  const parts = new Map(
    file.stages.flatMap(({ id, trigger }) => (trigger === undefined ? [] : [[id, compile(trigger, name)] as const])),
  );
  return {
    ...file,
    judge: whole,
    judgeStage(stage, facts) {
      const first = whole(facts);
      const part = parts.get(stage)?.(facts);
      if (!part || first.applies === false) return first;
      if (part.applies === false) return part;
      if (first.applies && part.applies) return first;
      return { applies: null, open: [...new Set([...first.open, ...part.open])] };
    },
  };
}

export interface DutyBook {
  readonly duties: readonly Duty[];
  readonly calendars: ReadonlyMap<string, Calendar>;
}

/** `content/duties`: one file a duty, calendars in `calendars/`. */
export function loadDuties(folder: string): DutyBook {
  const yamlIn = (path: string): string[] =>
    readdirSync(path)
      .filter((name) => name.endsWith('.yaml'))
      .sort();
  const calendars = new Map(
    yamlIn(join(folder, 'calendars')).map((name) => {
      const parsed = calendarSchema.safeParse(parse(readFileSync(join(folder, 'calendars', name), 'utf8')));
      if (!parsed.success) throw new DutyInvalid(`${name}: ${z.prettifyError(parsed.error)}`);
      return [parsed.data.id, parsed.data] as const;
    }),
  );
  const duties = yamlIn(folder).map((name) => readDuty(readFileSync(join(folder, name), 'utf8'), name));
  for (const { id, stages } of duties) {
    for (const { clock } of stages) {
      const named = 'businessDays' in clock ? clock.calendar : 'hours' in clock ? clock.roll?.calendar : undefined;
      if (named !== undefined && !calendars.has(named)) throw new DutyInvalid(`${id}: there is no calendar ${named}.`);
    }
  }
  return { duties, calendars };
}

function addClock(clock: DutyClock, at: number, calendars: DutyBook['calendars']): number {
  const calendarOf = (id: string): Calendar => {
    const found = calendars.get(id);
    if (!found) throw new DutyInvalid(`There is no calendar ${id}.`);
    return found;
  };
  if ('hours' in clock) {
    const due = at + clock.hours * HOUR_MS;
    return clock.roll ? rollForward(calendarOf(clock.roll.calendar), due, clock.roll.hour) : due;
  }
  if ('days' in clock) return at + clock.days * DAY_MS;
  if ('months' in clock) {
    const from = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO('UTC');
    return from.add({ months: clock.months }).epochMilliseconds;
  }
  return addBusinessDays(calendarOf(clock.calendar), at, clock.businessDays);
}

/** When a stage is due; null while the moment that starts its clock is not known. */
export function dueAt(
  stage: Pick<DutyStage, 'start' | 'clock' | 'latest'>,
  moments: CaseFacts['moments'],
  sent: Readonly<Record<string, number>>,
  calendars: DutyBook['calendars'],
): number | null {
  const { start, clock, latest } = stage;
  const from = start.startsWith('sent:') ? sent[start.slice('sent:'.length)] : moments[start as keyof typeof moments]; // the schema's only other values
  const first = from === undefined ? null : addClock(clock, from, calendars);
  const other = latest ? moments[latest.start] : undefined;
  const second = latest && other !== undefined ? addClock(latest.clock, other, calendars) : null;
  if (first === null || second === null) return first ?? second;
  // Began to run only after the second limit had passed: then the first counts alone (2025/301, article 5(2)).
  return from !== undefined && from > second ? first : Math.min(first, second);
}

/** A sample's facts as a case would hold them. */
export function sampleFacts(sample: DutySample): CaseFacts {
  return storedFacts.parse({
    facts: Object.fromEntries([
      ...sample.facts.map((name) => [name, true]),
      ...sample.not.map((name) => [name, false]),
    ]),
    people: sample.people ?? null,
    moments: Object.fromEntries(Object.entries(sample.moments).map(([name, text]) => [name, Date.parse(text)])),
  });
}
