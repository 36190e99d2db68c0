import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import type { Integration } from '../api/wire.ts';

const LOOK: Readonly<Record<Integration['status'], { type: StatusIndicatorProps.Type; text: string }>> = {
  active: { type: 'success', text: 'Active' },
  suspended: { type: 'warning', text: 'Suspended' },
  revoked: { type: 'error', text: 'Cut off' },
};

export function IntegrationStatus({ status }: { readonly status: Integration['status'] }) {
  const { type, text } = LOOK[status];
  return (
    <StatusIndicator type={type} wrapText={false}>
      {text}
    </StatusIndicator>
  );
}
