import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXTENSION, startTestDirectory, type TestDirectory } from './test-directory.ts';

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

let directory: TestDirectory;
beforeAll(async () => {
  directory = await startTestDirectory();
});
afterAll(() => directory.stop());

const send: TestDirectory['send'] = (...request) => directory.send(...request);

interface Page {
  readonly status: number;
  readonly body: {
    readonly totalResults: number;
    readonly itemsPerPage: number;
    readonly nextCursor?: string;
    readonly Resources: readonly { readonly userName: string }[];
  };
}

async function find(query: Record<string, string>): Promise<Page> {
  const answer: unknown = await send('GET', `/Users?${new URLSearchParams(query).toString()}`);
  return answer as Page; // a ListResponse; a test of a refusal looks at its status first
}

describe('lists', () => {
  beforeAll(async () => {
    const people = [
      ['zoe', 'Zoe', 'Research', 'zoe@corp.example', 3],
      ['yan', 'Yan', 'Sales', 'yan@corp.example', 10],
      ['xia', 'Xia', 'research', 'xia@home.example', 2],
    ] as const;
    for (const [userName, familyName, department, email, floor] of people) {
      await send('POST', '/Users', {
        userName,
        nickName: 'listed',
        active: userName !== 'yan',
        name: { familyName },
        emails: [{ value: email, type: 'work' }],
        externalId: `ext-${userName}`,
        [ENTERPRISE]: { department },
        [EXTENSION]: { badge: `B${floor}`, floors: [floor] },
      });
    }
  });

  const listed = 'nickName eq "listed"';

  test.each([
    ['userName eq "ZOE"', ['zoe']],
    ['USERNAME Eq "zoe"', ['zoe']],
    ['userName eq "zoe" or userName eq "yan"', ['yan', 'zoe']],
    [`${listed} and not (userName eq "zoe")`, ['xia', 'yan']],
    [`${listed} and userName ne "zoe"`, ['xia', 'yan']],
    [`${listed} and userName sw "z"`, ['zoe']],
    [`${listed} and userName ew "n"`, ['yan']],
    [`${listed} and userName co "I"`, ['xia']],
    [`${listed} and userName gt "xia" and userName le "yan"`, ['yan']],
    ['externalId eq "ext-yan"', ['yan']],
    ['externalId eq "EXT-yan"', []],
    [`${listed} and active eq false`, ['yan']],
    [`${listed} and active eq "True"`, ['xia', 'zoe']],
    [`${listed} and title pr`, []],
    [`${listed} and not (title pr)`, ['xia', 'yan', 'zoe']],
    [`${listed} and title eq null`, ['xia', 'yan', 'zoe']],
    [`${listed} and name.familyName eq "zoe"`, ['zoe']],
    [`${listed} and emails co "corp.example"`, ['yan', 'zoe']],
    [`${listed} and emails.value ew "home.example"`, ['xia']],
    [`${listed} and emails[type eq "work" and value co "corp"]`, ['yan', 'zoe']],
    [`${listed} and emails[type eq "home"]`, []],
    [`${ENTERPRISE}:department eq "research" and ${listed}`, ['xia', 'zoe']],
    [`urn:ietf:params:scim:schemas:core:2.0:User:userName eq "zoe"`, ['zoe']],
    [`${EXTENSION}:badge eq "b10"`, ['yan']],
    [`${listed} and meta.created gt "2011-05-13T04:42:34Z"`, ['xia', 'yan', 'zoe']],
    [`${listed} and meta.lastModified lt "2011-05-13T04:42:34Z"`, []],
    [`${listed} and (userName eq "zoe" or userName eq "yan") and active eq true`, ['zoe']],
    [`userName eq "zoe\\" or \\"1\\" eq \\"1"`, []],
    [`userName eq "' or 1=1 --"`, []],
  ])('%s', async (filter, expected) => {
    const { status, body } = await find({ filter, sortBy: 'userName' });
    expect(status).toBe(200);
    expect(body.Resources.map((user) => user.userName)).toEqual(expected);
    expect(body.totalResults).toBe(expected.length);
  });

  test.each([
    'userName eq zoe',
    'userName eq',
    'userName',
    'eq "x"',
    'userName eq "x" and',
    'userName eq "x" userName eq "y"',
    '(userName eq "x"',
    'userName eq "x")',
    'userName eq "x',
    'userName like "x"',
    'nothing eq "x"',
    'name eq "x"',
    'name.nothing eq "x"',
    'emails[type eq "work"',
    'emails[type[value eq "x"]]',
    'userName[value eq "x"]',
    'active gt true',
    'active eq "maybe"',
    'userName eq 5',
    'meta.created gt "soon"',
    'meta.version eq "x"',
    '__proto__ eq "x"',
    'constructor.prototype eq "x"',
    `${'('.repeat(30)}userName eq "x"${')'.repeat(30)}`,
    `userName eq "${'x'.repeat(5_000)}"`,
  ])('is no filter: %s', async (filter) => {
    expect(await find({ filter })).toMatchObject({ status: 400, body: { scimType: 'invalidFilter' } });
  });

  test('sorted, both ways, also by a value among several', async () => {
    const names = async (query: Record<string, string>) =>
      (await find({ filter: listed, ...query })).body.Resources.map((user) => user.userName);
    expect(await names({ sortBy: 'userName' })).toEqual(['xia', 'yan', 'zoe']);
    expect(await names({ sortBy: 'name.familyName', sortOrder: 'descending' })).toEqual(['zoe', 'yan', 'xia']);
    expect(await names({ sortBy: 'emails' })).toEqual(['xia', 'yan', 'zoe']);
    expect(await find({ sortBy: 'nothing.at.all' })).toMatchObject({ status: 400 });
  });

  test('pages by index', async () => {
    const { body } = await find({ filter: listed, sortBy: 'userName', startIndex: '2', count: '1' });
    expect(body).toMatchObject({ totalResults: 3, itemsPerPage: 1, startIndex: 2, Resources: [{ userName: 'yan' }] });
    expect((await find({ filter: listed, count: '0' })).body).toMatchObject({ totalResults: 3, Resources: [] });
    expect((await find({ filter: listed, count: '-1' })).body).toMatchObject({ totalResults: 3, Resources: [] });
    expect((await find({ filter: listed, startIndex: '-7' })).body).toMatchObject({ startIndex: 1, itemsPerPage: 3 });
    expect(await find({ count: 'many' })).toMatchObject({ status: 400, body: { scimType: 'invalidCount' } });
  });

  test.each(['userName', 'active', undefined])('pages by cursor, in the order of %s, each row once', async (sortBy) => {
    const seen: string[] = [];
    let cursor: string | undefined = '';
    while (cursor !== undefined) {
      const sort: Record<string, string> = sortBy === undefined ? {} : { sortBy, sortOrder: 'descending' };
      const page = await find({ filter: listed, count: '1', cursor, ...sort });
      expect(page.body).not.toHaveProperty('startIndex');
      seen.push(...page.body.Resources.map((user) => user.userName));
      cursor = page.body.nextCursor;
    }
    expect([...seen].sort()).toEqual(['xia', 'yan', 'zoe']);
  });

  test('a cursor of another query is refused', async () => {
    const { body } = await find({ filter: listed, count: '1', cursor: '' });
    const cursor = body.nextCursor ?? '';
    expect(await find({ filter: 'userName pr', count: '1', cursor })).toMatchObject({
      body: { scimType: 'invalidCursor' },
    });
    expect(await find({ cursor: 'e30' })).toMatchObject({ status: 400, body: { scimType: 'invalidCursor' } });
  });

  test('a search by POST finds the same', async () => {
    const { body } = await send('POST', '/Users/.search', { filter: 'userName eq "zoe"', attributes: ['userName'] });
    expect(body['Resources']).toEqual([{ schemas: expect.any(Array), id: expect.any(String), userName: 'zoe' }]);
  });

  test('attributes that were asked for, and no others', async () => {
    const first = async (query: Record<string, string>) =>
      Object.keys((await find({ filter: 'userName eq "zoe"', ...query })).body.Resources[0] ?? {}).sort();
    expect(await first({ attributes: 'name.familyName' })).toEqual(['id', 'name', 'schemas']);
    expect(await first({ attributes: `${ENTERPRISE}:department` })).toEqual(['id', 'schemas', ENTERPRISE]);
    expect(await first({ attributes: ENTERPRISE })).toEqual(['id', 'schemas', ENTERPRISE]);
    expect(await first({ attributes: 'nothing' })).toEqual(['id', 'schemas']);
    const spared = await first({ excludedAttributes: `emails,id,${EXTENSION}` });
    expect(spared).toContain('id');
    expect(spared).not.toContain('emails');
    expect(spared).not.toContain(EXTENSION);
  });
});
