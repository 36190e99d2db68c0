import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { VALUE_CHECKS } from './by-key.ts';
import { detectorCatalogue, loadDetectors, parseDetectorFile } from './detector-load.ts';
import { classifierErrors, DetectorInvalid } from './errors.ts';

const detectors = loadDetectors();
const taxonomy = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../../content/taxonomy/data-categories.json', import.meta.url)), 'utf8'),
) as { categories: { key: string }[] }; // our own file

describe('catalogue', () => {
  test('every category is one of the taxonomy', () => {
    const known = new Set(taxonomy.categories.map(({ key }) => key));
    expect(detectors.filter(({ category }) => !known.has(category)).map(({ type }) => type)).toEqual([]);
  });

  test('covers what it says: 200 kinds of secrets and identifiers of 60 countries at least', () => {
    const entries = detectorCatalogue(detectors);
    expect(entries.filter((entry) => entry.class.startsWith('credential.')).length).toBeGreaterThanOrEqual(200);
    expect(new Set(entries.flatMap((entry) => entry.country ?? [])).size).toBeGreaterThanOrEqual(60);
  });

  test('detectors by key name a check that exists', () => {
    const byKey = detectors.filter((one) => one.value !== undefined && one.keywords.length === 0);
    expect(byKey.filter((one) => !VALUE_CHECKS.includes(one.value ?? '')).map(({ type }) => type)).toEqual([]);
  });

  test.each([
    ['no list', {}],
    [
      'an unknown field',
      { detectors: [{ type: 'x', class: 'x', category: 'user', label: 'public', title: 'x', regex: 'x' }] },
    ],
    ['a wrong label', { detectors: [{ type: 'x', class: 'x', category: 'user', label: 'secret', title: 'x' }] }],
    [
      'an empty anchor',
      { detectors: [{ type: 'x', class: 'x', category: 'user', label: 'public', title: 'x', anchors: [''] }] },
    ],
  ])('a file with %s is refused', (_, content) => {
    expect(() => parseDetectorFile(content, 'x.json')).toThrow(DetectorInvalid);
  });

  test('every error code has a rule', () => {
    expect(Object.keys(classifierErrors).every((code) => code.startsWith('classifier.'))).toBe(true);
  });
});
