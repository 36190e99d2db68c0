import { type Actor, appendAudit, PersonId, type SessionId, type Transaction } from '@cordon/kernel';
import { sql } from 'kysely';
import { z } from 'zod';
import { type IdentityContext, type IdentityDb, tablesOf } from '../context.ts';
import { accountChangeEvent, authenticationEvent } from '../events.ts';
import type { Person } from '../people/person.ts';
import { findPerson, findPersonByLogin, lockPerson } from '../people/person-store.ts';
import { deleteSession, deleteSessionsOf } from '../sessions/session-store.ts';
import { findAccount } from '../upstream/account-store.ts';
import { issuerOf } from '../upstream/provider.ts';
import { listProviders } from '../upstream/provider-store.ts';
import { liftHold, placeHold, setCompliance, setRisk } from './person-state-store.ts';
import type { ReceivedSet } from './set-token.ts';
import type { SignalName } from './signal-event.ts';
import type { SignalAct, SignalSource } from './source-store.ts';
import { partsOf, type SimpleSubject } from './subject.ts';

/** What came of an event: shown beside it. */
export interface ActOutcome {
  readonly personId: string | null;
  readonly outcome: string;
  readonly detail: Record<string, unknown>;
}

async function personOf(context: IdentityContext, db: IdentityDb, subject: SimpleSubject): Promise<Person | undefined> {
  if (subject.format === 'email') return findPersonByLogin(db, subject.email);
  if (subject.format === 'account') return findPersonByLogin(db, subject.uri.replace(/^acct:/, ''));
  if (subject.format !== 'iss_sub') return undefined;
  if (subject.iss === `${context.config.publicUrl}/sso`) {
    return /^[0-9a-f-]{36}$/.test(subject.sub) ? findPerson(db, PersonId.parse(subject.sub)) : undefined;
  }
  for (const provider of await listProviders(db)) {
    if (issuerOf(provider.settings) !== subject.iss) continue;
    const account = await findAccount(db, provider.id, { subject: subject.sub });
    if (account) return findPerson(db, account.personId);
  }
  return undefined;
}

/** Sessions here that came from the session that was named there; none when that isn't known. */
async function sessionsOf(db: IdentityDb, person: Person, named: readonly SimpleSubject[]): Promise<SessionId[]> {
  const ids = named.flatMap((one) => (one.format === 'opaque' ? [one.id] : []));
  if (ids.length === 0) return [];
  const { rows } = await sql<{ id: SessionId }>`
    select s.id from sessions s join upstream_sessions u on u.session_id = s.id
    where s.person_id = ${person.id}::uuid and u.sid in (${sql.join(ids)})`.execute(db);
  return rows.map(({ id }) => id);
}

const complianceSchema = z.object({ current_status: z.enum(['compliant', 'not-compliant']) });
const riskSchema = z.object({ current_level: z.enum(['LOW', 'MEDIUM', 'HIGH']) });
const directionSchema = z.object({ change_direction: z.enum(['increase', 'decrease']).optional() });

/** Whether the event speaks for the person: a stronger sign-in or a new factor is no reason to end anything. */
function isHarmless(name: SignalName, event: ReceivedSet['event']): boolean {
  if (name === 'assurance-level-change') return directionSchema.safeParse(event).data?.change_direction === 'increase';
  return name === 'credential-change' && event['change_type'] === 'create';
}

