import { describe, expect, test } from 'vitest';
import { createAuthorizer, type OperationSource } from './authorizer.ts';
import { readBuiltIn } from './built-in.ts';
import type { CallContext, Decision } from './decision.ts';
import type { EntryInputOf } from './entry.ts';
import type { OperationFacts } from './grant-selector.ts';
import { sampleEntry, sampleSnapshot } from './testing.ts';
import { compareDecisions } from './what-if.ts';

const builtIn = readBuiltIn();
const MONDAY_NOON = Date.UTC(2026, 10, 23, 12);

const operation = (id: string, method: string, path: string, tags: string[]): OperationFacts => ({
  id,
  method,
  path,
  tags,
  access: method === 'GET' ? 'read' : 'write',
  deprecated: false,
});
const table = new Map(
  [
    operation('repos/get', 'GET', '/repos/{owner}/{repo}', ['repos']),
    operation('repos/delete', 'DELETE', '/repos/{owner}/{repo}', ['repos']),
    operation('issues/create', 'POST', '/repos/{owner}/{repo}/issues', ['issues']),
    operation('users/get', 'GET', '/users/{username}', ['users']),
  ].map((item) => [item.id, item]),
);
const operations: OperationSource = (appId, id) => (appId === 'app-1' ? table.get(id) : undefined);

const context = (overrides: Partial<CallContext> = {}): CallContext => ({
  time: MONDAY_NOON,
  sourceAddress: '203.0.113.7',
  assurance: 'm0',
  listener: 'path',
  parameters: { owner: 'acme', repo: 'site' },
  ...overrides,
});

interface World {
  app?: Partial<EntryInputOf<'app'>>;
  integration?: Partial<EntryInputOf<'integration'>>;
  grant?: Partial<EntryInputOf<'grant'>>;
  policies?: string[];
}

const entriesOf = ({ app, integration, grant, policies = [] }: World = {}) =>
  sampleSnapshot({
    'app:app-1': sampleEntry('app', app),
    'integration:int-1': sampleEntry('integration', integration),
    'integration:int-2': sampleEntry('integration', { id: 'int-2', name: 'Other' }),
    'grant:grant-1': sampleEntry('grant', grant),
    ...Object.fromEntries(
      policies.map((text, n) => [`policy:p${n}`, sampleEntry('policy', { id: `p${n}`, name: `Rule ${n}`, text })]),
    ),
  }).entries;

const authorizerOf = (world?: World) => createAuthorizer({ entries: entriesOf(world), operations, builtIn });

const ask = (operationId: string, overrides?: Partial<CallContext>, integrationId = 'int-1') => ({
  integrationId,
  appId: 'app-1',
  operationId,
  context: context(overrides),
});

const decide = (world: World, operationId: string, overrides?: Partial<CallContext>): Decision =>
  authorizerOf(world).decide(ask(operationId, overrides));

describe('what a grant covers', () => {
  test.each<[string, EntryInputOf<'grant'>['select'], string[]]>([
    ['one operation', [{ kind: 'operations', ids: ['repos/get'] }], ['repos/get']],
    ['a tag', [{ kind: 'tag', tag: 'repos' }], ['repos/get', 'repos/delete']],
    ['reads of a tag', [{ kind: 'tag', tag: 'repos', access: 'read' }], ['repos/get']],
    ['all reads', [{ kind: 'access', access: 'read' }], ['repos/get', 'users/get']],
    ['all writes', [{ kind: 'access', access: 'write' }], ['repos/delete', 'issues/create']],
    ['everything', [{ kind: 'access', access: 'any' }], [...table.keys()]],
    [
      'a path and what is below',
      [{ kind: 'path', method: '*', path: '/repos/**' }],
      ['repos/get', 'repos/delete', 'issues/create'],
    ],
    ['one segment', [{ kind: 'path', method: 'GET', path: '/users/*' }], ['users/get']],
    ['a path of another length', [{ kind: 'path', method: '*', path: '/repos/*' }], []],
    [
      'two selectors',
      [
        { kind: 'tag', tag: 'users' },
        { kind: 'operations', ids: ['issues/create'] },
      ],
      ['issues/create', 'users/get'],
    ],
  ])('%s', (_name, select, allowed) => {
    const authorizer = authorizerOf({ grant: { select } });
    const found = [...table.keys()].filter((id) => authorizer.decide(ask(id)).decision === 'allow');
    expect(found).toEqual([...table.keys()].filter((id) => allowed.includes(id)));
  });

  test('never covers another integration, app or unknown operation', () => {
    const authorizer = authorizerOf({ grant: { select: [{ kind: 'access', access: 'any' }] } });
    expect(authorizer.decide(ask('repos/get', {}, 'int-2')).decision).toBe('no-match');
    expect(authorizer.decide(ask('repos/get', {}, 'int-9')).decision).toBe('no-match');
    expect(authorizer.decide({ ...ask('repos/get'), appId: 'app-9' }).decision).toBe('no-match');
    expect(authorizer.decide(ask('nothing/here')).decision).toBe('no-match');
  });

  test.each([
    ['access covers undescribed calls', [{ kind: 'access', access: 'read' }] as const, 'allow'],
    ['an id names them', [{ kind: 'operations', ids: ['unknown:GET'] }] as const, 'allow'],
    ['a path does not', [{ kind: 'path', method: '*', path: '/**' }] as const, 'no-match'],
  ])('%s', (_name, select, expected) => {
    expect(decide({ grant: { select: structuredClone(select) as never } }, 'unknown:GET').decision).toBe(expected);
  });
});

