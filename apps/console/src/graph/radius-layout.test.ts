import { expect, test } from 'vitest';
import type { Radius } from './graph-queries.ts';
import { drawRadius } from './radius-layout.ts';

const node = (id: string, kind: 'app' | 'integration' | 'person') => ({
  id,
  kind,
  name: id,
  reference: { type: 'none' as const, id: '' },
});
const radius = (over: Partial<Radius> = {}): Radius => ({
  start: node('ada', 'person'),
  counts: {},
  total: 3,
  worst: 'restricted',
  neighbours: [],
  reached: [
    { node: node('sync', 'integration'), distance: 1, isPartial: false, via: 'ada', by: 'owns' },
    { node: node('shop', 'app'), distance: 2, isPartial: true, via: 'sync', by: 'granted' },
  ],
  data: [
    {
      id: 'data:1',
      app: 'shop',
      dataClass: 'payment.card',
      classification: 'restricted',
      distance: 3,
      calls: 1,
      values: 2,
      lastAt: null,
      seenCalls: 0,
      seenValues: 0,
    },
  ],
  ...over,
});

test('each step is a column, and every line joins what led on', () => {
  const { boxes, lines } = drawRadius(radius());
  expect(boxes.map(({ id, tone }) => [id, tone])).toEqual([
    ['ada', 'start'],
    ['sync', 'normal'],
    ['shop', 'partial'],
    ['data:1', 'restricted'],
  ]);
  expect(new Set(boxes.map(({ x }) => x)).size).toBe(4);
  expect(lines.map(({ from, to }) => [from.id, to.id])).toEqual([
    ['ada', 'sync'],
    ['sync', 'shop'],
    ['shop', 'data:1'],
  ]);
});

test('what finds no room is counted', () => {
  const many = Array.from({ length: 20 }, (_, index) => ({
    node: node(`i${index}`, 'integration'),
    distance: 1,
    isPartial: false,
    via: 'ada',
    by: 'owns' as const,
  }));
  expect(drawRadius(radius({ reached: many, data: [] })).left).toBe(8);
});
