import { expect, test } from 'vitest';
import { drawFourthParties } from './fourth-party-layout.ts';

const party = (key: string, vendors: readonly string[], concentration: number) => ({
  key,
  name: key.toUpperCase(),
  countries: [],
  concentration,
  vendors: vendors.map((id) => ({ id, name: `Vendor ${id}`, tier: 'low', purpose: null })),
});

test('each vendor stands once, and a line leads to each company that it rests on', () => {
  const { boxes, lines, left } = drawFourthParties([party('aws', ['1', '2'], 1), party('mail', ['2'], 0.5)]);
  expect(boxes.map(({ title, isVendor }) => [title, isVendor])).toEqual([
    ['Vendor 1', true],
    ['Vendor 2', true],
    ['AWS', false],
    ['MAIL', false],
  ]);
  expect(lines.map(({ from, to }) => `${from.title} > ${to.title}`)).toEqual([
    'Vendor 1 > AWS',
    'Vendor 2 > AWS',
    'Vendor 2 > MAIL',
  ]);
  expect(lines[0]?.width).toBeGreaterThan(lines[2]?.width ?? 99);
  expect(left).toBe(0);
});

test('what finds no room is counted', () => {
  const many = Array.from({ length: 40 }, (_, index) => party(`p${index}`, [`v${index}`], 1 / 40));
  const { boxes, left } = drawFourthParties(many);
  expect(boxes).toHaveLength(30);
  expect(left).toBe(25);
});

test('no company, no picture', () => {
  expect(drawFourthParties([])).toMatchObject({ boxes: [], lines: [], height: 0, left: 0 });
});