describe('explanations', () => {
  test.each<[string, World, string, Partial<CallContext>, Partial<Decision>]>([
    [
      'grant',
      {},
      'repos/get',
      {},
      {
        decision: 'allow',
        explanation:
          'allowed: grant "Read repositories" lets integration "Nightly sync" call repos/get of app "github"',
        grants: [{ id: 'grant-1', name: 'Read repositories' }],
        policies: [{ id: 'granted-operation', name: 'granted-operation' }],
      },
    ],
    [
      'no grant',
      {},
      'repos/delete',
      {},
      {
        decision: 'no-match',
        explanation:
          'denied: no grant of integration "Nightly sync" covers operation repos/delete of app "github" (policy default-deny)',
        policies: [{ id: 'default-deny', name: 'default-deny' }],
      },
    ],
    [
      'revoked',
      { integration: { status: 'revoked' } },
      'repos/get',
      {},
      {
        decision: 'deny',
        explanation: 'denied: integration "Nightly sync" is revoked (policy "inactive-integration")',
      },
    ],
    ['suspended', { integration: { status: 'suspended' } }, 'repos/get', {}, { decision: 'deny' }],
    [
      'expired',
      { integration: { expiresAt: MONDAY_NOON } },
      'repos/get',
      {},
      {
        decision: 'deny',
        explanation: 'denied: integration "Nightly sync" is expired (policy "inactive-integration")',
      },
    ],
    [
      'expired grant',
      { grant: { expiresAt: MONDAY_NOON } },
      'repos/get',
      {},
      {
        decision: 'no-match',
        explanation: expect.stringContaining(
          '; grant "Read repositories" did until 2026-11-23T12:00:00.000Z',
        ) as string,
      },
    ],
    [
      'scoped grant, inside',
      { grant: { resourceScope: [{ parameter: 'owner', values: ['acme'] }] } },
      'repos/get',
      {},
      { decision: 'allow' },
    ],
    [
      'scoped grant, outside',
      { grant: { resourceScope: [{ parameter: 'owner', values: ['acme'] }] } },
      'repos/get',
      { parameters: { owner: 'evil' } },
      {
        decision: 'no-match',
        explanation: expect.stringContaining('grant "Read repositories" does only where owner is acme') as string,
      },
    ],
    [
      'weak proof',
      { app: { assurance: 'm1' } },
      'repos/get',
      {},
      { decision: 'deny', policies: [{ id: 'weak-client-proof', name: 'weak-client-proof' }] },
    ],
    ['strong proof', { app: { assurance: 'm1' } }, 'repos/get', { assurance: 'm2' }, { decision: 'allow' }],
    [
      'customer forbids',
      { policies: ['forbid (principal, action, resource) when { resource.app.name == "github" };'] },
      'repos/get',
      {},
      {
        decision: 'deny',
        explanation: 'denied: policy "Rule 0" forbids integration "Nightly sync" to call repos/get of app "github"',
      },
    ],
    [
      'customer permits',
      {
        policies: [
          'permit (principal, action == Action::"write", resource) when { resource.tags.contains("issues") };',
        ],
      },
      'issues/create',
      {},
      {
        decision: 'allow',
        explanation: 'allowed: policy "Rule 0" lets integration "Nightly sync" call issues/create of app "github"',
      },
    ],
    [
      'forbid beats permit',
      { policies: ['permit (principal, action, resource);', '@id("never") forbid (principal, action, resource);'] },
      'repos/get',
      {},
      { decision: 'deny', policies: [{ id: 'policy:p1', name: 'Rule 1: never' }] },
    ],
    [
      'forbid that overflows',
      { policies: ['forbid (principal, action, resource) when { context.hour * 9223372036854775807 > 0 };'] },
      'repos/get',
      {},
      {
        decision: 'deny',
        explanation:
          'denied: policy "Rule 0" could not be evaluated for repos/get of app "github", so it is taken to forbid it',
      },
    ],
  ])('%s', (_name, world, operationId, overrides, expected) => {
    expect(decide(world, operationId, overrides)).toMatchObject(expected);
  });
});

