import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agentKey, trimAgent } from './agent.ts';
import { checkOrigin } from './origin-check.ts';
import { createSessionCookie } from './session-cookie.ts';
import { afterFailure, type Counter, waitOf, WINDOW_MS } from './throttle.ts';

describe('throttling', () => {
  function fail(times: number, kind: 'account' | 'address'): Counter {
    let counter: Counter | undefined;
    for (let index = 0; index < times; index++) counter = afterFailure(counter, kind, 1_000_000);
    if (!counter) throw new Error('at least one');
    return counter;
  }

  test.each([
    [4, 'account', 0],
    [5, 'account', 2_000],
    [6, 'account', 4_000],
    [10, 'account', 64_000],
    [30, 'account', 900_000],
    [20, 'address', 0],
    [21, 'address', 2_000],
  ] as const)('%d failures of one %s cost %d ms', (times, kind, wait) => {
    expect(waitOf(fail(times, kind), 1_000_000)).toBe(wait);
  });

  test('a quiet hour forgets', () => {
    const later = 1_000_000 + WINDOW_MS + 1;
    expect(afterFailure(fail(30, 'account'), 'account', later)).toEqual({
      failures: 1,
      windowStart: later,
      lockedUntil: null,
    });
  });

  test('no number of failures locks longer than a quarter of an hour', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (failures) => {
        const counter = afterFailure({ failures, windowStart: 0, lockedUntil: null }, 'account', 1);
        expect(waitOf(counter, 1)).toBeLessThanOrEqual(15 * 60_000);
      }),
    );
  });
});

describe('the session cookie', () => {
  const secure = createSessionCookie('https://cordon.example');
  const plain = createSessionCookie('http://localhost:7000');

  test('is bound to the host over https', () => {
    expect(secure.write('v')).toBe('__Host-cordon_session=v; Path=/; HttpOnly; SameSite=Lax; Secure');
    expect(plain.write('v')).toBe('cordon_session=v; Path=/; HttpOnly; SameSite=Lax');
    expect(secure.clear()).toContain('Max-Age=0');
  });

  test.each([
    ['__Host-cordon_session=abc', 'abc'],
    ['a=1; __Host-cordon_session=abc; b=2', 'abc'],
    ['__Host-cordon_session=', null],
    ['cordon_session=abc', null],
    ['x__Host-cordon_session=abc', null],
    ['', null],
    [`__Host-cordon_session=abc; ${'x'.repeat(9_000)}`, null],
  ])('reads %j as %j', (header, value) => {
    expect(secure.read(header)).toBe(value);
  });
});

describe('the origin check', () => {
  const allowed = ['https://cordon.example'];
  const facts = { method: 'POST', origin: undefined, fetchSite: undefined, hasCookie: false };
  test.each([
    ['a read from anywhere', { method: 'GET', origin: 'https://evil.example', hasCookie: true }, true],
    ['our own page', { origin: 'https://cordon.example', hasCookie: true }, true],
    ['another site', { origin: 'https://evil.example' }, false],
    ['our name over http', { origin: 'http://cordon.example' }, false],
    ['our name with a port', { origin: 'https://cordon.example:8443' }, false],
    ['a sandboxed frame', { origin: 'null' }, false],
    ['a program', {}, true],
    ['a browser without Origin, same origin', { fetchSite: 'same-origin', hasCookie: true }, true],
    ['a browser without Origin, cross site', { fetchSite: 'cross-site' }, false],
    ['a cookie and nothing that says where from', { hasCookie: true }, false],
  ])('%s', (_what, given, passes) => {
    let passed = true;
    try {
      checkOrigin({ ...facts, ...given }, allowed);
    } catch {
      passed = false;
    }
    expect(passed).toBe(passes);
  });
});

describe('the browser that a session is bound to', () => {
  const chrome = (version: string) => `Mozilla/5.0 (X11; Linux x86_64) Chrome/${version} Safari/537.36`;
  test('is the same after an update, another when it is another', () => {
    expect(agentKey(chrome('130.0.0.0'))).toEqual(agentKey(chrome('131.0.6778.33')));
    expect(agentKey(chrome('130.0.0.0'))).not.toEqual(agentKey('curl/8.5.0'));
  });

  test('is kept short and without control characters', () => {
    expect(trimAgent(`evil\u001b[2J${'x'.repeat(1_000)}`)).toMatch(/^evil \[2Jx{1,256}$/);
    expect(trimAgent(`evil${'x'.repeat(1_000)}`)).toHaveLength(256);
  });
});
