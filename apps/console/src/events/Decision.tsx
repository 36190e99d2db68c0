import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';

const LOOK: Readonly<Record<string, { type: StatusIndicatorProps.Type; text: string }>> = {
  allow: { type: 'success', text: 'Allowed' },
  redact: { type: 'warning', text: 'Redacted' },
  deny: { type: 'error', text: 'Refused' },
  error: { type: 'error', text: 'Failed' },
};

/** What the perimeter did with a call; events that are no calls have none. */
export function Decision({ decision }: { readonly decision: string | undefined }) {
  if (decision === undefined) return <span>-</span>;
  const look = LOOK[decision] ?? { type: 'info' as const, text: decision };
  return (
    <StatusIndicator type={look.type} wrapText={false}>
      {look.text}
    </StatusIndicator>
  );
}
