import { expect, test } from 'vitest';
import { APPS_DRAWN_MAX, drawDataMap, type KnownSet, type MapQuery, SETS_DRAWN_MAX } from './data-map.ts';
import type { Flow } from './flow-store.ts';

const set = (app: string, object: string, more: Partial<KnownSet> = {}): KnownSet => ({
  app,
  object,
  label: 'internal',
  categories: [],
  records: 1,
  region: null,
  vendor: null,
  ...more,
});

function flow(id: string, from: string, to: string, more: Partial<Flow> = {}): Flow {
  const place = (text: string) => {
    const [app = '', object = ''] = text.split('/');
    return { app, object };
  };
  const at = new Date(0);
  return {
    id,
    from: place(from),
    to: place(to),
    integration: { id: 'i1', name: 'Sync' },
    how: 'inline',
    fields: {},
    categories: [],
    label: 'internal',
    records: 1,
    bytes: 0,
    calls: 1,
    regions: { from: null, to: null },
    vendor: null,
    vendors: { from: null, to: null },
    purpose: null,
    legalBasis: null,
    safeguard: null,
    instrument: null,
    importer: null,
    assessment: null,
    firstSeen: at,
    lastSeen: at,
    ...more,
  };
}

const SETS = [
  set('github', 'issue', { label: 'restricted', categories: ['user.contact.email'], region: 'eu', vendor: 'GitHub' }),
  set('slack', 'message', { label: 'confidential', categories: ['user.content'], region: 'us', vendor: 'Slack' }),
  set('crm', 'customer', { label: 'confidential', categories: ['user.name'], region: 'eu', vendor: 'CRM Ltd' }),
  set('okta', 'user'),
  set('wiki', 'page', { label: 'public' }),
];
const FLOWS = [
  flow('f1', 'github/issue', ''),
  flow('f2', 'github/issue', 'slack/message', { how: 'inferred', label: 'restricted' }),
  flow('f3', 'slack/message', 'crm/customer', { how: 'inferred' }),
];

test('draws each data set, integrations at loose ends, and the flows between', () => {
  const map = drawDataMap(SETS, FLOWS, {});
  expect(map.level).toBe('sets');
  expect(map.sets.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['set:github/issue', 'set:slack/message', 'set:crm/customer', 'set:okta/user']),
  );
  expect(map.integrations).toEqual([{ id: 'integration:i1', name: 'Sync' }]);
  expect(map.lines.map(({ from, to }) => [from, to])).toEqual([
    ['set:github/issue', 'set:slack/message'],
    ['set:github/issue', 'integration:i1'],
    ['set:slack/message', 'set:crm/customer'],
  ]);
  expect(map.totals).toEqual({ apps: 5, sets: 5, flows: 3 });
  expect(map.choices.categories).toContain('user.contact');
});

const FILTERS: readonly [MapQuery, asked: string[], context: string[]][] = [
  [{ label: 'restricted' }, ['github'], ['slack']],
  [{ category: 'user.contact' }, ['github'], ['slack']],
  [{ category: 'user.con' }, [], []],
  [{ region: 'us' }, ['slack'], ['crm', 'github']],
  [{ vendor: 'CRM Ltd' }, ['crm'], ['slack']],
  [{ app: 'wiki' }, ['wiki'], []],
];
test.each(FILTERS)('filtered by %o it keeps what flows there and from there as context', (query, asked, context) => {
  const map = drawDataMap(SETS, FLOWS, query);
  const names = (isContext: boolean) =>
    map.apps
      .filter((one) => one.isContext === isContext)
      .map(({ app }) => app)
      .toSorted();
  expect([names(false), names(true)]).toEqual([asked, context]);
});

test('nothing known is an empty map', () => {
  const map = drawDataMap([], [], {});
  expect([map.level, map.sets, map.apps, map.lines]).toEqual(['sets', [], [], []]);
});

test('2,000 data sets are drawn as their apps, the strictest first, and one app opens', () => {
  const many = Array.from({ length: 2_000 }, (_, index) =>
    set(`app-${index % 50}`, `object-${index}`, index % 50 === 49 ? { label: 'restricted' } : {}),
  );
  const flows = many
    .slice(0, 900)
    .map((one, index) => flow(`f${index}`, `${one.app}/${one.object}`, 'app-49/object-49', { label: 'confidential' }));
  const map = drawDataMap(many, flows, {});
  expect(map.level).toBe('apps');
  expect(map.sets).toEqual([]);
  expect(map.apps).toHaveLength(APPS_DRAWN_MAX);
  expect(map.apps[0]).toMatchObject({ app: 'app-49', label: 'restricted', sets: 40 });
  expect(map.left.apps).toBe(10);
  expect(map.totals.sets).toBe(2_000);
  expect(map.lines.every(({ flows: count }) => count === 18)).toBe(true);

  const opened = drawDataMap(many, flows, { app: 'app-49' });
  expect(opened.level).toBe('sets');
  expect(opened.sets.length).toBeLessThanOrEqual(SETS_DRAWN_MAX);
  expect(opened.sets.filter(({ isContext }) => !isContext)).toHaveLength(40);
  expect(opened.left.sets).toBeGreaterThan(0);
});
