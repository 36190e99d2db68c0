import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTemplate } from './path-template.ts';
import { Router } from './router.ts';
import type { Operation } from './table.ts';

const operation = (path: string, method = 'GET', multiSegment: string[] = []): Operation => ({
  id: `${method} ${path}`,
  method,
  path,
  tags: [],
  summary: '',
  access: 'read',
  deprecated: false,
  server: null,
  multiSegment,
});

const resolve = (router: Router, path: string, method = 'GET'): unknown => {
  const found = router.resolve(method, path);
  return found.kind === 'operation' ? [found.operation.path, { ...found.pathParams }] : found.kind;
};

describe('which template a path belongs to', () => {
  const router = new Router([
    operation('/'),
    operation('/users/{id}'),
    operation('/users/me'),
    operation('/users/{id}.json'),
    operation('/users/{id}/posts'),
    operation('/users/me/settings'),
    operation('/files/{path}', 'GET', ['path']),
    operation('/files/{path}/meta', 'GET', ['path']),
    operation('/v1/{name}:cancel'),
    operation('/v1/{name}'),
    operation('/compare/{base}...{head}'),
    operation('/report(period={p})'),
    operation('/trailing/'),
    operation('/caf%C3%A9/{x}'),
  ]);

  test.each([
    ['/', ['/', {}]],
    ['/users/me', ['/users/me', {}]],
    ['/users/7', ['/users/{id}', { id: '7' }]],
    ['/users/7.json', ['/users/{id}.json', { id: '7' }]],
    ['/users/.json', ['/users/{id}', { id: '.json' }]],
    ['/users/me/posts', ['/users/{id}/posts', { id: 'me' }]],
    ['/users/me/settings', ['/users/me/settings', {}]],
    ['/users/7/settings', 'unknown'],
    ['/users/', 'unknown'],
    ['/users', 'unknown'],
    ['/files/a', ['/files/{path}', { path: 'a' }]],
    ['/files/a/b/c', ['/files/{path}', { path: 'a/b/c' }]],
    ['/files/a/b/meta', ['/files/{path}/meta', { path: 'a/b' }]],
    ['/files/meta', ['/files/{path}', { path: 'meta' }]],
    ['/files/a/meta/meta', ['/files/{path}/meta', { path: 'a/meta' }]],
    ['/files/a%2Fb', ['/files/{path}', { path: 'a/b' }]],
    ['/v1/op:cancel', ['/v1/{name}:cancel', { name: 'op' }]],
    ['/v1/op', ['/v1/{name}', { name: 'op' }]],
    ['/v1/a%2Fb', ['/v1/{name}', { name: 'a/b' }]],
    ['/compare/a...b...c', ['/compare/{base}...{head}', { base: 'a', head: 'b...c' }]],
    ['/compare/ab', 'unknown'],
    ["/report(period='D7')", ['/report(period={p})', { p: "'D7'" }]],
    ['/trailing/', ['/trailing/', {}]],
    ['/trailing', 'unknown'],
    ['/caf%c3%a9/a%20b', ['/caf%C3%A9/{x}', { x: 'a b' }]],
    ['/users%2Fme', 'refused'],
    ['/users/7%2Fposts', 'refused'],
    ['/users/7/../me', 'refused'],
  ])('%s', (path, expected) => {
    expect(resolve(router, path)).toEqual(expected);
  });
});

describe('methods', () => {
  const router = new Router([
    operation('/a/{x}', 'DELETE'),
    operation('/a/{y}', 'GET'),
    operation('/a/me', 'GET'),
    operation('/b', 'HEAD'),
  ]);

  test('each method keeps its own parameter names', () => {
    expect(resolve(router, '/a/1', 'DELETE')).toEqual(['/a/{x}', { x: '1' }]);
    expect(resolve(router, '/a/1', 'GET')).toEqual(['/a/{y}', { y: '1' }]);
  });

  test('the path decides first: a concrete path without the method is not the template', () => {
    expect(router.resolve('DELETE', '/a/me')).toEqual({ kind: 'method', allowMethods: ['GET'], path: '/a/me' });
  });

  test('between one segment and many, the method decides', () => {
    const both = new Router([operation('/a/{id}', 'DELETE'), operation('/a/{path}', 'GET', ['path'])]);
    expect(resolve(both, '/a/1', 'GET')).toEqual(['/a/{path}', { path: '1' }]);
    expect(resolve(both, '/a/1', 'DELETE')).toEqual(['/a/{id}', { id: '1' }]);
    expect(resolve(both, '/a/1/2', 'DELETE')).toBe('method');
    expect(resolve(both, '/a/1', 'PUT')).toBe('method');
  });

  test('HEAD stands for GET unless described', () => {
    expect(router.resolve('HEAD', '/a/me')).toMatchObject({ kind: 'operation', operation: { method: 'GET' } });
    expect(router.resolve('HEAD', '/b')).toMatchObject({ kind: 'operation', operation: { method: 'HEAD' } });
    expect(router.resolve('get', '/a/me').kind).toBe('method');
  });

  test('parameters named like members of Object are data', () => {
    const odd = new Router([operation('/{constructor}/{__proto__}')]);
    const found = odd.resolve('GET', '/a/b');
    expect(found.kind === 'operation' && Object.entries(found.pathParams)).toEqual([
      ['constructor', 'a'],
      ['__proto__', 'b'],
    ]);
  });
});

test.each([['/a/{}'], ['/a/{x'], ['/a/x}'], ['/a/{x}{y}'], ['/{x}/{x}']])('template %s is malformed', (template) => {
  expect(parseTemplate(template)).toBeNull();
});

const name = fc.constantFrom('a', 'b', 'c');
const segment = fc.oneof(name, fc.constant('{}'));
const templates = fc.uniqueArray(fc.array(segment, { minLength: 1, maxLength: 4 }), {
  selector: (segments) => segments.join('/'),
  maxLength: 12,
});

/** OpenAPI's rule, literally: of the templates that match, the one that is concrete earliest. */
function naive(all: readonly (readonly string[])[], path: readonly string[]): string | null {
  const fits = all.filter((t) => t.length === path.length && t.every((part, n) => part === '{}' || part === path[n]));
  const ranked = fits.toSorted((x, y) => {
    const at = x.findIndex((part, n) => (part === '{}') !== (y[n] === '{}'));
    return at === -1 ? 0 : x[at] === '{}' ? 1 : -1;
  });
  return ranked[0]?.join('/') ?? null;
}

test('agrees with trying every template', () => {
  fc.assert(
    fc.property(templates, fc.array(fc.oneof(name, fc.constant('z')), { minLength: 1, maxLength: 4 }), (all, path) => {
      const named = (segments: readonly string[]): string =>
        `/${segments.map((part, n) => (part === '{}' ? `{p${n}}` : part)).join('/')}`;
      const router = new Router(all.map((segments) => operation(named(segments))));
      const found = router.resolve('GET', `/${path.join('/')}`);
      const expected = naive(all, path);
      expect(found.kind === 'operation' ? found.operation.path : null).toBe(
        expected === null ? null : named(expected.split('/')),
      );
    }),
    { numRuns: 2000 },
  );
});

test('a path of many segments against several multi-segment parameters ends', () => {
  const router = new Router([operation('/{a}/x/{b}/x/{c}/x/{d}/end', 'GET', ['a', 'b', 'c', 'd'])]);
  expect(router.resolve('GET', `/${'x/'.repeat(120)}y`).kind).toBe('unknown');
});
