import {
  type Actor,
  appendAudit,
  authorize,
  describeActor,
  IntegrationId,
  isAllowed,
  PersonId,
  type Transaction,
  uuidv7,
} from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import {
  ElevationNotFound,
  ElevationNotYours,
  ElevationState,
  GroupNotFound,
  InputInvalid,
  SsoAppNotFound,
} from '../errors.ts';
import { accountChangeEvent } from '../events.ts';
import { withAccess } from '../groups/access-change.ts';
import { listGroups, listGroupsOf } from '../groups/group-store.ts';
import { findPerson } from '../people/person-store.ts';
import { SsoAppId } from '../sso/sso-app.ts';
import { findApp, listApps } from '../sso/sso-app-store.ts';
import { type Approver, type Elevation, type ElevationInput, LAPSE_MS } from './elevation.ts';
import {
  findAppOwner,
  forgetGrant,
  insertElevation,
  listDue,
  listElevations,
  listGrantsToTake,
  lockElevation,
  saveAppOwner,
  saveDecision,
  saveEnd,
  setTimedMember,
} from './elevation-store.ts';

const MINUTE_MS = 60_000;
const CLOCK: Actor = { kind: 'system', name: 'the clock' };

export type Scope = 'own' | 'to-decide' | 'all';

/** Access for a while: asked for with a reason, approved by whoever answers for it, never by oneself. */
export interface Elevations {
  ask(actor: Actor, input: ElevationInput): Promise<Elevation>;
  list(actor: Actor, scope: Scope): Promise<Elevation[]>;
  /** What may be asked for, by name; whoever is signed in may ask. */
  choices(actor: Actor): Promise<Record<'groups' | 'apps', readonly { readonly id: string; readonly name: string }[]>>;
  /** Who decides about it; null: any owner of Cordon. */
  approver(elevation: Elevation): Promise<Approver | null>;
  decide(actor: Actor, id: string, decision: { readonly approve: boolean; readonly note: string }): Promise<Elevation>;
  /** Ends it early: whoever has it, whoever approved it, or who may suspend people. What nobody decided is withdrawn. */
  end(actor: Actor, id: string, why: string): Promise<Elevation>;
  setAppOwner(actor: Actor, appId: string, personId: string | null): Promise<void>;
  appOwner(actor: Actor, appId: string): Promise<Approver | null>;
  /**
   * Records what the clock ended: the access itself ended at that moment, wherever it is used, without this. Run it every
   * second or so in one place; after a kill it goes on where it was. Returns how many it settled.
   */
  settleDue(): Promise<number>;
}

