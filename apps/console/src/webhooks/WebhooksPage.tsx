import { Page } from '../shell/Page.tsx';
import { WebhookTable } from './WebhookTable.tsx';

export function WebhooksPage() {
  return (
    <Page title="Webhooks" description="What vendors send: checked at the gateway, handed on to integrations.">
      <WebhookTable />
    </Page>
  );
}