describe('addresses', () => {
  test.each([
    ['::ffff:198.51.100.9', 'deny'],
    ['198.51.100.9', 'deny'],
    ['::1', 'allow'],
    ['fe80::1%eth0', 'allow'],
    ['not an address', 'no-match'],
    ['', 'no-match'],
  ])('%s', (sourceAddress, expected) => {
    const text =
      'forbid (principal, action, resource) when { context.sourceAddress.isInRange(ip("198.51.100.0/24")) };';
    expect(decide({ policies: [text] }, 'repos/get', { sourceAddress }).decision).toBe(expected);
  });
});

describe('remembered decisions', () => {
  // Each policy looks at one thing; the second call differs in that thing only and must be decided anew.
  test.each<[string, string, Partial<CallContext>, Partial<CallContext>]>([
    ['hour', 'context.hour < 8', {}, { time: MONDAY_NOON - 6 * 3_600_000 }],
    ['weekday', 'context.weekday > 5', {}, { time: MONDAY_NOON + 5 * 86_400_000 }],
    ['time', 'context.time > datetime("2026-11-23T12:00:00.500Z")', {}, { time: MONDAY_NOON + 501 }],
    ['address', 'context.sourceAddress.isInRange(ip("198.51.100.0/24"))', {}, { sourceAddress: '198.51.100.9' }],
    ['IPv6 address', 'context.sourceAddress.isIpv6()', {}, { sourceAddress: '2001:db8::1' }],
    ['assurance', 'context.assurance > 1', {}, { assurance: 'm2' }],
    ['listener', 'context.listener == "proxy"', {}, { listener: 'proxy' }],
    [
      'parameter',
      'resource.hasTag("owner") && resource.getTag("owner") == "evil"',
      {},
      { parameters: { owner: 'evil' } },
    ],
    ['missing parameter', '!resource.hasTag("owner")', {}, { parameters: {} }],
    [
      'whole context',
      'context has hour && (if true then context else context).hour < 8',
      {},
      { time: MONDAY_NOON - 6 * 3_600_000 },
    ],
    ['guarded by an entity', 'resource.app.name == "github" && context.assurance > 1', {}, { assurance: 'm2' }],
  ])('never outlive a change of %s', (_name, condition, first, second) => {
    const authorizer = authorizerOf({ policies: [`forbid (principal, action, resource) when { ${condition} };`] });
    for (const _ of [1, 2]) {
      expect(authorizer.decide(ask('repos/get', first)).decision).toBe('allow');
      expect(authorizer.decide(ask('repos/get', second)).decision).toBe('deny');
    }
  });

  test('never outlive a grant or an integration, in either direction of time', () => {
    for (const world of [{ grant: { expiresAt: MONDAY_NOON } }, { integration: { expiresAt: MONDAY_NOON } }]) {
      const authorizer = authorizerOf(world);
      const at = (time: number) => authorizer.decide(ask('repos/get', { time })).decision === 'allow';
      expect([at(MONDAY_NOON - 1), at(MONDAY_NOON), at(MONDAY_NOON - 1), at(MONDAY_NOON + 1)]).toEqual([
        true,
        false,
        true,
        false,
      ]);
    }
  });

  test('are the same value when nothing relevant differs', () => {
    const authorizer = authorizerOf({
      policies: ['forbid (principal, action == Action::"write", resource) when { context.hour < 8 };'],
    });
    const first = authorizer.decide(ask('repos/get'));
    const other = { time: MONDAY_NOON + 1, sourceAddress: '192.0.2.1', parameters: { owner: 'x' } };
    expect(authorizer.decide(ask('repos/get', other))).toBe(first);
  });

  test('are the same value for a relevant context with the same values', () => {
    const authorizer = authorizerOf({ policies: ['forbid (principal, action, resource) when { context.hour < 8 };'] });
    const first = authorizer.decide(ask('repos/get'));
    expect(authorizer.decide(ask('repos/get', { time: MONDAY_NOON + 1 }))).toBe(first);
    expect(authorizer.decide(ask('repos/get', { time: MONDAY_NOON + 3_600_000 }))).not.toBe(first);
  });

  test('count scoped grants by whether they hold', () => {
    const grant = { resourceScope: [{ parameter: 'owner', values: ['acme', 'umbrella'] }] };
    const authorizer = authorizerOf({ grant });
    const at = (owner: string) => authorizer.decide(ask('repos/get', { parameters: { owner } }));
    expect(at('umbrella')).toBe(at('acme'));
    expect(at('evil')).toBe(at('other'));
    expect([at('acme').decision, at('evil').decision]).toEqual(['allow', 'no-match']);
  });

  test('relevance follows scoped grants', () => {
    const authorizer = authorizerOf({
      grant: { resourceScope: [{ parameter: 'owner', values: ['acme'] }] },
      policies: [
        'forbid (principal, action, resource) when { principal.grants.contains(Grant::"grant-1") && context.hour < 8 };',
      ],
    });
    const night = MONDAY_NOON - 6 * 3_600_000;
    expect(authorizer.decide(ask('repos/get', { parameters: { owner: 'evil' } })).decision).toBe('no-match');
    expect(authorizer.decide(ask('repos/get')).decision).toBe('allow');
    expect(authorizer.decide(ask('repos/get', { time: night })).decision).toBe('deny');
  });
});

