import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { showSpan } from './span.ts';

/** What was measured, beside what was asked for; seconds. */
export function Target({
  value,
  isMet,
  target,
}: {
  readonly value: number | null;
  readonly isMet: boolean;
  readonly target: number;
}) {
  const text = value === null ? 'not measured' : showSpan(value);
  return (
    <StatusIndicator type={isMet ? 'success' : value === null ? 'pending' : 'error'}>
      {text} of {showSpan(target)}
    </StatusIndicator>
  );
}
