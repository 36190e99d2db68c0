import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SketchInvalid } from './errors.ts';
import { fingerprint, type PrintKind } from './fingerprint.ts';
import { likeness, signDocument } from './min-hash.ts';
import {
  addToSketch,
  decodeSketch,
  EMPTY_SKETCH,
  encodeSketch,
  estimateCount,
  intersectSketches,
  uniteSketches,
} from './theta-sketch.ts';
import { walkForm, walkJson } from './walk-json.ts';

const key = Buffer.alloc(32, 9);
const printOf = (value: number): Buffer => createHash('sha256').update(`record ${value}`).digest().subarray(0, 16);
const range = (from: number, to: number): Buffer[] =>
  Array.from({ length: to - from }, (_, index) => printOf(from + index));

describe('theta sketch', () => {
  const numbers = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 300 });

  test('order, repetition and grouping make no difference', () => {
    fc.assert(
      fc.property(numbers, numbers, (left, right) => {
        const [a, b] = [left.map(printOf), right.map(printOf)];
        const whole = addToSketch(EMPTY_SKETCH, [...a, ...b]);
        const united = uniteSketches(addToSketch(EMPTY_SKETCH, b), addToSketch(addToSketch(EMPTY_SKETCH, a), a));
        expect(united).toEqual(whole);
        expect(estimateCount(whole)).toBe(new Set([...left, ...right]).size);
        expect(decodeSketch(encodeSketch(whole))).toEqual(whole);
        const common = intersectSketches(addToSketch(EMPTY_SKETCH, a), addToSketch(EMPTY_SKETCH, b));
        expect(estimateCount(common)).toBe(new Set(left.filter((one) => right.includes(one))).size);
      }),
      { numRuns: 50 },
    );
  });

  test('estimates many within three standard errors', () => {
    const a = addToSketch(EMPTY_SKETCH, range(0, 60_000));
    const b = addToSketch(EMPTY_SKETCH, range(30_000, 90_000));
    const within = (got: number, wanted: number, share: number): boolean => Math.abs(got - wanted) <= wanted * share;
    expect(estimateCount(a)).toSatisfy((count: number) => within(count, 60_000, 0.05));
    expect(estimateCount(uniteSketches(a, b))).toSatisfy((count: number) => within(count, 90_000, 0.05));
    expect(estimateCount(intersectSketches(a, b))).toSatisfy((count: number) => within(count, 30_000, 0.1));
    expect(encodeSketch(a).length).toBeLessThan(33_000);
  });

  test.each([
    ['no theta', Buffer.alloc(0)],
    ['half a hash', Buffer.alloc(12)],
    ['hashes not below theta', Buffer.alloc(16)],
  ])('a stored sketch with %s is refused', (_name, bytes) => {
    expect(() => decodeSketch(bytes)).toThrow(SketchInvalid);
  });
});

test('documents are as alike as their phrases', () => {
  const words = Array.from({ length: 400 }, (_, index) => `word${index}`);
  const sign = (from: number, to: number) => signDocument(words.slice(from, to).join(' '), key);
  const base = sign(0, 300);
  const close = sign(10, 310);
  const far = sign(320, 400);
  if (!base || !close || !far) throw new Error('long enough to be signed');
  expect(likeness(base.signature, base.signature)).toBe(1);
  expect(likeness(base.signature, close.signature)).toBeGreaterThan(0.75);
  expect(likeness(base.signature, far.signature)).toBeLessThan(0.1);
  expect(base.bands.some((band) => close.bands.includes(band))).toBe(true);
  expect(signDocument('too short to tell', key)).toBeNull();
});

test.each<[PrintKind, string, string, boolean]>([
  ['email', 'Jane@Example.com', ' jane@example.com', true],
  ['email', 'jane@example.com', 'june@example.com', false],
  ['phone', '+49 (30) 901820', '0049 30 901820', true],
  ['phone', '+49 30 901820', '030 901820', false],
  ['iban', 'DE89 3704 0044 0532 0130 00', 'de89370400440532013000', true],
  ['card', '4111-1111-1111-1111', '4111 1111 1111 1111', true],
])('%s: %s and %s are one: %s', (kind, a, b, same) => {
  const [left, right] = [fingerprint(key, kind, a), fingerprint(key, kind, b)];
  expect(left?.length).toBe(16);
  expect(left?.equals(right ?? Buffer.alloc(0))).toBe(same);
  expect(fingerprint(Buffer.alloc(32, 1), kind, a)?.equals(left ?? Buffer.alloc(0))).toBe(false);
});

test.each<[string, unknown, string[]]>([
  ['objects and lists', { a: { b: [1, { c: 'x' }] }, d: null }, ['a.b[]', 'a.b[].c', 'd']],
  ['a list at the top', [{ id: 1 }, { id: 2 }], ['[].id', '[].id']],
  ['names that could be data', { 'jane@example.com': 1, U0123456: { ok: true }, plain: 2 }, ['*', '*.ok', 'plain']],
  ['escapes', { q: 'say "\\"', after: 1 }, ['q', 'after']],
  ['nothing in it', { a: {}, b: [], c: 1 }, ['c']],
])('paths of %s', (_name, value, paths) => {
  for (const space of [0, 2]) {
    const bytes = Buffer.from(JSON.stringify(value, null, space));
    expect([...walkJson(bytes)].map(({ path }) => path)).toEqual(paths);
  }
});

test('a walk gives exactly the leaves of any document, where they are', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      const bytes = Buffer.from(text);
      const leaves: unknown[] = [];
      JSON.parse(text, (_key, value: unknown) => {
        if (value === null || typeof value !== 'object') leaves.push(value);
        return value;
      });
      const walked = [...walkJson(bytes)].map(
        ({ start, end }) => JSON.parse(bytes.toString('utf8', start, end)) as unknown,
      );
      // Repeated and `__proto__` names are one for the parser, and two for who reads bytes.
      expect(walked.length).toBeGreaterThanOrEqual(leaves.length);
      const unknown = walked.filter((one) => !leaves.includes(one));
      expect(unknown.length).toBeLessThanOrEqual(walked.length - leaves.length);
    }),
    { numRuns: 200 },
  );
});

test('fields of a form', () => {
  expect([...walkForm(Buffer.from('channel=C1&text=a%40b.c&x%5B0%5D=1'))].map(({ path }) => path)).toEqual([
    'channel',
    'text',
    'x',
  ]);
});
