import '@xyflow/react/dist/style.css';
import './map.css';
import Box from '@cloudscape-design/components/box';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useQuery } from '@tanstack/react-query';
import { Background, Controls, ReactFlow, useReactFlow, useStore } from '@xyflow/react';
import { useEffect } from 'react';
import type { EstateMap } from '../api/wire.ts';
import { useNow } from '../display/use-now.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { useIsDark } from '../shell/theme.ts';
import { layOut, NODE_HEIGHT, NODE_WIDTH, type Positions } from './map-layout.ts';
import {
  EDGE_STATE_TEXT,
  edgeId,
  edgeLabel,
  edgeState,
  edgeWidth,
  isRecent,
  layoutKey,
  type MapApp,
  type MapIntegration,
  type Selection,
} from './map-model.ts';
import { MapEdgeLine, type TrafficEdge } from './MapEdgeLine.tsx';
import { type EstateNode, MapNode } from './MapNode.tsx';

const NODE_TYPES = { estate: MapNode };
const EDGE_TYPES = { traffic: MapEdgeLine };
const FIT = { padding: 0.06, maxZoom: 1.1 };
/** Below this the labels of nodes can't be read. */
const ZOOM_MIN = 0.25;

interface CanvasProps {
  readonly map: EstateMap;
  readonly selection: Selection | null;
  readonly onSelect: (selection: Selection | null) => void;
}

/** The picture of the estate. Where things stand is computed again only when things come or go. */
export function MapCanvas({ map, selection, onSelect }: CanvasProps) {
  const isDark = useIsDark();
  const layout = useQuery({
    queryKey: ['map-layout', layoutKey(map)],
    queryFn: async () => layOut(map),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (previous: Positions | undefined) => previous,
  });
  const now = useNow();
  if (layout.error) return <ProblemAlert error={layout.error} />;
  if (!layout.data) {
    return (
      <Box textAlign="center" padding="xxl">
        <StatusIndicator type="loading">Laying out the map</StatusIndicator>
      </Box>
    );
  }
  const nodes = nodesOf(map, layout.data, selection);
  const placed = new Set(nodes.map(({ id }) => id));
  const edges = edgesOf(map, selection, onSelect, now).filter(
    (edge) => placed.has(edge.source) && placed.has(edge.target),
  );
  return (
    <div className={`map-canvas${isDark ? ' map-dark' : ''}`} role="region" aria-label="Map of integrations and apps">
      <ReactFlow<EstateNode, TrafficEdge>
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        colorMode={isDark ? 'dark' : 'light'}
        nodesDraggable={false}
        nodesConnectable={false}
        deleteKeyCode={null}
        minZoom={ZOOM_MIN}
        maxZoom={1.5}
        preventScrolling={false}
        onNodeClick={(_, node) => onSelect({ kind: node.data.kind, id: node.id })}
        onEdgeClick={(_, edge) => onSelect({ kind: 'edge', id: edge.id })}
        onPaneClick={() => onSelect(null)}
        // Enter and space select with the keyboard; React Flow reports that as a change.
        onNodesChange={(changes) => {
          for (const change of changes) {
            if (change.type !== 'select' || !change.selected) continue;
            const kind = map.apps.some(({ id }) => id === change.id) ? 'app' : 'integration';
            if (selection?.id !== change.id) onSelect({ kind, id: change.id });
          }
        }}
        onEdgesChange={(changes) => {
          for (const change of changes) {
            if (change.type === 'select' && change.selected && selection?.id !== change.id)
              onSelect({ kind: 'edge', id: change.id });
          }
        }}
      >
        <KeepInView of={layoutKey(map)} />
        <Background gap={24} />
        <Controls showInteractive={false} position="bottom-left" />
      </ReactFlow>
    </div>
  );
}

/** Shows the whole map again when things come or go, or when there is more or less room for it. */
export function KeepInView({ of }: { readonly of: string }) {
  const { fitView } = useReactFlow();
  const room = useStore(({ width, height }) => `${width}x${height}`);
  useEffect(() => void fitView(FIT), [of, room, fitView]);
  return null;
}

function describeIntegration({ status, kind }: MapIntegration): Pick<EstateNode['data'], 'detail' | 'tone'> {
  if (status === 'active') return { detail: kind, tone: 'normal' };
  return { detail: status === 'revoked' ? 'cut off' : 'suspended', tone: 'off' };
}

function describeApp({ hasCredential, name }: MapApp): Pick<EstateNode['data'], 'detail' | 'tone'> {
  return hasCredential ? { detail: `/${name}`, tone: 'normal' } : { detail: 'no credential', tone: 'warn' };
}

function nodesOf(map: EstateMap, positions: Positions, selection: Selection | null): EstateNode[] {
  const node = (id: string, data: EstateNode['data']): EstateNode[] => {
    const position = positions.get(id);
    if (!position) return [];
    const label = `${data.kind === 'app' ? 'App' : 'Integration'} ${data.title}, ${data.detail}`;
    const [width, height] = [NODE_WIDTH, NODE_HEIGHT];
    const isSelected = selection?.id === id;
    // Sizes are given, so that the first picture already fits.
    const size = { width, height, measured: { width, height } };
    return [{ id, type: 'estate', position, ...size, data, selected: isSelected, ariaLabel: label }];
  };
  return [
    ...map.integrations.flatMap((one) =>
      node(one.id, { kind: 'integration', title: one.name, ...describeIntegration(one) }),
    ),
    ...map.apps.flatMap((one) => node(one.id, { kind: 'app', title: one.title, ...describeApp(one) })),
  ];
}

function edgesOf(
  map: EstateMap,
  selection: Selection | null,
  onSelect: (selection: Selection) => void,
  now: number,
): TrafficEdge[] {
  const names = new Map([...map.integrations, ...map.apps].map(({ id, name }) => [id, name]));
  return map.edges.map((edge) => {
    const id = edgeId(edge);
    const [state, label] = [edgeState(edge), edgeLabel(edge)];
    return {
      id,
      type: 'traffic',
      source: edge.integrationId,
      target: edge.appId,
      selected: selection?.id === id,
      ariaLabel: `${names.get(edge.integrationId)} to ${names.get(edge.appId)}: ${label}, ${EDGE_STATE_TEXT[state]}`,
      data: {
        label,
        state,
        width: edgeWidth(edge.calls),
        isMoving: isRecent(edge, now),
        onSelect: () => onSelect({ kind: 'edge', id }),
      },
    };
  });
}
