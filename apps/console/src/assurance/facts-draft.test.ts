import { expect, test } from 'vitest';
import type { Attestation } from './assurance-queries.ts';
import { draftOf, factsOf } from './facts-draft.ts';

const base = { facts: null, reading: { characters: 1, kinds: [], remarks: [], proposals: [] } };
const attestation = (more: object): Attestation => ({ ...base, ...more }) as unknown as Attestation; // only what is read

test('what was read fills the form, and comes back as it was', () => {
  const proposals = [
    { fact: 'periodEnd', value: '2025-12-31', passages: [] },
    { fact: 'exceptions', value: ['One.', 'Two.'], passages: [] },
    {
      fact: 'subservice',
      value: [
        { name: 'AWS (Amazon)', method: 'carve-out' },
        { name: 'Hetzner', method: null },
      ],
      passages: [],
    },
    { fact: 'asOf', value: null, passages: [] },
  ];
  const draft = draftOf(attestation({ reading: { ...base.reading, proposals } }));
  expect(draft).toMatchObject({ periodEnd: '2025-12-31', exceptions: 'One.\nTwo.', asOf: '' });
  expect(factsOf(draft)).toMatchObject({
    periodEnd: '2025-12-31',
    asOf: null,
    opinion: null,
    exceptions: ['One.', 'Two.'],
    subservice: [
      { name: 'AWS (Amazon)', method: 'carve-out' },
      { name: 'Hetzner', method: null },
    ],
  });
});
