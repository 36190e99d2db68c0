import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type Queryable,
  type Transaction,
  uuidv7,
} from '@cordon/kernel';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import { participant, type Participant } from './drill.ts';
import type { DrillCommands } from './drill-commands.ts';
import { DrillInputInvalid, DrillUnknown } from './errors.ts';
import { scenarioNamed } from './load-scenarios.ts';
import { type DrillMode, MODES, type Scenario } from './scenario.ts';
import type { DrillTables } from './tables.ts';
import { listTargets, markedTarget } from './target.ts';

const SCHEDULES_MAX = 200;
const DAY_MS = 86_400_000;
const ACTOR: Actor = { kind: 'system', name: 'drill schedule' };

export const scheduleInput = z.strictObject({
  name: z.string().trim().min(1).max(120),
  scenario: z.string().max(100),
  mode: z.enum(MODES),
  decide: z.enum(['person', 'drill']).default('person'),
  /** A marked app of the estate to play against, by name. */
  target: z.string().min(1).max(100).nullable().default(null),
  participants: z.array(participant).max(50).default([]),
  /** 91: each quarter. */
  everyDays: z.int().min(1).max(1_100),
  /** Days before it on which a reminder goes out. */
  remindDays: z.array(z.int().min(0).max(90)).max(5).default([7, 1]),
  /** A channel of incidents; reminders are real messages, unlike those of a drill. */
  channel: z.string().max(100).nullable().default(null),
  /** A live fire that begins by itself; else the drill is planned and waits for its facilitator. */
  startsItself: z.boolean().default(false),
  nextAt: z.int().positive(),
});
export type ScheduleInput = z.input<typeof scheduleInput>;

export interface Schedule {
  readonly id: string;
  readonly name: string;
  readonly scenario: string;
  readonly mode: DrillMode;
  readonly decide: 'person' | 'drill';
  readonly target: string | null;
  readonly participants: readonly Participant[];
  readonly everyDays: number;
  readonly remindDays: readonly number[];
  readonly channel: string | null;
  readonly startsItself: boolean;
  readonly nextAt: number;
  readonly createdAt: number;
  readonly createdBy: string;
}

function toSchedule(row: Selectable<DrillTables['drill_schedule']>): Schedule {
  return {
    id: row.id,
    name: row.name,
    scenario: row.scenario,
    mode: row.mode,
    decide: row.decide,
    target: row.target,
    participants: row.participants,
    everyDays: row.every_days,
    remindDays: row.remind_days,
    channel: row.channel,
    startsItself: row.starts_itself,
    nextAt: row.next_at,
    createdAt: row.created_at,
    createdBy: row.created_by,
  };
}

export async function listSchedules(db: Queryable): Promise<Schedule[]> {
  const rows = await db
    .tables<DrillTables>()
    .selectFrom('drill_schedule')
    .selectAll()
    .orderBy('next_at')
    .limit(SCHEDULES_MAX)
    .execute();
  return rows.map(toSchedule);
}

/** The next date that is still to come; dates that passed while nothing ran are not made up for. */
export function nextDate(from: number, everyDays: number, now: number): number {
  const every = everyDays * DAY_MS;
  return from + Math.max(1, Math.ceil((now + 1 - from) / every)) * every;
}

