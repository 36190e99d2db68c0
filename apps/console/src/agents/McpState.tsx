import StatusIndicator from '@cloudscape-design/components/status-indicator';
import type { McpItem } from '../api/wire.ts';

const SHOWN = {
  accepted: ['success', 'Accepted'],
  pending: ['pending', 'Waits for a decision'],
  suspended: ['error', 'Suspended: it changed'],
  rejected: ['stopped', 'Rejected'],
} as const;

export function McpState({ state }: { readonly state: McpItem['state'] }) {
  const [type, text] = SHOWN[state];
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}
