import Badge from '@cloudscape-design/components/badge';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import type { Drill } from '../api/wire.ts';

const TYPES: Readonly<Record<Drill['status'], StatusIndicatorProps.Type>> = {
  planned: 'pending',
  running: 'in-progress',
  stopping: 'in-progress',
  ended: 'success',
  aborted: 'stopped',
  failed: 'error',
};

export function DrillStatus({ status }: { readonly status: Drill['status'] }) {
  return <StatusIndicator type={TYPES[status]}>{status}</StatusIndicator>;
}

export function ModeBadge({ mode }: { readonly mode: Drill['mode'] }) {
  return <Badge color={mode === 'live-fire' ? 'red' : 'blue'}>{mode === 'live-fire' ? 'live fire' : 'tabletop'}</Badge>;
}
