import { type Actor, PersonId, readAudit, type Role } from '@cordon/kernel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findElevated } from '../groups/elevated.ts';
import type { Move } from '../groups/group.ts';
import { ssoSettings } from '../sso/sso-app.ts';
import type { IdentityTables } from '../tables.ts';
import { createFakeIdentity, type FakeIdentity } from '../testing.ts';
import { elevationInput } from './elevation.ts';

const MINUTE_MS = 60_000;
const OWNER: Actor = { kind: 'person', id: '01890000-0000-7000-8000-000000000001', name: 'Ada', roles: ['owner'] };
const INTEGRATION = '01890000-0000-7000-8000-0000000000aa';
const APP = '01890000-0000-7000-8000-0000000000bb';
const why = { reason: 'incident 42', minutes: 30 };

let fake: FakeIdentity;
let moves: Move[];
let given: Map<string, number>;
let ann: Extract<Actor, { kind: 'person' }>;
let ben: Extract<Actor, { kind: 'person' }>;

beforeEach(async () => {
  [moves, given] = [[], new Map()];
  fake = await createFakeIdentity({
    onMoved: async (_tx, { move }) => void moves.push(move),
    findIntegration: async () => ({ name: 'Sync', ownerId: ann.id, active: true }),
    checkIntegration: async (actor) => {
      if (actor.kind === 'person' && actor.id === ann.id) return;
      throw new Error('not yours');
    },
    operations: {
      findApp: async (id) => (id === APP ? { id, name: 'GitHub', owner: { id: ben.id, name: ben.name } } : null),
      give: async ({ elevationId, expiresAt }) => {
        given.set(elevationId, expiresAt);
        return elevationId;
      },
      take: async (id) => void given.delete(id),
    },
  });
  [ann, ben] = [await addPerson('ann'), await addPerson('ben')];
});
afterEach(() => fake.test.drop());

async function addPerson(name: string, roles: Role[] = ['developer']): Promise<Extract<Actor, { kind: 'person' }>> {
  const { person } = await fake.identity.people.invite(OWNER, { name, email: `${name}@example.com`, roles });
  const tables = fake.db.tables<IdentityTables>();
  await tables.updateTable('people').set({ status: 'active' }).where('id', '=', person.id).execute();
  return { kind: 'person', id: person.id, name, roles };
}
const ask = (actor: Actor, input: object) =>
  fake.identity.elevations.ask(actor, elevationInput.parse({ ...why, ...input }));
const approve = (actor: Actor, id: string) => fake.identity.elevations.decide(actor, id, { approve: true, note: 'ok' });
const elevatedOf = (actor: { id: string }) =>
  findElevated(fake.db.tables<IdentityTables>(), actor.id, fake.clock.now());

describe('a role for a while', () => {
  test('is had from the approval to the second it ends, without anything being run', async () => {
    const asked = await ask(ann, { kind: 'role', ref: 'security' });
    expect(await elevatedOf(ann)).toMatchObject({ roles: [] });
    const live = await approve(OWNER, asked.id);
    expect(live.endsAt).toBe(fake.clock.now() + 30 * MINUTE_MS);
    expect(await elevatedOf(ann)).toMatchObject({ roles: ['security'] });
    fake.clock.advance(30 * MINUTE_MS - 1);
    expect(await elevatedOf(ann)).toMatchObject({ roles: ['security'] });
    fake.clock.advance(1);
    expect(await elevatedOf(ann)).toMatchObject({ roles: [] });
  });

  test('its end is recorded once, with the moment when it was over, however late', async () => {
    const { id } = await ask(ann, { kind: 'role', ref: 'security' });
    const live = await approve(OWNER, id);
    fake.clock.advance(300 * MINUTE_MS);
    expect(await fake.identity.elevations.settleDue()).toBe(1);
    expect(await fake.identity.elevations.settleDue()).toBe(0);
    const [over] = await fake.identity.elevations.list(ann, 'own');
    expect(over).toMatchObject({ state: 'ended', endedAt: live.endsAt, endedBy: 'the clock' });
    const actions = (await readAudit(fake.db, { limit: 100 }))
      .map(({ action }) => action)
      .filter((one) => one.startsWith('elevation'));
    expect(actions.toSorted()).toEqual(['elevation.approved', 'elevation.asked', 'elevation.ended']);
    const events = fake.events.map((event) => event['activity_name']);
    expect(events).toContain('Elevation began');
    expect(events).toContain('Elevation ended');
  });

  test('gives no way to keep it', async () => {
    const { id } = await ask(ann, { kind: 'role', ref: 'owner' });
    await approve(OWNER, id);
    const elevated: Actor = { ...ann, roles: ['developer', 'owner'] };
    const self = PersonId.parse(ann.id);
    const change = fake.identity.people.change(elevated, self, { roles: ['owner'] });
    await expect(change).rejects.toMatchObject({ code: 'identity.role_beyond_own' });
  });

  test.each([
    ['oneself', () => ({ ...ann, roles: ['owner'] as const })],
    ['whoever does not answer for it', () => ben],
  ])('is not approved by %s', async (_name, who) => {
    const { id } = await ask(ann, { kind: 'role', ref: 'security' });
    await expect(approve(who(), id)).rejects.toMatchObject({
      code: expect.stringMatching(/identity\.elevation_(not_yours|not_found)/) as unknown,
    });
    expect(await elevatedOf(ann)).toMatchObject({ roles: [] });
  });

  test('is asked for once at a time, lapses after a day, and may be withdrawn', async () => {
    const { id } = await ask(ann, { kind: 'role', ref: 'security' });
    await expect(ask(ann, { kind: 'role', ref: 'security' })).rejects.toMatchObject({
      code: 'identity.elevation_state',
    });
    fake.clock.advance(24 * 60 * MINUTE_MS);
    await expect(approve(OWNER, id)).rejects.toMatchObject({ code: 'identity.elevation_state' });
    await fake.identity.elevations.settleDue();
    const again = await ask(ann, { kind: 'role', ref: 'security' });
    await fake.identity.elevations.end(ann, again.id, 'not needed');
    const states = (await fake.identity.elevations.list(ann, 'own')).map(({ state }) => state);
    expect(states).toEqual(['withdrawn', 'lapsed']);
  });

  test('ends with the person', async () => {
    const { id } = await ask(ann, { kind: 'role', ref: 'security' });
    await approve(OWNER, id);
    await fake.identity.people.disable(OWNER, PersonId.parse(ann.id), 'left');
    expect(await elevatedOf(ann)).toMatchObject({ roles: [] });
    expect(await fake.identity.elevations.list(ann, 'own')).toMatchObject([{ state: 'ended', endedBy: 'leaver' }]);
  });
});

