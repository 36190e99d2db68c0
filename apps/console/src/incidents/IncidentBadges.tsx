import Badge from '@cloudscape-design/components/badge';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import type { IncidentCase, PlaybookRun, PlaybookRunDetail } from '../api/wire.ts';

const SEVERITY_COLOR = {
  low: 'severity-low',
  medium: 'severity-medium',
  high: 'severity-high',
  critical: 'severity-critical',
} as const;

export function SeverityBadge({ severity }: { readonly severity: IncidentCase['severity'] }) {
  return <Badge color={SEVERITY_COLOR[severity]}>{severity}</Badge>;
}

export function TlpBadge({ tlp }: { readonly tlp: IncidentCase['tlp'] }) {
  const color = tlp === 'red' ? 'red' : tlp === 'green' ? 'green' : 'grey';
  return <Badge color={color}>{`TLP:${tlp.toUpperCase()}`}</Badge>;
}

const CASE_TYPE: Readonly<Record<IncidentCase['status'], StatusIndicatorProps.Type>> = {
  open: 'warning',
  contained: 'in-progress',
  recovered: 'success',
  closed: 'stopped',
};

export function CaseStatus({ status }: { readonly status: IncidentCase['status'] }) {
  return <StatusIndicator type={CASE_TYPE[status]}>{status}</StatusIndicator>;
}

const RUN_TYPE: Readonly<Record<PlaybookRun['status'], StatusIndicatorProps.Type>> = {
  proposed: 'pending',
  running: 'in-progress',
  waiting: 'pending',
  succeeded: 'success',
  failed: 'error',
  cancelled: 'stopped',
  undoing: 'in-progress',
  undone: 'stopped',
  'undo-failed': 'error',
};

export function RunStatus({ status }: { readonly status: PlaybookRun['status'] }) {
  return <StatusIndicator type={RUN_TYPE[status]}>{status === 'proposed' ? 'needs approval' : status}</StatusIndicator>;
}

export type RunAct = PlaybookRunDetail['acts'][number];
const ACT_TYPE: Readonly<Record<RunAct['status'], StatusIndicatorProps.Type>> = {
  delayed: 'pending',
  'waiting-approval': 'pending',
  'waiting-person': 'pending',
  doubtful: 'warning',
  started: 'in-progress',
  done: 'success',
  failed: 'error',
  refused: 'stopped',
  simulated: 'info',
};

export function ActStatus({ status }: { readonly status: RunAct['status'] }) {
  return <StatusIndicator type={ACT_TYPE[status]}>{status.replace('-', ' for ')}</StatusIndicator>;
}
