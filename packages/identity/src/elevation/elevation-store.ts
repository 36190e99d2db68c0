import type { Selectable } from 'kysely';
import type { IdentityDb } from '../context.ts';
import type { IdentityTables } from '../tables.ts';
import type { Approver, Elevation } from './elevation.ts';

export const ELEVATIONS_PAGE_MAX = 200;
const DUE_BATCH_MAX = 100;

function elevationOf(row: Selectable<IdentityTables['elevations']>): Elevation {
  const { integration_id: integrationId, decided_by: decidedBy } = row;
  return {
    id: row.id,
    kind: row.kind,
    ref: row.ref,
    name: row.name,
    integration: integrationId === null ? null : { id: integrationId, name: row.integration_name ?? integrationId },
    operations: row.operations,
    grantId: row.grant_id,
    person: { id: row.person_id, name: row.person_name },
    reason: row.reason,
    minutes: row.minutes,
    state: row.state,
    askedAt: row.asked_at.getTime(),
    lapsesAt: row.lapses_at.getTime(),
    decidedBy: decidedBy === null ? null : { id: decidedBy, name: row.decided_by_name ?? decidedBy },
    decidedAt: row.decided_at?.getTime() ?? null,
    note: row.note,
    endsAt: row.ends_at?.getTime() ?? null,
    endedAt: row.ended_at?.getTime() ?? null,
    endedBy: row.ended_by,
    endedWhy: row.ended_why,
  };
}

