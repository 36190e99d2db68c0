import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import type { Playbook } from '../api/wire.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { playbooksQuery } from './incident-queries.ts';

export function PlaybooksPage() {
  const playbooks = useQuery(playbooksQuery);
  const items = playbooks.data ?? [];
  return (
    <Page title="Playbooks" description="What to do when it happens: CACAO 2.0, checked, run step by step, undone.">
      <SpaceBetween size="m">
        <ProblemAlert error={playbooks.error} />
        <Table<Playbook>
          variant="container"
          wrapLines
          loading={playbooks.isPending}
          loadingText="Loading playbooks"
          items={items}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Playbooks' }}
          header={
            <Header variant="h2" counter={`(${items.length})`}>
              Playbooks
            </Header>
          }
          columnDefinitions={[
            {
              id: 'name',
              header: 'Playbook',
              isRowHeader: true,
              cell: (row) => <RouteLink href={`/playbooks/${row.id}`}>{row.name}</RouteLink>,
            },
            { id: 'description', header: 'What it does', cell: (row) => row.description },
            { id: 'steps', header: 'Steps', cell: (row) => row.steps },
            { id: 'origin', header: 'Origin', cell: (row) => (row.origin === 'product' ? 'Cordon' : 'own') },
            {
              id: 'state',
              header: 'Check',
              cell: (row) =>
                row.errors > 0 ? (
                  <StatusIndicator type="error">{row.errors} errors</StatusIndicator>
                ) : (
                  <StatusIndicator type="success">valid</StatusIndicator>
                ),
            },
          ]}
          empty={<Box color="text-body-secondary">There is none.</Box>}
        />
      </SpaceBetween>
    </Page>
  );
}
