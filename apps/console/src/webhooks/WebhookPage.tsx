import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Container from '@cloudscape-design/components/container';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { AuditList } from '../admin/AuditList.tsx';
import { api } from '../api/api-client.ts';
import { appsQuery, integrationsQuery } from '../api/estate-queries.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Webhook } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { Confirm } from '../display/Confirm.tsx';
import { CopyText } from '../integrations/MadeCredentialView.tsx';
import { useCan } from '../session/session-query.ts';
import { useGo } from '../shell/follow.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { DeliveryTable } from './DeliveryTable.tsx';
import { RotateSecret, RotateSigning } from './RotateSecrets.tsx';
import { EndpointState } from './WebhookBadges.tsx';
import { type MadeWebhook, WebhookSecretView } from './WebhookSecretView.tsx';
import { webhookQuery } from './webhook-queries.ts';

type Dialog = 'secret' | 'signing' | 'remove';
type Status = Webhook['status'];

export function WebhookPage() {
  const { id } = useParams({ from: '/inside/webhooks/$id' });
  return <QueryState query={useQuery(webhookQuery(id))}>{(endpoint) => <OneWebhook endpoint={endpoint} />}</QueryState>;
}

function OneWebhook({ endpoint }: { readonly endpoint: Webhook }) {
  const can = useCan();
  const go = useGo();
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const [made, setMade] = useState<MadeWebhook | null>(null);
  const params = { path: { id: endpoint.id } };
  const setStatus = useCommand({
    run: async (status: Status) => taken(await api.PATCH('/api/v1/webhooks/{id}', { params, body: { status } })),
    changes: [['webhooks'], ['audit']],
  });
  const remove = useCommand({
    run: async (_id: string) => taken(await api.DELETE('/api/v1/webhooks/{id}', { params })),
    done: `${endpoint.name} is removed.`,
    changes: [['audit']],
    onDone: () => go('/webhooks'),
  });
  const close = (): void => setDialog(null);
  const isActive = endpoint.status === 'active';
  return (
    <Page
      title={endpoint.name}
      parents={[{ text: 'Webhooks', href: '/webhooks' }]}
      actions={
        can('webhook.write') ? (
          <SpaceBetween direction="horizontal" size="xs">
            <Button loading={setStatus.isPending} onClick={() => setStatus.mutate(isActive ? 'paused' : 'active')}>
              {isActive ? 'Pause' : 'Resume'}
            </Button>
            <ButtonDropdown
              items={[
                { id: 'secret', text: "Replace the vendor's secret" },
                { id: 'signing', text: "Replace the integration's secret" },
                ...(endpoint.status === 'disabled' ? [] : [{ id: 'disable', text: 'Disable' }]),
                { id: 'remove', text: 'Remove endpoint' },
              ]}
              onItemClick={({ detail }) =>
                detail.id === 'disable' ? setStatus.mutate('disabled') : setDialog(detail.id as Dialog)
              } // one of the items
            >
              Actions
            </ButtonDropdown>
          </SpaceBetween>
        ) : null
      }
    >
      <SpaceBetween size="l">
        <ProblemAlert error={setStatus.error} />
        <Facts endpoint={endpoint} />
        <DeliveryTable endpoint={endpoint} />
        {can('audit.read') ? <AuditList title="History" target={{ type: 'webhook', id: endpoint.id }} /> : null}
      </SpaceBetween>
      {dialog === 'secret' ? <RotateSecret endpoint={endpoint} onClose={close} /> : null}
      {dialog === 'signing' ? <RotateSigning endpoint={endpoint} onClose={close} onMade={setMade} /> : null}
      {dialog === 'remove' ? (
        <Confirm
          title={`Remove ${endpoint.name}?`}
          text="Its address refuses what the vendor sends from then on, and its deliveries are gone, those that wait included."
          button="Remove endpoint"
          command={remove}
          input={endpoint.id}
          onClose={close}
        />
      ) : null}
      {made === null ? null : <WebhookSecretView made={made} onClose={() => setMade(null)} />}
    </Page>
  );
}

function Facts({ endpoint }: { readonly endpoint: Webhook }) {
  const apps = useQuery(appsQuery);
  const integrations = useQuery(integrationsQuery);
  const { settings, secrets } = endpoint;
  const vendorSecrets = secrets.filter(({ purpose }) => purpose === 'vendor');
  const ending = vendorSecrets.find(({ notAfter }) => notAfter !== null);
  return (
    <Container>
      <KeyValuePairs
        columns={3}
        items={[
          { label: 'Address for the vendor', value: <CopyText text={endpoint.address} label="Copy the address" /> },
          { label: 'State', value: <EndpointState endpoint={endpoint} /> },
          { label: 'Last came', value: <Ago at={endpoint.lastReceivedAt} none="never" /> },
          {
            label: 'From',
            value: (
              <RouteLink href={`/apps/${endpoint.appId}`}>
                {apps.data?.find(({ id }) => id === endpoint.appId)?.title ?? 'removed app'}
              </RouteLink>
            ),
          },
          {
            label: 'To',
            value: (
              <RouteLink href={`/integrations/${endpoint.integrationId}`}>
                {integrations.data?.find(({ id }) => id === endpoint.integrationId)?.name ?? '-'}
              </RouteLink>
            ),
          },
          { label: 'Delivered to', value: settings.url },
          { label: 'Signed as', value: typeof settings.scheme === 'string' ? settings.scheme : settings.scheme.title },
          {
            label: 'Secrets of the vendor',
            value: ending ? (
              <span>
                2 live; the old one ends {new Date(ending.notAfter ?? 0).toISOString().slice(0, 16).replace('T', ' ')}
              </span>
            ) : (
              '1 live'
            ),
          },
          { label: 'Types', value: settings.types.length === 0 ? 'all' : settings.types.join(', ') },
        ]}
      />
    </Container>
  );
}
