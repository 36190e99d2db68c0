import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { PersonSession } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { deviceText, methodsText, placeText } from './device-text.ts';
import { useSession } from './session-query.ts';

/** Where the person is signed in; ends one, or all but this one. */
export function OwnSessions() {
  const personId = useSession()?.actor?.id ?? '';
  const sessions = useQuery({
    queryKey: ['sessions', false],
    queryFn: async () => taken(await api.GET('/api/v1/sessions', { params: { query: {} } })).sessions,
  });
  const end = useCommand({
    run: async (id: string) => taken(await api.DELETE('/api/v1/sessions/{id}', { params: { path: { id } } })),
    done: 'The session is ended.',
    changes: [['sessions']],
  });
  const endOthers = useCommand({
    run: async () => taken(await api.DELETE('/api/v1/people/{id}/sessions', { params: { path: { id: personId } } })),
    done: 'Every other session is ended.',
    changes: [['sessions']],
  });
  const rows = sessions.data ?? [];
  return (
    <SpaceBetween size="s">
      <ProblemAlert error={sessions.error ?? end.error ?? endOthers.error} />
      <Table<PersonSession>
        variant="container"
        wrapLines
        loading={sessions.isPending}
        loadingText="Loading sessions"
        items={rows}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Where you are signed in' }}
        header={
          <Header
            variant="h2"
            description="End what you don’t recognise; tools that you opened from there are told."
            actions={
              <Button disabled={rows.length < 2} loading={endOthers.isPending} onClick={() => endOthers.mutate()}>
                End all others
              </Button>
            }
          >
            Where you are signed in
          </Header>
        }
        columnDefinitions={[
          {
            id: 'device',
            header: 'Device',
            isRowHeader: true,
            cell: (row) => `${deviceText(row.agent)}${row.current ? ' (this one)' : ''}`,
          },
          { id: 'place', header: 'Address', cell: (row) => placeText(row.ip) },
          { id: 'how', header: 'Signed in with', cell: (row) => methodsText(row.amr) },
          { id: 'seen', header: 'Last seen', cell: (row) => <Ago at={row.seenAt} /> },
          {
            id: 'end',
            header: 'Action',
            cell: (row) =>
              row.current ? null : (
                <Button
                  variant="inline-link"
                  ariaLabel={`End the session of ${deviceText(row.agent)}, ${row.ip}`}
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
  );
}
