import { IntegrationId, PersonId, readAudit } from '@cordon/kernel';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSoftwareAuthenticator, type FakeIdentity } from '../testing.ts';
import { type Answer, EXTENSION, startTestDirectory, SYSTEM, type TestDirectory } from './test-directory.ts';

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

let fake: FakeIdentity;
let directory: TestDirectory;
let counter = 0;

beforeAll(async () => {
  directory = await startTestDirectory();
  ({ fake } = directory);
});
afterAll(() => directory.stop());
beforeEach(() => void (fake.events.length = 0));

const send: TestDirectory['send'] = (...request) => directory.send(...request);

async function makeUser(fields: Record<string, unknown> = {}) {
  counter += 1;
  const made = await send('POST', '/Users', { userName: `user${counter}@example.com`, ...fields });
  expect(made.status).toBe(201);
  return made.body as unknown as { id: string; userName: string; meta: { version: string; location: string } };
}

async function patch(id: string, ...operations: object[]): Promise<Answer> {
  const answer = await send('PATCH', `/Users/${id}`, { schemas: [PATCH], Operations: operations });
  return answer.status === 204 ? send('GET', `/Users/${id}`) : answer;
}

describe('authentication', () => {
  test.each([
    ['nothing', ''],
    ['another kind of token', 'Bearer cordon_pat_abcdefghijklmnopqrstuvwxyz'],
    ['a made-up token', 'Bearer cordon_scim_abcdefghijklmnopqrstuvwxyz'],
    ['basic', 'Basic abc'],
  ])('refuses %s', async (_what, authorization) => {
    const { status, headers, body } = await send('GET', '/Users', undefined, { authorization });
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toBe('Bearer realm="scim"');
    expect(body).toMatchObject({ schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '401' });
  });

  test('a rotated token works on for its overlap, the new one from now on', async () => {
    const first = await fake.identity.scimTokens.create(SYSTEM, { name: 'Okta', days: 1 });
    const second = await fake.identity.scimTokens.rotate(SYSTEM, first.token.id, 60_000);
    const status = async (value: string) =>
      (await send('GET', '/Users', undefined, { authorization: `Bearer ${value}` })).status;
    expect([await status(first.value), await status(second.value)]).toEqual([200, 200]);
    fake.clock.advance(60_000);
    expect([await status(first.value), await status(second.value)]).toEqual([401, 200]);
    await fake.identity.scimTokens.revoke(SYSTEM, second.token.id);
    expect(await status(second.value)).toBe(401);
  });
});

