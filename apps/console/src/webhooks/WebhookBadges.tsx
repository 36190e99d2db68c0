import StatusIndicator from '@cloudscape-design/components/status-indicator';
import type { Webhook, WebhookDelivery } from '../api/wire.ts';

export function EndpointState({ endpoint }: { readonly endpoint: Webhook }) {
  if (endpoint.status === 'disabled') return <StatusIndicator type="stopped">Disabled</StatusIndicator>;
  if (endpoint.status === 'paused') return <StatusIndicator type="pending">Paused: keeps what comes</StatusIndicator>;
  if (endpoint.counts.dead > 0) return <StatusIndicator type="warning">{endpoint.counts.dead} dead</StatusIndicator>;
  if (endpoint.lastReceivedAt === null) return <StatusIndicator type="pending">Waiting for the first</StatusIndicator>;
  return <StatusIndicator type="success">Well</StatusIndicator>;
}

export function DeliveryState({ delivery }: { readonly delivery: WebhookDelivery }) {
  switch (delivery.status) {
    case 'delivered':
      return <StatusIndicator type="success">Delivered</StatusIndicator>;
    case 'dead':
      return <StatusIndicator type="error">Dead</StatusIndicator>;
    case 'duplicate':
      return <StatusIndicator type="info">Copy, not delivered</StatusIndicator>;
    default:
      return delivery.attempts === 0 ? (
        <StatusIndicator type="pending">Waiting</StatusIndicator>
      ) : (
        <StatusIndicator type="warning">Trying again ({delivery.attempts} failed)</StatusIndicator>
      );
  }
}
