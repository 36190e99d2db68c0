import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { NotificationDelivery, NotificationTarget } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { Confirm } from '../display/Confirm.tsx';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { KIND_NAMES, NotificationForm } from './NotificationForm.tsx';
import { deliveriesQuery, notificationTargetsQuery } from './outgoing-queries.ts';

/** Who is told of alerts, when and in which words, and what became of it. */
export function NotificationsPage() {
  const targets = useQuery(notificationTargetsQuery);
  const [isAdding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<NotificationTarget | null>(null);
  const remove = useCommand<string, unknown>({
    run: async (id) => taken(await api.DELETE('/api/v1/notification-targets/{id}', { params: { path: { id } } })),
    done: 'Nobody is told there any more.',
    changes: [['notifications'], ['audit']],
    onDone: () => setRemoving(null),
  });
  return (
    <Page title="Notifications" description="Who is told of alerts, when and in which words.">
      <SpaceBetween size="l">
        <ProblemAlert error={targets.error} />
        <Table<NotificationTarget>
          variant="container"
          wrapLines
          loading={targets.isPending}
          loadingText="Loading targets"
          items={targets.data ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Notification targets' }}
          header={
            <Header
              variant="h2"
              counter={`(${targets.data?.length ?? 0})`}
              actions={
                <Button variant="primary" onClick={() => setAdding(true)}>
                  Add target
                </Button>
              }
            >
              Targets
            </Header>
          }
          columnDefinitions={[
            { id: 'name', header: 'Name', isRowHeader: true, cell: (row) => row.name },
            { id: 'kind', header: 'By', cell: (row) => KIND_NAMES[row.kind] },
            { id: 'to', header: 'To', cell: (row) => (row.kind === 'mail' ? row.to.join(', ') : row.url) },
            { id: 'level', header: 'From severity', cell: (row) => row.levelMin },
            { id: 'quiet', header: 'Quiet hours', cell: (row) => quietText(row) },
            { id: 'words', header: 'Words', cell: (row) => (row.template === null ? 'ours' : row.template.title) },
            { id: 'closed', header: 'Told of the end', cell: (row) => (row.tellClosed ? 'yes' : 'no') },
            {
              id: 'remove',
              header: '',
              cell: (row) => (
                <Button variant="inline-link" ariaLabel={`Remove ${row.name}`} onClick={() => setRemoving(row)}>
                  Remove
                </Button>
              ),
            },
          ]}
          empty={<Box color="text-body-secondary">Nobody is told of alerts yet.</Box>}
        />
        <Deliveries />
      </SpaceBetween>
      {isAdding ? <NotificationForm onClose={() => setAdding(false)} /> : null}
      {removing ? (
        <Confirm
          title={`Remove ${removing.name}`}
          text="What waits for it is not told."
          button="Remove"
          command={remove}
          input={removing.id}
          onClose={() => setRemoving(null)}
        />
      ) : null}
    </Page>
  );
}

function quietText({ quiet }: NotificationTarget): string {
  return quiet === null ? 'none' : `${quiet.from} to ${quiet.to} ${quiet.zone}, not for ${quiet.passLevel}`;
}

function Deliveries() {
  const deliveries = useQuery(deliveriesQuery);
  const retry = useCommand<void, unknown>({
    run: async () => taken(await api.POST('/api/v1/notification-deliveries/retry', { body: {} })),
    done: 'What failed is tried again.',
    changes: [['notifications', 'deliveries']],
  });
  const hasFailed = (deliveries.data ?? []).some(({ state }) => state !== 'delivered');
  return (
    <Table<NotificationDelivery>
      variant="container"
      wrapLines
      loading={deliveries.isPending}
      loadingText="Loading deliveries"
      items={deliveries.data ?? []}
      trackBy="id"
      ariaLabels={{ tableLabel: 'Deliveries' }}
      header={
        <Header
          variant="h2"
          actions={
            <Button disabled={!hasFailed} loading={retry.isPending} onClick={() => retry.mutate()}>
              Try again now
            </Button>
          }
        >
          Last deliveries
        </Header>
      }
      columnDefinitions={[
        { id: 'target', header: 'Target', isRowHeader: true, cell: (row) => row.target },
        {
          id: 'alert',
          header: 'Alert',
          cell: (row) => <RouteLink href={`/alerts/${row.alertId}`}>{row.event}</RouteLink>,
        },
        { id: 'state', header: 'State', cell: (row) => <State delivery={row} /> },
        { id: 'attempts', header: 'Tries', cell: (row) => row.attempts },
        { id: 'when', header: 'When', cell: (row) => <Ago at={row.settledAt ?? row.nextAt} none="" /> },
      ]}
      empty={<Box color="text-body-secondary">Nothing was to be told yet.</Box>}
    />
  );
}

function State({ delivery: { state, lastError } }: { readonly delivery: NotificationDelivery }) {
  if (state === 'delivered') return <StatusIndicator type="success">Delivered</StatusIndicator>;
  if (state === 'failed') return <StatusIndicator type="error">{lastError ?? 'Failed'}</StatusIndicator>;
  return <StatusIndicator type="pending">{lastError ?? 'Waiting'}</StatusIndicator>;
}
