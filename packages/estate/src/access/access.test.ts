import { createSnapshot, type GrantSelector, type OperationFacts, readBuiltIn } from '@cordon/policy';
import { describe, expect, test } from 'vitest';
import type { Grant } from '../grant.ts';
import { type LimitCall, replayLimits } from './limit-change.ts';
import { proposeAccess } from './proposal.ts';
import { parametersOf, replay, replayDetail, type ReplayGroup } from './replay.ts';
import { accessUse, type OperationTable, type UseFact, type WindowDays } from './used.ts';

const DAY_MS = 86_400_000;
const NOW = 1_790_000_000_000;
const operation = (id: string, access: 'read' | 'write', tag = 'repos'): OperationFacts => ({
  id,
  method: access === 'read' ? 'GET' : 'POST',
  path: `/${id}`,
  tags: [tag],
  access,
  deprecated: false,
});
const OPERATIONS = [operation('list', 'read'), operation('get', 'read'), operation('make', 'write')];
const table: OperationTable = {
  list: () => OPERATIONS,
  find: (_app, id) => OPERATIONS.find((one) => one.id === id),
};
const grant = (select: GrantSelector[]): Grant => ({
  id: 'g1',
  name: 'default',
  integrationId: 'i1',
  appId: 'a1',
  select,
  resourceScope: [],
  expiresAt: null,
  createdAt: 1,
  createdBy: 'Ada',
});
const fact = (id: string, allowed: number): UseFact => ({
  appId: 'a1',
  operation: id,
  allowed,
  refused: 0,
  firstAt: NOW - DAY_MS,
  lastAt: NOW,
  days: 1,
});
const use = (recent: string[], old: string[]): Map<WindowDays, UseFact[]> =>
  new Map([
    [30, recent.map((id) => fact(id, 2))],
    [90, recent.map((id) => fact(id, 5))],
    [180, [...recent, ...old].map((id) => fact(id, 9))],
  ]);

function propose(select: GrantSelector[], recent: string[], old: string[] = [], withMargin = true) {
  const grants = [grant(select)];
  const used = accessUse({ grants, table, use: use(recent, old), observedSince: NOW - 200 * DAY_MS, now: NOW });
  const { operations, observedDays } = used;
  const options = { table, windowDays: 90 as const, withMargin, observedDays };
  return proposeAccess({ integrationId: 'i1', grants, operations, ...options }).grants[0];
}

const ANY: GrantSelector = { kind: 'access', access: 'any' };
const TAG: GrantSelector = { kind: 'tag', tag: 'repos', access: 'read' };
const ids = (...all: string[]): GrantSelector => ({ kind: 'operations', ids: all });

describe('a proposal', () => {
  test.each<[string, GrantSelector[], string[], string[], boolean, string, GrantSelector[]]>([
    ['what is used stays of a grant on everything', [ANY], ['get'], [], true, 'narrow', [ids('get')]],
    ['a grant without use goes', [ANY], [], [], true, 'remove', []],
    ['a rare job stays as a margin', [ANY], ['get'], ['make'], true, 'narrow', [ids('get', 'make')]],
    ['without a margin it goes', [ANY], ['get'], ['make'], false, 'narrow', [ids('get')]],
    ['a grant that is used whole stays as it is', [TAG], ['get', 'list'], [], true, 'keep', [TAG]],
    ['a selector that is used whole stays', [TAG, ids('make')], ['get', 'list'], [], true, 'narrow', [TAG]],
  ])('%s', (_name, select, recent, old, margin, change, after) => {
    expect(propose(select, recent, old, margin)).toMatchObject({ change, after });
  });

  test('says what is in the margin', () => {
    expect(propose([ANY], ['get'], ['make'])).toMatchObject({ used: ['get'], margin: ['make'], dropped: ['list'] });
  });

  test('use is unknown, not none, where nothing was recorded', () => {
    const grants = [grant([ids('get')])];
    const { operations } = accessUse({ grants, table, use: new Map(), observedSince: null, now: NOW });
    expect(operations[0]?.calls).toEqual({ d30: null, d90: null, d180: null });
  });
});

describe('parameters of a recorded path', () => {
  test.each([
    ['/repos/acme/a%20b', '/repos/{owner}/{repo}', { owner: 'acme', repo: 'a b' }],
    ['/github/repos/acme/x', '/repos/{owner}/{repo}', { owner: 'acme', repo: 'x' }],
    ['/v1.0/me', '/v1.0/me', {}],
    ['/v1x0/me', '/v1.0/me', null],
    ['/repos/acme', '/repos/{owner}/{repo}', null],
    ['/anything', '', {}],
  ])('%s', (path, template, expected) => expect(parametersOf(path, template)).toEqual(expected));
});

