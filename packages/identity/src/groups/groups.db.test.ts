import { type Actor, PersonId, readAudit } from '@cordon/kernel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestDirectory, type TestDirectory } from '../scim/test-directory.ts';
import { ssoSettings } from '../sso/sso-app.ts';
import { createFakeIdentity, type FakeIdentity } from '../testing.ts';
import type { Move } from './group.ts';

const OWNER: Actor = { kind: 'person', id: '01890000-0000-7000-8000-000000000001', name: 'Ada', roles: ['owner'] };
const AUDITOR: Actor = { ...OWNER, id: '01890000-0000-7000-8000-000000000002', roles: ['auditor'] };

let fake: FakeIdentity;
let moves: Move[];
let targets: Record<string, string>;
beforeEach(async () => {
  [moves, targets] = [[], {}];
  fake = await createFakeIdentity({
    groupTargets: async (_source, groups) =>
      Object.entries(targets).flatMap(([group, name]) => (groups.includes(group) ? [{ id: name, name }] : [])),
    onMoved: async (_tx, { move }) => void moves.push(move),
  });
});
afterEach(() => fake.test.drop());

const invite = async (name: string): Promise<string> =>
  (await fake.identity.people.invite(OWNER, { name, email: `${name}@example.com`, roles: ['developer'] })).person.id;
const group = (displayName: string) =>
  fake.identity.groups.create(OWNER, { displayName, description: '', ownerId: null });
const addApp = async (name: string, groups: string[]): Promise<string> => {
  const made = await fake.identity.sso.apps.add(OWNER, {
    name,
    catalogue: null,
    settings: ssoSettings.parse({ protocol: 'oidc', redirectUris: ['https://app.example/cb'] }),
    access: { everyone: false, roles: [], groups },
    launchUrl: null,
    status: 'active',
  });
  return made.app.id;
};

describe('a group kept in Cordon', () => {
  test('gives its members roles, apps and tools, and takes them again', async () => {
    const ann = await invite('ann');
    const sales = await group('Sales');
    await fake.identity.groups.setRoles(OWNER, sales.id, ['auditor']);
    const app = await addApp('CRM', [sales.id]);
    targets = { [sales.id]: 'Slack' };
    const given = [
      { kind: 'role', id: 'auditor', name: 'auditor' },
      { kind: 'app', id: app, name: 'CRM' },
      { kind: 'target', id: 'Slack', name: 'Slack' },
    ];
    expect(await fake.identity.groups.gives(OWNER, sales.id)).toEqual(given);

    const change = { add: [ann], remove: [] };
    const preview = await fake.identity.groups.preview(OWNER, sales.id, change);
    expect(preview).toEqual([{ person: { id: ann, name: 'ann' }, gained: given, lost: [] }]);
    expect(await fake.identity.groups.of(OWNER, [ann])).toEqual([]);
    expect((await fake.identity.people.get(OWNER, PersonId.parse(ann))).roles).toEqual(['developer']);

    moves = [];
    expect(await fake.identity.groups.setMembers(OWNER, sales.id, change)).toEqual(preview);
    expect(moves).toMatchObject([{ person: { id: ann }, isJoiner: true, gained: given, lost: [] }]);
    expect((await fake.identity.people.get(OWNER, PersonId.parse(ann))).roles).toEqual(['developer', 'auditor']);
    expect(await fake.identity.groups.access(OWNER, ann)).toContainEqual({ kind: 'app', id: app, name: 'CRM' });

    await fake.identity.groups.setMembers(OWNER, sales.id, { add: [], remove: [ann] });
    expect(moves.at(-1)).toMatchObject({ isJoiner: false, gained: [], lost: given, endedSignOns: { [app]: 0 } });
    expect((await fake.identity.people.get(OWNER, PersonId.parse(ann))).roles).toEqual(['developer']);
  });

  test('removing it takes what it gave from everybody, as the preview said', async () => {
    const [ann, ben] = [await invite('ann'), await invite('ben')];
    const [one, two] = [await group('One'), await group('Two')];
    await addApp('CRM', [one.id, two.id]);
    await fake.identity.groups.setMembers(OWNER, one.id, { add: [ann, ben], remove: [] });
    await fake.identity.groups.setMembers(OWNER, two.id, { add: [ben], remove: [] });
    const preview = await fake.identity.groups.preview(OWNER, one.id, 'removed');
    expect(preview.map(({ person }) => person.name)).toEqual(['ann']);
    expect(await fake.identity.groups.remove(OWNER, one.id)).toEqual(preview);
    await expect(fake.identity.groups.get(OWNER, one.id)).rejects.toMatchObject({ code: 'identity.group_not_found' });
  });

  test('a leaver is in none of them any more, also when enabled again', async () => {
    const ann = PersonId.parse(await invite('ann'));
    const sales = await group('Sales');
    await fake.identity.groups.setMembers(OWNER, sales.id, { add: [ann], remove: [] });
    await fake.identity.people.disable(OWNER, ann, 'left');
    await fake.identity.people.enable(OWNER, ann);
    expect(await fake.identity.groups.of(OWNER, [ann])).toEqual([]);
  });

  test.each([
    ['an auditor', AUDITOR, 'kernel.access_denied'],
    ['an owner for a while who puts themselves in', { ...OWNER, id: 'self' }, 'identity.role_beyond_own'],
  ])('%s changes nobody', async (_name, actor, code) => {
    const ann = await invite('ann');
    const sales = await group('Sales');
    const who = 'id' in actor && actor.id === 'self' ? { ...actor, id: ann } : actor;
    const change = { add: [ann], remove: [] };
    await expect(fake.identity.groups.setMembers(who, sales.id, change)).rejects.toMatchObject({ code });
  });

  test('every change is in the trail', async () => {
    const sales = await group('Sales');
    await fake.identity.groups.change(OWNER, sales.id, { displayName: 'Sales EU', ownerId: await invite('ann') });
    await fake.identity.groups.setMembers(OWNER, sales.id, { add: [await invite('ben')], remove: [] });
    const actions = (await readAudit(fake.db, { limit: 100 }))
      .map((record) => record.action)
      .filter((one) => one.startsWith('group'));
    expect(actions.toSorted()).toEqual(['group.changed', 'group.created', 'group.members_changed']);
    expect((await fake.identity.groups.get(OWNER, sales.id)).owner?.name).toBe('ann');
  });
});

