import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import type { PersonAccess } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { showEntitlement } from './AccessChanges.tsx';

/** One person: their groups, and everything that they may use because of them. */
export function PersonPage() {
  const { id } = useParams({ from: '/inside/people/$id' });
  const params = { path: { id } };
  const person = useQuery({
    queryKey: ['people', id],
    queryFn: async () => taken(await api.GET('/api/v1/people/{id}', { params })),
  });
  const access = useQuery({
    queryKey: ['people', id, 'access'],
    queryFn: async () => taken(await api.GET('/api/v1/people/{id}/access', { params })),
  });
  const { data } = person;
  return (
    <Page
      title={data?.name ?? 'Person'}
      description="Groups, and what follows from them."
      parents={[{ text: 'People', href: '/people' }]}
    >
      <SpaceBetween size="m">
        <ProblemAlert error={person.error ?? access.error} />
        {data ? (
          <Container>
            <KeyValuePairs
              columns={4}
              items={[
                { label: 'Signs in as', value: data.login },
                { label: 'Status', value: data.status },
                { label: 'Roles', value: data.roles.join(', ') || 'none' },
                { label: 'Last sign-in', value: <Ago at={data.lastSignInAt} none="never" /> },
              ]}
            />
          </Container>
        ) : null}
        <Table<PersonAccess['groups'][number]>
          variant="container"
          wrapLines
          loading={access.isPending}
          items={access.data?.groups ?? []}
          ariaLabels={{ tableLabel: 'Groups of the person' }}
          header={<Header counter={`(${access.data?.groups.length ?? 0})`}>Groups</Header>}
          columnDefinitions={[
            {
              id: 'name',
              header: 'Group',
              isRowHeader: true,
              cell: (row) => <RouteLink href={`/groups/${row.id}`}>{row.displayName}</RouteLink>,
            },
            { id: 'by', header: 'Came in by', cell: (row) => row.by },
            { id: 'ends', header: 'Ends', cell: (row) => <Ago at={row.endsAt} none="not by itself" /> },
          ]}
          empty="In no group."
        />
        <Table<PersonAccess['access'][number]>
          variant="container"
          wrapLines
          loading={access.isPending}
          items={access.data?.access ?? []}
          ariaLabels={{ tableLabel: 'What the person may use' }}
          header={<Header counter={`(${access.data?.access.length ?? 0})`}>What follows</Header>}
          columnDefinitions={[{ id: 'what', header: 'May use', isRowHeader: true, cell: showEntitlement }]}
          empty="Nothing: no role, no app, no account in a tool."
        />
      </SpaceBetween>
    </Page>
  );
}
