import { z } from 'zod';
import { edgeKindOf, type Graph, IS_PARTIAL } from './graph.ts';
import { CLASSIFICATIONS, type EdgeKind, type GraphNode, NODE_KINDS } from './node.ts';

const PATHS_MAX = 500;

/** Which nodes: all that is given must hold. */
export const nodeFilter = z.strictObject({
  kind: z.array(z.enum(NODE_KINDS)).max(NODE_KINDS.length).optional(),
  /** One node. */
  id: z.string().max(600).optional(),
  /** Part of the name, any case. */
  name: z.string().max(200).optional(),
  sanctioned: z.boolean().optional(),
  classification: z.array(z.enum(CLASSIFICATIONS)).max(CLASSIFICATIONS.length).optional(),
  dataClass: z.string().max(128).optional(),
  status: z.string().max(64).optional(),
});
export type NodeFilter = z.output<typeof nodeFilter>;

/** `who can reach restricted data through an unsanctioned app?`: from people, to restricted data, through such an app. */
export const pathQuestion = z.strictObject({
  from: nodeFilter,
  to: nodeFilter,
  through: nodeFilter.optional(),
  limit: z.int().min(1).max(PATHS_MAX).default(100),
});
export type PathQuestion = z.output<typeof pathQuestion>;

export interface Path {
  /** From the first to the last node; `by` is the edge that leads to the node, null for the first. */
  readonly steps: readonly { readonly node: GraphNode; readonly by: EdgeKind | null }[];
}

export interface PathAnswer {
  /** A shortest path for each node of `from` that has one, the shortest first, at most the limit. */
  readonly paths: readonly Path[];
  /** How many nodes of `from` have one. */
  readonly total: number;
  /** How many nodes fit each filter, so that an empty answer explains itself. */
  readonly matched: { readonly from: number; readonly to: number; readonly through: number | null };
}

export function fits(node: GraphNode, filter: NodeFilter): boolean {
  return (
    (filter.kind === undefined || filter.kind.length === 0 || filter.kind.includes(node.kind)) &&
    (filter.id === undefined || filter.id === node.id) &&
    (filter.name === undefined || node.name.toLowerCase().includes(filter.name.toLowerCase())) &&
    (filter.sanctioned === undefined || node.sanctioned === filter.sanctioned) &&
    (filter.classification === undefined ||
      filter.classification.length === 0 ||
      (node.classification !== undefined && filter.classification.includes(node.classification))) &&
    (filter.dataClass === undefined || node.dataClass === filter.dataClass) &&
    (filter.status === undefined || node.status === filter.status)
  );
}

function marks(graph: Graph, filter: NodeFilter): { mark: Uint8Array; count: number } {
  const mark = new Uint8Array(graph.nodes.length);
  let count = 0;
  for (let index = 0; index < mark.length; index++) {
    if (!fits(graph.nodes[index]!, filter)) continue; // within the list
    mark[index] = 1;
    count += 1;
  }
  return { mark, count };
}

/**
 * One search backwards from all of `to`. A state is a node and whether a node of `through` lies strictly between it
 * and the end, so every shortest way is found once, whatever the number of nodes to start from.
 */
class BackwardSearch {
  readonly #graph: Graph;
  readonly #through: Uint8Array | null;
  /** By node * 2 + passed: steps to the end (-1: none), the edge to take, the state it leads to (-1: the end). */
  readonly steps: Int32Array;
  readonly #edge: Int32Array;
  readonly #next: Int32Array;

  constructor(graph: Graph, to: Uint8Array, through: Uint8Array | null) {
    this.#graph = graph;
    this.#through = through;
    const states = graph.nodes.length * 2;
    this.steps = new Int32Array(states).fill(-1);
    this.#edge = new Int32Array(states);
    this.#next = new Int32Array(states);
    this.#run(to);
  }

  #run(to: Uint8Array): void {
    const { start, edges, others, kinds } = this.#graph.in;
    const [steps, edgeOf, nextOf, through] = [this.steps, this.#edge, this.#next, this.#through];
    const queue = new Uint32Array(steps.length);
    let [head, tail] = [0, 0];
    const passedAtOnce = through === null ? 1 : 0;
    for (let node = 0; node < to.length; node++) {
      if (to[node] !== 1) continue;
      for (let at = start[node]!; at < start[node + 1]!; at++) {
        const state = others[at]! * 2 + passedAtOnce; // within the range
        if (steps[state] !== -1) continue;
        steps[state] = 1;
        edgeOf[state] = edges[at]!;
        nextOf[state] = -1;
        queue[tail++] = state;
      }
    }
    while (head < tail) {
      const from = queue[head++]!;
      const node = from >> 1;
      const passed = (from & 1) === 1 || through?.[node] === 1 ? 1 : 0;
      const further = steps[from]! + 1;
      const end = start[node + 1]!;
      for (let at = start[node]!; at < end; at++) {
        const state = others[at]! * 2 + passed;
        // A node that is reached in part leads no further.
        if (steps[state] !== -1 || IS_PARTIAL[kinds[at]!] === 1) continue;
        steps[state] = further;
        edgeOf[state] = edges[at]!;
        nextOf[state] = from;
        queue[tail++] = state;
      }
    }
  }

  pathFrom(node: number): Path {
    const { nodes, edgeTo } = this.#graph;
    const steps: { node: GraphNode; by: EdgeKind | null }[] = [{ node: nodes[node]!, by: null }];
    for (let state = node * 2 + 1; state !== -1; state = this.#next[state]!) {
      const edge = this.#edge[state]!;
      steps.push({ node: nodes[edgeTo[edge]!]!, by: edgeKindOf(this.#graph, edge) });
    }
    return { steps };
  }
}

export function answerPaths(graph: Graph, question: PathQuestion): PathAnswer {
  const [from, to] = [marks(graph, question.from), marks(graph, question.to)];
  const through = question.through ? marks(graph, question.through) : null;
  const search = new BackwardSearch(graph, to.mark, through?.mark ?? null);
  const found: number[] = [];
  for (let node = 0; node < from.mark.length; node++) {
    if (from.mark[node] === 1 && search.steps[node * 2 + 1] !== -1) found.push(node);
  }
  found.sort((a, b) => search.steps[a * 2 + 1]! - search.steps[b * 2 + 1]!);
  return {
    paths: found.slice(0, question.limit).map((node) => search.pathFrom(node)),
    total: found.length,
    matched: { from: from.count, to: to.count, through: through?.count ?? null },
  };
}