describe('users', () => {
  test('are people from the moment they are provisioned', async () => {
    const made = await send('POST', '/Users', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', ENTERPRISE, EXTENSION],
      USERNAME: 'Ada@Example.com',
      externalId: 'e-1',
      name: { givenName: 'Ada', familyName: 'Moreau' },
      emails: [
        { value: 'home@example.com', type: 'home' },
        { value: 'ada.work@example.com', type: 'work', Primary: 'True' },
      ],
      [ENTERPRISE]: { Department: 'Research', manager: 'm-1' },
      [EXTENSION.toUpperCase()]: { badge: 'B7', floors: [1, '2'] },
      password: 'must not be kept',
      id: 'chosen by the client',
      groups: [{ value: 'chosen by the client' }],
      unknown: 'left out',
    });
    expect(made.status).toBe(201);
    expect(made.headers['content-type']).toContain('application/scim+json');
    expect(made.headers['location']).toBe((made.body as never as { meta: { location: string } }).meta.location);
    expect(made.body).toMatchObject({
      userName: 'Ada@Example.com',
      emails: [{ type: 'home' }, { type: 'work', primary: true }],
      [ENTERPRISE]: { department: 'Research', manager: { value: 'm-1' } },
      [EXTENSION]: { badge: 'B7', floors: [1, 2] },
    });
    for (const name of ['password', 'groups', 'unknown']) expect(made.body).not.toHaveProperty(name);
    const person = await fake.identity.people.get(SYSTEM, PersonId.parse(made.body['id']));
    expect(person).toMatchObject({
      name: 'Ada Moreau',
      email: 'ada.work@example.com',
      login: 'Ada@Example.com',
      status: 'invited',
      source: 'scim',
      roles: [],
    });
    expect(fake.events).toMatchObject([{ class_uid: 3001, activity_id: 1 }]);
  });

  test.each([
    ['no userName', { displayName: 'x' }, 400, 'invalidValue'],
    ['an empty userName', { userName: ' ' }, 400, 'invalidValue'],
    ['a list', [], 400, 'invalidSyntax'],
    ['a text where an object belongs', { userName: 'x1', name: 'Ada' }, 400, 'invalidValue'],
    ['a boolean that is none', { userName: 'x2', active: 'maybe' }, 400, 'invalidValue'],
    ['a taken userName, in another case', { userName: 'ADA@example.com' }, 409, 'uniqueness'],
  ])('refused: %s', async (_what, body, status, scimType) => {
    expect(await send('POST', '/Users', body)).toMatchObject({ status, body: { status: String(status), scimType } });
  });

  test('what is not JSON is refused in SCIM’s form', async () => {
    const headers = { authorization: `Bearer ${directory.token}`, 'content-type': 'application/json' };
    const response = await directory.server.inject({
      method: 'POST',
      url: '/scim/v2/Users',
      headers,
      payload: '{"a": tre',
    });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ scimType: 'invalidSyntax' });
  });

  test('replaced as a whole: what is not given is gone', async () => {
    const user = await makeUser({ title: 'Engineer', nickName: 'Ad' });
    const replaced = await send('PUT', `/Users/${user.id}`, { userName: user.userName, title: 'Lead' });
    expect(replaced.body).toMatchObject({ title: 'Lead' });
    expect(replaced.body).not.toHaveProperty('nickName');
  });

  test('ETags: a change of a version that has passed is refused, an unchanged one is not sent again', async () => {
    const user = await makeUser();
    const stale = { 'if-match': user.meta.version };
    const changed = await send('PUT', `/Users/${user.id}`, { userName: user.userName, title: 'One' }, stale);
    expect(changed).toMatchObject({ status: 200, headers: { etag: 'W/"2"' } });
    for (const method of ['PUT', 'DELETE']) {
      expect((await send(method, `/Users/${user.id}`, { userName: user.userName }, stale)).status).toBe(412);
    }
    expect((await send('GET', `/Users/${user.id}`, undefined, { 'if-none-match': 'W/"2"' })).status).toBe(304);
    expect((await send('GET', `/Users/${user.id}`, undefined, { 'if-none-match': 'W/"1"' })).status).toBe(200);
  });

  test.each(['01890000-0000-7000-8000-00000000dead', 'nonsense', '..%2f..', "'; drop table people; --"])(
    'there is no user %j',
    async (id) => {
      expect((await send('GET', `/Users/${encodeURIComponent(id)}`)).status).toBe(404);
    },
  );
});

describe('a leaver', () => {
  /** A provisioned person with a browser session and an API token. */
  async function makeActive() {
    const user = await makeUser();
    const id = PersonId.parse(user.id);
    const link = await fake.identity.people.inviteAgain(SYSTEM, id);
    const browser = { ip: '198.51.100.1', agent: 'Test/1' };
    const started = await fake.identity.links.redeem({ token: link.token }, browser);
    const actor = { kind: 'person', id, name: 'x', roles: ['developer'] } as const;
    const principal = { actor, via: 'session', session: started.session, expiresAt: 0 } as const;
    const { challengeId, options } = await fake.identity.enrolment.passkeyOptions(principal);
    const response = createSoftwareAuthenticator(fake.publicUrl).create(options) as never; // the same JSON
    const enrolled = await fake.identity.enrolment.passkey(principal, { challengeId, response, name: 'Key' });
    const expiresAt = fake.clock.now() + 3_600_000;
    const made = await fake.identity.apiTokens.create(actor, { name: 'ci', roles: ['developer'], expiresAt });
    const isIn = async () => {
      const headers = [
        { cookie: `__Host-cordon_session=${enrolled.started?.secret}`, 'user-agent': browser.agent },
        { authorization: `Bearer ${made.value}` },
      ];
      const found = [];
      for (const one of headers) {
        found.push(await fake.identity.authenticator.principal({ method: 'GET', headers: one, ip: browser.ip }));
      }
      return found.map((principal) => principal !== null);
    };
    return { id, isIn };
  }

  const ways: [string, (id: string) => Promise<Answer>][] = [
    ['Entra’s form', (id) => patch(id, { op: 'Replace', path: 'active', value: 'False' })],
    ['Okta’s form', (id) => patch(id, { op: 'replace', value: { active: false } })],
    ['a replacement', (id) => send('PUT', `/Users/${id}`, { userName: `leaver-${id}`, active: false })],
    ['a deletion', (id) => send('DELETE', `/Users/${id}`)],
  ];
  test.each(ways)('has nothing left after %s, in one transaction', async (_what, leave) => {
    const { id, isIn } = await makeActive();
    expect(await isIn()).toEqual([true, true]);
    await leave(id);
    expect(await isIn()).toEqual([false, false]);
    expect(fake.revocations.at(-1)).toMatchObject({ personId: id });
    expect((await fake.identity.people.get(SYSTEM, id)).status).toBe('disabled');
    const actions = (await readAudit(fake.db, { limit: 5 })).map((record) => record.action);
    expect(actions).toContain('person.disabled');
  });

  test('comes back by the directory’s word only, and with the factors they had', async () => {
    const { id } = await makeActive();
    await patch(id, { op: 'replace', value: { active: false } });
    await patch(id, { op: 'replace', value: { active: true } });
    expect((await fake.identity.people.get(SYSTEM, id)).status).toBe('active');
    await fake.identity.people.disable(SYSTEM, id, 'by hand');
    await patch(id, { op: 'replace', path: 'title', value: 'Engineer' });
    expect((await fake.identity.people.get(SYSTEM, id)).status).toBe('disabled');
  });

  test('who is deleted gives the userName free', async () => {
    const user = await makeUser();
    await send('DELETE', `/Users/${user.id}`);
    expect((await send('GET', `/Users/${user.id}`)).status).toBe(404);
    expect((await send('POST', '/Users', { userName: user.userName })).status).toBe(201);
  });

  test('integrations are not people’s: their tokens stay', async () => {
    const auth = { method: 'client_secret_basic' } as const;
    const integrationId = IntegrationId.create();
    await fake.identity.oauthClients.create(SYSTEM, { integrationId, name: 'sync', auth });
    const { id } = await makeActive();
    await patch(id, { op: 'replace', value: { active: false } });
    expect(await fake.identity.oauthClients.list(SYSTEM, integrationId)).toMatchObject([{ status: 'active' }]);
  });
});

