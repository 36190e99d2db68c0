import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { renderTable } from './render-table.ts';
import type { ScenarioResult } from './scenario.ts';

const good: ScenarioResult = {
  name: 'Flood',
  who: 'billing-report',
  expected: '429',
  happened: '20 served, 40 held back',
  outcome: 'limited',
  reason: 'Retry-After: 3; '.repeat(20).trim(),
  ok: true,
  measured: {},
};
const bad: ScenarioResult = {
  ...good,
  name: 'Stolen token',
  outcome: 'allowed',
  happened: 'still served',
  reason: '',
  ok: false,
};

test.each([40, 80, 100, 120, 400])('at %i columns no line is wider than the table may be', (columns) => {
  const widest = Math.max(
    ...renderTable([good, bad], { columns })
      .split('\n')
      .map((line) => line.length),
  );
  expect(widest).toBe(Math.min(Math.max(columns, 80), 120));
});

test('says what was expected where something else came out', () => {
  const table = renderTable([good, bad]);
  expect(table).toContain('!! Stolen token');
  expect(table).toContain('still served (expected: 429)');
  expect(table).toContain('1 as expected, 1 not');
});

test('colour changes nothing but colour', () => {
  const plain = renderTable([good, bad]);
  const coloured = renderTable([good, bad], { colour: true });
  expect(coloured).not.toBe(plain);
  expect(stripVTControlCharacters(coloured)).toBe(plain);
});
