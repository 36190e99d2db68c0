import { type Actor, appendAudit, authorize, describeActor, PersonId, type Transaction } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { BreakGlassNotFound, InputInvalid, PersonExists } from '../errors.ts';
import { accountChangeEvent } from '../events.ts';
import { disablePerson, lockPersonAmongOwners } from '../people/disable-person.ts';
import { type MadeLink, makeLink } from '../people/links.ts';
import { insertPerson } from '../people/person-store.ts';
import {
  type BreakGlassAccount,
  type BreakGlassUse,
  deleteAccount,
  insertAccount,
  listAccounts,
  listUses,
  updateAccount,
} from './break-glass-store.ts';
import { BREAK_GLASS_NEEDED, checkBreakGlassRemains, isReady } from './break-glass-use.ts';

const WEBAUTHN_HANDLE_BYTES = 32;
const DAY_MS = 86_400_000;
/** How long an announced drill waits for its sign-in. */
const DRILL_WAIT_MS = 30 * 60_000;
/** What is overdue is said again so often. */
const TELL_EVERY_MS = 7 * DAY_MS;
const SYSTEM: Actor = { kind: 'system', name: 'break-glass' };

export type BreakGlassState = 'disabled' | 'unfinished' | 'unsealed' | 'overdue' | 'ready';

export interface BreakGlassView extends BreakGlassAccount {
  readonly state: BreakGlassState;
  readonly drillDueAt: number;
}

/** Accounts that don't depend on the corporate provider: alarmed on use, drilled, at least two. */
export interface BreakGlass {
  list(actor: Actor): Promise<{ accounts: BreakGlassView[]; ready: number; needed: number }>;
  uses(actor: Actor, id: string): Promise<BreakGlassUse[]>;
  /** An owner without a provider, and the link by which its passkey and recovery codes are made. */
  create(
    actor: Actor,
    input: { readonly name: string; readonly drillDays: number },
  ): Promise<{ account: BreakGlassView; link: MadeLink }>;
  /** The passkey and the codes lie in an envelope, with this seal, at this place. */
  seal(actor: Actor, id: string, input: { readonly place: string; readonly seal: string }): Promise<void>;
  /** Announces a drill: a sign-in within half an hour counts as one. */
  drill(actor: Actor, id: string): Promise<{ until: number }>;
  /** Disables it and makes it an ordinary account. */
  remove(actor: Actor, id: string, acknowledge: boolean): Promise<void>;
  /** Says what is overdue, as events; returns how many. Run it every few minutes in one place. */
  tellOverdue(): Promise<number>;
}