describe('groups', () => {
  const readMembers = async (id: string): Promise<string[]> => {
    const members = (await send('GET', `/Groups/${id}`)).body['members'] as { value: string }[] | undefined;
    return (members ?? []).map((member) => member.value);
  };
  const makeGroup = async (members: string[] = []) => {
    counter += 1;
    const body = { displayName: `Group ${counter}`, members: members.map((value) => ({ value })) };
    return String((await send('POST', '/Groups', body)).body['id']);
  };

  const forms: [string, (a: string, b: string) => object[], (a: string, b: string) => string[]][] = [
    ['Entra adds', (_a, b) => [{ op: 'Add', path: 'members', value: [{ $ref: null, value: b }] }], (a, b) => [a, b]],
    ['adding who is in already', (a) => [{ op: 'add', path: 'members', value: [{ value: a }] }], (a) => [a]],
    ['Entra removes', (a) => [{ op: 'Remove', path: 'members', value: [{ $ref: null, value: a }] }], () => []],
    ['Okta removes', (a) => [{ op: 'remove', path: `members[value eq "${a}"]` }], () => []],
    ['Okta replaces', (_a, b) => [{ op: 'replace', path: 'members', value: [{ value: b }] }], (_a, b) => [b]],
    ['Okta renames', (a) => [{ op: 'replace', value: { id: a, displayName: 'New name' } }], (a) => [a]],
    ['removing all', () => [{ op: 'remove', path: 'members' }], () => []],
  ];
  test.each(forms)('%s', async (_what, operations, expected) => {
    const [first, second] = [await makeUser(), await makeUser()];
    const group = await makeGroup([first.id]);
    const changed = await send('PATCH', `/Groups/${group}`, { Operations: operations(first.id, second.id) });
    expect(changed.status).toBe(204);
    expect(await readMembers(group)).toEqual(expected(first.id, second.id).sort());
  });

  test.each([
    ['nobody', '01890000-0000-7000-8000-00000000dead'],
    ['nonsense', 'string id 1'],
  ])('a member that is %s is refused', async (_what, value) => {
    const body = { Operations: [{ op: 'add', path: 'members', value: [{ value }] }] };
    expect(await send('PATCH', `/Groups/${await makeGroup()}`, body)).toMatchObject({
      status: 400,
      body: { scimType: 'invalidValue' },
    });
  });

  test('give roles to those who are in, and take them from those who leave', async () => {
    const user = await makeUser();
    const id = PersonId.parse(user.id);
    const roles = async () => (await fake.identity.people.get(SYSTEM, id)).roles;
    const group = await makeGroup([user.id]);
    await fake.identity.groups.setRoles(SYSTEM, group, ['developer', 'auditor']);
    expect(await roles()).toEqual(['developer', 'auditor']);
    const other = await makeGroup([user.id]);
    await fake.identity.groups.setRoles(SYSTEM, other, ['auditor']);
    await send('PATCH', `/Groups/${group}`, { Operations: [{ op: 'remove', path: 'members' }] });
    expect(await roles()).toEqual(['auditor']);
    await send('DELETE', `/Groups/${other}`);
    expect(await roles()).toEqual([]);
    expect((await readAudit(fake.db, { limit: 2 })).map((record) => record.action)).toContain('person.roles_changed');
  });

  test('roles in the directory’s document give none', async () => {
    const user = await makeUser({ roles: [{ value: 'owner' }], entitlements: [{ value: 'owner' }] });
    expect((await fake.identity.people.get(SYSTEM, PersonId.parse(user.id))).roles).toEqual([]);
  });

  test('are shown with their users, unless spared', async () => {
    const user = await makeUser();
    const group = await makeGroup([user.id]);
    expect((await send('GET', `/Users/${user.id}`)).body['groups']).toMatchObject([{ value: group, type: 'direct' }]);
    expect((await send('GET', `/Groups/${group}?excludedAttributes=members`)).body).not.toHaveProperty('members');
    expect((await send('GET', `/Groups/${group}?attributes=displayName`)).body).not.toHaveProperty('members');
  });
});