describe('beside the directory', () => {
  let directory: TestDirectory;
  beforeEach(async () => {
    directory = await startTestDirectory();
  });
  afterEach(() => directory.stop());

  test('a group kept here is read over SCIM, and changed only here', async () => {
    const { identity } = directory.fake;
    const { body: user } = await directory.send('POST', '/Users', { userName: 'ann@example.com' });
    const made = await identity.groups.create(OWNER, { displayName: 'Sales', description: '', ownerId: null });
    await identity.groups.setMembers(OWNER, made.id, { add: [String(user['id'])], remove: [] });
    const { body } = await directory.send('GET', `/Groups/${made.id}`);
    expect(body).toMatchObject({ displayName: 'Sales', members: [{ value: user['id'] }] });
    const filter = encodeURIComponent(`members.value eq "${String(user['id'])}"`);
    expect((await directory.send('GET', `/Groups?filter=${filter}`)).body).toMatchObject({ totalResults: 1 });
    const Operations = [{ op: 'replace', path: 'displayName', value: 'Mine' }];
    expect((await directory.send('PATCH', `/Groups/${made.id}`, { Operations })).status).toBe(403);
    expect((await directory.send('DELETE', `/Groups/${made.id}`)).status).toBe(403);
  });

  test('a group of the directory is kept there, but has an owner and roles here', async () => {
    const { identity } = directory.fake;
    const { body } = await directory.send('POST', '/Groups', { displayName: 'Entra' });
    const id = String(body['id']);
    const change = { add: [], remove: [] };
    await expect(identity.groups.setMembers(OWNER, id, change)).rejects.toMatchObject({
      code: 'identity.group_kept_elsewhere',
    });
    await identity.groups.change(OWNER, id, { ownerId: null });
    await identity.groups.setRoles(OWNER, id, ['auditor']);
    expect(await identity.groups.get(OWNER, id)).toMatchObject({ keptBy: 'directory', roles: ['auditor'] });
  });
});