describe('a replay', () => {
  const base = {
    'app:a1': { id: 'a1', name: 'github', title: 'GitHub', upstream: 'https://api.github.com' },
    'integration:i1': { id: 'i1', name: 'sync', ownerId: 'p', status: 'active', clientId: 'c' },
    'grant:g1': { id: 'g1', name: 'default', integrationId: 'i1', appId: 'a1', select: [ids('get', 'make')] },
  };
  const entries = (over: Record<string, unknown> = {}) =>
    createSnapshot({ version: 1, epoch: 1, createdAt: 0, entries: Object.entries({ ...base, ...over }) }).entries;
  const group = (over: Partial<ReplayGroup> = {}): ReplayGroup => ({
    integrationId: 'i1',
    appId: 'a1',
    operation: 'get',
    decision: 'allow',
    reason: '',
    calls: 1_000,
    firstAt: NOW,
    lastAt: NOW + 5,
    address: '10.0.0.1',
    assurance: 'm0',
    listener: 'path',
    path: '/get',
    template: '/get',
    findings: [],
    ...over,
  });
  const builtIn = readBuiltIn();
  const run = (after: ReturnType<typeof entries>, groups: ReplayGroup[]) => {
    const detail = replayDetail(entries(), after, builtIn);
    return replay({ before: entries(), after, builtIn, table, detail, groups });
  };

  test('a grant that goes breaks its calls, all of them and once', () => {
    const after = entries({ 'grant:g1': { ...base['grant:g1'], select: [ids('make')] } });
    const answer = run(after, [group(), group({ operation: 'make', calls: 7 })]);
    expect(answer).toMatchObject({ calls: 1_007, wouldBreak: 1_000, wouldOpen: 0, changedSince: 0, left: 0 });
    expect(answer.changes).toMatchObject([{ operation: 'get', effect: 'break', by: 'authorization', calls: 1_000 }]);
  });

  test('what was refused for want of a grant would open', () => {
    const after = entries({ 'grant:g1': { ...base['grant:g1'], select: [ANY] } });
    const refused = group({ operation: 'list', decision: 'deny', reason: 'gateway.not_authorized', calls: 3 });
    expect(run(after, [refused])).toMatchObject({ wouldBreak: 0, wouldOpen: 3 });
  });

  test('an inspection rule that blocks breaks the calls in which the class was found', () => {
    const rule = { id: 'r1', name: 'No cards', class: 'payment.card', direction: 'response', action: 'block' };
    const found = group({ findings: ['payment.card response'], calls: 4 });
    const other = group({ findings: ['payment.card request'] });
    const answer = run(entries({ 'inspection:r1': rule }), [found, other]);
    expect(answer).toMatchObject({ wouldBreak: 4, changes: [{ by: 'inspection', calls: 4 }] });
  });

  test.each([
    ['was refused before policies were asked', group({ decision: 'deny', reason: 'gateway.token_expired' })],
    ['is to an operation that is gone', group({ operation: 'gone' })],
  ])('a call that %s is left out, and said so', (_name, one) => {
    expect(run(entries(), [one])).toMatchObject({ calls: 0, left: 1_000, leftBecause: [expect.any(String)] });
  });

  test('a policy that looks at the call asks for what it looks at', () => {
    const text = 'forbid (principal, action, resource) when { context.hour < 6 };';
    const after = entries({ 'policy:p1': { id: 'p1', name: 'night', text } });
    expect(replayDetail(entries(), after, builtIn)).toMatchObject({ hour: true, moment: false, path: false });
  });
});

describe('a change of limits', () => {
  const call = (at: number, reason = ''): LimitCall => ({
    integrationId: 'i1',
    appId: 'a1',
    operationId: 'list',
    address: '10.0.0.1',
    reason,
    at,
    durationMs: 1,
    requestBytes: 1,
    responseBytes: 1,
    records: 0,
  });
  /** Lets so many calls through. */
  const few = (count: number) => {
    let seen = 0;
    return () => ((seen += 1) > count ? ({ limit: { name: 'few' }, kind: 'quota' } as const) : null);
  };

  test('says which calls would be refused, when, and why', () => {
    const calls = [call(1), call(2), call(3), call(4, 'gateway.not_authorized')];
    expect(replayLimits(calls, few(9), few(1))).toEqual({
      calls: 3,
      left: 1,
      leftBecause: ['refused before limits were asked: gateway.not_authorized'],
      wouldBreak: 2,
      wouldOpen: 0,
      changedSince: 0,
      changes: [
        {
          integrationId: 'i1',
          appId: 'a1',
          operation: 'list',
          effect: 'break',
          by: 'limit',
          calls: 2,
          firstAt: 2,
          lastAt: 3,
          explanation: 'The limit "few" would refuse it: it comes when the day’s quota is used up.',
        },
      ],
    });
  });

  test('says what would be refused no more, and where the record shows other limits than today’s', () => {
    const calls = [call(1), call(2, 'gateway.quota_exceeded'), call(3)];
    expect(replayLimits(calls, few(1), few(9))).toMatchObject({ wouldBreak: 0, wouldOpen: 2, changedSince: 1 });
  });
});
