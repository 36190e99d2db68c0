import ElkConstructor, { type ElkNode } from 'elkjs/lib/elk-api.js';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';
import type { EstateMap } from '../api/wire.ts';
import { edgeId } from './map-model.ts';

export const NODE_WIDTH = 210;
export const NODE_HEIGHT = 64;
/** Room for an edge's label between the two columns. */
const COLUMN_GAP = '300';

export type Positions = ReadonlyMap<string, { readonly x: number; readonly y: number }>;

// ELK is a megabyte of compiled Java: it computes in a worker and holds up nothing.
export const elk = new ElkConstructor({ workerFactory: () => new Worker(workerUrl) });

/** Integrations left, apps right, ordered so that few edges cross. */
export async function layOut(map: EstateMap): Promise<Positions> {
  const node = (id: string, partition: string): ElkNode => ({
    id,
    width: NODE_WIDTH,
    height: NODE_HEIGHT,
    layoutOptions: { 'elk.partitioning.partition': partition },
  });
  const graph = await elk.layout({
    id: 'estate',
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': 'RIGHT',
      'elk.partitioning.activate': 'true',
      'elk.separateConnectedComponents': 'false',
      'elk.layered.spacing.nodeNodeBetweenLayers': COLUMN_GAP,
      'elk.spacing.nodeNode': '28',
      'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
    },
    children: [...map.integrations.map(({ id }) => node(id, '0')), ...map.apps.map(({ id }) => node(id, '1'))],
    edges: map.edges.map((edge) => ({ id: edgeId(edge), sources: [edge.integrationId], targets: [edge.appId] })),
  });
  return new Map((graph.children ?? []).map(({ id, x = 0, y = 0 }) => [id, { x, y }]));
}