describe('a group and an app for a while', () => {
  test('the owner of the group decides; what follows from it comes and goes with evidence', async () => {
    const { groups } = fake.identity;
    const ops = await groups.create(OWNER, { displayName: 'Ops', description: '', ownerId: ben.id });
    const made = await fake.identity.sso.apps.add(OWNER, {
      name: 'Console',
      catalogue: null,
      settings: ssoSettings.parse({ protocol: 'oidc', redirectUris: ['https://app.example/cb'] }),
      access: { everyone: false, roles: [], groups: [ops.id] },
      launchUrl: null,
      status: 'active',
    });
    const { id } = await ask(ann, { kind: 'group', ref: ops.id });
    expect(await fake.identity.elevations.list(ben, 'to-decide')).toMatchObject([{ id }]);
    await approve(ben, id);
    expect(moves).toMatchObject([{ person: { id: ann.id }, gained: [{ kind: 'app', name: 'Console' }], lost: [] }]);
    expect(await groups.membersOf(OWNER, [ops.id])).toMatchObject([{ id: ann.id }]);
    fake.clock.advance(30 * MINUTE_MS);
    expect(await groups.membersOf(OWNER, [ops.id])).toEqual([]);
    expect(await groups.access(OWNER, ann.id)).not.toContainEqual(expect.objectContaining({ kind: 'app' }));
    await fake.identity.elevations.settleDue();
    expect(moves.at(-1)).toMatchObject({ lost: [{ kind: 'app', name: 'Console' }] });

    await fake.identity.elevations.setAppOwner(OWNER, made.app.id, ben.id);
    const app = await ask(ann, { kind: 'app', ref: made.app.id });
    await approve(ben, app.id);
    expect(await groups.access(OWNER, ann.id)).toContainEqual({ kind: 'app', id: made.app.id, name: 'Console' });
    await fake.identity.elevations.end(ben, app.id, 'done early');
    expect(await groups.access(OWNER, ann.id)).not.toContainEqual(expect.objectContaining({ kind: 'app' }));
    expect(moves.at(-1)).toMatchObject({ lost: [{ name: 'Console' }], endedSignOns: { [made.app.id]: 0 } });
  });
});

describe('operations for an integration', () => {
  const input = { kind: 'operation', ref: APP, integrationId: INTEGRATION, operations: ['repos/delete'] };
  test('the owner of the app approves; the grant ends by itself, or is taken early', async () => {
    const { id } = await ask(ann, input);
    const live = await approve(ben, id);
    expect([...given.values()]).toEqual([live.endsAt]);
    await fake.identity.elevations.end(ann, id, 'done');
    expect(given.size).toBe(0);
  });

  test('a grant that a kill left behind is taken at the next look', async () => {
    const { id } = await ask(ann, input);
    await approve(ben, id);
    await fake.identity.people.disable(OWNER, PersonId.parse(ann.id), 'left');
    expect(given.size).toBe(1);
    await fake.identity.elevations.settleDue();
    expect(given.size).toBe(0);
  });

  test("whoever may not manage the integration can't ask", async () => {
    await expect(ask(ben, input)).rejects.toThrow('not yours');
  });
});
