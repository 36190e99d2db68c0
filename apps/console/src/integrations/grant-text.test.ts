import { expect, test } from 'vitest';
import type { Operation, Selector } from '../api/wire.ts';
import { describeSelector, selectorCovers } from './grant-text.ts';

const operation: Operation = {
  id: 'issues/list',
  method: 'get',
  path: '/repos/{owner}/{repo}/issues',
  summary: 'List issues',
  tags: ['issues'],
  access: 'read',
  deprecated: false,
};

test.each<[Selector, boolean, string]>([
  [{ kind: 'operations', ids: ['issues/list'] }, true, 'issues/list'],
  [{ kind: 'operations', ids: ['issues/get', 'issues/create'] }, false, '2 operations'],
  [{ kind: 'tag', tag: 'issues', access: 'any' }, true, 'everything tagged issues'],
  [{ kind: 'tag', tag: 'issues', access: 'write' }, false, 'writes tagged issues'],
  [{ kind: 'tag', tag: 'pulls', access: 'any' }, false, 'everything tagged pulls'],
  [{ kind: 'access', access: 'read' }, true, 'all reads'],
  [{ kind: 'access', access: 'write' }, false, 'all writes'],
  [{ kind: 'path', method: 'GET', path: '/repos/**' }, true, 'GET /repos/**'],
  [{ kind: 'path', method: '*', path: '/repos/*/*/issues' }, true, '* /repos/*/*/issues'],
  [{ kind: 'path', method: 'POST', path: '/repos/**' }, false, 'POST /repos/**'],
  [{ kind: 'path', method: 'GET', path: '/repos/*' }, false, 'GET /repos/*'],
  [{ kind: 'path', method: 'GET', path: '/repos/*/*/issues/*' }, false, 'GET /repos/*/*/issues/*'],
])('%j covers: %s', (selector, covers, text) => {
  expect(selectorCovers(selector, operation)).toBe(covers);
  expect(describeSelector(selector)).toBe(text);
});
