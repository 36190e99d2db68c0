import { type Graph, edgeKindOf, IS_PARTIAL } from './graph.ts';
import { CLASSIFICATIONS, type Classification, type EdgeKind, type GraphNode, type NodeKind } from './node.ts';

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
  const { start: ranges, edges } = graph.out;
  while (head < tail) {
    const node = queue[head++]!; // below tail
    for (let at = ranges[node]!; at < ranges[node + 1]!; at++) {
      const edge = edges[at]!;
      const to = graph.edgeTo[edge]!;
      const next = depth[node]! + 1;
      if (distance[to] === -1) {
        distance[to] = next;
        parent[to] = edge;
      }
      if (IS_PARTIAL[graph.edgeKind[edge]!] === 1 || isWhole[to] === 1) continue;
      isWhole[to] = 1;
      depth[to] = next;
      queue[tail++] = to;
    }
  }
  return { distance, parent, isWhole };
}

function dataOf(graph: Graph, index: number, reach: Reach): ReachedData {
  const node = graph.nodes[index]!; // an index of the graph
  const sum = { calls: 0, values: 0, lastAt: 0, seenCalls: 0, seenValues: 0 };
  const { start, edges } = graph.in;
  for (let at = start[index]!; at < start[index + 1]!; at++) {
    const edge = edges[at]!;
    if (edgeKindOf(graph, edge) !== 'saw') continue;
    const [calls, values] = [graph.calls[edge]!, graph.values[edge]!];
    sum.calls += calls;
    sum.values += values;
    sum.lastAt = Math.max(sum.lastAt, graph.lastAt[edge]!);
    if (reach.isWhole[graph.edgeFrom[edge]!] !== 1) continue;
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

/** Everything that whoever holds `start` could reach, with the data seen there. */
export function blastRadius(graph: Graph, start: number, limit: number): Radius {
  const reach = reachFrom(graph, start);
  const counts: Partial<Record<NodeKind, number>> = {};
  const [found, data]: [Reached[], ReachedData[]] = [[], []];
  let total = 0;
  for (const [index, node] of graph.nodes.entries()) {
    if (index === start || reach.distance[index] === -1) continue;
    total += 1;
    counts[node.kind] = (counts[node.kind] ?? 0) + 1;
    if (node.kind === 'data_set') data.push(dataOf(graph, index, reach));
    else {
      const edge = reach.parent[index]!;
      found.push({
        node,
        distance: reach.distance[index]!,
        isPartial: reach.isWhole[index] === 0,
        via: graph.nodes[graph.edgeFrom[edge]!]!.id,
        by: edgeKindOf(graph, edge),
      });
    }
  }
  // Not by locale: among 100,000 that alone takes a second.
  found.sort((a, b) => a.distance - b.distance || (a.node.name < b.node.name ? -1 : 1));
  data.sort((a, b) => rank(b.classification) - rank(a.classification) || b.values - a.values);
  const reached = found.slice(0, limit);
  const worst = data[0]?.classification ?? null;
  return { start: graph.nodes[start]!, counts, reached, total, data: data.slice(0, limit), worst };
}
