import { expect, test } from 'vitest';
import { fitsTemplate } from './uri-template.ts';

test.each([
  ['demo://text/{id}', 'demo://text/7', true],
  ['demo://text/{id}', 'demo://text/', false],
  ['demo://text/{id}', 'demo://text/7/secret', false],
  ['demo://text/{id}', 'demo://text/7?x=1', false],
  ['demo://text/{id}', 'demo://blob/7', false],
  ['demo://{kind}/{id}/raw', 'demo://text/7/raw', true],
  ['demo://{kind}/{id}/raw', 'demo://text/raw', false],
  ['file:///{+path}', 'file:///a/b/c.txt', true],
  ['file:///{path}', 'file:///a/b', false],
  ['api://x{?q,page}', 'api://x?q=1&page=2', true],
  ['api://x{/parts*}', 'api://x/a/b', true],
  ['demo://{a}{b}{c}{d}{e}!', `demo://${'a'.repeat(2000)}`, false],
  ['demo://{a', 'demo://{a', false],
  ['demo://plain', 'demo://plain', true],
  ['demo://a.c', 'demo://abc', false],
])('%s and %s: %s', (template, uri, expected) => {
  expect(fitsTemplate(template, uri)).toBe(expected);
});
