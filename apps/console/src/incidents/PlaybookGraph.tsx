import '@xyflow/react/dist/style.css';
import './playbook-graph.css';
import Box from '@cloudscape-design/components/box';
import { useQuery } from '@tanstack/react-query';
import {
  Background,
  Controls,
  Handle,
  MarkerType,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
} from '@xyflow/react';
import { useIsDark } from '../shell/theme.ts';
import { type Graph, type GraphStep, layOutGraph, STEP_HEIGHT, STEP_WIDTH } from './playbook-graph.ts';

export type StepTone = 'error' | 'warning' | 'done' | 'active' | 'plain';
type StepNode = Node<{ readonly step: GraphStep; readonly tone: StepTone }, 'step'>;

function Step({ data: { step, tone } }: NodeProps<StepNode>) {
  return (
    <div
      className={`playbook-step playbook-step-${step.type} playbook-tone-${tone}`}
      title={`${step.name}: ${step.detail}`}
    >
      <Handle type="target" position={Position.Top} isConnectable={false} />
      <span>{step.name}</span>
      <span className="playbook-step-detail">{step.detail}</span>
      <Handle type="source" position={Position.Bottom} isConnectable={false} />
    </div>
  );
}

const NODE_TYPES = { step: Step };

/** Draws a playbook; `toneOf` colours its steps by what was found or what happened. */
export function PlaybookGraph({
  graph,
  toneOf,
}: {
  readonly graph: Graph;
  readonly toneOf: (stepId: string) => StepTone;
}) {
  const isDark = useIsDark();
  const shape = graph.edges.map(({ id }) => id).join('|') + graph.steps.map(({ id }) => id).join('|');
  const layout = useQuery({
    queryKey: ['playbook-layout', shape],
    queryFn: async () => layOutGraph(graph),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (before: ReadonlyMap<string, { x: number; y: number }> | undefined) => before,
  });
  if (graph.steps.length === 0) return <Box color="text-body-secondary">There is no step to draw yet.</Box>;
  const nodes: StepNode[] = graph.steps.map((step) => ({
    id: step.id,
    type: 'step',
    position: layout.data?.get(step.id) ?? { x: 0, y: 0 },
    width: STEP_WIDTH,
    height: STEP_HEIGHT,
    measured: { width: STEP_WIDTH, height: STEP_HEIGHT },
    data: { step, tone: toneOf(step.id) },
    ariaLabel: `${step.type} ${step.name}`,
  }));
  const edges = graph.edges.map((edge) => ({
    ...edge,
    markerEnd: { type: MarkerType.ArrowClosed },
    type: 'smoothstep',
  }));
  return (
    <div
      className={`playbook-graph${isDark ? ' playbook-graph-dark' : ''}`}
      role="region"
      aria-label="Graph of the playbook"
    >
      {layout.data ? (
        <ReactFlow<StepNode>
          key={shape}
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          colorMode={isDark ? 'dark' : 'light'}
          nodesDraggable={false}
          nodesConnectable={false}
          deleteKeyCode={null}
          minZoom={0.15}
          maxZoom={1.5}
          fitView
          preventScrolling={false}
        >
          <Background gap={24} />
          <Controls showInteractive={false} position="bottom-left" />
        </ReactFlow>
      ) : null}
    </div>
  );
}
