import type { Radius } from './graph-queries.ts';

export const BOX_WIDTH = 190;
export const BOX_HEIGHT = 44;
const COLUMN_GAP = 70;
const ROW_GAP = 14;
/** A picture of more than this says nothing; the tables hold everything. */
const ROWS_MAX = 12;

export interface Box {
  readonly id: string;
  readonly title: string;
  readonly detail: string;
  readonly x: number;
  readonly y: number;
  readonly tone: 'start' | 'normal' | 'partial' | 'restricted';
}

export interface Drawing {
  readonly boxes: readonly Box[];
  readonly lines: readonly { readonly from: Box; readonly to: Box }[];
  readonly width: number;
  readonly height: number;
  /** Nodes that found no room. */
  readonly left: number;
}

/** Columns by distance from the start, data last in its column. */
export function drawRadius(radius: Radius): Drawing {
  const columns: Omit<Box, 'x' | 'y'>[][] = [
    [{ id: radius.start.id, title: radius.start.name, detail: radius.start.kind.replaceAll('_', ' '), tone: 'start' }],
  ];
  const via = new Map<string, string>();
  let left = 0;
  const place = (distance: number, box: Omit<Box, 'x' | 'y'>): void => {
    const column = (columns[distance] ??= []);
    if (column.length < ROWS_MAX) column.push(box);
    else left += 1;
  };
  for (const { node, distance, isPartial, via: from } of radius.reached) {
    via.set(node.id, from);
    const tone = isPartial ? 'partial' : 'normal';
    place(distance, { id: node.id, title: node.name, detail: node.kind.replaceAll('_', ' '), tone });
  }
  for (const { id, dataClass, app, classification, distance } of radius.data) {
    const tone = classification === 'restricted' ? 'restricted' : 'normal';
    place(distance, { id, title: dataClass, detail: `${classification}, in ${app}`, tone });
  }
  const boxes = columns.flatMap((column, x) =>
    column.map((box, y): Box => ({ ...box, x: x * (BOX_WIDTH + COLUMN_GAP), y: y * (BOX_HEIGHT + ROW_GAP) })),
  );
  const byId = new Map(boxes.map((box) => [box.id, box]));
  const apps = new Map(boxes.filter(({ detail }) => detail === 'app').map((box) => [box.title, box]));
  const data = new Map(radius.data.map((one) => [one.id, one]));
  const lines = boxes.flatMap((to) => {
    const of = data.get(to.id);
    // Data hangs on its app where that was drawn before it, else on the start.
    const app = of ? apps.get(of.app) : undefined;
    const from = of ? (app && app.x < to.x ? app : boxes[0]) : byId.get(via.get(to.id) ?? '');
    return from && from !== to ? [{ from, to }] : [];
  });
  const rows = Math.max(...columns.map((column) => column?.length ?? 0));
  return {
    boxes,
    lines,
    width: columns.length * (BOX_WIDTH + COLUMN_GAP) - COLUMN_GAP,
    height: rows * (BOX_HEIGHT + ROW_GAP) - ROW_GAP,
    left,
  };
}
