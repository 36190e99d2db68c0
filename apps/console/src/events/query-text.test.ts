import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addCondition, EMPTY_FILTER, type FilterQuery, readQuery, writeQuery } from './query-text.ts';

const one = (operator: string, value: string | string[], propertyKey?: string): FilterQuery => ({
  operation: 'and',
  tokens: [{ ...(propertyKey === undefined ? {} : { propertyKey }), operator, value }],
});

describe('a filter and its text', () => {
  test.each([
    ['nothing', EMPTY_FILTER, ''],
    ['a plain value', one('=', 'deny', 'decision'), 'decision:deny'],
    ['a value with a space', one('=', 'Invoice sync', 'integration'), 'integration:"Invoice sync"'],
    ['a wildcard that is meant as it stands', one('=', 'a*', 'operation'), 'operation:"a*"'],
    ['quotes and backslashes', one('=', String.raw`say "\o/"`, 'target'), String.raw`target:"say \"\\o/\""`],
    ['a range that is meant as it stands', one('=', '1..5', 'target'), 'target:"1..5"'],
    ['unlike', one('!=', 'github', 'app'), 'app!=github'],
    ['several values', one('=', ['deny', 'error'], 'decision'), 'decision:(deny, error)'],
    ['none of several', one('!=', ['deny', 'a b'], 'decision'), 'decision!=(deny, "a b")'],
    ['contains', one(':', 'issue', 'operation'), 'operation:*issue*'],
    ['does not contain', one('!:', 'issue', 'operation'), '-operation:*issue*'],
    ['begins with', one('^', '/repos/', 'path'), 'path:/repos/*'],
    ['larger', one('>', '200', 'latency'), 'latency>200'],
    ['at most', one('<=', '1.5s', 'latency'), 'latency<=1.5s'],
    ['free text', one(':', 'octokit'), 'octokit'],
    ['free text with a space', one(':', 'card number'), '"card number"'],
    ['free text that looks like a field', one(':', 'a:b'), '"a:b"'],
    ['free text that looks like a negation', one(':', '-x'), '"-x"'],
    ['a word of the language', one(':', 'or'), '"or"'],
    ['free text that must be absent', one('!:', 'octokit'), '-octokit'],
  ])('%s', (_, filter, text) => {
    expect(writeQuery(filter)).toBe(text);
    expect(readQuery(text)).toEqual(filter);
  });

  test('several conditions, all or any', () => {
    const tokens = [...one('=', 'deny', 'decision').tokens, ...one('>', '10', 'latency').tokens];
    expect(writeQuery({ tokens, operation: 'and' })).toBe('decision:deny latency>10');
    expect(writeQuery({ tokens, operation: 'or' })).toBe('decision:deny or latency>10');
    expect(readQuery('decision:deny AND latency>10')).toEqual({ tokens, operation: 'and' });
    expect(readQuery('decision:deny or latency>10')).toEqual({ tokens, operation: 'or' });
  });

  test.each([
    'decision:deny (app:github or app:slack)',
    'a or b c',
    'latency:100..500',
    'operation:a*b*c',
    'operation:*',
    'not decision:deny',
    'decision:(deny',
    'decision:',
    'say "hello',
    '-latency>5',
  ])('%s is edited as text', (text) => {
    expect(readQuery(text)).toBeNull();
  });

  test('whatever value a person types comes back as it was', () => {
    const value = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }).filter((text) => text.trim() === text);
    const operator = fc.constantFrom('=', '!=', '>', '<=');
    fc.assert(
      fc.property(value, operator, (text, sign) => {
        const filter = one(sign, text, 'target');
        expect(readQuery(writeQuery(filter))).toEqual(filter);
      }),
    );
    fc.assert(
      fc.property(value, fc.constantFrom(':', '!:'), (text, sign) => {
        const filter = one(sign, text);
        expect(readQuery(writeQuery(filter))).toEqual(filter);
      }),
    );
  });
});

test.each([
  ['', 'app', 'github', 'app:github'],
  ['decision:deny', 'app', 'my app', 'decision:deny app:"my app"'],
  ['decision:deny or app:slack', 'app', 'github', '(decision:deny or app:slack) app:github'],
  ['latency:1..5', 'app', 'github', '(latency:1..5) app:github'],
])('narrowing "%s" by %s %s', (text, field, value, expected) => {
  expect(addCondition(text, field, value)).toBe(expected);
});
