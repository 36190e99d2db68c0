import { type Actor, PersonId, type Role, ROLES } from '@cordon/kernel';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createFakeIdentity, createSoftwareAuthenticator, type FakeIdentity } from '../testing.ts';
import type { Principal } from '../sessions/session.ts';

let fake: FakeIdentity;
let owner: PersonId;
const BROWSER = { ip: '198.51.100.7', agent: 'Test/1' };
const SYSTEM: Actor = { kind: 'system', name: 'test' };

/** An active person, made the way people are made: by a link and a passkey. */
async function addActive(roles: readonly Role[], email: string): Promise<{ id: PersonId; secret: string }> {
  const { identity } = fake;
  const made = await identity.people.invite(SYSTEM, { name: email, email, roles });
  return { id: made.person.id, secret: await enrol(made.link.token) };
}

async function enrol(token: string, who: { name?: string; email?: string } = {}): Promise<string> {
  const { identity } = fake;
  const started = await identity.links.redeem({ token, ...who }, BROWSER);
  const principal: Principal = {
    actor: actorOf(started.person.id),
    via: 'session',
    session: started.session,
    expiresAt: 0,
  };
  const { challengeId, options } = await identity.enrolment.passkeyOptions(principal);
  const key = createSoftwareAuthenticator(fake.publicUrl);
  const response = key.create(options) as never; // the same JSON, under another name
  const enrolled = await identity.enrolment.passkey(principal, { challengeId, response, name: 'Key' });
  return enrolled.started?.secret ?? '';
}

function actorOf(id: PersonId, roles: readonly Role[] = ['owner']): Extract<Actor, { kind: 'person' }> {
  return { kind: 'person', id, name: 'someone', roles, strongAuthAt: fake.clock.now() };
}

async function whoIs(secret: string) {
  const headers = { cookie: `__Host-cordon_session=${secret}`, 'user-agent': BROWSER.agent };
  return fake.identity.authenticator.principal({ method: 'GET', headers, ip: BROWSER.ip });
}

async function whoHasToken(value: string) {
  const headers = { authorization: `Bearer ${value}` };
  return fake.identity.authenticator.principal({ method: 'GET', headers, ip: BROWSER.ip });
}

beforeAll(async () => {
  fake = await createFakeIdentity();
  const link = await fake.identity.links.createFirstOwnerLink();
  await enrol(link.token, { name: 'Ada', email: 'ada@example.com' });
  const [first] = await fake.identity.people.list(SYSTEM, { limit: 1 });
  if (!first) throw new Error('no owner');
  owner = first.id;
});
afterAll(() => fake.test.drop());
beforeEach(() => void (fake.events.length = 0));

