import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type Queryable,
} from '@cordon/kernel';
import type { Kysely } from 'kysely';
import { ProvisionInvalid } from '../errors.ts';
import type { ProvisionTables } from './provision-tables.ts';

const DATES_MAX = 10_000;
const DUE_MAX = 100;

export interface PersonDates {
  readonly personId: string;
  readonly startsAt: number | null;
  readonly endsAt: number | null;
  /** When the end was carried out. */
  readonly endedAt: number | null;
  readonly setBy: string;
}

const tablesOf = (db: Queryable): Kysely<ProvisionTables> => db.tables<ProvisionTables>();

/** People who haven't begun yet, or have ended. */
export async function absentNow(db: Queryable, now: number): Promise<ReadonlySet<string>> {
  const at = new Date(now);
  const rows = await tablesOf(db)
    .selectFrom('lifecycle_date')
    .select('person_id')
    .where((of) => of.or([of('starts_at', '>', at), of('ends_at', '<=', at)]))
    .execute();
  return new Set(rows.map(({ person_id }) => person_id));
}

export async function listDates(db: Queryable): Promise<PersonDates[]> {
  const rows = await tablesOf(db)
    .selectFrom('lifecycle_date')
    .selectAll()
    .orderBy('person_id')
    .limit(DATES_MAX)
    .execute();
  return rows.map((row) => ({
    personId: row.person_id,
    startsAt: row.starts_at?.getTime() ?? null,
    endsAt: row.ends_at?.getTime() ?? null,
    endedAt: row.ended_at?.getTime() ?? null,
    setBy: row.set_by,
  }));
}

export interface DateCommands {
  /** When a person begins and ends; null for none. Before the start they have no account in any target. */
  set(
    actor: Actor,
    person: { readonly id: string; readonly name: string },
    dates: { readonly startsAt: number | null; readonly endsAt: number | null },
  ): Promise<void>;
}

export function createDateCommands({ db, clock }: { readonly db: Database; readonly clock: Clock }): DateCommands {
  return {
    async set(actor, person, { startsAt, endsAt }) {
      authorize(actor, 'person.write');
      if (startsAt !== null && endsAt !== null && endsAt <= startsAt) {
        throw new ProvisionInvalid('The end must come after the start.', { field: 'endsAt' });
      }
      const at = clock.now();
      const values = {
        starts_at: startsAt === null ? null : new Date(startsAt),
        ends_at: endsAt === null ? null : new Date(endsAt),
        ended_at: null,
        set_by: describeActor(actor).name,
        set_at: new Date(at),
      };
      await db.transaction(async (tx) => {
        await tablesOf(tx)
          .insertInto('lifecycle_date')
          .values({ person_id: person.id, ...values })
          .onConflict((conflict) => conflict.column('person_id').doUpdateSet(values))
          .execute();
        const target = { type: 'person', id: person.id, name: person.name };
        await appendAudit(tx, { actor, action: 'person.dates_set', target, detail: { startsAt, endsAt }, at });
      });
    },
  };
}

/** Ends whose day came: `disable` makes each a leaver. Returns how many. */
export async function endDue(
  deps: { readonly db: Database; readonly clock: Clock },
  disable: (personId: string, reason: string) => Promise<void>,
): Promise<number> {
  const { db, clock } = deps;
  const now = new Date(clock.now());
  const rows = await tablesOf(db)
    .selectFrom('lifecycle_date')
    .select(['person_id', 'ends_at'])
    .where('ended_at', 'is', null)
    .where('ends_at', '<=', now)
    .limit(DUE_MAX)
    .execute();
  for (const { person_id: personId, ends_at: endsAt } of rows) {
    await disable(personId, `Ended on ${endsAt?.toISOString().slice(0, 10) ?? 'the day that was set'}.`);
    await tablesOf(db).updateTable('lifecycle_date').set({ ended_at: now }).where('person_id', '=', personId).execute();
  }
  return rows.length;
}