describe('bulk', () => {
  test('runs operations in their own transactions, and references between them in any order', async () => {
    counter += 1;
    const { status, body } = await send('POST', '/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [
        {
          method: 'POST',
          path: '/Groups',
          bulkId: 'g',
          data: { displayName: 'Bulk', members: [{ value: 'bulkId:u' }] },
        },
        { method: 'POST', path: '/Users', bulkId: 'u', data: { userName: `bulk${counter}` } },
        { method: 'PATCH', path: '/Users/bulkId:u', data: { Operations: [{ op: 'add', path: 'title', value: 'x' }] } },
        { method: 'POST', path: '/Users', bulkId: 'bad', data: {} },
      ],
    });
    expect(status).toBe(200);
    const operations = body['Operations'] as { bulkId?: string; method: string; status: string; location?: string }[];
    expect(operations.find((one) => one.bulkId === 'g')?.status).toBe('201');
    expect(operations.find((one) => one.method === 'PATCH')?.status).toBe('200');
    expect(operations.find((one) => one.bulkId === 'bad')).toMatchObject({
      status: '400',
      response: { scimType: 'invalidValue' },
    });
    const location = operations.find((one) => one.bulkId === 'g')?.location ?? '';
    expect((await send('GET', location.split('/scim/v2')[1] ?? '')).body['members']).toHaveLength(1);
  });

  test('stops after as many errors as it may have', async () => {
    const bad = { method: 'DELETE', path: '/Users/nobody' };
    const { body } = await send('POST', '/Bulk', { failOnErrors: 2, Operations: [bad, bad, bad, bad] });
    expect(body['Operations']).toHaveLength(2);
  });

  test.each([
    [
      'too many operations',
      { Operations: Array.from({ length: 201 }, () => ({ method: 'DELETE', path: '/Users/x' })) },
      413,
    ],
    ['no operations', { Operations: [] }, 400],
    ['no list', {}, 400],
  ])('refuses %s', async (_what, body, status) => {
    expect((await send('POST', '/Bulk', body)).status).toBe(status);
  });

  test('references in a circle fail by themselves', async () => {
    const group = (id: string, other: string) => ({
      method: 'POST',
      path: '/Groups',
      bulkId: id,
      data: { displayName: id, members: [{ value: `bulkId:${other}` }] },
    });
    const { body } = await send('POST', '/Bulk', { Operations: [group('a', 'b'), group('b', 'a')] });
    const statuses = (body['Operations'] as { status: string }[]).map((one) => one.status);
    expect(statuses[0]).toBe('409');
  });
});

describe('discovery', () => {
  test.each([
    ['/ServiceProviderConfig', { patch: { supported: true }, pagination: { cursor: true } }],
    ['/ResourceTypes', { totalResults: 2 }],
    ['/ResourceTypes/User', { schemaExtensions: [{ schema: ENTERPRISE }, { schema: EXTENSION }] }],
    ['/Schemas', { totalResults: 4 }],
    [`/Schemas/${EXTENSION}`, { name: 'Acme', attributes: [{ name: 'badge' }, { name: 'floors', type: 'integer' }] }],
    ['/Schemas/', { totalResults: 4 }],
  ])('%s', async (path, expected) => {
    expect(await send('GET', path)).toMatchObject({ status: 200, body: expected });
  });

  test.each([
    ['GET', '/Schemas?filter=id%20pr', 403],
    ['GET', '/Schemas/urn:nothing', 404],
    ['GET', '/ResourceTypes/Nothing', 404],
    ['GET', '/Me', 501],
  ])('%s %s is answered %d', async (method, path, status) => {
    expect((await send(method, path)).status).toBe(status);
  });
});
