import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Alert } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { AlertStatus, LevelBadge } from './AlertBadges.tsx';
import { alertsQuery, type AlertView } from './alert-queries.ts';

export function AlertsPage() {
  const [view, setView] = useState<AlertView>('open,acknowledged');
  const alerts = useQuery(alertsQuery(view));
  const items = alerts.data?.items ?? [];
  return (
    <Page title="Alerts" description="What the watch found: one alert for one rule and one entity.">
      <SpaceBetween size="m">
        <ProblemAlert error={alerts.error} />
        <Table<Alert>
          variant="container"
          wrapLines
          loading={alerts.isPending}
          loadingText="Loading alerts"
          items={items}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Alerts' }}
          header={
            <Header
              variant="h2"
              counter={`(${items.length}${alerts.data?.cursor ? '+' : ''})`}
              actions={
                <SegmentedControl
                  label="Which alerts"
                  selectedId={view}
                  options={[
                    { id: 'open,acknowledged', text: 'To do' },
                    { id: 'closed', text: 'Closed' },
                  ]}
                  onChange={({ detail }) => setView(detail.selectedId === 'closed' ? 'closed' : 'open,acknowledged')}
                />
              }
            >
              Alerts
            </Header>
          }
          columnDefinitions={[
            { id: 'level', header: 'Severity', cell: (row) => <LevelBadge level={row.level} /> },
            {
              id: 'title',
              header: 'What',
              isRowHeader: true,
              cell: (row) => <RouteLink href={`/alerts/${row.id}`}>{row.title}</RouteLink>,
            },
            { id: 'entity', header: 'Who', cell: (row) => row.entity.name },
            { id: 'product', header: 'Product', cell: (row) => row.product },
            { id: 'signals', header: 'Signals', cell: (row) => row.signals },
            { id: 'last', header: 'Last seen', cell: (row) => <Ago at={row.lastAt} /> },
            { id: 'assignee', header: 'Assigned to', cell: (row) => row.assignee ?? '-' },
            { id: 'status', header: 'Status', cell: (row) => <AlertStatus alert={row} /> },
          ]}
          empty={<Box color="text-body-secondary">{view === 'closed' ? 'None was closed yet.' : 'Nothing to do.'}</Box>}
        />
      </SpaceBetween>
    </Page>
  );
}