export function createElevations(context: IdentityContext): Elevations {
  const { db, clock } = context;
  const now = (): number => clock.now();

  const approverOf = async ({ kind, ref }: Pick<Elevation, 'kind' | 'ref'>): Promise<Approver | null> => {
    if (kind === 'role') return null;
    if (kind === 'app') return findAppOwner(tablesOf(db), ref);
    if (kind === 'group') return (await listGroups(tablesOf(db), { id: ref, now: now() }))[0]?.owner ?? null;
    return (await context.operations?.findApp(ref))?.owner ?? null;
  };
  const mayDecide = async (actor: Actor, one: Elevation): Promise<boolean> => {
    if (actor.kind !== 'person' || actor.id === one.person.id) return false;
    return actor.roles.includes('owner') || (await approverOf(one))?.id === actor.id;
  };
  const audit = async (tx: Transaction, actor: Actor, action: string, one: Elevation, detail = {}): Promise<void> => {
    const { id, kind, name, reason, minutes, integration, operations } = one;
    const of = integration === null ? {} : { integration: integration.id, operations };
    await appendAudit(tx, {
      actor,
      action: `elevation.${action}`,
      target: { type: 'person', id: one.person.id, name: one.person.name },
      detail: { elevation: id, kind, what: name, reason, minutes, ...of, ...detail },
      at: now(),
    });
  };
  const report = (began: boolean, actor: Actor, one: Elevation): void => {
    const what = `${one.kind} ${one.name}${one.integration === null ? '' : ` for ${one.integration.name}`}`;
    const name = began ? 'Elevation began' : 'Elevation ended';
    const reason = began ? `${what}, for ${one.minutes} minutes: ${one.reason}` : `${what}: ${one.endedWhy ?? ''}`;
    context.emit(
      accountChangeEvent(began ? 'attachPolicy' : 'detachPolicy', {
        at: now(),
        outcome: 'success',
        severity: began && one.kind === 'role' ? 'medium' : 'low',
        actor,
        user: one.person,
        activityName: name,
        reason,
      }),
    );
  };

  const load = async (tx: Transaction, actor: Actor, id: string): Promise<Elevation> => {
    const one = await lockElevation(tablesOf(tx), id);
    const isSeen =
      one !== undefined &&
      (isAllowed(actor, 'person.read') ||
        isAllowed(actor, 'person.suspend') ||
        (actor.kind === 'person' && one.person.id === actor.id) ||
        (await mayDecide(actor, one)));
    if (!isSeen) throw new ElevationNotFound('There is no such elevation.', { elevation: id });
    return one;
  };

  /** What is asked for, by name; refuses what the person has anyway. */
  const describe = async (
    actor: Extract<Actor, { kind: 'person' }>,
    input: ElevationInput,
  ): Promise<Pick<Elevation, 'name' | 'integration' | 'operations'>> => {
    const plain = { integration: null, operations: [] };
    const { kind, ref } = input;
    if (kind === 'role') {
      const person = await findPerson(tablesOf(db), PersonId.parse(actor.id));
      if (person?.roles.includes(ref) === true) throw new ElevationState(`You have the role ${ref}.`);
      return { ...plain, name: ref };
    }
    if (kind === 'group') {
      const [group] = await listGroups(tablesOf(db), { id: ref, now: now() });
      if (!group) throw new GroupNotFound('There is no such group.');
      const has = await listGroupsOf(tablesOf(db), [actor.id], now());
      if (has.some(({ id }) => id === ref)) throw new ElevationState(`You are in ${group.displayName}.`);
      return { ...plain, name: group.displayName };
    }
    if (kind === 'app') {
      const app = await findApp(tablesOf(db), SsoAppId.parse(ref));
      if (!app) throw new SsoAppNotFound('There is no such app.');
      return { ...plain, name: app.name };
    }
    const app = await context.operations?.findApp(ref);
    if (!app) throw new InputInvalid('There is no such app behind the gateway.', { field: 'ref' });
    // Whoever may manage its credentials may ask for it; everybody else learns nothing about it.
    await context.checkIntegration?.(actor, IntegrationId.parse(input.integrationId));
    const integration = await context.findIntegration?.(input.integrationId);
    if (!integration?.active)
      throw new InputInvalid('There is no such active integration.', { field: 'integrationId' });
    return {
      name: app.name,
      integration: { id: input.integrationId, name: integration.name },
      operations: input.operations,
    };
  };

  /** Gives or takes what an elevation is about; with what follows from it, in the same transaction. */
  const carry = async (
    tx: Transaction,
    actor: Actor,
    one: Elevation,
    change: { readonly cause: string; readonly endsAt: number | null; readonly beforeAt?: number },
    save: () => Promise<void>,
  ) => {
    const tables = tablesOf(tx);
    const { cause, endsAt, beforeAt } = change;
    const people = one.kind === 'operation' ? [] : [one.person.id];
    const groups = one.kind === 'group' ? [one.ref] : [];
    return withAccess(
      context,
      tx,
      { actor, cause, groups, people, ...(beforeAt === undefined ? {} : { beforeAt }) },
      async () => {
        await save();
        if (one.kind !== 'group') return;
        const until = endsAt === null ? null : { at: now(), endsAt, by: describeActor(actor).name };
        await setTimedMember(tables, { groupId: one.ref, personId: one.person.id }, until);
      },
    );
  };

  const takeGrants = async (): Promise<void> => {
    for (const { id, grantId } of await listGrantsToTake(tablesOf(db))) {
      await context.operations?.take(grantId);
      await forgetGrant(tablesOf(db), id);
    }
  };

  /** Ends one that is live; `at` is when it was over, which may be a while ago. */
  const finish = async (
    tx: Transaction,
    actor: Actor,
    one: Elevation,
    end: { readonly at: number; readonly why: string },
  ): Promise<Elevation> => {
    const by = describeActor(actor).name;
    const cause = `The elevation to ${one.name} ended.`;
    const change = { cause, endsAt: null, beforeAt: Math.min(now(), (one.endsAt ?? now()) - 1) };
    await carry(tx, actor, one, change, () => saveEnd(tablesOf(tx), one.id, { state: 'ended', ...end, by }));
    const over: Elevation = { ...one, state: 'ended', endedAt: end.at, endedBy: by, endedWhy: end.why };
    await audit(tx, actor, 'ended', over, { why: end.why, endedAt: end.at });
    return over;
  };

  return {
    async ask(actor, input) {
      authorize(actor, 'session.self');
      if (actor.kind !== 'person')
        throw new ElevationNotYours('A person asks for an elevation, with their own session.');
      const what = await describe(actor, input);
      const at = now();
      const one: Elevation = {
        id: uuidv7(at),
        kind: input.kind,
        ref: input.ref,
        ...what,
        grantId: null,
        person: { id: actor.id, name: actor.name },
        reason: input.reason,
        minutes: input.minutes,
        state: 'asked',
        askedAt: at,
        lapsesAt: at + LAPSE_MS,
        decidedBy: null,
        decidedAt: null,
        note: null,
        endsAt: null,
        endedAt: null,
        endedBy: null,
        endedWhy: null,
      };
      await db.transaction(async (tx) => {
        if (!(await insertElevation(tablesOf(tx), one))) {
          throw new ElevationState('You asked for this already, or have it.', { ref: input.ref });
        }
        await audit(tx, actor, 'asked', one);
      });
      return one;
    },

    async list(actor, scope) {
      authorize(actor, scope === 'all' ? 'person.read' : 'session.self');
      if (scope === 'all') return listElevations(tablesOf(db), {});
      if (actor.kind !== 'person') return [];
      if (scope === 'own') return listElevations(tablesOf(db), { personId: actor.id });
      const asked = await listElevations(tablesOf(db), { states: ['asked'] });
      const mine: Elevation[] = [];
      for (const one of asked) if (one.lapsesAt > now() && (await mayDecide(actor, one))) mine.push(one);
      return mine;
    },

    async choices(actor) {
      authorize(actor, 'session.self');
      const groups = await listGroups(tablesOf(db), { now: now() });
      const apps = (await listApps(tablesOf(db))).filter(({ status }) => status === 'active');
      return {
        groups: groups.map(({ id, displayName }) => ({ id, name: displayName })),
        apps: apps.map(({ id, name }) => ({ id, name })),
      };
    },

    approver: approverOf,

    async decide(actor, id, { approve, note }) {
      authorize(actor, 'elevation.decide');
      if (actor.kind !== 'person') throw new ElevationNotYours('A person decides, in a session of their own.');
      const by = { id: actor.id, name: actor.name };
      const one = await db.transaction((tx) => load(tx, actor, id));
      if (one.person.id === actor.id) throw new ElevationNotYours('Nobody approves what they ask for themselves.');
      if (!(await mayDecide(actor, one))) {
        const who = (await approverOf(one))?.name ?? 'an owner of Cordon';
        throw new ElevationNotYours(`${who} decides about this.`);
      }
      const at = now();
      if (one.state !== 'asked' || one.lapsesAt <= at) {
        throw new ElevationState(`This is not open any more: ${one.state}.`, { state: one.state });
      }
      const endsAt = approve ? at + one.minutes * MINUTE_MS : null;
      // First the grant, which ends by itself whatever happens: a kill in between leaves nothing that lasts.
      const grantId =
        endsAt === null || one.integration === null
          ? null
          : ((await context.operations?.give({
              elevationId: one.id,
              integrationId: one.integration.id,
              appId: one.ref,
              operations: one.operations,
              expiresAt: endsAt,
              by: actor.name,
            })) ?? null);
      const decided = await db.transaction(async (tx) => {
        const again = await load(tx, actor, id);
        if (again.state !== 'asked')
          throw new ElevationState('Somebody else decided meanwhile.', { state: again.state });
        const person = await findPerson(tablesOf(tx), PersonId.parse(one.person.id));
        if (approve && person?.status !== 'active') throw new ElevationState(`${one.person.name} may not sign in.`);
        const state = approve ? ('live' as const) : ('refused' as const);
        const save = () => saveDecision(tablesOf(tx), id, { state, by, note, at, endsAt, grantId });
        if (approve) await carry(tx, actor, one, { cause: `An elevation to ${one.name} began.`, endsAt }, save);
        else await save();
        await audit(tx, actor, approve ? 'approved' : 'refused', one, { note, endsAt });
        return { ...one, state, decidedBy: by, decidedAt: at, note, endsAt, grantId };
      });
      if (approve) report(true, actor, decided);
      return decided;
    },

    async end(actor, id, why) {
      authorize(actor, 'session.self');
      const done = await db.transaction(async (tx) => {
        const one = await load(tx, actor, id);
        const isOwn = actor.kind === 'person' && [one.person.id, one.decidedBy?.id].includes(actor.id);
        if (!isOwn) authorize(actor, 'person.suspend');
        if (one.state === 'live') return finish(tx, actor, one, { at: Math.min(now(), one.endsAt ?? now()), why });
        if (one.state !== 'asked') throw new ElevationState(`This is over: ${one.state}.`, { state: one.state });
        const by = describeActor(actor).name;
        await saveEnd(tablesOf(tx), id, { state: 'withdrawn', at: now(), by, why });
        await audit(tx, actor, 'withdrawn', one, { why });
        return { ...one, state: 'withdrawn' as const, endedAt: now(), endedBy: by, endedWhy: why };
      });
      await takeGrants();
      if (done.state === 'ended') report(false, actor, done);
      return done;
    },

    async setAppOwner(actor, appId, personId) {
      authorize(actor, 'sso.write');
      await db.transaction(async (tx) => {
        const app = await findApp(tablesOf(tx), SsoAppId.parse(appId));
        if (!app) throw new SsoAppNotFound('There is no such app.');
        await saveAppOwner(tablesOf(tx), appId, personId);
        const target = { type: 'sso-app', id: appId, name: app.name };
        await appendAudit(tx, { actor, action: 'sso_app.owner_set', target, detail: { owner: personId }, at: now() });
      });
    },
    async appOwner(actor, appId) {
      authorize(actor, 'sso.read');
      return findAppOwner(tablesOf(db), appId);
    },

    async settleDue() {
      const due = await listDue(tablesOf(db), now());
      let settled = 0;
      for (const { id } of due) {
        const over = await db.transaction(async (tx) => {
          const one = await lockElevation(tablesOf(tx), id);
          if (one?.state === 'live' && one.endsAt !== null && one.endsAt <= now()) {
            return finish(tx, CLOCK, one, { at: one.endsAt, why: 'Its time was over.' });
          }
          if (one?.state !== 'asked') return null;
          const why = 'Nobody decided in time.';
          await saveEnd(tablesOf(tx), id, { state: 'lapsed', at: one.lapsesAt, by: CLOCK.name, why });
          await audit(tx, CLOCK, 'lapsed', one, { why });
          return null;
        });
        settled += 1;
        if (over) report(false, CLOCK, over);
      }
      await takeGrants();
      return settled;
    },
  };
}
