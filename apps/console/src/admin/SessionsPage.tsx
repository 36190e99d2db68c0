import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Toggle from '@cloudscape-design/components/toggle';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { PersonSession } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { deviceText, methodsText, placeText } from '../session/device-text.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

export function SessionsPage() {
  const can = useCan();
  const [isEveryone, setEveryone] = useState(false);
  const sessions = useQuery({
    queryKey: ['sessions', isEveryone],
    queryFn: async () =>
      taken(await api.GET('/api/v1/sessions', { params: { query: isEveryone ? { everyone: 'true' } : {} } })).sessions,
  });
  const people = useQuery({
    queryKey: ['people', 'names'],
    queryFn: async () => taken(await api.GET('/api/v1/people', { params: { query: { limit: 100 } } })).people,
    enabled: isEveryone,
  });
  const end = useCommand({
    run: async (id: string) => taken(await api.DELETE('/api/v1/sessions/{id}', { params: { path: { id } } })),
    done: 'The session is ended.',
    changes: [['sessions'], ['audit']],
  });
  const nameOf = (id: string): string => people.data?.find((person) => person.id === id)?.name ?? id;
  return (
    <Page title="Sessions" description="Browsers that are signed in. End what you don’t recognise.">
      <SpaceBetween size="m">
        <ProblemAlert error={sessions.error ?? end.error} />
        <Table<PersonSession>
          variant="container"
          wrapLines
          loading={sessions.isPending}
          loadingText="Loading sessions"
          items={sessions.data ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Sessions' }}
          header={
            <Header
              counter={`(${sessions.data?.length ?? 0})`}
              actions={
                can('person.read') ? (
                  <Toggle checked={isEveryone} onChange={({ detail }) => setEveryone(detail.checked)}>
                    Of everyone
                  </Toggle>
                ) : null
              }
            >
              Sessions
            </Header>
          }
          columnDefinitions={[
            {
              id: 'agent',
              header: 'Browser',
              isRowHeader: true,
              cell: (row) => `${deviceText(row.agent)}${row.current ? ' (this one)' : ''}`,
            },
            ...(isEveryone
              ? [{ id: 'person', header: 'Person', cell: (row: PersonSession) => nameOf(row.personId) }]
              : []),
            { id: 'ip', header: 'Address', cell: (row) => placeText(row.ip) },
            { id: 'amr', header: 'Signed in with', cell: (row) => methodsText(row.amr) },
            { id: 'began', header: 'Began', cell: (row) => <Ago at={row.createdAt} /> },
            { id: 'seen', header: 'Last seen', cell: (row) => <Ago at={row.seenAt} /> },
            { id: 'ends', header: 'Ends', cell: (row) => <Ago at={row.expiresAt} /> },
            {
              id: 'end',
              header: 'Action',
              cell: (row) =>
                row.current ? (
                  <Box color="text-body-secondary">Use Sign out</Box>
                ) : (
                  <Button
                    variant="inline-link"
                    ariaLabel={`End the session of ${row.agent}, ${row.ip}`}
                    onClick={() => end.mutate(row.id)}
                  >
                    End
                  </Button>
                ),
            },
          ]}
          empty={<Box color="text-body-secondary">None.</Box>}
        />
      </SpaceBetween>
    </Page>
  );
}
