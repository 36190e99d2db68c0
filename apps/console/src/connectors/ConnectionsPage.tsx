import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Ago } from '../display/Ago.tsx';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { ConnectionForm } from './ConnectionForm.tsx';
import { type ConnectionRow, connectionsQuery, connectorsQuery } from './connector-queries.ts';
import { SyncStatus } from './ConnectorStates.tsx';

/** Tools that Cordon reads and acts on through their own interfaces. */
export function ConnectionsPage() {
  const can = useCan();
  const connections = useQuery(connectionsQuery);
  const connectors = useQuery(connectorsQuery);
  const [isAdding, setAdding] = useState(false);
  const titleOf = (app: string): string => connectors.data?.find((one) => one.app === app)?.title ?? app;
  return (
    <Page
      title="Connections"
      description="Tools whose accounts, grants, settings and audit events Cordon reads, and on which it can act."
    >
      <SpaceBetween size="m">
        <ProblemAlert error={connections.error ?? connectors.error} />
        <Table<ConnectionRow>
          variant="container"
          wrapLines
          loading={connections.isPending}
          loadingText="Loading connections"
          items={connections.data ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Connections' }}
          header={
            <Header
              variant="h2"
              counter={`(${connections.data?.length ?? 0})`}
              actions={
                can('connector.write') ? (
                  <Button variant="primary" disabled={!connectors.data} onClick={() => setAdding(true)}>
                    Connect a tool
                  </Button>
                ) : null
              }
            >
              Connections
            </Header>
          }
          columnDefinitions={[
            {
              id: 'name',
              header: 'Name',
              isRowHeader: true,
              cell: (row) => <RouteLink href={`/connections/${row.id}`}>{row.name}</RouteLink>,
            },
            { id: 'app', header: 'Tool', cell: (row) => titleOf(row.app) },
            { id: 'state', header: 'State', cell: (row) => <State row={row} /> },
            { id: 'sync', header: 'Last sync', cell: (row) => <SyncStatus sync={row.lastSync} /> },
            { id: 'when', header: 'When', cell: (row) => <Ago at={row.lastSync?.createdAt ?? null} none="never" /> },
            {
              id: 'changes',
              header: 'Changed then',
              cell: (row) =>
                (row.lastSync?.streams ?? []).reduce((sum, one) => sum + one.added + one.changed + one.removed, 0),
            },
          ]}
          empty={<Box color="text-body-secondary">No tool is connected yet.</Box>}
        />
      </SpaceBetween>
      {isAdding && connectors.data ? (
        <ConnectionForm connectors={connectors.data} onClose={() => setAdding(false)} />
      ) : null}
    </Page>
  );
}

function State({ row }: { readonly row: ConnectionRow }) {
  if (row.status === 'active') return <StatusIndicator type="success">Connected</StatusIndicator>;
  if (row.status === 'paused') return <StatusIndicator type="stopped">Paused</StatusIndicator>;
  return <StatusIndicator type="error">{row.statusReason ?? 'Refused'}</StatusIndicator>;
}
