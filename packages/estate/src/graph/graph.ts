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

/**
 * Edges of node `n`: places `start[n]` up to `start[n + 1]`. The node at the other end and the kind stand beside the
 * edge's number, in the order in which a search reads them: looked up by number, each would miss the processor's cache.
 */
export interface Adjacency {
  readonly start: Uint32Array;
  readonly edges: Uint32Array;
  readonly others: Uint32Array;
  readonly kinds: Uint8Array;
}

const KIND_INDEX = new Map(EDGE_NAMES.map((name, index) => [name, index]));
export const IS_PARTIAL = Uint8Array.from(EDGE_NAMES, (name) => (EDGE_KINDS[name].isPartial ? 1 : 0));

export function edgeKindOf(graph: Graph, edge: number): EdgeKind {
  return EDGE_NAMES[graph.edgeKind[edge] ?? 0] ?? 'holds'; // written from the same list
}

/** Counting sort of edges by one of their ends. */
function adjacency(count: number, ends: Uint32Array, others: Uint32Array, kinds: Uint8Array): Adjacency {
  const start = new Uint32Array(count + 1);
  for (let edge = 0; edge < ends.length; edge++) start[ends[edge]! + 1]! += 1; // ends are below count
  for (let node = 0; node < count; node++) start[node + 1]! += start[node]!;
  const next = start.slice();
  const sorted = {
    edges: new Uint32Array(ends.length),
    others: new Uint32Array(ends.length),
    kinds: new Uint8Array(ends.length),
  };
  for (let edge = 0; edge < ends.length; edge++) {
    const node = ends[edge]!;
    const at = next[node]!;
    next[node] = at + 1;
    sorted.edges[at] = edge;
    sorted.others[at] = others[edge]!;
    sorted.kinds[at] = kinds[edge]!;
  }
  return { start, ...sorted };
}

const EDGES_AT_FIRST = 1_024;

/** Columns of edges that grow by doubling: an object for each of a million would cost more than all the rest. */
function createColumns(expected: number) {
  let room = Math.max(1, expected);
  let count = 0;
  let columns = {
    edgeFrom: new Uint32Array(room),
    edgeTo: new Uint32Array(room),
    edgeKind: new Uint8Array(room),
    calls: new Float64Array(room),
    values: new Float64Array(room),
    lastAt: new Float64Array(room),
  };
  const grow = (): void => {
    room *= 2;
    const longer = {
      edgeFrom: new Uint32Array(room),
      edgeTo: new Uint32Array(room),
      edgeKind: new Uint8Array(room),
      calls: new Float64Array(room),
      values: new Float64Array(room),
      lastAt: new Float64Array(room),
    };
    longer.edgeFrom.set(columns.edgeFrom);
    longer.edgeTo.set(columns.edgeTo);
    longer.edgeKind.set(columns.edgeKind);
    longer.calls.set(columns.calls);
    longer.values.set(columns.values);
    longer.lastAt.set(columns.lastAt);
    columns = longer;
  };
  return {
    add(from: number, to: number, edge: GraphEdge): void {
      if (count === room) grow();
      columns.edgeFrom[count] = from;
      columns.edgeTo[count] = to;
      columns.edgeKind[count] = KIND_INDEX.get(edge.kind) ?? 0;
      columns.calls[count] = edge.calls ?? 0;
      columns.values[count] = edge.values ?? 0;
      columns.lastAt[count] = edge.lastAt ?? 0;
      count += 1;
    },
    /** Cut to what is used. */
    take: () => ({
      edgeFrom: columns.edgeFrom.subarray(0, count),
      edgeTo: columns.edgeTo.subarray(0, count),
      edgeKind: columns.edgeKind.subarray(0, count),
      calls: columns.calls.subarray(0, count),
      values: columns.values.subarray(0, count),
      lastAt: columns.lastAt.subarray(0, count),
    }),
  };
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
  const columns = createColumns(Array.isArray(edges) ? edges.length : EDGES_AT_FIRST);
  for (const edge of edges) {
    const from = indexOf.get(edge.from);
    const to = indexOf.get(edge.to);
    if (from !== undefined && to !== undefined && from !== to) columns.add(from, to, edge);
  }
  const taken = columns.take();
  const { edgeFrom, edgeTo, edgeKind } = taken;
  const out = adjacency(list.length, edgeFrom, edgeTo, edgeKind);
  const into = adjacency(list.length, edgeTo, edgeFrom, edgeKind);
  return { nodes: list, indexOf, out, in: into, ...taken };
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
    const { start, edges, others } = graph[direction];
    for (let at = start[node] ?? 0; at < (start[node + 1] ?? 0); at++) {
      const edge = edges[at]!; // within the range
      const other = graph.nodes[others[at]!]!;
      const [calls, values, lastAt] = [graph.calls[edge]!, graph.values[edge]!, graph.lastAt[edge]!];
      items.push({ node: other, kind: edgeKindOf(graph, edge), direction, calls, values, lastAt: lastAt || null });
    }
  }
  items.sort((a, b) => b.calls - a.calls || a.node.name.localeCompare(b.node.name));
  return { items: items.slice(0, limit), total: items.length };
}
