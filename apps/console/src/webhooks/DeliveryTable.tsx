import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Webhook, WebhookDelivery } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { DeliveryView } from './DeliveryView.tsx';
import { DeliveryState } from './WebhookBadges.tsx';
import { deliveriesQuery } from './webhook-queries.ts';

/** What came to one endpoint, live. */
export function DeliveryTable({ endpoint }: { readonly endpoint: Webhook }) {
  const can = useCan();
  const deliveries = useQuery(deliveriesQuery(endpoint.id));
  const [opened, setOpened] = useState<string | null>(null);
  const redeliver = useCommand<void, { readonly deliveries: number }>({
    run: async () => {
      const params = { path: { id: endpoint.id } };
      return taken(await api.POST('/api/v1/webhooks/{id}/redeliver-dead', { params }));
    },
    done: ({ deliveries: count }) => `${count} dead deliveries are sent again.`,
    changes: [['webhooks'], ['audit']],
  });
  const { counts } = endpoint;
  return (
    <>
      <Table<WebhookDelivery>
        variant="container"
        wrapLines
        loading={deliveries.isPending}
        loadingText="Loading deliveries"
        items={deliveries.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Deliveries' }}
        header={
          <SpaceBetween size="s">
            <Header
              variant="h2"
              description={`${counts.delivered} delivered, ${counts.waiting} waiting, ${counts.dead} dead, ${counts.duplicate} copies`}
              actions={
                can('webhook.write') && counts.dead > 0 ? (
                  <Button loading={redeliver.isPending} onClick={() => redeliver.mutate()}>
                    Send all dead again
                  </Button>
                ) : null
              }
            >
              Deliveries
            </Header>
            <ProblemAlert error={deliveries.error ?? redeliver.error} />
          </SpaceBetween>
        }
        columnDefinitions={[
          { id: 'at', header: 'Came', cell: (row) => <Ago at={row.receivedAt} /> },
          {
            id: 'type',
            header: 'Type',
            isRowHeader: true,
            cell: (row) =>
              can('webhook.payload') ? (
                <Button variant="inline-link" onClick={() => setOpened(row.id)}>
                  {row.type === '' ? 'no type' : row.type}
                </Button>
              ) : (
                row.type
              ),
          },
          { id: 'state', header: 'State', cell: (row) => <DeliveryState delivery={row} /> },
          { id: 'attempts', header: 'Attempts', cell: (row) => row.attempts },
          { id: 'next', header: 'Next', cell: (row) => (row.attempts > 0 ? <Ago at={row.nextAt} /> : '-') },
          { id: 'bytes', header: 'Bytes', cell: (row) => row.bytes.toLocaleString('en') },
          { id: 'vendor', header: "Vendor's id", cell: (row) => row.vendorId || '-' },
        ]}
        empty={<Box color="text-body-secondary">Nothing came yet. Paste the address at the vendor.</Box>}
      />
      {opened === null ? null : <DeliveryView endpoint={endpoint} id={opened} onClose={() => setOpened(null)} />}
    </>
  );
}