/** Acts of one event, in the transaction that keeps it. */
export function createSignalActs(context: IdentityContext) {
  const { clock } = context;

  const endSessions = async (tx: Transaction, person: Person, set: ReceivedSet): Promise<Record<string, unknown>> => {
    const tables = tablesOf(tx);
    const { session } = partsOf(set.subject);
    const named = await sessionsOf(tables, person, session);
    for (const id of named) await deleteSession(tables, id);
    // A session of theirs that nobody knows here: all of the person's, which is the safe side.
    const ended = named.length > 0 ? named.length : await deleteSessionsOf(tables, person.id);
    return { ended, named: named.length > 0 };
  };

  const hold = async (
    tx: Transaction,
    source: SignalSource,
    person: Person,
    name: SignalName,
    kind: 'suspended' | 'factor-reset',
  ) => {
    const tables = tablesOf(tx);
    const ended = await deleteSessionsOf(tables, person.id);
    // Nobody outside may shut out those who could let everybody in again.
    if (person.roles.includes('owner')) return { ended, held: false, because: 'owners are not held by a signal' };
    const reason = `${source.name}: ${name}`;
    await placeHold(tables, person.id, { kind, source: source.id, reason, at: clock.now() });
    return { ended, held: true, hold: kind };
  };

  const perform = async (
    tx: Transaction,
    source: SignalSource,
    person: Person,
    set: ReceivedSet,
    name: SignalName,
    act: SignalAct,
  ): Promise<Record<string, unknown>> => {
    const tables = tablesOf(tx);
    switch (act) {
      case 'end-sessions':
        return endSessions(tx, person, set);
      case 'require-factor': {
        const result = await tables
          .updateTable('sessions')
          .set({ strong_auth_at: null })
          .where('person_id', '=', person.id)
          .executeTakeFirst();
        return { sessions: Number(result.numUpdatedRows) };
      }
      case 'factor-reset':
        return hold(tx, source, person, name, 'factor-reset');
      case 'suspend':
        return hold(tx, source, person, name, 'suspended');
      case 'restore':
        return { lifted: await liftHold(tables, person.id, source.id) };
      case 'note-compliance': {
        const { current_status: compliance } = complianceSchema.parse(set.event);
        await setCompliance(tables, person.id, compliance);
        return { compliance };
      }
      case 'note-risk': {
        const { current_level: risk } = riskSchema.parse(set.event);
        await setRisk(tables, person.id, risk);
        return { risk };
      }
      default:
        return {};
    }
  };

  const emit = (source: SignalSource, person: Person, name: SignalName, act: SignalAct, actor: Actor): void => {
    const reason = `${source.name} told of ${name}; ${act}.`;
    const at = clock.now();
    if (act === 'end-sessions' || act === 'factor-reset' || act === 'suspend') {
      context.emit(
        authenticationEvent('logoff', {
          at,
          outcome: 'success',
          severity: 'medium',
          reason,
          user: person,
          methods: ['session'],
        }),
      );
    }
    if (act === 'none') return;
    context.emit(
      accountChangeEvent(act === 'suspend' ? 'lock' : act === 'restore' ? 'unlock' : 'other', {
        at,
        outcome: 'success',
        severity: 'medium',
        activityName: 'Shared signal',
        reason,
        actor,
        user: person,
      }),
    );
  };

  return async (
    tx: Transaction,
    source: SignalSource,
    set: ReceivedSet,
    name: SignalName,
  ): Promise<{ result: ActOutcome; report: () => void }> => {
    const tables = tablesOf(tx);
    const quiet = (): void => undefined;
    let found: Person | undefined;
    for (const one of partsOf(set.subject).user) found ??= await personOf(context, tables, one);
    if (!found) return { result: { personId: null, outcome: 'nobody here', detail: {} }, report: quiet };
    const person = await lockPerson(tables, found.id);
    if (!person) return { result: { personId: null, outcome: 'nobody here', detail: {} }, report: quiet };
    const act = isHarmless(name, set.event) ? 'none' : source.acts[name];
    // What follows from this is told to others, but not back to whoever told us; see migration 0022.
    await sql`select set_config('cordon.signal_origin', ${source.issuer}, true)`.execute(tables);
    const detail = { ...(await perform(tx, source, person, set, name, act)), act };
    const actor: Actor = { kind: 'system', name: `shared signals: ${source.name}` };
    await appendAudit(tx, {
      actor,
      action: 'signal.received',
      target: { type: 'person', id: person.id, name: person.name },
      detail: { source: source.id, jti: set.jti, event: name, ...detail },
      at: clock.now(),
    });
    return {
      result: { personId: person.id, outcome: act === 'none' ? 'noted' : act, detail },
      report: () => emit(source, person, name, act, actor),
    };
  };
}
