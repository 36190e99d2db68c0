import { expect, test } from 'vitest';
import { judgeField, judgeSet, type Label, labelOfCategory, propagate, withPin } from './label.ts';
import { loadTaxonomy } from './taxonomy.ts';

const { policy } = loadTaxonomy();
const fields = (...categories: string[]) =>
  categories.map((category, index) => ({ path: `f${index}`, category, label: labelOfCategory(policy, category) }));
const of = (categories: string[], records = 10, inflows: { from: string; label: Label }[] = []) =>
  judgeSet(policy, { fields: fields(...categories), records, inflows });

const SETS: readonly [name: string, categories: string[], records: number, label: Label, because: string][] = [
  ['nothing known', [], 10, 'internal', ''],
  ['its strictest field', ['user.job_title', 'user.contact.email'], 10, 'confidential', 'field'],
  [
    'age, place and work together, none of which is confidential alone',
    ['user.demographic.age_range', 'user.contact.address.city', 'user.job_title'],
    10,
    'confidential',
    'combination',
  ],
  ['name and money together', ['user.name.last', 'user.financial'], 10, 'confidential', 'field'],
  ['account and precise location', ['user.unique_id', 'user.location.precise'], 10, 'restricted', 'combination'],
  ['many people', ['user.contact.email'], 100_000, 'restricted', 'volume'],
  ['nearly as many', ['user.contact.email'], 99_999, 'confidential', 'field'],
  ['many of what tells nothing', ['user.job_title'], 1_000_000, 'internal', 'field'],
];
test.each(SETS)('a data set with %s', (_name, categories, records, label, because) => {
  const judged = of(categories, records);
  expect([judged.label, judged.reasons[0]?.because ?? '']).toEqual([label, because]);
});

test('what flows in raises, and a person’s word stands over both', () => {
  const judged = of(['user.job_title'], 10, [{ from: 'crm customer', label: 'restricted' }]);
  expect(judged).toMatchObject({ label: 'restricted', reasons: [{ because: 'flow', text: 'from crm customer' }, {}] });
  expect(withPin(judged, 'internal')).toMatchObject({ label: 'internal', reasons: [{ because: 'pinned' }, {}, {}] });
});

test('a stray finding is no evidence, a recurring one is', () => {
  const field = (count: number) =>
    judgeField(policy, {
      path: 'text',
      category: 'user.content.public',
      detected: [{ type: 'iban', label: 'restricted', count }],
      samples: 1_000,
    }).label;
  expect([field(1), field(2)]).toEqual(['public', 'restricted']);
});

test('labels travel along flows, also in circles, no further than a pin, and no higher than what is carried', () => {
  const own = new Map<string, Label>([
    ['a', 'restricted'],
    ['b', 'internal'],
    ['c', 'public'],
    ['d', 'internal'],
    ['e', 'public'],
  ]);
  const flows = [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'c' },
    { from: 'c', to: 'a' },
    { from: 'b', to: 'd' },
    { from: 'a', to: 'e', carried: 'confidential' as const },
  ];
  const labels = propagate(own, flows, new Set(['d']));
  expect(Object.fromEntries([...labels].map(([id, { label }]) => [id, label]))).toEqual({
    a: 'restricted',
    b: 'restricted',
    c: 'restricted',
    d: 'internal',
    e: 'confidential',
  });
  expect(labels.get('c')?.from).toBe('b');
});
