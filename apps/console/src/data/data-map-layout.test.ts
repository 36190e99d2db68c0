import { expect, test, vi } from 'vitest';
import type { DataMap } from './data-queries.ts';
import { dataMapGraph, dataMapKey } from './data-map-layout.ts';

// The layout engine runs in a browser's worker; what it is given is decided here.
vi.mock('../map/map-layout.ts', () => ({ elk: {}, NODE_WIDTH: 210, NODE_HEIGHT: 64 }));

const label = 'internal' as const;
const none = { records: 1, isContext: false, label };
const app = (name: string) => ({ ...none, id: `app:${name}`, app: name, sets: 1, region: null, vendor: null });
const set = (name: string, object: string) => ({
  ...none,
  id: `set:${name}/${object}`,
  app: name,
  object,
  categories: [],
});
const map: DataMap = {
  level: 'sets',
  apps: [app('github'), app('slack')],
  sets: [set('github', 'issue'), set('slack', 'message')],
  integrations: [{ id: 'integration:i1', name: 'Sync' }],
  lines: [
    {
      id: 'l1',
      from: 'set:github/issue',
      to: 'integration:i1',
      integration: { id: 'i1', name: 'Sync' },
      how: 'inline',
      label,
      categories: [],
      records: 1,
      flows: 1,
      flowIds: ['f1'],
    },
  ],
  totals: { apps: 2, sets: 2, flows: 1 },
  left: { apps: 0, sets: 0, lines: 0 },
  choices: { apps: [], categories: [], regions: [], vendors: [] },
};

test('data sets stand in their apps, integrations beside them', () => {
  const graph = dataMapGraph(map);
  expect(graph.children?.map(({ id, children = [] }) => [id, children.map((one) => one.id)])).toEqual([
    ['app:github', ['set:github/issue']],
    ['app:slack', ['set:slack/message']],
    ['integration:i1', []],
  ]);
  expect(graph.edges).toEqual([{ id: 'l1', sources: ['set:github/issue'], targets: ['integration:i1'] }]);
});

test('apps alone are boxes of their own', () => {
  const graph = dataMapGraph({ ...map, level: 'apps', sets: [], lines: [] });
  expect(graph.children?.[0]).toEqual({ id: 'app:github', width: 210, height: 64 });
});

test('figures do not move the map', () => {
  const [first] = map.sets;
  const sets = first ? [{ ...first, records: 99 }, ...map.sets.slice(1)] : [];
  expect(dataMapKey({ ...map, sets })).toBe(dataMapKey(map));
  expect(dataMapKey({ ...map, sets: [] })).not.toBe(dataMapKey(map));
});
