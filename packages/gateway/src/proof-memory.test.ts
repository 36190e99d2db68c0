import { expect, test } from 'vitest';
import { PROOF_KEPT_MS, ProofMemory } from './proof-memory.ts';

const NOW = 1_800_000_000_000;
const BOUNDS = { allMax: 20, sourceMax: 12, sourceReserve: 3 };

function useMany(memory: ProofMemory, source: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => memory.admit(`${source}-${index}`, source, NOW));
}
const count = (uses: string[], use: string): number => uses.filter((one) => one === use).length;

test('a proof is used once, until it is too old to come again', () => {
  const memory = new ProofMemory();
  expect(memory.admit('a', 'one', NOW)).toBe('first');
  expect(memory.admit('a', 'one', NOW + PROOF_KEPT_MS - 1)).toBe('used');
  expect(memory.admit('a', 'one', NOW + PROOF_KEPT_MS)).toBe('first');
});

test('a source that uses proofs without end is refused, and no other', () => {
  const memory = new ProofMemory(BOUNDS);
  const flood = useMany(memory, 'flood', 50);
  expect([count(flood, 'first'), count(flood, 'full')]).toEqual([12, 38]);
  expect(useMany(memory, 'calm', 5)).toEqual(Array.from({ length: 5 }, () => 'first'));
  // What it used is known still: no proof is forgotten to make room.
  expect(memory.admit('flood-3', 'flood', NOW)).toBe('used');
});

test('several that flood together leave each other one its reserve', () => {
  const memory = new ProofMemory(BOUNDS);
  for (const source of ['flood-a', 'flood-b', 'flood-c']) useMany(memory, source, 50);
  for (const source of ['calm-a', 'calm-b']) {
    expect(useMany(memory, source, 5)).toEqual(['first', 'first', 'first', 'full', 'full']);
  }
});

test('room comes back with time, for whoever asks', () => {
  const memory = new ProofMemory(BOUNDS);
  for (const source of ['flood-a', 'flood-b']) useMany(memory, source, 50);
  expect(memory.admit('flood-a-late', 'flood-a', NOW + PROOF_KEPT_MS - 1)).toBe('full');
  expect(memory.admit('flood-a-late', 'flood-a', NOW + PROOF_KEPT_MS)).toBe('first');
  expect([...memory.fresh(NOW + PROOF_KEPT_MS)]).toEqual([['flood-a-late', 'flood-a']]);
});
