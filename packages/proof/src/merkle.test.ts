import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  consistencyProof,
  EMPTY_ROOT,
  GrowingTree,
  inclusionProof,
  isConsistent,
  isIncluded,
  leafHash,
  nodeHash,
  peaksOf,
  type ReadNodes,
  rootAt,
} from './merkle.ts';

/** MTH of RFC 6962, section 2.1, as the text defines it: the yardstick. */
function definition(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return createHash('sha256').digest();
  if (leaves.length === 1) return leaves[0] ?? Buffer.alloc(0);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(definition(leaves.slice(0, split)), definition(leaves.slice(split)));
}

const leavesOf = (size: number): Buffer[] => Array.from({ length: size }, (_, index) => leafHash(`record ${index}`));

function grow(size: number): { tree: GrowingTree; read: ReadNodes } {
  const tree = new GrowingTree();
  const nodes = new Map<string, Buffer>();
  for (const leaf of leavesOf(size)) {
    for (const { level, index, hash } of tree.append(leaf)) nodes.set(`${level}/${index}`, hash);
  }
  const read: ReadNodes = async (names) =>
    names.map(({ level, index }) => {
      const hash = nodes.get(`${level}/${index}`);
      if (!hash) throw new Error(`no node ${level}/${index}`);
      return hash;
    });
  return { tree, read };
}

const SIZES_MAX = 140;
const { read } = grow(SIZES_MAX);
const rootOf = (size: number): Buffer => definition(leavesOf(size));
const flipped = (hash: Buffer): Buffer => Buffer.from(hash.map((byte, place) => (place === 0 ? byte ^ 1 : byte)));

// The vectors of RFC 6962's reference implementation (certificate-transparency, merkletree tests).
const VECTORS = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

test('roots are those of the reference implementation', () => {
  const tree = new GrowingTree();
  expect(tree.root()).toEqual(EMPTY_ROOT);
  const roots = VECTORS.map((data) => {
    tree.append(leafHash(Buffer.from(data, 'hex')));
    return tree.root().toString('hex');
  });
  expect(roots).toEqual(ROOTS);
});

test('a growing tree, stored peaks and the definition give the same root at every size', async () => {
  for (let size = 0; size <= SIZES_MAX; size += 1) {
    const wanted = rootOf(size);
    expect(grow(size).tree.root()).toEqual(wanted);
    expect(await rootAt(size, read)).toEqual(wanted);
    expect(peaksOf(size).reduce((sum, { level }) => sum + 2 ** level, 0)).toBe(size);
  }
});

test('a tree goes on from its stored peaks', async () => {
  const resumed = new GrowingTree(77, await read(peaksOf(77)));
  for (const leaf of leavesOf(SIZES_MAX).slice(77)) resumed.append(leaf);
  expect(resumed.root()).toEqual(rootOf(SIZES_MAX));
});

describe('proofs', () => {
  const size = fc.integer({ min: 1, max: SIZES_MAX });

  test('of inclusion hold for the leaf, its place and its tree only', async () => {
    await fc.assert(
      fc.asyncProperty(size, fc.nat(), fc.nat(), async (whole, at, other) => {
        const index = at % whole;
        const proof = await inclusionProof(index, whole, read);
        const leaf = leavesOf(whole)[index] ?? Buffer.alloc(0);
        const good = { index, size: whole, leaf, proof, root: rootOf(whole) };
        expect(isIncluded(good)).toBe(true);
        expect(isIncluded({ ...good, leaf: flipped(leaf) })).toBe(false);
        expect(isIncluded({ ...good, root: flipped(good.root) })).toBe(false);
        expect(isIncluded({ ...good, proof: [...proof, leaf] })).toBe(false);
        expect(isIncluded({ ...good, proof: proof.slice(1) })).toBe(whole === 1 && proof.length === 0);
        const elsewhere = other % whole;
        expect(isIncluded({ ...good, index: elsewhere })).toBe(elsewhere === index);
        for (const [place, hash] of proof.entries()) {
          expect(isIncluded({ ...good, proof: proof.with(place, flipped(hash)) })).toBe(false);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('of consistency hold for a tree that only grew', async () => {
    for (let from = 0; from <= 40; from += 1) {
      for (let to = from; to <= 70; to += 1) {
        const proof = await consistencyProof(from, to, read);
        const [first, second] = [
          { size: from, root: rootOf(from) },
          { size: to, root: rootOf(to) },
        ];
        expect(isConsistent(first, second, proof), `${from} to ${to}`).toBe(true);
        if (from === 0) continue;
        expect(isConsistent({ ...first, root: flipped(first.root) }, second, proof)).toBe(false);
        expect(isConsistent(first, { ...second, root: flipped(second.root) }, proof)).toBe(false);
        expect(isConsistent(first, second, [...proof, second.root])).toBe(false);
        expect(isConsistent(second, first, proof)).toBe(from === to);
        for (const [place, hash] of proof.entries()) {
          expect(isConsistent(first, second, proof.with(place, flipped(hash)))).toBe(false);
        }
      }
    }
  });
});
