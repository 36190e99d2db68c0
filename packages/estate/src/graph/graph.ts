import { EDGE_KINDS, EDGE_NAMES, type EdgeKind, type GraphEdge, type GraphNode } from './node.ts';

/**
 * The graph as typed arrays: for each node the range of its edges, sorted by where they come from (`out`) and by where
 * they lead (`in`). A million edges take some 60 MB and are walked without allocating.
 */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly indexOf: ReadonlyMap<string, number>;
  readonly out: Adjacency;
  readonly in: Adjacency;
  readonly edgeFrom: Uint32Array;
  readonly edgeTo: Uint32Array;
  readonly edgeKind: Uint8Array;
  readonly calls: Float64Array;
  readonly values: Float64Array;
  readonly lastAt: Float64Array;
}

/** Edges of node `n`: `edges[start[n]]` up to `edges[start[n + 1]]`. */
export interface Adjacency {
  readonly start: Uint32Array;
  readonly edges: Uint32Array;
}

const KIND_INDEX = new Map(EDGE_NAMES.map((name, index) => [name, index]));
export const IS_PARTIAL = Uint8Array.from(EDGE_NAMES, (name) => (EDGE_KINDS[name].isPartial ? 1 : 0));

export function edgeKindOf(graph: Graph, edge: number): EdgeKind {
  return EDGE_NAMES[graph.edgeKind[edge] ?? 0] ?? 'holds'; // written from the same list
}

/** Counting sort of edges by one of their ends. */
function adjacency(count: number, ends: Uint32Array): Adjacency {
  const start = new Uint32Array(count + 1);
  for (const end of ends) start[end + 1]! += 1; // ends are below count
  for (let node = 0; node < count; node++) start[node + 1]! += start[node]!;
  const next = start.slice();
  const edges = new Uint32Array(ends.length);
  for (let edge = 0; edge < ends.length; edge++) {
    const end = ends[edge]!;
    edges[next[end]!] = edge;
    next[end]! += 1;
  }
  return { start, edges };
}

/** Builds the graph. Of nodes with one id the first counts; edges to what isn't there are left out. */
export function buildGraph(nodes: Iterable<GraphNode>, edges: Iterable<GraphEdge>): Graph {
  const list: GraphNode[] = [];
  const indexOf = new Map<string, number>();
  for (const node of nodes) {
    if (indexOf.has(node.id)) continue;
    indexOf.set(node.id, list.length);
    list.push(node);
  }
  const kept: { from: number; to: number; edge: GraphEdge }[] = [];
  for (const edge of edges) {
    const [from, to] = [indexOf.get(edge.from), indexOf.get(edge.to)];
    if (from !== undefined && to !== undefined && from !== to) kept.push({ from, to, edge });
  }
  const arrays = {
    edgeFrom: new Uint32Array(kept.length),
    edgeTo: new Uint32Array(kept.length),
    edgeKind: new Uint8Array(kept.length),
    calls: new Float64Array(kept.length),
    values: new Float64Array(kept.length),
    lastAt: new Float64Array(kept.length),
  };
  for (const [index, { from, to, edge }] of kept.entries()) {
    arrays.edgeFrom[index] = from;
    arrays.edgeTo[index] = to;
    arrays.edgeKind[index] = KIND_INDEX.get(edge.kind) ?? 0;
    arrays.calls[index] = edge.calls ?? 0;
    arrays.values[index] = edge.values ?? 0;
    arrays.lastAt[index] = edge.lastAt ?? 0;
  }
  const [out, into] = [adjacency(list.length, arrays.edgeFrom), adjacency(list.length, arrays.edgeTo)];
  return { nodes: list, indexOf, out, in: into, ...arrays };
}

export interface Neighbour {
  readonly node: GraphNode;
  readonly kind: EdgeKind;
  readonly direction: 'out' | 'in';
  readonly calls: number;
  readonly values: number;
  readonly lastAt: number | null;
}

/** What a node is directly connected to, busiest first, at most `limit`; `total` counts all. */
export function neighboursOf(graph: Graph, node: number, limit: number): { items: Neighbour[]; total: number } {
  const items: Neighbour[] = [];
  for (const direction of ['out', 'in'] as const) {
    const { start, edges } = graph[direction];
    for (let at = start[node] ?? 0; at < (start[node + 1] ?? 0); at++) {
      const edge = edges[at]!; // within the range
      const other = graph.nodes[(direction === 'out' ? graph.edgeTo : graph.edgeFrom)[edge]!]!;
      const [calls, values, lastAt] = [graph.calls[edge]!, graph.values[edge]!, graph.lastAt[edge]!];
      items.push({ node: other, kind: edgeKindOf(graph, edge), direction, calls, values, lastAt: lastAt || null });
    }
  }
  items.sort((a, b) => b.calls - a.calls || a.node.name.localeCompare(b.node.name));
  return { items: items.slice(0, limit), total: items.length };
}
