import { expect, test } from 'vitest';
import { renderRecords, shortName } from './render-events.ts';

const ID = '01a209db-743e-7000-a1f8-5ae5721c1866';
const NOW = Date.UTC(2026, 10, 23, 12, 0, 5, 250);

test.each<[text: string, rendered: unknown]>([
  ['{{iso}}', '2026-11-23T12:00:05Z'],
  ['{{isoMs:-5s}}', '2026-11-23T12:00:00.250Z'],
  ['{{sql:+1h}}', '2026-11-23 13:00:05'],
  ['{{epoch:-1m}}', Math.floor(NOW / 1_000) - 60],
  ['{{epochMs}}', NOW],
  ['at {{epochMs}}', `at ${NOW}`],
  ['drill-{{drill}}', `drill-${shortName(ID)}`],
  ['{{unknown}}', '{{unknown}}'],
])('%s becomes %o', (text, rendered) => {
  expect(renderRecords([{ a: [{ b: text }] }], { drillId: ID, now: NOW })).toEqual([{ a: [{ b: rendered }] }]);
});

test('ids are the same in one drill and differ between two', () => {
  const of = (drillId: string, name: string) =>
    renderRecords([{ id: `{{uuid:${name}}}` }], { drillId, now: NOW })[0]?.['id'];
  expect(of(ID, 'a')).toBe(of(ID, 'a'));
  expect(new Set([of(ID, 'a'), of(ID, 'b'), of('other', 'a')]).size).toBe(3);
  expect(of(ID, 'a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('an offset that is none is an error of the scenario', () => {
  expect(() => renderRecords([{ at: '{{iso:soon}}' }], { drillId: ID, now: NOW })).toThrow('"soon" is no offset');
});
