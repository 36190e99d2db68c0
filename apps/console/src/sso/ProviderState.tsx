import StatusIndicator from '@cloudscape-design/components/status-indicator';
import type { SignOnProvider } from '../api/wire.ts';

export function ProviderState({ provider }: { readonly provider: SignOnProvider }) {
  if (provider.status === 'active') return <StatusIndicator type="success">on</StatusIndicator>;
  if (provider.status === 'disabled') return <StatusIndicator type="stopped">off</StatusIndicator>;
  return <StatusIndicator type="pending">{provider.tested ? 'tested, not on yet' : 'to be tested'}</StatusIndicator>;
}
