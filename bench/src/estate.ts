import {
  answerPaths,
  blastRadius,
  buildGraph,
  EDGE_NAMES,
  type GraphEdge,
  type GraphNode,
  NODE_KINDS,
  pathQuestion,
} from '@cordon/estate';
import type { Row } from './run.ts';

const NODES = 100_000;
const EDGES = 1_000_000;
const RUNS = 7;
const REACHED_MAX = 300;
const LABELS = ['internal', 'confidential', 'restricted'] as const;

/** The same numbers on every run: a linear congruential generator (Numerical Recipes). */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function makeNodes(random: (below: number) => number): GraphNode[] {
  return Array.from({ length: NODES }, (_, index): GraphNode => {
    const kind = NODE_KINDS[index % NODE_KINDS.length] ?? 'app';
    const node = { id: `n${index}`, kind, name: `node ${index}`, reference: { type: 'none' as const, id: '' } };
    if (kind === 'app') return { ...node, sanctioned: random(10) > 0 };
    return kind === 'data_set' ? { ...node, classification: LABELS[random(3)] ?? 'internal', app: 'app' } : node;
  });
}

function makeEdges(random: (below: number) => number): GraphEdge[] {
  return Array.from({ length: EDGES }, () => ({
    from: `n${random(NODES)}`,
    to: `n${random(NODES)}`,
    kind: EDGE_NAMES[random(EDGE_NAMES.length)] ?? 'holds',
    calls: random(100),
  }));
}

function measure(name: string, work: () => void): Row {
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  const [min = 0, max = 0, median = 0] = [times[0], times.at(-1), times[Math.floor(RUNS / 2)]];
  return { name, metric: 'time', unit: 'ms', median, min, max, runs: RUNS };
}

/** A graph of 100,000 nodes and a million edges: what it takes to build it and to ask it. */
export async function run(): Promise<{ rows: Row[] }> {
  const random = createRandom(7);
  const [nodes, edges] = [makeNodes(random), makeEdges(random)];
  const graph = buildGraph(nodes, edges);
  const question = pathQuestion.parse({
    from: { kind: ['person'] },
    through: { kind: ['app'], sanctioned: false },
    to: { kind: ['data_set'], classification: ['restricted'] },
  });
  let start = 0;
  return {
    rows: [
      measure('build the graph', () => void buildGraph(nodes, edges)),
      measure('blast radius of one node', () => void blastRadius(graph, (start += 997) % NODES, REACHED_MAX)),
      measure('who can reach what, through what', () => void answerPaths(graph, question)),
    ],
  };
}
