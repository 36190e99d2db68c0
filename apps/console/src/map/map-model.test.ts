import { expect, test } from 'vitest';
import type { EstateMap } from '../api/wire.ts';
import { edgeLabel, edgeState, edgeWidth, isRecent, layoutKey, sumEdges } from './map-model.ts';

const quiet = {
  appId: 'a',
  integrationId: 'i',
  granted: true,
  calls: 0,
  refusals: 0,
  errors: 0,
  redacted: 0,
  requestBytes: 0,
  responseBytes: 0,
  latencyP50: 0,
  latencyP95: 0,
  lastAt: null,
};

test.each([
  ['idle', {}],
  ['flowing', { calls: 10 }],
  ['partly-refused', { calls: 10, refusals: 1 }],
  ['partly-refused', { calls: 10, refusals: 5 }],
  ['refused', { calls: 10, refusals: 6 }],
  ['failing', { calls: 10, errors: 6 }],
])('an edge is %s', (state, over) => {
  expect(edgeState({ ...quiet, ...over })).toBe(state);
});

test.each([
  [{}, 'no calls'],
  [{ calls: 1, latencyP50: 4.24 }, '1 call · 4.2 ms'],
  [{ calls: 1_234, refusals: 3, latencyP50: 120.4 }, '1.2K calls · 3 refused · 120 ms'],
])('the label of %j', (over, text) => {
  expect(edgeLabel({ ...quiet, ...over })).toBe(text);
});

test('only traffic of the last seconds moves', () => {
  expect(isRecent({ lastAt: null }, 50_000)).toBe(false);
  expect(isRecent({ lastAt: 40_000 }, 50_000)).toBe(true);
  expect(isRecent({ lastAt: 39_999 }, 50_000)).toBe(false);
});

test('an edge grows with its calls, to a limit', () => {
  expect(edgeWidth(0)).toBeLessThan(edgeWidth(10));
  expect(edgeWidth(10)).toBeLessThan(edgeWidth(1_000));
  expect(edgeWidth(1e12)).toBe(edgeWidth(1e13));
});

test('sums keep the latest call', () => {
  const sum = sumEdges([
    { ...quiet, calls: 2, refusals: 1, lastAt: 7 },
    { ...quiet, calls: 3, lastAt: 5 },
    { ...quiet, redacted: 4 },
  ]);
  expect(sum).toEqual({ calls: 5, refusals: 1, errors: 0, redacted: 4, lastAt: 7 });
});

test('traffic does not move the map; things that come or go do', () => {
  const map: EstateMap = {
    from: 0,
    to: 1,
    apps: [{ id: 'a', name: 'a', title: 'A', hasCredential: true }],
    integrations: [{ id: 'i', name: 'i', status: 'active', kind: 'service' }],
    edges: [quiet],
  };
  const busy = { ...map, to: 9, edges: [{ ...quiet, calls: 9, lastAt: 3 }] };
  const grown = { ...map, apps: [...map.apps, { id: 'b', name: 'b', title: 'B', hasCredential: true }] };
  expect(layoutKey(busy)).toBe(layoutKey(map));
  expect(layoutKey({ ...map, edges: [] })).not.toBe(layoutKey(map));
  expect(layoutKey(grown)).not.toBe(layoutKey(map));
});
