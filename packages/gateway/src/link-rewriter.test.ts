import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LinkTarget, rewriteBody, rewriteLinkHeader, rewriteUrl } from './link-rewriter.ts';

const GATEWAY = 'https://gw.example:8443';
const github: LinkTarget = { host: 'api.github.com', basePath: '', prefix: '/github' };
const uploads: LinkTarget = { host: 'uploads.github.com', basePath: '', prefix: '/github~uploads' };
const slack: LinkTarget = { host: 'slack.com', basePath: '/api', prefix: '/slack' };
const port: LinkTarget = { host: '127.0.0.1:8080', basePath: '', prefix: '/app' };
const targets = [github, uploads, slack, port];

const bodies: [name: string, before: string, after: string][] = [
  ['a URL', '{"url":"https://api.github.com/repos/1"}', '{"url":"https://gw.example:8443/github/repos/1"}'],
  ['the host alone', '{"url":"https://api.github.com"}', '{"url":"https://gw.example:8443/github"}'],
  ['a query', '"https://api.github.com?page=2"', '"https://gw.example:8443/github?page=2"'],
  ['plain HTTP', '"http://api.github.com/a"', '"https://gw.example:8443/github/a"'],
  ['escaped slashes', String.raw`"https:\/\/api.github.com\/a"`, String.raw`"https:\/\/gw.example:8443\/github\/a"`],
  ['the default port written out', '"https://api.github.com:443/a"', '"https://gw.example:8443/github/a"'],
  ['another port', '"https://api.github.com:444/a"', '"https://api.github.com:444/a"'],
  ['a longer host', '"https://api.github.com.evil.example/a"', '"https://api.github.com.evil.example/a"'],
  ['a prefixed host', '"https://xapi.github.com/a"', '"https://xapi.github.com/a"'],
  ['a user part', '"https://api.github.com@evil.example/a"', '"https://api.github.com@evil.example/a"'],
  ['no scheme', '"api.github.com/a"', '"api.github.com/a"'],
  ['another host of the vendor', '"https://uploads.github.com/a"', '"https://gw.example:8443/github~uploads/a"'],
  [
    'below the base path',
    '"https://slack.com/api/chat.postMessage"',
    '"https://gw.example:8443/slack/chat.postMessage"',
  ],
  ['beside the base path', '"https://slack.com/apix/1"', '"https://slack.com/apix/1"'],
  ['outside the base path', '"https://slack.com/oauth"', '"https://slack.com/oauth"'],
  ['a host with port', '"http://127.0.0.1:8080/x"', '"https://gw.example:8443/app/x"'],
  [
    'several',
    '["https://api.github.com/1","https://api.github.com/2"]',
    '["https://gw.example:8443/github/1","https://gw.example:8443/github/2"]',
  ],
  [
    'numbers beyond doubles',
    '{"id":12345678901234567890,"u":"https://api.github.com/1"}',
    '{"id":12345678901234567890,"u":"https://gw.example:8443/github/1"}',
  ],
];

test.each(bodies)('rewrites a body with %s', (_name, before, after) => {
  expect(rewriteBody(Buffer.from(before), targets, GATEWAY).toString()).toBe(after);
});

test('gives the same buffer back when nothing points at the upstream', () => {
  const body = Buffer.from('{"a":1}');
  expect(rewriteBody(body, targets, GATEWAY)).toBe(body);
});

const urls: [value: string, expected: string | undefined][] = [
  ['https://api.github.com/user?page=2', 'https://gw.example:8443/github/user?page=2'],
  ['HTTPS://API.GitHub.com/user', 'https://gw.example:8443/github/user'],
  ['//api.github.com/user', 'https://gw.example:8443/github/user'],
  ['/user', 'https://gw.example:8443/github/user'],
  ['https://codeload.github.com/x', undefined],
  ['https://api.github.com@evil.example/x', undefined],
  ['user/1', undefined],
  ['javascript:alert(1)', undefined],
];

test.each(urls)('rewrites the URL %s to %s', (value, expected) => {
  expect(rewriteUrl(value, targets, github, GATEWAY)).toBe(expected);
});

test('a path-absolute reference belongs to the target that answered', () => {
  expect(rewriteUrl('/api/next', targets, slack, GATEWAY)).toBe('https://gw.example:8443/slack/next');
  expect(rewriteUrl('/other', targets, slack, GATEWAY)).toBeUndefined();
});

test('every reference of a Link field is rewritten, its parameters stay', () => {
  const before = '<https://api.github.com/r?page=2>; rel="next", <https://other.example/>; rel="help"';
  const after = '<https://gw.example:8443/github/r?page=2>; rel="next", <https://other.example/>; rel="help"';
  expect(rewriteLinkHeader(before, targets, github, GATEWAY)).toBe(after);
});

describe('for any JSON document', () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'https://api.github.com/x',
      'http://api.github.com',
      'api.github.com',
      'https://api.github.com.evil/',
    ),
    fc.webUrl(),
  );
  const document = fc.jsonValue().chain((value) => fc.tuple(fc.constant(value), fc.array(text)));

  test('the result is JSON of the same shape, differing only in strings', () => {
    fc.assert(
      fc.property(document, ([value, strings]) => {
        const before = JSON.stringify({ value, strings });
        const after: unknown = JSON.parse(rewriteBody(Buffer.from(before), targets, GATEWAY).toString());
        const expected = JSON.parse(before, (_key, item: unknown) =>
          typeof item === 'string' ? rewriteBody(Buffer.from(item), targets, GATEWAY).toString() : item,
        ) as unknown;
        expect(after).toEqual(expected);
      }),
    );
  });

  test('rewriting twice changes nothing more, and no URL of the upstream is left', () => {
    fc.assert(
      fc.property(document, ([value, strings]) => {
        const once = rewriteBody(Buffer.from(JSON.stringify({ value, strings })), targets, GATEWAY);
        expect(rewriteBody(once, targets, GATEWAY)).toBe(once);
        expect(once.toString()).not.toMatch(/https?:\/\/api\.github\.com(?=["/?#])/);
      }),
    );
  });

  test('any bytes at all go through without a throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const mixed = Buffer.concat([Buffer.from('https://api.github.com'), bytes]);
        expect(rewriteBody(mixed, targets, GATEWAY)).toBeInstanceOf(Buffer);
      }),
    );
  });
});