describe('update', () => {
  test.each<[string, World, string[]]>([
    ['integration', { integration: { status: 'revoked' } }, ['integration:int-1']],
    ['grant', { grant: { select: [{ kind: 'operations', ids: ['users/get'] }] } }, ['grant:grant-1']],
    ['grant moved to another', { grant: { integrationId: 'int-2' } }, ['grant:grant-1']],
    ['app', { app: { assurance: 'm2' } }, ['app:app-1']],
    ['policy', { policies: ['forbid (principal, action, resource);'] }, ['policy:p0']],
  ])('takes over a changed %s', (_name, world, keys) => {
    const authorizer = authorizerOf();
    expect(authorizer.decide(ask('repos/get')).decision).toBe('allow');
    authorizer.update(entriesOf(world), keys);
    expect(authorizer.decide(ask('repos/get')).decision).not.toBe('allow');
    authorizer.update(entriesOf());
    expect(authorizer.decide(ask('repos/get')).decision).toBe('allow');
  });

  test('keeps what a new token cannot change', () => {
    const authorizer = authorizerOf();
    const first = authorizer.decide(ask('repos/get'));
    authorizer.update(entriesOf(), [`token:${'0'.repeat(64)}`, 'integration:int-2']);
    expect(authorizer.decide(ask('repos/get'))).toBe(first);
  });

  test('refuses a bad policy and goes on with what it had', () => {
    const authorizer = authorizerOf();
    const bad = entriesOf({ policies: ['permit (principal, action, resource) when { principal.nme == "x" };'] });
    expect(() => authorizer.update(bad)).toThrow(expect.objectContaining({ code: 'policy.text_invalid' }));
    expect(authorizer.decide(ask('repos/get')).decision).toBe('allow');
    expect(authorizer.decide(ask('repos/delete')).decision).toBe('no-match');
  });

  test('authorizers do not mix, also after one is closed', () => {
    const strict = authorizerOf({ policies: ['forbid (principal, action, resource);'] });
    const open = authorizerOf({ policies: ['permit (principal, action, resource);'] });
    strict.close();
    const next = authorizerOf();
    expect(open.decide(ask('repos/delete')).decision).toBe('allow');
    expect(next.decide(ask('repos/delete')).decision).toBe('no-match');
  });
});

describe('what-if', () => {
  test('groups the recorded calls that would be decided differently', () => {
    const before = authorizerOf({ grant: { select: [{ kind: 'access', access: 'any' }] } });
    const after = authorizerOf({ grant: { select: [{ kind: 'access', access: 'read' }] } });
    const calls = [
      ask('repos/get'),
      ask('repos/delete', { time: MONDAY_NOON + 5 }),
      ask('repos/delete', { time: MONDAY_NOON + 2 }),
      ask('issues/create'),
    ];
    expect(compareDecisions(before, after, calls)).toMatchObject({
      calls: 4,
      wouldBreak: 3,
      wouldOpen: 0,
      changes: [
        { operationId: 'repos/delete', calls: 2, firstAt: MONDAY_NOON + 2, lastAt: MONDAY_NOON + 5 },
        { operationId: 'issues/create', calls: 1, before: { decision: 'allow' }, after: { decision: 'no-match' } },
      ],
    });
    expect(compareDecisions(after, before, calls)).toMatchObject({ wouldBreak: 0, wouldOpen: 3 });
    expect(compareDecisions(before, before, calls).changes).toEqual([]);
  });
});