export function createScheduleCommands(context: {
  readonly db: Database;
  readonly clock: Clock;
  readonly scenarios: ReadonlyMap<string, Scenario>;
  readonly drills: Pick<DrillCommands, 'plan' | 'start'>;
}) {
  const { db, clock, scenarios, drills } = context;
  return {
    async add(actor: Actor, raw: ScheduleInput): Promise<Schedule> {
      authorize(actor, 'drill.run');
      const parsed = scheduleInput.safeParse(raw);
      if (!parsed.success) throw new DrillInputInvalid(parsed.error.issues[0]?.message ?? 'not valid');
      const input = parsed.data;
      const scenario = scenarioNamed(scenarios, input.scenario);
      if (!scenario.modes.includes(input.mode))
        throw new DrillInputInvalid(`"${scenario.title}" can be played as ${scenario.modes.join(' or ')} only.`);
      if (input.startsItself && input.mode === 'tabletop')
        throw new DrillInputInvalid('A tabletop waits for its facilitator.');
      const at = clock.now();
      const id = uuidv7(at);
      await db.transaction(async (tx) => {
        if (input.target !== null) await markedTarget(tx, input.target);
        const known = await listSchedules(tx);
        if (known.some(({ name }) => name === input.name)) throw new DrillInputInvalid('The name is taken.');
        if (known.length >= SCHEDULES_MAX) throw new DrillInputInvalid(`There are ${SCHEDULES_MAX} schedules already.`);
        await tx
          .tables<DrillTables>()
          .insertInto('drill_schedule')
          .values({
            id,
            name: input.name,
            scenario: input.scenario,
            mode: input.mode,
            decide: input.decide,
            target: input.target,
            participants: JSON.stringify(input.participants),
            every_days: input.everyDays,
            remind_days: JSON.stringify(input.remindDays),
            channel: input.channel,
            starts_itself: input.startsItself,
            next_at: input.nextAt,
            created_at: at,
            created_by: describeActor(actor).name,
          })
          .execute();
        const target = { type: 'drill-schedule', id, name: input.name };
        const detail = { scenario: input.scenario, mode: input.mode, everyDays: input.everyDays };
        await appendAudit(tx, { actor, action: 'drill_schedule.created', target, detail, at });
      });
      const found = (await listSchedules(db)).find((one) => one.id === id);
      if (!found) throw new DrillUnknown('There is no such schedule.');
      return found;
    },

    async remove(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'drill.run');
      await db.transaction(async (tx) => {
        const row = await tx
          .tables<DrillTables>()
          .deleteFrom('drill_schedule')
          .where('id', '=', id)
          .returning('name')
          .executeTakeFirst();
        if (!row) throw new DrillUnknown('There is no such schedule.');
        const target = { type: 'drill-schedule', id, name: row.name };
        await appendAudit(tx, { actor, action: 'drill_schedule.removed', target, at: clock.now() });
      });
    },

    /** Sends reminders and plans or begins what is due. A repeating duty. */
    async tend(remind: Remind): Promise<void> {
      for (const schedule of await listSchedules(db)) {
        await db.transaction((tx) => remindOf(tx, schedule, clock.now(), remind));
        if (schedule.nextAt > clock.now()) continue;
        const id = await db.transaction((tx) => planDue(tx, schedule));
        if (id !== null && schedule.startsItself) await drills.start(ACTOR, id);
      }
    },
  };

  async function planDue(tx: Transaction, schedule: Schedule): Promise<string | null> {
    const moved = await tx
      .tables<DrillTables>()
      .updateTable('drill_schedule')
      .set({ next_at: nextDate(schedule.nextAt, schedule.everyDays, clock.now()) })
      .where('id', '=', schedule.id)
      .where('next_at', '=', schedule.nextAt)
      .executeTakeFirst();
    if (moved.numUpdatedRows === 0n) return null;
    const { id, name, scenario, mode, decide, target, participants } = schedule;
    if (target !== null && !(await listTargets(tx)).some(({ app }) => app === target)) {
      // Nothing else is played instead, and the other schedules go on.
      const of = { type: 'drill-schedule', id, name };
      await appendAudit(tx, {
        actor: ACTOR,
        action: 'drill_schedule.skipped',
        target: of,
        detail: { unmarked: target },
        at: clock.now(),
      });
      return null;
    }
    return drills.plan(tx, ACTOR, { scenario, mode, decide, target, participants: [...participants] }, id);
  }
}

/** Queues one reminder; the same key once. */
export type Remind = (
  tx: Transaction,
  reminder: { readonly key: string; readonly channel: string; readonly subject: string; readonly text: string },
) => Promise<void>;

async function remindOf(tx: Transaction, schedule: Schedule, now: number, remind: Remind): Promise<void> {
  const { id, nextAt, channel, participants, name } = schedule;
  if (nextAt <= now) return;
  // Of several that are due, as after a stop, the nearest to the date says enough.
  const due = schedule.remindDays.filter((days) => now >= nextAt - days * DAY_MS).toSorted((a, b) => a - b)[0];
  if (due === undefined) return;
  const fresh = await tx
    .tables<DrillTables>()
    .insertInto('drill_reminder')
    .values({ schedule_id: id, due_at: nextAt, days: due, sent_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if ((fresh.numInsertedOrUpdatedRows ?? 0n) === 0n) return;
  const who = participants.map((one) => `${one.name} (${one.role})`).join(', ') || 'nobody yet';
  const day = new Date(nextAt).toISOString().slice(0, 16).replace('T', ' ');
  const text = `The drill "${name}" (${schedule.mode}) is on ${day} UTC. Taking part: ${who}.`;
  if (channel !== null)
    await remind(tx, { key: `drill-reminder:${id}:${nextAt}:${due}`, channel, subject: `Drill: ${name}`, text });
  const target = { type: 'drill-schedule', id, name };
  await appendAudit(tx, {
    actor: ACTOR,
    action: 'drill_schedule.reminded',
    target,
    detail: { days: due, channel, nextAt },
    at: now,
  });
}

export type ScheduleCommands = ReturnType<typeof createScheduleCommands>;
