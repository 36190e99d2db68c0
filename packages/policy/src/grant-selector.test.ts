import { expect, test } from 'vitest';
import { covers, formatSelector, parseSelector } from './grant-selector.ts';

test.each([
  ['repos/get', { kind: 'operations', ids: ['repos/get'] }],
  ['tag:issues', { kind: 'tag', tag: 'issues', access: 'any' }],
  ['tag:issues:read', { kind: 'tag', tag: 'issues', access: 'read' }],
  ['tag:a:b:write', { kind: 'tag', tag: 'a:b', access: 'write' }],
  ['read:*', { kind: 'access', access: 'read' }],
  ['write:*', { kind: 'access', access: 'write' }],
  ['*', { kind: 'access', access: 'any' }],
  ['GET /repos/**', { kind: 'path', method: 'GET', path: '/repos/**' }],
  ['* /users/*', { kind: 'path', method: '*', path: '/users/*' }],
  ['unknown:GET', { kind: 'operations', ids: ['unknown:GET'] }],
])('%s is read and written back', (text, selector) => {
  expect(parseSelector(text)).toEqual(selector);
  expect(formatSelector(parseSelector(text))).toEqual([text]);
});

test.each([[''], ['  '], ['repos*'], ['GET /a/**/b'], ['read:repos*'], ['get /x*']])('refuses %j', (text) => {
  expect(() => parseSelector(text)).toThrow(expect.objectContaining({ code: 'policy.selector_invalid' }));
});

const tool = (name: string) => ({
  id: name,
  method: 'CALL',
  path: `/tools/${name}`,
  tags: ['tools'],
  access: 'read' as const,
  deprecated: false,
});
test.each([
  ['CALL /tools/get-*', 'get-env', true],
  ['CALL /tools/get-*', 'set-env', false],
  ['CALL /tools/*-env', 'get-env', true],
  ['CALL /tools/g*t-*v', 'get-env', true],
  ['CALL /tools/get-*-env', 'get-env', false],
  ['CALL /tools/*', 'get-env', true],
  ['CALL /tools/**', 'files/read', true],
  ['CALL /tools/*', 'files/read', false],
  ['READ /tools/*', 'get-env', false],
])('%s on %s: %s', (text, name, covered) => {
  expect(covers(parseSelector(text), tool(name))).toBe(covered);
});
