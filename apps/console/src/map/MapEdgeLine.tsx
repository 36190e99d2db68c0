import { BaseEdge, type Edge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from '@xyflow/react';
import type { EdgeState } from './map-model.ts';

export type TrafficEdge = Edge<
  {
    readonly label: string;
    readonly state: EdgeState;
    readonly width: number;
    readonly isMoving: boolean;
    readonly onSelect: () => void;
  },
  'traffic'
>;

/** Labels stand near the integration, where edges of different apps have not yet met. */
const LABEL_AT = 0.3;

export function MapEdgeLine(props: EdgeProps<TrafficEdge>) {
  const { id, sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, data, selected } = props;
  const [path] = getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition });
  if (!data) return null;
  const { label, state, width, isMoving, onSelect } = data;
  const eased = 3 * LABEL_AT ** 2 - 2 * LABEL_AT ** 3;
  const x = sourceX + (targetX - sourceX) * LABEL_AT;
  const y = sourceY + (targetY - sourceY) * eased;
  return (
    <>
      <BaseEdge
        id={id}
        path={path}
        interactionWidth={24}
        className={`map-edge map-edge-${state}${isMoving ? ' map-edge-moving' : ''}${selected ? ' map-edge-selected' : ''}`}
        style={{ strokeWidth: width }}
      />
      <EdgeLabelRenderer>
        <button
          type="button"
          tabIndex={-1}
          className={`nodrag nopan map-edge-label map-label-${state}`}
          style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
          onClick={onSelect}
        >
          {label}
        </button>
      </EdgeLabelRenderer>
    </>
  );
}
