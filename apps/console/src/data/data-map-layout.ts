import type { ElkNode } from 'elkjs/lib/elk-api.js';
import { elk, NODE_HEIGHT, NODE_WIDTH } from '../map/map-layout.ts';
import type { DataMap } from './data-queries.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** By node id; a data set's place is relative to its app's. */
export type DataMapLayout = ReadonlyMap<string, Box>;

const leaf = (id: string): ElkNode => ({ id, width: NODE_WIDTH, height: NODE_HEIGHT });

/** Only what changes where things stand. */
export function dataMapKey({ level, apps, sets, integrations, lines }: DataMap): string {
  const nodes = [...apps, ...sets, ...integrations].map(({ id }) => id).toSorted();
  return JSON.stringify([level, nodes, lines.map(({ id }) => id).toSorted()]);
}

/** What ELK lays out: apps around their data sets, integrations at loose ends, flows to the right. */
export function dataMapGraph({ level, apps, sets, integrations, lines }: DataMap): ElkNode {
  const children = apps.map(({ id, app }): ElkNode => {
    if (level === 'apps') return leaf(id);
    const own = sets.filter((set) => set.app === app).map((set) => leaf(set.id));
    return { id, children: own, layoutOptions: { 'elk.padding': '[top=40,left=14,bottom=14,right=14]' } };
  });
  return {
    id: 'data',
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': 'RIGHT',
      'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
      'elk.layered.spacing.nodeNodeBetweenLayers': '150',
      'elk.spacing.nodeNode': '24',
      'elk.aspectRatio': '1.6',
    },
    children: [...children, ...integrations.map(({ id }) => leaf(id))],
    edges: lines.map(({ id, from, to }) => ({ id, sources: [from], targets: [to] })),
  };
}

export async function layOutDataMap(map: DataMap): Promise<DataMapLayout> {
  const boxes = new Map<string, Box>();
  const take = ({ children = [] }: ElkNode): void => {
    for (const node of children) {
      const { id, x = 0, y = 0, width = NODE_WIDTH, height = NODE_HEIGHT } = node;
      boxes.set(id, { x, y, width, height });
      take(node);
    }
  };
  take(await elk.layout(dataMapGraph(map)));
  return boxes;
}
