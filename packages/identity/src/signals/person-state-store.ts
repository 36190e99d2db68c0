import type { IdentityDb } from '../context.ts';

/** Why somebody may not sign in, by what others said: suspended, or only after their factors were replaced. */
export type Hold = 'suspended' | 'factor-reset';
export type Compliance = 'compliant' | 'not-compliant' | 'unknown';

/** What others say of a person, by shared signals. */
export interface PersonState {
  readonly personId: string;
  readonly hold: Hold | null;
  readonly holdSource: string | null;
  readonly holdReason: string | null;
  readonly holdAt: number | null;
  readonly compliance: Compliance;
  readonly risk: 'LOW' | 'MEDIUM' | 'HIGH' | 'unknown';
}

const HOLDS_PAGE_MAX = 200;

interface Row {
  person_id: string;
  hold: Hold | null;
  hold_source: string | null;
  hold_reason: string | null;
  hold_at: Date | null;
  compliance: Compliance;
  risk: PersonState['risk'];
}

function stateOf(row: Row): PersonState {
  return {
    personId: row.person_id,
    hold: row.hold,
    holdSource: row.hold_source,
    holdReason: row.hold_reason,
    holdAt: row.hold_at?.getTime() ?? null,
    compliance: row.compliance,
    risk: row.risk,
  };
}

export async function findPersonState(db: IdentityDb, personId: string): Promise<PersonState> {
  const row = await db.selectFrom('person_states').selectAll().where('person_id', '=', personId).executeTakeFirst();
  const nothing = { hold: null, hold_source: null, hold_reason: null, hold_at: null } as const;
  return stateOf(row ?? { person_id: personId, ...nothing, compliance: 'unknown', risk: 'unknown' });
}

export async function listHolds(db: IdentityDb): Promise<PersonState[]> {
  const rows = await db
    .selectFrom('person_states')
    .selectAll()
    .where('hold', 'is not', null)
    .orderBy('hold_at', 'desc')
    .limit(HOLDS_PAGE_MAX)
    .execute();
  return rows.map(stateOf);
}

async function putState(db: IdentityDb, personId: string, change: Partial<Omit<Row, 'person_id'>>): Promise<void> {
  await db
    .insertInto('person_states')
    .values({ person_id: personId, compliance: 'unknown', risk: 'unknown', ...change })
    .onConflict((conflict) => conflict.column('person_id').doUpdateSet(change))
    .execute();
}

/** A suspension is not weakened by a later hold of the other kind. */
export async function placeHold(
  db: IdentityDb,
  personId: string,
  hold: { readonly kind: Hold; readonly source: string; readonly reason: string; readonly at: number },
): Promise<void> {
  if (hold.kind === 'factor-reset' && (await findPersonState(db, personId)).hold === 'suspended') return;
  await putState(db, personId, {
    hold: hold.kind,
    hold_source: hold.source,
    hold_reason: hold.reason,
    hold_at: new Date(hold.at),
  });
}

/** With `source`: only a hold that came from there. Whether there was one. */
export async function liftHold(db: IdentityDb, personId: string, source?: string): Promise<boolean> {
  let query = db
    .updateTable('person_states')
    .set({ hold: null, hold_source: null, hold_reason: null, hold_at: null })
    .where('person_id', '=', personId)
    .where('hold', 'is not', null);
  if (source !== undefined) query = query.where('hold_source', '=', source);
  return (await query.executeTakeFirst()).numUpdatedRows === 1n;
}

export function setCompliance(db: IdentityDb, personId: string, compliance: Compliance): Promise<void> {
  return putState(db, personId, { compliance });
}

export function setRisk(db: IdentityDb, personId: string, risk: PersonState['risk']): Promise<void> {
  return putState(db, personId, { risk });
}
