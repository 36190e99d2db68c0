import Icon from '@cloudscape-design/components/icon';
import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';

export type EstateNode = Node<
  {
    readonly kind: 'app' | 'integration';
    readonly title: string;
    readonly detail: string;
    /** `warn` for what was cut off or has no credential. */
    readonly tone: 'normal' | 'warn' | 'off';
  },
  'estate'
>;

export function MapNode({ data, selected }: NodeProps<EstateNode>) {
  const { kind, title, detail, tone } = data;
  return (
    <div className={`map-node map-node-${kind} map-tone-${tone}${selected ? ' map-node-selected' : ''}`}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <span className="map-node-icon">
        <Icon name={kind === 'app' ? 'multiscreen' : 'share'} />
      </span>
      <span className="map-node-text">
        <span className="map-node-title">{title}</span>
        <span className="map-node-detail">{detail}</span>
      </span>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
}
