import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import type { Approval } from '../api/wire.ts';

const STATES: Readonly<Record<Approval['state'], { type: StatusIndicatorProps.Type; text: string }>> = {
  pending: { type: 'pending', text: 'Waiting' },
  approved: { type: 'success', text: 'Approved' },
  denied: { type: 'error', text: 'Denied' },
  expired: { type: 'stopped', text: 'Over' },
  used: { type: 'success', text: 'Approved and used' },
};

export function ApprovalState({ state }: { readonly state: Approval['state'] }) {
  const { type, text } = STATES[state];
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}