export function createBreakGlass(context: IdentityContext): BreakGlass {
  const { db, clock, emit } = context;
  const view = (one: BreakGlassAccount): BreakGlassView => {
    const drillDueAt = (one.lastDrillAt ?? one.createdAt) + one.drillDays * DAY_MS;
    const state: BreakGlassState =
      one.status === 'disabled'
        ? 'disabled'
        : !isReady(one)
          ? 'unfinished'
          : one.sealedAt === null
            ? 'unsealed'
            : drillDueAt <= clock.now()
              ? 'overdue'
              : 'ready';
    return { ...one, state, drillDueAt };
  };
  const load = async (source: Pick<Transaction, 'tables'>, id: string): Promise<BreakGlassView> => {
    const [found] = /^[0-9a-f-]{36}$/.test(id) ? await listAccounts(tablesOf(source), id) : [];
    if (!found) throw new BreakGlassNotFound('There is no such break-glass account.');
    return view(found);
  };
  const audit = (tx: Transaction, actor: Actor, action: string, one: { personId: string; name: string }, detail = {}) =>
    appendAudit(tx, {
      actor,
      action: `break_glass.${action}`,
      target: { type: 'person', id: one.personId, name: one.name },
      detail,
      at: clock.now(),
    });
  const report = (actor: Actor, one: { personId: string; name: string }, activityName: string, reason: string): void =>
    emit(
      accountChangeEvent('other', {
        at: clock.now(),
        outcome: 'success',
        severity: 'medium',
        actor,
        user: { id: one.personId, name: one.name },
        activityName,
        reason,
      }),
    );

  return {
    async list(actor) {
      authorize(actor, 'person.read');
      const accounts = (await listAccounts(tablesOf(db))).map(view);
      return { accounts, ready: accounts.filter(isReady).length, needed: BREAK_GLASS_NEEDED };
    },
    async uses(actor, id) {
      authorize(actor, 'person.read');
      await load(db, id);
      return listUses(tablesOf(db), id);
    },
    async create(actor, { name, drillDays }) {
      authorize(actor, 'person.write');
      const at = clock.now();
      const id = PersonId.create(at);
      // A domain that exists nowhere: no provider can claim it, and no mail leaves.
      const login = `${name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}@break-glass.invalid`;
      const link = await db.transaction(async (tx) => {
        const person = { id, name, email: login, login, status: 'invited', roles: ['owner'], source: 'local' } as const;
        const webauthnHandle = context.random(WEBAUTHN_HANDLE_BYTES);
        if (!(await insertPerson(tablesOf(tx), { ...person, webauthnHandle, at }))) {
          throw new PersonExists('There is an account of this name already.');
        }
        await insertAccount(tablesOf(tx), { personId: id, drillDays, by: describeActor(actor).name, at });
        await audit(tx, actor, 'made', { personId: id, name }, { login, drillDays });
        return makeLink(context, tx, { kind: 'invite', personId: id, actor });
      });
      report(actor, { personId: id, name }, 'Break-glass account made', 'An owner that no provider stands for.');
      return { account: await load(db, id), link };
    },
    async seal(actor, id, { place, seal }) {
      authorize(actor, 'person.write');
      await db.transaction(async (tx) => {
        const one = await load(tx, id);
        if (one.passkeys === 0)
          throw new InputInvalid('There is no passkey to put into the envelope yet.', { field: 'seal' });
        await updateAccount(tablesOf(tx), id, { seal: { place, seal, at: clock.now() } });
        await audit(tx, actor, 'sealed', one, { place, seal });
      });
    },
    async drill(actor, id) {
      authorize(actor, 'person.write');
      const until = clock.now() + DRILL_WAIT_MS;
      await db.transaction(async (tx) => {
        const one = await load(tx, id);
        if (!isReady(one)) throw new InputInvalid('It can not sign in yet: finish setting it up.', { field: 'id' });
        await updateAccount(tablesOf(tx), id, { drill: { until, by: describeActor(actor).name } });
        await audit(tx, actor, 'drill_announced', one, { until });
      });
      return { until };
    },
    async remove(actor, id, acknowledge) {
      authorize(actor, 'person.write');
      const one = await db.transaction(async (tx) => {
        const found = await load(tx, id);
        await checkBreakGlassRemains(tx, id, acknowledge);
        const person = await lockPersonAmongOwners(tx, PersonId.parse(id));
        if (person && person.status !== 'disabled') {
          await disablePerson(context, tx, actor, person, 'No longer a break-glass account.');
        }
        await deleteAccount(tablesOf(tx), id);
        await audit(tx, actor, 'removed', found, { acknowledge });
        return found;
      });
      report(
        actor,
        one,
        'Break-glass account removed',
        acknowledge ? 'Fewer than two may be left.' : 'Others are left.',
      );
    },
    async tellOverdue() {
      const now = clock.now();
      const due = (await listAccounts(tablesOf(db)))
        .map(view)
        .filter((one) => one.status !== 'disabled' && one.drillDueAt <= now)
        .filter(({ overdueToldAt }) => overdueToldAt === null || overdueToldAt + TELL_EVERY_MS <= now);
      for (const one of due) {
        await updateAccount(tablesOf(db), one.personId, { overdueToldAt: now });
        const since = new Date(one.drillDueAt).toISOString().slice(0, 10);
        report(SYSTEM, one, 'Break-glass drill overdue', `The drill of ${one.name} was due on ${since}.`);
      }
      return due.length;
    },
  };
}
