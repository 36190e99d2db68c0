import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildGraph, type Graph, neighboursOf } from './graph.ts';
import { EDGE_KINDS, type EdgeKind, type GraphEdge, type GraphNode, type NodeKind } from './node.ts';
import { answerPaths, fits, type NodeFilter } from './path-question.ts';
import { blastRadius, reachFrom } from './radius.ts';

/** Both searches against the most naive ones that can be written down. */

const KINDS: readonly NodeKind[] = ['person', 'app', 'oauth_grant', 'data_set'];
const EDGES: readonly EdgeKind[] = ['holds', 'reaches', 'granted', 'saw'];

const node = (index: number, kind: NodeKind, sanctioned?: boolean): GraphNode => ({
  id: `n${index}`,
  kind,
  name: `node ${index}`,
  reference: { type: 'none', id: '' },
  ...(sanctioned === undefined ? {} : { sanctioned }),
  ...(kind === 'data_set' ? { classification: 'restricted', dataClass: 'payment.card', app: 'shop' } : {}),
});

interface Drawn {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

const drawn: fc.Arbitrary<Drawn> = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.record({
    nodes: fc
      .array(fc.tuple(fc.constantFrom(...KINDS), fc.boolean()), { minLength: size, maxLength: size })
      .map((all) => all.map(([kind, sanctioned], index) => node(index, kind, sanctioned))),
    edges: fc.array(
      fc
        .tuple(fc.nat(size - 1), fc.nat(size - 1), fc.constantFrom(...EDGES), fc.nat(9))
        .map(([from, to, kind, calls]) => ({ from: `n${from}`, to: `n${to}`, kind, calls, values: calls * 2 })),
      { maxLength: 40 },
    ),
  }),
);

/** Steps to each reached node, by relaxing all edges until nothing changes. */
function naiveReach({ edges }: Drawn, start: string): Map<string, number> {
  const whole = new Map([[start, 0]]);
  const touched = new Map([[start, 0]]);
  for (let changed = true; changed;) {
    changed = false;
    for (const { from, to, kind } of edges) {
      const at = whole.get(from);
      if (at === undefined || from === to) continue;
      for (const map of EDGE_KINDS[kind].isPartial ? [touched] : [touched, whole]) {
        if ((map.get(to) ?? Number.POSITIVE_INFINITY) <= at + 1) continue;
        map.set(to, at + 1);
        changed = true;
      }
    }
  }
  return touched;
}

/** Length of the shortest walk from a node to one that fits, by trying walks of growing length. */
function naiveSteps(drawing: Drawn, from: string, to: NodeFilter, through: NodeFilter | undefined): number | null {
  const byId = new Map(drawing.nodes.map((one) => [one.id, one]));
  let states = new Set([`${from}|${through === undefined}`]);
  for (let length = 1; length <= drawing.nodes.length * 2 + 1; length++) {
    const next = new Set<string>();
    for (const state of states) {
      const [id, passed] = state.split('|');
      for (const edge of drawing.edges) {
        if (edge.from !== id || edge.from === edge.to) continue;
        const target = byId.get(edge.to)!; // edges join nodes of the drawing
        if (passed === 'true' && fits(target, to)) return length;
        if (EDGE_KINDS[edge.kind].isPartial) continue;
        next.add(`${edge.to}|${passed === 'true' || (through !== undefined && fits(target, through))}`);
      }
    }
    states = next;
  }
  return null;
}

const make = ({ nodes, edges }: Drawn): Graph => buildGraph(nodes, edges);

describe('against a naive search', () => {
  test('the same nodes are reached, at the same distance', () => {
    fc.assert(
      fc.property(drawn, (drawing) => {
        const { distance } = reachFrom(make(drawing), 0);
        const naive = naiveReach(drawing, 'n0');
        expect(drawing.nodes.map(({ id }) => naive.get(id) ?? -1)).toEqual([...distance]);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['with nothing in between', undefined],
    ['through an unsanctioned app', { kind: ['app'], sanctioned: false }],
  ] as const)('the same nodes have a path, of the same length: %s', (_name, between) => {
    const through = between === undefined ? undefined : { kind: [...between.kind], sanctioned: between.sanctioned };
    const [from, to]: NodeFilter[] = [{ kind: ['person'] }, { kind: ['data_set'] }];
    fc.assert(
      fc.property(drawn, (drawing) => {
        const graph = make(drawing);
        const question = { from: from!, to: to!, ...(through ? { through } : {}), limit: 500 };
        const { paths, total } = answerPaths(graph, question);
        const lengths = new Map(paths.map(({ steps }) => [steps[0]?.node.id, steps.length - 1]));
        const people = drawing.nodes.filter(({ kind }) => kind === 'person');
        expect(total).toBe(paths.length);
        for (const { id } of people)
          expect([id, lengths.get(id) ?? null]).toEqual([id, naiveSteps(drawing, id, to!, through)]);
        for (const { steps } of paths) {
          const isThrough = !through || steps.slice(1, -1).some((step) => fits(step.node, through));
          expect(isThrough).toBe(true);
          for (const [index, step] of steps.entries()) {
            if (index === 0) continue;
            const before = steps[index - 1]?.node.id;
            expect(
              drawing.edges.some((edge) => edge.from === before && edge.to === step.node.id && edge.kind === step.by),
            ).toBe(true);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('every edge of a node is its neighbour, both ways', () => {
    fc.assert(
      fc.property(drawn, (drawing) => {
        const wanted = drawing.edges.filter(({ from, to }) => from !== to && (from === 'n0' || to === 'n0')).length;
        expect(neighboursOf(make(drawing), 0, 1_000).total).toBe(wanted);
      }),
    );
  });
});

describe('blast radius', () => {
  const data = (id: string, over: Partial<GraphNode>): GraphNode => ({ ...node(0, 'data_set'), id, ...over });
  const graph = buildGraph(
    [
      node(1, 'person'),
      node(2, 'app'),
      node(3, 'oauth_grant'),
      node(4, 'app'),
      data('cards', { classification: 'restricted' }),
      data('mail', { classification: 'confidential', dataClass: 'contact.email' }),
    ],
    [
      { from: 'n1', to: 'n2', kind: 'granted' },
      { from: 'n1', to: 'n3', kind: 'holds' },
      { from: 'n3', to: 'n4', kind: 'reaches' },
      { from: 'n2', to: 'cards', kind: 'holds' },
      { from: 'n4', to: 'mail', kind: 'holds' },
      { from: 'n3', to: 'mail', kind: 'saw', calls: 4, values: 9, lastAt: 77 },
    ],
  );

  test('ends at what is reached in part, and sums what was seen', () => {
    const radius = blastRadius(graph, graph.indexOf.get('n1')!, 10);
    expect(radius.reached.map(({ node: { id }, isPartial }) => [id, isPartial])).toEqual([
      ['n2', true],
      ['n3', false],
      ['n4', false],
    ]);
    expect(radius.data).toEqual([
      expect.objectContaining({ id: 'mail', calls: 4, values: 9, seenCalls: 4, seenValues: 9, lastAt: 77 }),
    ]);
    expect([radius.worst, radius.total, radius.counts]).toEqual([
      'confidential',
      4,
      { app: 2, oauth_grant: 1, data_set: 1 },
    ]);
  });

  test('what others saw is told apart', () => {
    const radius = blastRadius(graph, graph.indexOf.get('n4')!, 10);
    expect(radius.data).toEqual([expect.objectContaining({ id: 'mail', values: 9, seenValues: 0 })]);
  });
});
