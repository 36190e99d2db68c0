import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { ReceivedSignal, SentSignal, SignalReceiver, SignalSource } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

const STATES = { waiting: 'pending', delivered: 'success', dead: 'error' } as const;

/** What a receiver was told; what nobody took can be tried again. */
export function SentDialog({ receiver, onClose }: { readonly receiver: SignalReceiver; readonly onClose: () => void }) {
  const params = { path: { id: receiver.id } };
  const events = useQuery({
    queryKey: ['signal-receivers', receiver.id],
    queryFn: async () => taken(await api.GET('/api/v1/signals/receivers/{id}/events', { params })).items,
    refetchInterval: 5_000,
  });
  const requeue = useCommand({
    run: async (id: string) =>
      taken(await api.POST('/api/v1/signals/receivers/{id}/requeue', { params, body: { ids: [id] } })),
    changes: [['signal-receivers', receiver.id]],
  });
  return (
    <Modal visible size="large" header={`What ${receiver.name} was told`} closeAriaLabel="Close" onDismiss={onClose}>
      <SpaceBetween size="m">
        <Box color="text-body-secondary">Told of: {receiver.events.join(', ') || 'nothing yet'}.</Box>
        <ProblemAlert error={events.error ?? requeue.error} />
        <Table<SentSignal>
          variant="embedded"
          wrapLines
          items={events.data ?? []}
          loading={events.isPending}
          loadingText="Loading events"
          trackBy="id"
          ariaLabels={{ tableLabel: 'Events' }}
          columnDefinitions={[
            { id: 'at', header: 'When', cell: (one) => <Ago at={one.createdAt} /> },
            { id: 'event', header: 'Event', isRowHeader: true, cell: (one) => one.event },
            {
              id: 'state',
              header: 'State',
              cell: (one) => <StatusIndicator type={STATES[one.state]}>{one.state}</StatusIndicator>,
            },
            { id: 'tries', header: 'Tries', cell: (one) => one.attempts },
            { id: 'outcome', header: 'Outcome', cell: (one) => one.outcome ?? '-' },
            {
              id: 'action',
              header: 'Action',
              cell: (one) =>
                one.state === 'dead' ? (
                  <Button variant="inline-link" onClick={() => requeue.mutate(one.id)}>
                    Try again
                  </Button>
                ) : (
                  '-'
                ),
            },
          ]}
          empty={<Box color="text-body-secondary">Nothing.</Box>}
        />
      </SpaceBetween>
    </Modal>
  );
}

/** What a source told, and what followed. */
export function ReceivedDialog({ source, onClose }: { readonly source: SignalSource; readonly onClose: () => void }) {
  const events = useQuery({
    queryKey: ['signal-sources', source.id],
    queryFn: async () =>
      taken(await api.GET('/api/v1/signals/sources/{id}/events', { params: { path: { id: source.id } } })).items,
    refetchInterval: 5_000,
  });
  return (
    <Modal visible size="large" header={`What ${source.name} told`} closeAriaLabel="Close" onDismiss={onClose}>
      <SpaceBetween size="m">
        <ProblemAlert error={events.error} />
        <Table<ReceivedSignal>
          variant="embedded"
          wrapLines
          items={events.data ?? []}
          loading={events.isPending}
          loadingText="Loading events"
          trackBy="jti"
          ariaLabels={{ tableLabel: 'Events' }}
          columnDefinitions={[
            { id: 'at', header: 'When', cell: (one) => <Ago at={one.at} /> },
            { id: 'event', header: 'Event', isRowHeader: true, cell: (one) => one.event },
            { id: 'about', header: 'About', cell: (one) => JSON.stringify(one.subject) },
            { id: 'outcome', header: 'What followed', cell: (one) => one.outcome },
          ]}
          empty={<Box color="text-body-secondary">Nothing.</Box>}
        />
      </SpaceBetween>
    </Modal>
  );
}
