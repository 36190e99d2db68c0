import { type Actor, type Clock, type Database, describeActor, uuidv7 } from '@cordon/kernel';
import { audited } from '../audited.ts';
import { TargetUnknown, WatchInputInvalid } from '../watch-errors.ts';
import type { WatchTables } from '../watch-tables.ts';
import type { EventHold, EventHoldInput, EventRule, EventRuleInput } from './event-retention.ts';
import { EVENT_HOLDS_MAX, EVENT_RULES_MAX, listEventHolds, listEventRules } from './event-retention-store.ts';

interface EventRetentionDeps {
  readonly db: Database;
  readonly clock: Clock;
  /** Throws what a search would throw for the text. */
  readonly checkQuery: (query: string) => void;
}

function checkNew(known: readonly { readonly name: string }[], name: string, max: number): void {
  if (known.some((one) => one.name === name)) throw new WatchInputInvalid('The name is taken.', { field: 'name' });
  if (known.length >= max) throw new WatchInputInvalid(`There are ${max} already.`);
}

/** Words such as `now-7d` mean another day at each run: a rule has its days, a hold its span. */
function checkSteady(query: string): void {
  if (/\b(?:now|today|yesterday)\b|[:=<>]-\d/i.test(query)) {
    throw new WatchInputInvalid('Write no times that move (now-7d, today): the days say when.', { field: 'query' });
  }
}

/** How long events are kept and what must stay; every change is audited. */
export function createEventRetentionCommands({ db, clock, checkQuery }: EventRetentionDeps) {
  const by = (actor: Actor) => ({ actor, permission: 'detection.write', at: clock.now() }) as const;
  return {
    addRule: (actor: Actor, input: EventRuleInput): Promise<EventRule> =>
      audited(db, by(actor), async (tx) => {
        checkSteady(input.query);
        checkQuery(input.query);
        checkNew(await listEventRules(tx), input.name, EVENT_RULES_MAX);
        const at = clock.now();
        const id = uuidv7(at);
        const row = { id, ...input, created_at: at, created_by: describeActor(actor).name };
        await tx
          .tables<WatchTables>()
          .insertInto('event_retention_rule')
          .values({ ...row, run_at: null, last_error: null })
          .execute();
        const found = (await listEventRules(tx)).find((one) => one.id === id);
        if (!found) throw new TargetUnknown('There is no such rule.');
        const target = { type: 'event-retention-rule', id, name: input.name };
        return { result: found, action: 'event-retention-rule.created', target, detail: { ...input } };
      }),

    removeRule: (actor: Actor, id: string): Promise<void> =>
      audited(db, by(actor), async (tx) => {
        const row = await tx
          .tables<WatchTables>()
          .deleteFrom('event_retention_rule')
          .where('id', '=', id)
          .returning('name')
          .executeTakeFirst();
        if (!row) throw new TargetUnknown('There is no such rule.');
        const target = { type: 'event-retention-rule', id, name: row.name };
        return { result: undefined, action: 'event-retention-rule.removed', target };
      }),

    hold: (actor: Actor, input: EventHoldInput): Promise<EventHold> =>
      audited(db, by(actor), async (tx) => {
        checkSteady(input.query);
        checkQuery(input.query);
        checkNew(await listEventHolds(tx), input.name, EVENT_HOLDS_MAX);
        const at = clock.now();
        const { name, query, reason, from = null, to = null } = input;
        const made = { id: uuidv7(at), name, query, reason, created_at: at, created_by: describeActor(actor).name };
        await tx
          .tables<WatchTables>()
          .insertInto('event_hold')
          .values({ ...made, from_at: from, to_at: to })
          .execute();
        const result = { id: made.id, name, query, from, to, reason, createdAt: at, createdBy: made.created_by };
        const target = { type: 'event-hold', id: made.id, name };
        return { result, action: 'event-hold.placed', target, detail: { query, from, to, reason } };
      }),

    /** What it held may be deleted from now on. */
    lift: (actor: Actor, id: string, reason: string): Promise<void> =>
      audited(db, by(actor), async (tx) => {
        const row = await tx
          .tables<WatchTables>()
          .deleteFrom('event_hold')
          .where('id', '=', id)
          .returning(['name', 'query', 'reason'])
          .executeTakeFirst();
        if (!row) throw new TargetUnknown('There is no such hold.');
        const target = { type: 'event-hold', id, name: row.name };
        const detail = { query: row.query, placedFor: row.reason, reason };
        return { result: undefined, action: 'event-hold.lifted', target, detail };
      }),

    limitSize: (actor: Actor, bytesMax: number | null): Promise<void> =>
      audited(db, by(actor), async (tx) => {
        const tables = tx.tables<WatchTables>();
        await tables.deleteFrom('event_size_limit').execute();
        if (bytesMax !== null) {
          const changed = { changed_at: clock.now(), changed_by: describeActor(actor).name };
          await tables
            .insertInto('event_size_limit')
            .values({ one: true, bytes_max: bytesMax, ...changed })
            .execute();
        }
        const target = { type: 'lake', name: 'events' };
        return { result: undefined, action: 'lake.size_limited', target, detail: { bytesMax } };
      }),
  };
}
export type EventRetentionCommands = ReturnType<typeof createEventRetentionCommands>;
