import { type PersonId, uuidv7 } from '@cordon/kernel';
import { sql } from 'kysely';
import { z } from 'zod';
import type { IdentityDb } from '../context.ts';

const ACCOUNTS_MAX = 20;
const USES_PAGE_MAX = 100;

export const findingsSchema = z.array(z.object({ check: z.string(), ok: z.boolean(), detail: z.string() }));
export type Findings = z.output<typeof findingsSchema>;

/** An account for the day when the corporate provider is gone. */
export interface BreakGlassAccount {
  readonly personId: string;
  readonly name: string;
  readonly login: string;
  readonly status: 'invited' | 'active' | 'disabled';
  readonly isOwner: boolean;
  readonly passkeys: number;
  readonly recoveryCodes: number;
  readonly place: string;
  readonly seal: string;
  readonly sealedAt: number | null;
  readonly drillDays: number;
  readonly drillUntil: number | null;
  readonly lastDrillAt: number | null;
  readonly lastUsedAt: number | null;
  readonly overdueToldAt: number | null;
  readonly createdAt: number;
}

export interface BreakGlassUse {
  readonly id: string;
  readonly at: number;
  readonly kind: 'drill' | 'use';
  readonly ip: string;
  readonly methods: readonly string[];
  readonly findings: Findings;
}

interface Row {
  person_id: string;
  name: string;
  login: string;
  status: BreakGlassAccount['status'];
  is_owner: boolean;
  passkeys: number;
  codes: number;
  place: string;
  seal: string;
  sealed_at: Date | null;
  drill_days: number;
  drill_until: Date | null;
  last_drill_at: Date | null;
  last_used_at: Date | null;
  overdue_told_at: Date | null;
  created_at: Date;
}

export async function listAccounts(db: IdentityDb, personId?: string): Promise<BreakGlassAccount[]> {
  const found = await sql<Row>`
    select b.*, p.name, p.login, p.status, 'owner' = any(p.roles) as is_owner,
      (select count(*)::int from passkeys k where k.person_id = p.id) as passkeys,
      (select count(*)::int from recovery_codes c where c.person_id = p.id and c.used_at is null) as codes
    from break_glass b join people p on p.id = b.person_id
    where ${personId === undefined ? sql`true` : sql`b.person_id = ${personId}::uuid`}
    order by b.created_at limit ${ACCOUNTS_MAX}`.execute(db);
  return found.rows.map((row) => ({
    personId: row.person_id,
    name: row.name,
    login: row.login,
    status: row.status,
    isOwner: row.is_owner,
    passkeys: row.passkeys,
    recoveryCodes: row.codes,
    place: row.place,
    seal: row.seal,
    sealedAt: row.sealed_at?.getTime() ?? null,
    drillDays: row.drill_days,
    drillUntil: row.drill_until?.getTime() ?? null,
    lastDrillAt: row.last_drill_at?.getTime() ?? null,
    lastUsedAt: row.last_used_at?.getTime() ?? null,
    overdueToldAt: row.overdue_told_at?.getTime() ?? null,
    createdAt: row.created_at.getTime(),
  }));
}

export async function isBreakGlass(db: IdentityDb, personId: string): Promise<boolean> {
  const row = await db
    .selectFrom('break_glass')
    .select('person_id')
    .where('person_id', '=', personId)
    .executeTakeFirst();
  return row !== undefined;
}

export async function insertAccount(
  db: IdentityDb,
  account: { readonly personId: PersonId; readonly drillDays: number; readonly by: string; readonly at: number },
): Promise<void> {
  await db
    .insertInto('break_glass')
    .values({
      person_id: account.personId,
      drill_days: account.drillDays,
      sealed_at: null,
      drill_until: null,
      drill_by: null,
      last_drill_at: null,
      last_used_at: null,
      overdue_told_at: null,
      created_at: new Date(account.at),
      created_by: account.by,
    })
    .execute();
}

export interface AccountChange {
  readonly seal?: { readonly place: string; readonly seal: string; readonly at: number };
  readonly drill?: { readonly until: number; readonly by: string };
  readonly overdueToldAt?: number;
}

export async function updateAccount(db: IdentityDb, personId: string, change: AccountChange): Promise<void> {
  const { seal, drill, overdueToldAt } = change;
  await db
    .updateTable('break_glass')
    .set({
      ...(seal ? { place: seal.place, seal: seal.seal, sealed_at: new Date(seal.at) } : {}),
      ...(drill ? { drill_until: new Date(drill.until), drill_by: drill.by } : {}),
      ...(overdueToldAt === undefined ? {} : { overdue_told_at: new Date(overdueToldAt) }),
    })
    .where('person_id', '=', personId)
    .execute();
}

/** A sign-in broke the seal, whatever it was for. */
export async function insertUse(
  db: IdentityDb,
  use: {
    readonly personId: string;
    readonly at: number;
    readonly kind: 'drill' | 'use';
    readonly sessionId: string;
    readonly ip: string;
    readonly methods: readonly string[];
    readonly findings: Findings;
  },
): Promise<void> {
  const at = new Date(use.at);
  await db
    .insertInto('break_glass_uses')
    .values({
      id: uuidv7(use.at),
      person_id: use.personId,
      at,
      kind: use.kind,
      session_id: use.sessionId,
      ip: use.ip,
      methods: [...use.methods],
      findings: JSON.stringify(use.findings),
    })
    .execute();
  await db
    .updateTable('break_glass')
    .set({
      last_used_at: at,
      sealed_at: null,
      drill_until: null,
      ...(use.kind === 'drill' ? { last_drill_at: at, overdue_told_at: null } : {}),
    })
    .where('person_id', '=', use.personId)
    .execute();
}

/** Newest first. */
export async function listUses(db: IdentityDb, personId: string): Promise<BreakGlassUse[]> {
  const rows = await db
    .selectFrom('break_glass_uses')
    .selectAll()
    .where('person_id', '=', personId)
    .orderBy('at', 'desc')
    .limit(USES_PAGE_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    at: row.at.getTime(),
    kind: row.kind,
    ip: row.ip,
    methods: row.methods,
    findings: findingsSchema.parse(row.findings),
  }));
}

export async function deleteAccount(db: IdentityDb, personId: string): Promise<void> {
  await db.deleteFrom('break_glass').where('person_id', '=', personId).execute();
}
