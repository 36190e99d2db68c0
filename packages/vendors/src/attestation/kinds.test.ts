import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadAttestationKinds } from './kind.ts';
import { readAttestation } from './read-attestation.ts';

const kinds = loadAttestationKinds(fileURLToPath(new URL('../../../../content/', import.meta.url)));

const samples = kinds.flatMap(({ id, samples: all }) => all.map((sample, at) => [`${id} ${at + 1}`, sample] as const));

test.each(samples)('sample %s says what it is and what it attests', (_, { text, kind, facts }) => {
  const reading = readAttestation({ kind: 'text', pages: [text] }, kinds);
  expect(reading.kinds[0]?.kind ?? null).toBe(kind);
  const read = Object.fromEntries(reading.proposals.map(({ fact, value }) => [fact, value]));
  expect(read).toMatchObject(facts);
  for (const { passages } of reading.proposals) {
    // What is shown as the passage stands in the file at that place.
    for (const { start, end, page, text: shown } of passages) {
      expect(page).toBe(1);
      expect(text.slice(start, end).replaceAll(/\s+/g, ' ').trim()).toBe(shown.replaceAll(/\s+/g, ' ').trim());
    }
  }
});

test('each kind has a sample of its own and one that is not of it', () => {
  for (const { id, samples: all } of kinds) {
    expect(all.some(({ kind }) => kind === id)).toBe(true);
    expect(all.filter(({ facts }) => Object.keys(facts).length > 0).length).toBeGreaterThan(0);
  }
  expect(kinds.map(({ id }) => id)).toEqual([
    'bridge-letter',
    'c5',
    'csa-star',
    'fedramp',
    'hitrust',
    'iso-27001',
    'iso-27701',
    'iso-42001',
    'pci-aoc',
    'soc2-type1',
    'soc2-type2',
  ]);
});
