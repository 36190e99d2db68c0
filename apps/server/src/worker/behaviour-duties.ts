import {
  BEHAVIOUR_CHANNEL,
  BEHAVIOUR_RULE,
  behaviourKey,
  behaviourLevel,
  fadeScores,
  type Feedback,
  type Judged,
  judgeDay,
  listFeedback,
  loadScored,
  loadSociety,
  raiseAlerts,
  readBehaviourPosition,
  saveBehaviourPosition,
  saveJudgement,
  signalsOfDay,
  signalTerm,
  type Society,
} from '@cordon/detection';
import type { Clock, Database, Logger } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import { z } from 'zod';
import { behaviourFinding, behaviourSignal } from './behaviour-finding.ts';
import { type Repeating, repeat } from './repeating.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const EVERY_MS = 20_000;
/** Statements of summing up in one run; what is left comes in the next. */
const SPANS_MAX = 60;
/** Days before today that are judged again when late events fall into them; a backfill of years judges no more. */
const JUDGED_DAYS = 7;
const SOCIETY_MS = HOUR_MS;
/** Rebuilds of an hour at most this far back in one statement. */
const SPAN_MS_MAX = DAY_MS;

const position = z.object({
  /** The lake's clock up to which events are summed up. */
  since: z.number(),
  /** The window that is being worked on: its end, and the last hour of it that is done. */
  until: z.number().nullable(),
  hour: z.number(),
  /** Version of the sums that were judged. */
  judged: z.number(),
});
type Position = z.output<typeof position>;

/** Sums up behaviour, judges days, raises alerts. One worker runs it; a crash at any point repeats work, nothing else. */
function createBehaviourWatch(deps: {
  readonly db: Database;
  readonly lake: Lake;
  readonly clock: Clock;
  readonly logger: Logger;
}) {
  const { db, lake, clock, logger } = deps;
  const { behaviour } = lake;
  let society: { readonly value: Society; readonly at: number } | undefined;

  const societyOf = async (day: number): Promise<Society> => {
    const now = clock.now();
    if (society?.value.day === day && now - society.at < SOCIETY_MS) return society.value;
    const value = await loadSociety(behaviour, day);
    society = { value, at: now };
    return value;
  };

  async function sumUp(from: Position): Promise<Position> {
    const until = from.until ?? (await behaviour.now());
    const { hours, more } = await behaviour.changedHours({ since: from.since, until }, from.hour);
    let { hour } = from;
    const spans = spansOf(hours);
    for (const [start, end] of spans.slice(0, SPANS_MAX)) {
      await behaviour.sumHours(start, end, clock.now());
      hour = end - HOUR_MS;
    }
    const isDone = spans.length <= SPANS_MAX && !more;
    return isDone ? { ...from, since: until, until: null, hour: 0 } : { ...from, until, hour };
  }

  async function judgeSince(since: number): Promise<number> {
    const now = clock.now();
    const startedAt = now;
    const days = await behaviour.changedDays(since, now - JUDGED_DAYS * DAY_MS);
    const feedback = await listFeedback(db, now);
    for (const day of days) {
      if (day > now) continue;
      for await (const batch of judgeDay(behaviour, { day, since, society: await societyOf(day), feedback })) {
        await keep(batch, day);
      }
    }
    if (days.length === 0) return since;
    await fadeScores(db, now);
    // Sums written in this very millisecond are judged again rather than never.
    return startedAt - 1;
  }

  async function keep(batch: readonly Judged[], day: number): Promise<void> {
    const now = clock.now();
    const keys = batch.map(({ facts }) => behaviourKey(facts));
    const signals = Map.groupBy(await signalsOfDay(db, keys, day, BEHAVIOUR_RULE), ({ entityKey }) => entityKey);
    const due: { judged: Judged; running: number; level: NonNullable<ReturnType<typeof behaviourLevel>> }[] = [];
    await db.transaction(async (tx) => {
      for (const one of batch) {
        const term = signalTerm(signals.get(behaviourKey(one.facts)) ?? [], one.facts, day);
        const judged = term ? { ...one, score: one.score + term.contribution, terms: [term, ...one.terms] } : one;
        const { running, criticality } = await saveJudgement(tx, judged, day, now);
        // Rules alert by themselves: behaviour adds an alert only for what no rule said.
        const level = one.state === 'known' ? behaviourLevel(running, one.score * criticality) : null;
        if (level) due.push({ judged, running, level });
      }
    });
    if (due.length === 0) return;
    const findings = due.map(({ judged, running, level }) => behaviourFinding(judged, { day, running, level }));
    // The id names the day and who: the same judgement again is the same batch of the same findings.
    await lake.ingest({ id: `behaviour-${findings[0]?.metadata.uid}-${findings.length}`, events: findings });
    const { raised } = await db.transaction((tx) =>
      raiseAlerts(
        tx,
        due.map(({ judged, level }) => behaviourSignal(judged, { day, level, now })),
        now,
      ),
    );
    for (const { id } of raised) logger.info({ alert: id }, 'behaviour raised an alert');
  }

  /** Judges the last days of one entity again: somebody said something about it. */
  async function judgeAgain(key: string): Promise<void> {
    const entity = await loadScored(db, key);
    if (!entity) return;
    const now = clock.now();
    const feedback: readonly Feedback[] = await listFeedback(db, now, key);
    const { type, id, name } = entity;
    for (const { day } of entity.days.filter((one) => one.day >= now - JUDGED_DAYS * DAY_MS).toReversed()) {
      const value = await loadSociety(behaviour, day);
      for await (const batch of judgeDay(behaviour, {
        day,
        since: 0,
        society: value,
        feedback,
        only: [{ type, id, name }],
      })) {
        await keep(batch, day);
      }
    }
  }

  return {
    judgeAgain,
    async run(): Promise<void> {
      const stored = position.safeParse(await readBehaviourPosition(db, 'watch'));
      const from = stored.success ? stored.data : { since: 0, until: null, hour: 0, judged: 0 };
      const summed = await sumUp(from);
      await saveBehaviourPosition(db, 'watch', summed, clock.now());
      // While a backfill is summed up, most of it would look new.
      if (summed.until !== null) return;
      const judged = await judgeSince(summed.judged);
      await saveBehaviourPosition(db, 'watch', { ...summed, judged }, clock.now());
    },
  };
}

/** Neighbouring hours as spans of a day at most. */
export function spansOf(hours: readonly number[]): [start: number, end: number][] {
  const spans: [number, number][] = [];
  for (const hour of hours) {
    const last = spans.at(-1);
    if (last && last[1] === hour && hour + HOUR_MS - last[0] <= SPAN_MS_MAX) last[1] = hour + HOUR_MS;
    else spans.push([hour, hour + HOUR_MS]);
  }
  return spans;
}

export async function startBehaviour(
  deps: Parameters<typeof createBehaviourWatch>[0],
): Promise<{ stop(): Promise<void> }> {
  const watch = createBehaviourWatch(deps);
  const asked = new Set<string>();
  const duty: Repeating = repeat('behaviour', EVERY_MS, deps.logger, async () => {
    for (const key of asked) {
      await watch.judgeAgain(key);
      asked.delete(key);
    }
    await watch.run();
  });
  const listener = await deps.db.listen(BEHAVIOUR_CHANNEL, (key) => {
    if (key !== null) asked.add(key);
    duty.nudge();
  });
  return {
    async stop() {
      await listener.stop();
      await duty.stop();
    },
  };
}