describe('one-time links', () => {
  test('work once, also when two come at once', async () => {
    const { link } = await fake.identity.people.invite(SYSTEM, {
      name: 'Bo',
      email: 'bo1@example.com',
      roles: ['auditor'],
    });
    const tries = await Promise.allSettled(
      [1, 2, 3].map(() => fake.identity.links.redeem({ token: link.token }, BROWSER)),
    );
    expect(tries.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
  });

  test('end', async () => {
    const { link } = await fake.identity.people.invite(SYSTEM, {
      name: 'Bo',
      email: 'bo2@example.com',
      roles: ['auditor'],
    });
    fake.clock.advance(72 * 60 * 60_000);
    await expect(fake.identity.links.redeem({ token: link.token }, BROWSER)).rejects.toMatchObject({
      code: 'identity.link_invalid',
    });
  });

  test('a new one ends the one before', async () => {
    const made = await fake.identity.people.invite(SYSTEM, {
      name: 'Bo',
      email: 'bo3@example.com',
      roles: ['auditor'],
    });
    const again = await fake.identity.people.inviteAgain(SYSTEM, made.person.id);
    await expect(fake.identity.links.inspect(made.link.token)).rejects.toMatchObject({ code: 'identity.link_invalid' });
    expect(await fake.identity.links.inspect(again.token)).toMatchObject({ kind: 'invite' });
  });

  test('are stored as hashes only', async () => {
    const { link } = await fake.identity.people.invite(SYSTEM, {
      name: 'Bo',
      email: 'bo4@example.com',
      roles: ['auditor'],
    });
    const rows = await fake.db
      .tables<{ sign_in_links: { hash: Buffer } }>()
      .selectFrom('sign_in_links')
      .selectAll()
      .execute();
    expect(JSON.stringify(rows)).not.toContain(link.token);
  });
});

describe('a leaver', () => {
  test('loses sessions, API tokens and links in one step, and the composition is told', async () => {
    const { id, secret } = await addActive(['developer'], 'leaver@example.com');
    const actor = actorOf(id, ['developer']);
    const expiresAt = fake.clock.now() + 60_000;
    const token = await fake.identity.apiTokens.create(actor, { name: 'ci', roles: ['developer'], expiresAt });
    const recovery = await fake.identity.links.createRecoveryLink(SYSTEM, id);
    expect(await whoIs(secret)).not.toBeNull();

    expect(await fake.identity.people.disable(actorOf(owner), id, 'left')).toEqual({ sessions: 1, apiTokens: 1 });
    expect(await whoIs(secret)).toBeNull();
    expect(await whoHasToken(token.value)).toBeNull();
    await expect(fake.identity.links.inspect(recovery.token)).rejects.toMatchObject({ code: 'identity.link_invalid' });
    expect(fake.revocations.at(-1)).toMatchObject({ personId: id, reason: 'left' });
    expect(fake.events.at(-1)).toMatchObject({ class_uid: 3001, activity_id: 5 });
  });

  test('who may suspend but not give roles can’t shut out an owner', async () => {
    const { id } = await addActive(['security'], 'sec@example.com');
    await expect(fake.identity.people.disable(actorOf(id, ['security']), owner, 'coup')).rejects.toMatchObject({
      code: 'kernel.access_denied',
    });
  });
});

describe('the last owner', () => {
  const attempts: [string, () => Promise<unknown>][] = [
    ['can’t be disabled', () => fake.identity.people.disable(SYSTEM, owner, 'x')],
    ['can’t lose the role', () => fake.identity.people.change(SYSTEM, owner, { roles: ['auditor'] })],
  ];
  test.each(attempts)('%s', async (_what, attempt) => {
    await expect(attempt()).rejects.toMatchObject({ code: 'identity.owner_needed' });
  });

  test('of two owners who demote each other at once, one stays', async () => {
    const second = await addActive(['owner'], 'second@example.com');
    const tries = await Promise.allSettled([
      fake.identity.people.change(actorOf(owner), second.id, { roles: ['auditor'] }),
      fake.identity.people.change(actorOf(second.id), owner, { roles: ['auditor'] }),
    ]);
    expect(tries.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    const people = await fake.identity.people.list(SYSTEM, { limit: 200 });
    expect(people.filter((one) => one.roles.includes('owner') && one.status === 'active')).toHaveLength(1);
    const left = people.find((one) => one.roles.includes('owner') && one.status === 'active');
    await fake.identity.people.change(SYSTEM, owner, { roles: ['owner'] });
    if (left && left.id !== owner) await fake.identity.people.change(SYSTEM, left.id, { roles: ['auditor'] });
  });
});

describe('API tokens', () => {
  test('carry no role that their maker lacks', async () => {
    const actor = actorOf(owner, ['developer']);
    const expiresAt = fake.clock.now() + 60_000;
    for (const role of ROLES.filter((one) => one !== 'developer')) {
      await expect(
        fake.identity.apiTokens.create(actor, { name: 'x', roles: [role], expiresAt }),
      ).rejects.toMatchObject({
        code: 'identity.role_beyond_own',
      });
    }
  });

  test('lose what their person loses, and end', async () => {
    const { id } = await addActive(['developer', 'auditor'], 'two@example.com');
    const actor = actorOf(id, ['developer', 'auditor']);
    const expiresAt = fake.clock.now() + 60_000;
    const { value } = await fake.identity.apiTokens.create(actor, {
      name: 'x',
      roles: ['developer', 'auditor'],
      expiresAt,
    });
    expect((await whoHasToken(value))?.actor.roles).toEqual(['developer', 'auditor']);
    await fake.identity.people.change(SYSTEM, id, { roles: ['developer'] });
    expect((await whoHasToken(value))?.actor.roles).toEqual(['developer']);
    fake.clock.advance(60_000);
    expect(await whoHasToken(value)).toBeNull();
  });

  test('of services make no further tokens', async () => {
    const expiresAt = fake.clock.now() + 60_000;
    const made = await fake.identity.apiTokens.create(SYSTEM, { name: 'ci', roles: ['developer'], expiresAt });
    const principal = await whoHasToken(made.value);
    expect(principal?.actor).toMatchObject({ kind: 'client', name: 'ci' });
    const again = fake.identity.apiTokens.create(principal?.actor ?? SYSTEM, {
      name: 'x',
      roles: ['developer'],
      expiresAt,
    });
    await expect(again).rejects.toMatchObject({ code: 'identity.role_beyond_own' });
  });

  test('of others don’t exist', async () => {
    const expiresAt = fake.clock.now() + 60_000;
    const { token } = await fake.identity.apiTokens.create(actorOf(owner), { name: 'x', roles: ['owner'], expiresAt });
    const other = actorOf(PersonId.create(), ['developer']);
    await expect(fake.identity.apiTokens.revoke(other, token.id)).rejects.toMatchObject({
      code: 'identity.api_token_not_found',
    });
    await fake.identity.apiTokens.revoke(actorOf(owner), token.id);
  });

  test.each(['cordon_pat_', 'cordon_pat_x', 'Basic abc', ''])('a made-up value is nobody: %j', async (value) => {
    expect(await whoHasToken(value)).toBeNull();
  });
});

test('what expired is swept away', async () => {
  fake.clock.advance(400 * 24 * 60 * 60_000);
  await fake.identity.sweep();
  const tables = fake.db.tables<Record<string, object>>();
  for (const table of ['sessions', 'sign_in_links', 'auth_challenges', 'api_tokens']) {
    expect(await tables.selectFrom(table).selectAll().execute()).toEqual([]);
  }
});
