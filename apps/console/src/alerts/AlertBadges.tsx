import Badge from '@cloudscape-design/components/badge';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import type { Alert } from '../api/wire.ts';

const COLOURS = {
  informational: 'severity-neutral',
  low: 'severity-low',
  medium: 'severity-medium',
  high: 'severity-high',
  critical: 'severity-critical',
} as const;

export function LevelBadge({ level }: { readonly level: Alert['level'] }) {
  return <Badge color={COLOURS[level]}>{level}</Badge>;
}

export function AlertStatus({ alert }: { readonly alert: Alert }) {
  if (alert.status === 'open') return <StatusIndicator type="error">Open</StatusIndicator>;
  if (alert.status === 'acknowledged') return <StatusIndicator type="in-progress">Acknowledged</StatusIndicator>;
  return <StatusIndicator type="stopped">Closed: {alert.statusReason ?? ''}</StatusIndicator>;
}
