import { appendAudit, type Transaction } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { BreakGlassNeeded } from '../errors.ts';
import { authenticationEvent } from '../events.ts';
import type { Person } from '../people/person.ts';
import type { Session } from '../sessions/session.ts';
import { type BreakGlassAccount, type Findings, insertUse, listAccounts } from './break-glass-store.ts';

/** How many must work: one may be lost on the day when it counts. */
export const BREAK_GLASS_NEEDED = 2;
/** A drill's session is a real one of an owner: it lasts no longer than looking takes. */
const DRILL_SESSION_MS = 10 * 60_000;
const CODES_MIN = 3;

/** What an account must have so that it works on the day. */
export function findingsOf(account: BreakGlassAccount, methods: readonly string[], ready: number): Findings {
  const strong = methods.includes('hwk')
    ? 'a passkey'
    : methods.includes('otp')
      ? 'a password with a code'
      : 'recovery';
  return [
    { check: 'signed in here, without a provider', ok: !methods.includes('fed'), detail: `With ${strong}.` },
    { check: 'strong factor', ok: methods.includes('hwk') || methods.includes('otp'), detail: methods.join(', ') },
    { check: 'passkey in the envelope', ok: account.passkeys > 0, detail: `${account.passkeys} passkeys.` },
    {
      check: 'recovery codes left',
      ok: account.recoveryCodes >= CODES_MIN,
      detail: `${account.recoveryCodes} of at least ${CODES_MIN}.`,
    },
    {
      check: 'is an owner',
      ok: account.isOwner,
      detail: account.isOwner ? 'May give roles.' : 'Give it the role owner.',
    },
    {
      check: 'a second account works',
      ok: ready >= BREAK_GLASS_NEEDED,
      detail: `${ready} of ${BREAK_GLASS_NEEDED} accounts can sign in.`,
    },
  ];
}

/** Whether it could sign in today. */
export const isReady = ({ status, passkeys, isOwner }: BreakGlassAccount): boolean =>
  status === 'active' && passkeys > 0 && isOwner;

/**
 * A full session of a break-glass account began: recorded, and an alarm. Told before the commit on purpose: an alarm for
 * a sign-in that was rolled back is better than none for one that wasn't.
 */
export async function noteBreakGlass(
  context: IdentityContext,
  tx: Transaction,
  person: Person,
  session: Session,
): Promise<void> {
  const tables = tablesOf(tx);
  const [account] = await listAccounts(tables, person.id);
  if (!account) return;
  const at = context.clock.now();
  // Setting up its first factors by the link that made it is no use of it; once it is sealed, everything is.
  if (account.sealedAt === null && account.lastUsedAt === null && session.amr.includes('link')) return;
  const isDrill = account.drillUntil !== null && account.drillUntil > at;
  const ready = (await listAccounts(tables)).filter(isReady).length;
  const findings = isDrill ? findingsOf(account, session.amr, ready) : [];
  const kind = isDrill ? ('drill' as const) : ('use' as const);
  const { ip, amr: methods } = session;
  await insertUse(tables, { personId: person.id, at, kind, sessionId: session.id, ip, methods, findings });
  if (isDrill) {
    const end = new Date(Math.min(session.expiresAt, at + DRILL_SESSION_MS));
    await tables.updateTable('sessions').set({ expires_at: end }).where('id', '=', session.id).execute();
  }
  const target = { type: 'person', id: person.id, name: person.name };
  await appendAudit(tx, {
    actor: { kind: 'person', id: person.id, name: person.name, roles: person.roles },
    action: isDrill ? 'break_glass.drilled' : 'break_glass.used',
    target,
    detail: { ip, methods, findings },
    at,
  });
  context.emit(
    authenticationEvent('logon', {
      at,
      outcome: 'success',
      severity: isDrill ? 'low' : 'high',
      activityName: isDrill ? 'Break-glass drill' : 'Break-glass account used',
      reason: isDrill
        ? `An announced drill of ${person.name}: ${findings.every(({ ok }) => ok) ? 'everything works' : 'something is missing'}.`
        : `${person.name} signed in. Nobody announced a drill.`,
      user: person,
      methods,
      mfa: methods.includes('hwk') || methods.length > 1,
      sessionId: session.id,
      ip,
      agent: session.agent,
    }),
  );
}

/** Warns before fewer than two would be left; `acknowledge` is a person's word that they saw it. */
export async function checkBreakGlassRemains(tx: Transaction, losing: string, acknowledge: boolean): Promise<void> {
  const accounts = await listAccounts(tablesOf(tx));
  if (acknowledge || !accounts.some(({ personId }) => personId === losing)) return;
  const left = accounts.filter((one) => one.personId !== losing && isReady(one)).length;
  if (left >= BREAK_GLASS_NEEDED) return;
  throw new BreakGlassNeeded(
    `Only ${left} break-glass accounts would be left; ${BREAK_GLASS_NEEDED} are needed. Make another first, or say that you know.`,
    { left, needed: BREAK_GLASS_NEEDED },
  );
}
