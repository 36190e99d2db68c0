import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { appsQuery, integrationsQuery } from '../api/estate-queries.ts';
import type { Webhook } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { EndpointState } from './WebhookBadges.tsx';
import { WebhookForm } from './WebhookForm.tsx';
import { type MadeWebhook, WebhookSecretView } from './WebhookSecretView.tsx';
import { webhooksQuery } from './webhook-queries.ts';

/** Webhook endpoints: of one app on its page, of all on their own. */
export function WebhookTable({ appId }: { readonly appId?: string }) {
  const can = useCan();
  const endpoints = useQuery(webhooksQuery(appId));
  const apps = useQuery(appsQuery);
  const integrations = useQuery(integrationsQuery);
  const [isAdding, setAdding] = useState(false);
  const [made, setMade] = useState<MadeWebhook | null>(null);
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={endpoints.error} />
      <Table<Webhook>
        variant="container"
        wrapLines
        loading={endpoints.isPending}
        loadingText="Loading endpoints"
        items={endpoints.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Webhook endpoints' }}
        header={
          <Header
            variant="h2"
            counter={`(${endpoints.data?.length ?? 0})`}
            actions={
              can('webhook.write') ? (
                <Button variant="primary" onClick={() => setAdding(true)}>
                  Add endpoint
                </Button>
              ) : null
            }
          >
            Endpoints
          </Header>
        }
        columnDefinitions={[
          {
            id: 'name',
            header: 'Name',
            isRowHeader: true,
            cell: (row) => <RouteLink href={`/webhooks/${row.id}`}>{row.name}</RouteLink>,
          },
          ...(appId === undefined
            ? [
                {
                  id: 'app',
                  header: 'From',
                  cell: (row: Webhook) => apps.data?.find(({ id }) => id === row.appId)?.title ?? 'removed app',
                },
              ]
            : []),
          {
            id: 'integration',
            header: 'To',
            cell: (row) => integrations.data?.find(({ id }) => id === row.integrationId)?.name ?? '-',
          },
          { id: 'state', header: 'State', cell: (row) => <EndpointState endpoint={row} /> },
          { id: 'delivered', header: 'Delivered', cell: (row) => row.counts.delivered.toLocaleString('en') },
          { id: 'waiting', header: 'Waiting', cell: (row) => row.counts.waiting.toLocaleString('en') },
          { id: 'dead', header: 'Dead', cell: (row) => row.counts.dead.toLocaleString('en') },
          { id: 'last', header: 'Last came', cell: (row) => <Ago at={row.lastReceivedAt} none="never" /> },
        ]}
        empty={
          <Box color="text-body-secondary">
            No endpoint yet. One gives a vendor an address; Cordon checks its signatures and hands on what is good.
          </Box>
        }
      />
      {isAdding ? (
        <WebhookForm {...(appId === undefined ? {} : { appId })} onClose={() => setAdding(false)} onMade={setMade} />
      ) : null}
      {made === null ? null : <WebhookSecretView made={made} onClose={() => setMade(null)} />}
    </SpaceBetween>
  );
}
