import { expect, test } from 'vitest';
import { eventsHref, parseEventSearch, rangeOf } from './event-search.ts';

test.each([
  ['nothing', {}, {}],
  ['a search', { q: 'decision:deny', window: 60_000 }, { q: 'decision:deny', window: 60_000 }],
  ['digits, which an address holds as a number', { q: 404 }, { q: '404' }],
  ['an absolute range wins', { from: 5, to: 9, window: 60_000 }, { from: 5, to: 9 }],
  ['an empty range', { from: 9, to: 9 }, {}],
  ['half a range', { from: 9 }, {}],
  ['what has the wrong form', { q: ['a'], window: '5', live: 'yes', event: 7 }, {}],
])('reads %s', (_, raw, expected) => {
  expect(parseEventSearch(raw)).toEqual(expected);
});

test('a link holds the whole state', () => {
  const search = { q: 'app:"my app" -x', from: 5, to: 9, event: 'e1', live: true };
  const parameters = new URL(eventsHref(search), 'http://cordon').searchParams;
  const raw = Object.fromEntries([...parameters].map(([key, value]) => [key, JSON.parse(value) as unknown]));
  expect(parseEventSearch(raw)).toEqual(search);
  expect(eventsHref({})).toBe('/events');
});

test('a relative range ends when it was asked for', () => {
  expect(rangeOf({ window: 100 }, 1_000)).toEqual({ from: 900, to: 1_000 });
  expect(rangeOf({ from: 1, to: 2 }, 1_000)).toEqual({ from: 1, to: 2 });
});
