import { type Graph, edgeKindOf, IS_PARTIAL } from './graph.ts';
import {
  CLASSIFICATIONS,
  type Classification,
  EDGE_NAMES,
  type EdgeKind,
  type GraphNode,
  type NodeKind,
} from './node.ts';

export interface Reached {
  readonly node: GraphNode;
  /** Steps from the start. */
  readonly distance: number;
  /** Reached in part only: what else it holds is not counted. */
  readonly isPartial: boolean;
  /** The step before, by id, and the edge that leads on from it. */
  readonly via: string;
  readonly by: EdgeKind;
}

export interface ReachedData {
  readonly id: string;
  readonly app: string;
  readonly dataClass: string;
  readonly classification: Classification;
  readonly distance: number;
  /** Ever seen in this app's traffic. */
  readonly calls: number;
  readonly values: number;
  readonly lastAt: number | null;
  /** Of that, seen by what lies in the radius. */
  readonly seenCalls: number;
  readonly seenValues: number;
}

export interface Radius {
  readonly start: GraphNode;
  /** How many nodes of each kind are reached, the start not counted. */
  readonly counts: Readonly<Partial<Record<NodeKind, number>>>;
  /** Nearest first, without data sets, at most the limit. */
  readonly reached: readonly Reached[];
  readonly total: number;
  /** The most sensitive first. */
  readonly data: readonly ReachedData[];
  /** The highest classification reached; null: no data is known. */
  readonly worst: Classification | null;
}

/** What a search found, by node index: -1 where not reached. */
export interface Reach {
  readonly distance: Int32Array;
  /** The edge by which a node was first reached. */
  readonly parent: Int32Array;
  /** 1 where the search went on. */
  readonly isWhole: Uint8Array;
}

/** Breadth first from a node along edges. A node reached by partial edges alone is reached, and nothing beyond it. */
export function reachFrom(graph: Graph, start: number): Reach {
  const count = graph.nodes.length;
  const distance = new Int32Array(count).fill(-1);
  const parent = new Int32Array(count).fill(-1);
  const isWhole = new Uint8Array(count);
  const depth = new Int32Array(count);
  const queue = new Uint32Array(count);
  let [head, tail] = [0, 0];
  distance[start] = 0;
  isWhole[start] = 1;
  queue[tail++] = start;
  const { start: ranges, edges, others, kinds } = graph.out;
  while (head < tail) {
    const node = queue[head++]!; // below tail
    const next = depth[node]! + 1;
    const end = ranges[node + 1]!;
    for (let at = ranges[node]!; at < end; at++) {
      const to = others[at]!;
      if (distance[to] === -1) {
        distance[to] = next;
        parent[to] = edges[at]!;
      }
      if (isWhole[to] === 1 || IS_PARTIAL[kinds[at]!] === 1) continue;
      isWhole[to] = 1;
      depth[to] = next;
      queue[tail++] = to;
    }
  }
  return { distance, parent, isWhole };
}

const SAW = EDGE_NAMES.indexOf('saw');

function dataOf(graph: Graph, index: number, reach: Reach): ReachedData {
  const node = graph.nodes[index]!; // an index of the graph
  const sum = { calls: 0, values: 0, lastAt: 0, seenCalls: 0, seenValues: 0 };
  const { start, edges, others, kinds } = graph.in;
  for (let at = start[index]!; at < start[index + 1]!; at++) {
    if (kinds[at] !== SAW) continue;
    const edge = edges[at]!;
    const [calls, values] = [graph.calls[edge]!, graph.values[edge]!];
    sum.calls += calls;
    sum.values += values;
    sum.lastAt = Math.max(sum.lastAt, graph.lastAt[edge]!);
    if (reach.isWhole[others[at]!] !== 1) continue;
    sum.seenCalls += calls;
    sum.seenValues += values;
  }
  return {
    id: node.id,
    app: node.app ?? '',
    dataClass: node.dataClass ?? node.name,
    classification: node.classification ?? 'internal',
    distance: reach.distance[index]!,
    ...sum,
    lastAt: sum.lastAt || null,
  };
}

const rank = (classification: Classification): number => CLASSIFICATIONS.indexOf(classification);

/** The nearest of what was reached, by name where equally near, at most `limit`; sorting all would take the longest. */
function nearest(graph: Graph, found: readonly number[], { distance }: Reach, limit: number): number[] {
  const isBefore = (a: number, b: number): boolean =>
    distance[a]! < distance[b]! || (distance[a] === distance[b] && graph.nodes[a]!.name < graph.nodes[b]!.name);
  // A heap with the furthest of those kept on top.
  const heap: number[] = [];
  const sift = (from: number): void => {
    for (let at = from; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let last = at;
      if (left < heap.length && isBefore(heap[last]!, heap[left]!)) last = left;
      if (right < heap.length && isBefore(heap[last]!, heap[right]!)) last = right;
      if (last === at) return;
      [heap[at], heap[last]] = [heap[last]!, heap[at]!];
      at = last;
    }
  };
  for (const index of found) {
    if (heap.length < limit) {
      heap.push(index);
      if (heap.length === limit) for (let at = limit >> 1; at >= 0; at--) sift(at);
    } else if (limit > 0 && isBefore(index, heap[0]!)) {
      heap[0] = index;
      sift(0);
    }
  }
  return heap.sort((a, b) => (isBefore(a, b) ? -1 : 1));
}

/** Everything that whoever holds `start` could reach, with the data seen there. */
export function blastRadius(graph: Graph, start: number, limit: number): Radius {
  const reach = reachFrom(graph, start);
  const { distance } = reach;
  const counts: Partial<Record<NodeKind, number>> = {};
  const found: number[] = [];
  const data: ReachedData[] = [];
  let total = 0;
  for (let index = 0; index < graph.nodes.length; index++) {
    if (index === start || distance[index] === -1) continue;
    const { kind } = graph.nodes[index]!; // an index of the graph
    total += 1;
    counts[kind] = (counts[kind] ?? 0) + 1;
    if (kind === 'data_set') data.push(dataOf(graph, index, reach));
    else found.push(index);
  }
  const reached = nearest(graph, found, reach, limit).map((index): Reached => {
    const edge = reach.parent[index]!;
    return {
      node: graph.nodes[index]!,
      distance: distance[index]!,
      isPartial: reach.isWhole[index] === 0,
      via: graph.nodes[graph.edgeFrom[edge]!]!.id,
      by: edgeKindOf(graph, edge),
    };
  });
  data.sort((a, b) => rank(b.classification) - rank(a.classification) || b.values - a.values);
  const worst = data[0]?.classification ?? null;
  return { start: graph.nodes[start]!, counts, reached, total, data: data.slice(0, limit), worst };
}
