import { type Actor, PersonId, readAudit } from '@cordon/kernel';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestBrowser, startTestServer } from '../test-server.ts';
import { createFakeIdentity, createSoftwareAuthenticator, type FakeIdentity } from '../testing.ts';

const DAY_MS = 86_400_000;
const OWNER: Actor = { kind: 'person', id: '01890000-0000-7000-8000-000000000001', name: 'Ada', roles: ['owner'] };

let fake: FakeIdentity;
let server: FastifyInstance;
beforeEach(async () => {
  fake = await createFakeIdentity();
  ({ server } = await startTestServer(fake));
});
afterEach(async () => {
  await server.close();
  await fake.test.drop();
});

/** Makes an account, its passkey and codes, and a way to sign in with them. */
async function setUp(name: string) {
  const { account, link } = await fake.identity.breakGlass.create(OWNER, { name, drillDays: 90 });
  const browser = createTestBrowser(server, fake.publicUrl);
  await browser.send('POST', '/api/v1/auth/link', { token: link.token });
  const key = createSoftwareAuthenticator(fake.publicUrl);
  const { challengeId, options } = (await browser.send('POST', '/api/v1/auth/passkey/register/options')).json();
  await browser.send('POST', '/api/v1/auth/passkey/register/verify', {
    challengeId,
    response: key.create(options),
    name: 'Envelope',
  });
  await fake.identity.breakGlass.seal(OWNER, account.personId, { place: 'Safe 1', seal: `S-${name}` });
  return {
    id: account.personId,
    signIn: async () => {
      const fresh = createTestBrowser(server, fake.publicUrl);
      const asked = (await fresh.send('POST', '/api/v1/auth/passkey/options')).json();
      const response = key.get(asked.options);
      const { challengeId: challenge } = asked;
      return fresh.send('POST', '/api/v1/auth/passkey/verify', { challengeId: challenge, response });
    },
  };
}
const alarms = () =>
  fake.events.filter(({ activity_name: name }) => name === 'Break-glass account used' || name === 'Break-glass drill');

test('a use breaks the seal and is an alarm; an announced one is a drill with what it found', async () => {
  const [one] = [await setUp('Glass one'), await setUp('Glass two')];
  expect(alarms()).toEqual([]);
  const { breakGlass } = fake.identity;
  expect(await breakGlass.list(OWNER)).toMatchObject({ ready: 2, needed: 2, accounts: [{ state: 'ready' }, {}] });

  expect((await one.signIn()).statusCode).toBe(200);
  expect(alarms()).toMatchObject([{ severity_id: 4, activity_name: 'Break-glass account used' }]);
  const used = (await breakGlass.list(OWNER)).accounts.find(({ personId }) => personId === one.id);
  expect(used).toMatchObject({ state: 'unsealed', lastDrillAt: null });

  fake.clock.advance(1_000);
  await breakGlass.drill(OWNER, one.id);
  await one.signIn();
  expect(alarms().at(-1)).toMatchObject({ severity_id: 2, activity_name: 'Break-glass drill' });
  const [drill] = await breakGlass.uses(OWNER, one.id);
  expect(drill?.kind).toBe('drill');
  expect(drill?.findings.filter(({ ok }) => !ok).map(({ check }) => check)).toEqual([]);
  const sessions = await fake.identity.sessions.list(OWNER, PersonId.parse(one.id));
  expect(sessions[0]?.expiresAt).toBe(fake.clock.now() + 600_000);
  const actions = (await readAudit(fake.db, { limit: 100 })).map(({ action }) => action);
  expect(actions).toContain('break_glass.used');
  expect(actions).toContain('break_glass.drilled');
});

test('a drill that nobody came to counts as none, and a late sign-in is an alarm', async () => {
  const one = await setUp('Glass one');
  await fake.identity.breakGlass.drill(OWNER, one.id);
  fake.clock.advance(31 * 60_000);
  await one.signIn();
  expect(alarms()).toMatchObject([{ activity_name: 'Break-glass account used' }]);
});

test('what is overdue is said, and again after a week', async () => {
  const one = await setUp('Glass one');
  const { breakGlass } = fake.identity;
  expect(await breakGlass.tellOverdue()).toBe(0);
  fake.clock.advance(91 * DAY_MS);
  expect((await breakGlass.list(OWNER)).accounts[0]?.state).toBe('overdue');
  expect([await breakGlass.tellOverdue(), await breakGlass.tellOverdue()]).toEqual([1, 0]);
  fake.clock.advance(7 * DAY_MS);
  expect(await breakGlass.tellOverdue()).toBe(1);
  expect(fake.events.at(-1)).toMatchObject({ activity_name: 'Break-glass drill overdue', user: { uid: one.id } });
});

test('below two, nothing takes one away without the word of whoever saw the warning', async () => {
  const [one, two] = [await setUp('Glass one'), await setUp('Glass two')];
  const { people, breakGlass } = fake.identity;
  const id = PersonId.parse(one.id);
  const code = 'identity.break_glass_needed';
  await expect(people.disable(OWNER, id, 'tidying up')).rejects.toMatchObject({ code });
  await expect(people.resetFactors(OWNER, id)).rejects.toMatchObject({ code });
  await expect(breakGlass.remove(OWNER, two.id, false)).rejects.toMatchObject({ code });
  await breakGlass.remove(OWNER, one.id, true);
  expect(await breakGlass.list(OWNER)).toMatchObject({ ready: 1 });
  expect((await people.get(OWNER, id)).status).toBe('disabled');
});

test('roles can not be taken from one either', async () => {
  const one = await setUp('Glass one');
  await setUp('Glass two');
  const change = fake.identity.people.change(OWNER, PersonId.parse(one.id), { roles: ['auditor'] });
  await expect(change).rejects.toMatchObject({ code: 'identity.break_glass_needed' });
});
