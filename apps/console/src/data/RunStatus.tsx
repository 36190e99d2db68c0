import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import type { RetentionRun } from './data-queries.ts';

const LOOKS: Readonly<Record<RetentionRun['status'], readonly [StatusIndicatorProps.Type, string]>> = {
  queued: ['pending', 'Queued'],
  planning: ['in-progress', 'Reading'],
  waiting: ['warning', 'Waits for another person'],
  approved: ['in-progress', 'Approved'],
  acting: ['in-progress', 'Acting'],
  done: ['success', 'Done'],
  failed: ['error', 'Failed'],
  refused: ['stopped', 'Refused'],
};

export function RunStatus({ status }: { readonly status: RetentionRun['status'] }) {
  return <StatusIndicator type={LOOKS[status][0]}>{LOOKS[status][1]}</StatusIndicator>;
}