/** False when the same is asked for or live already. */
export async function insertElevation(db: IdentityDb, one: Elevation): Promise<boolean> {
  const result = await db
    .insertInto('elevations')
    .values({
      id: one.id,
      kind: one.kind,
      ref: one.ref,
      name: one.name,
      integration_id: one.integration?.id ?? null,
      integration_name: one.integration?.name ?? null,
      operations: [...one.operations],
      grant_id: null,
      person_id: one.person.id,
      person_name: one.person.name,
      reason: one.reason,
      minutes: one.minutes,
      state: one.state,
      asked_at: new Date(one.askedAt),
      lapses_at: new Date(one.lapsesAt),
      decided_by: null,
      decided_by_name: null,
      decided_at: null,
      note: null,
      ends_at: null,
      ended_at: null,
      ended_by: null,
      ended_why: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

export async function lockElevation(db: IdentityDb, id: string): Promise<Elevation | undefined> {
  const row = await db.selectFrom('elevations').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  return row && elevationOf(row);
}

/** Newest first. */
export async function listElevations(
  db: IdentityDb,
  which: {
    readonly id?: string;
    readonly personId?: string;
    readonly states?: readonly Elevation['state'][];
    readonly limit?: number;
  },
): Promise<Elevation[]> {
  let query = db.selectFrom('elevations').selectAll().orderBy('id', 'desc');
  if (which.id !== undefined) query = query.where('id', '=', which.id);
  if (which.personId !== undefined) query = query.where('person_id', '=', which.personId);
  if (which.states) query = query.where('state', 'in', [...which.states]);
  const rows = await query.limit(Math.min(which.limit ?? ELEVATIONS_PAGE_MAX, ELEVATIONS_PAGE_MAX)).execute();
  return rows.map(elevationOf);
}

export async function saveDecision(
  db: IdentityDb,
  id: string,
  decision: {
    readonly state: 'live' | 'refused';
    readonly by: Approver;
    readonly note: string;
    readonly at: number;
    readonly endsAt: number | null;
    readonly grantId: string | null;
  },
): Promise<void> {
  await db
    .updateTable('elevations')
    .set({
      state: decision.state,
      decided_by: decision.by.id,
      decided_by_name: decision.by.name,
      decided_at: new Date(decision.at),
      note: decision.note,
      ends_at: decision.endsAt === null ? null : new Date(decision.endsAt),
      grant_id: decision.grantId,
    })
    .where('id', '=', id)
    .execute();
}

export async function saveEnd(
  db: IdentityDb,
  id: string,
  end: {
    readonly state: 'ended' | 'withdrawn' | 'lapsed';
    readonly at: number;
    readonly by: string;
    readonly why: string;
  },
): Promise<void> {
  await db
    .updateTable('elevations')
    .set({ state: end.state, ended_at: new Date(end.at), ended_by: end.by, ended_why: end.why })
    .where('id', '=', id)
    .execute();
}

/** What the clock ended, oldest first: live beyond their end, or asked for too long ago. */
export async function listDue(db: IdentityDb, now: number): Promise<Elevation[]> {
  const at = new Date(now);
  const rows = await db
    .selectFrom('elevations')
    .selectAll()
    .where((any) =>
      any.or([
        any.and([any('state', '=', 'live'), any('ends_at', '<=', at)]),
        any.and([any('state', '=', 'asked'), any('lapses_at', '<=', at)]),
      ]),
    )
    .orderBy('id')
    .limit(DUE_BATCH_MAX)
    .execute();
  return rows.map(elevationOf);
}

/** Over, and its grant is still to be taken: a process was killed in between, or somebody left. */
export async function listGrantsToTake(db: IdentityDb): Promise<{ id: string; grantId: string }[]> {
  const rows = await db
    .selectFrom('elevations')
    .select(['id', 'grant_id'])
    .where('grant_id', 'is not', null)
    .where('state', '=', 'ended')
    .limit(DUE_BATCH_MAX)
    .execute();
  return rows.flatMap(({ id, grant_id: grantId }) => (grantId === null ? [] : [{ id, grantId }]));
}

export async function forgetGrant(db: IdentityDb, id: string): Promise<void> {
  await db.updateTable('elevations').set({ grant_id: null }).where('id', '=', id).execute();
}

/** A leaver's: what is live ends, what was asked for is withdrawn. */
export async function endElevationsOf(db: IdentityDb, personId: string, now: number): Promise<void> {
  const over = { ended_at: new Date(now), ended_by: 'leaver', ended_why: 'The person was disabled.' };
  const of = db.updateTable('elevations').where('person_id', '=', personId);
  await of
    .set({ ...over, state: 'ended' })
    .where('state', '=', 'live')
    .execute();
  await of
    .set({ ...over, state: 'withdrawn' })
    .where('state', '=', 'asked')
    .execute();
}

/** Puts somebody into a group until then, or takes them out again. */
export async function setTimedMember(
  db: IdentityDb,
  of: { readonly groupId: string; readonly personId: string },
  until: { readonly at: number; readonly endsAt: number; readonly by: string } | null,
): Promise<void> {
  const { groupId, personId } = of;
  if (until === null) {
    await db
      .deleteFrom('group_members')
      .where('group_id', '=', groupId)
      .where('person_id', '=', personId)
      .where('by', '=', 'elevation')
      .execute();
    return;
  }
  const values = { added_by: until.by, added_at: new Date(until.at), ends_at: new Date(until.endsAt) };
  await db
    .insertInto('group_members')
    .values({ group_id: groupId, person_id: personId, by: 'elevation', ...values })
    .onConflict((conflict) => conflict.columns(['group_id', 'person_id', 'by']).doUpdateSet(values))
    .execute();
}

/** Who answers for an app that people sign on to. */
export async function findAppOwner(db: IdentityDb, appId: string): Promise<Approver | null> {
  const row = await db
    .selectFrom('sso_app_owners as o')
    .innerJoin('people as p', 'p.id', 'o.person_id')
    .select(['p.id', 'p.name'])
    .where('o.app_id', '=', appId)
    .where('p.status', '=', 'active')
    .executeTakeFirst();
  return row ?? null;
}

export async function saveAppOwner(db: IdentityDb, appId: string, personId: string | null): Promise<void> {
  if (personId === null) {
    await db.deleteFrom('sso_app_owners').where('app_id', '=', appId).execute();
    return;
  }
  await db
    .insertInto('sso_app_owners')
    .values({ app_id: appId, person_id: personId })
    .onConflict((conflict) => conflict.column('app_id').doUpdateSet({ person_id: personId }))
    .execute();
}
