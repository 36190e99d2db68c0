import '@xyflow/react/dist/style.css';
import '../map/map.css';
import './data-map.css';
import Box from '@cloudscape-design/components/box';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useQuery } from '@tanstack/react-query';
import { Background, Controls, type Node, type NodeProps, ReactFlow } from '@xyflow/react';
import { showShortCount } from '../display/number.ts';
import { type EdgeState, edgeWidth } from '../map/map-model.ts';
import { KeepInView } from '../map/MapCanvas.tsx';
import { MapEdgeLine, type TrafficEdge } from '../map/MapEdgeLine.tsx';
import { type EstateNode, MapNode } from '../map/MapNode.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { useIsDark } from '../shell/theme.ts';
import { dataMapKey, type DataMapLayout, layOutDataMap } from './data-map-layout.ts';
import type { DataMap, Label } from './data-queries.ts';

type AppNode = Node<{ readonly title: string }, 'app'>;

function AppFrame({ data }: NodeProps<AppNode>) {
  return <div className="data-map-app">{data.title}</div>;
}

const NODE_TYPES = { estate: MapNode, app: AppFrame };
const EDGE_TYPES = { traffic: MapEdgeLine };
const ZOOM_MIN = 0.15;
/** Frames lie beneath the lines, and these beneath data sets and words. */
const FRAME_Z = -1;
/** A line has the colour of what it carries. */
const STATES: Readonly<Record<Label, EdgeState>> = {
  public: 'idle',
  internal: 'flowing',
  confidential: 'partly-refused',
  restricted: 'refused',
};
const TONES = { public: 'normal', internal: 'normal', confidential: 'warn', restricted: 'off' } as const;

interface CanvasProps {
  readonly map: DataMap;
  readonly selected: string | null;
  /** The id of a node or line; null for the ground between. */
  readonly onSelect: (id: string | null) => void;
}

/** Apps, what they hold, and what flows between. Where things stand is computed again only when things come or go. */
export function DataMapCanvas({ map, selected, onSelect }: CanvasProps) {
  const isDark = useIsDark();
  const key = dataMapKey(map);
  const layout = useQuery({
    queryKey: ['data-map-layout', key],
    queryFn: async () => layOutDataMap(map),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (layout.error) return <ProblemAlert error={layout.error} />;
  if (!layout.data) {
    return (
      <Box textAlign="center" padding="xxl">
        <StatusIndicator type="loading">Laying out the map</StatusIndicator>
      </Box>
    );
  }
  const nodes = nodesOf(map, layout.data, selected);
  const choose = (id: string): void => {
    if (id !== selected) onSelect(id);
  };
  return (
    <div
      className={`map-canvas${isDark ? ' map-dark' : ''}`}
      role="region"
      aria-label="Map of apps, data sets and flows"
    >
      <ReactFlow<EstateNode | AppNode, TrafficEdge>
        nodes={nodes}
        edges={linesOf(map, selected, choose)}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        colorMode={isDark ? 'dark' : 'light'}
        nodesDraggable={false}
        nodesConnectable={false}
        deleteKeyCode={null}
        minZoom={ZOOM_MIN}
        maxZoom={1.5}
        preventScrolling={false}
        onNodeClick={(_, { id }) => choose(id)}
        onEdgeClick={(_, { id }) => choose(id)}
        onPaneClick={() => onSelect(null)}
        // Enter and space select with the keyboard; React Flow reports that as a change.
        onNodesChange={(changes) => {
          for (const change of changes) if (change.type === 'select' && change.selected) choose(change.id);
        }}
        onEdgesChange={(changes) => {
          for (const change of changes) if (change.type === 'select' && change.selected) choose(change.id);
        }}
      >
        <KeepInView of={key} />
        <Background gap={24} />
        <Controls showInteractive={false} position="bottom-left" />
      </ReactFlow>
    </div>
  );
}

const recordsText = (records: number): string =>
  `${showShortCount(records)} ${records === 1 ? 'sighting' : 'sightings'}`;

function nodesOf(map: DataMap, layout: DataMapLayout, selected: string | null): (EstateNode | AppNode)[] {
  const placed = (id: string) => {
    const box = layout.get(id);
    if (!box) return null;
    const { x, y, width, height } = box;
    // Sizes are given, so that the first picture already fits.
    return { id, position: { x, y }, width, height, measured: { width, height }, selected: selected === id };
  };
  const leaf = (id: string, data: EstateNode['data'], kind: string, more: Partial<EstateNode> = {}): EstateNode[] => {
    const base = placed(id);
    return base ? [{ ...base, type: 'estate', data, ariaLabel: `${kind} ${data.title}, ${data.detail}`, ...more }] : [];
  };
  const context = (isContext: boolean) => (isContext ? { className: 'data-map-context' } : {});
  const apps = map.apps.flatMap((one): (EstateNode | AppNode)[] => {
    if (map.level === 'apps') {
      const detail = `${one.label}, ${one.sets} data sets`;
      const data = { kind: 'app' as const, title: one.app, detail, tone: TONES[one.label] };
      return leaf(one.id, data, 'App', context(one.isContext));
    }
    const base = placed(one.id);
    const where = [one.app, one.region, one.vendor].filter((part) => part !== null).join(', ');
    return base ? [{ ...base, type: 'app', data: { title: where }, zIndex: FRAME_Z, ariaLabel: `App ${where}` }] : [];
  });
  const sets = map.sets.flatMap((one) => {
    const detail = `${one.label}, ${recordsText(one.records)}`;
    const data = { kind: 'app' as const, title: one.object, detail, tone: TONES[one.label] };
    return leaf(one.id, data, `Data set ${one.app}`, { parentId: `app:${one.app}`, ...context(one.isContext) });
  });
  const integrations = map.integrations.flatMap(({ id, name }) =>
    leaf(id, { kind: 'integration', title: name, detail: 'integration', tone: 'normal' }, 'Integration'),
  );
  return [...apps, ...sets, ...integrations];
}

function linesOf(map: DataMap, selected: string | null, onSelect: (id: string) => void): TrafficEdge[] {
  return map.lines.map((line) => {
    const label = [
      line.how === 'inline' ? recordsText(line.records) : `${showShortCount(line.records)} followed`,
      ...(line.flows > 1 ? [`${line.flows} flows`] : []),
    ].join(', ');
    return {
      id: line.id,
      type: 'traffic',
      source: line.from,
      target: line.to,
      selected: selected === line.id,
      ariaLabel: `Flow through ${line.integration.name}: ${line.label}, ${label}`,
      data: {
        label,
        state: STATES[line.label],
        width: edgeWidth(line.records) * (line.how === 'possible' ? 0.5 : 1),
        isMoving: false,
        onSelect: () => onSelect(line.id),
      },
    };
  });
}
