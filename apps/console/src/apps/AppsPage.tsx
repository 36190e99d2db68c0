import { useCollection } from '@cloudscape-design/collection-hooks';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import TextFilter from '@cloudscape-design/components/text-filter';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { appsQuery, trafficQuery } from '../api/estate-queries.ts';
import type { App } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { showCount } from '../display/number.ts';
import { useCan } from '../session/session-query.ts';
import { useGo } from '../shell/follow.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { AppForm } from './AppForm.tsx';

const WEEK_MS = 7 * 86_400_000;

interface Row extends App {
  readonly upstream: string;
  readonly calls: number;
  readonly lastAt: number | null;
}

export function AppsPage() {
  const can = useCan();
  const go = useGo();
  const [isAdding, setAdding] = useState(false);
  const apps = useQuery(appsQuery);
  const traffic = useQuery({ ...trafficQuery({ windowMs: WEEK_MS, by: 'app' }), enabled: can('event.read') });
  const seen = new Map((traffic.data ?? []).map((row) => [row.key, row]));
  const rows: Row[] = (apps.data ?? []).map((app) => {
    const { calls = 0, lastAt = null } = seen.get(app.id) ?? {};
    return { ...app, upstream: app.settings.upstream, calls, lastAt };
  });
  const addButton = can('app.write') ? (
    <Button variant="primary" onClick={() => setAdding(true)}>
      Add app
    </Button>
  ) : null;
  const { items, collectionProps, filterProps, filteredItemsCount } = useCollection(rows, {
    filtering: {
      fields: ['name', 'title', 'upstream'],
      empty: (
        <Box textAlign="center" padding="m">
          <SpaceBetween size="s">
            <Box color="text-body-secondary">No app yet. Add the SaaS tool that an integration should call.</Box>
            {addButton}
          </SpaceBetween>
        </Box>
      ),
      noMatch: <Box color="text-body-secondary">None matches the filter.</Box>,
    },
    sorting: { defaultState: { sortingColumn: { sortingField: 'title' } } },
  });
  return (
    <Page title="Apps" description="The SaaS tools that stand behind the gateway.">
      <SpaceBetween size="m">
        <ProblemAlert error={apps.error} onRetry={() => void apps.refetch()} />
        <Table<Row>
          {...collectionProps}
          variant="container"
          wrapLines
          loading={apps.isPending}
          loadingText="Loading apps"
          items={items}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Apps' }}
          header={
            <Header counter={`(${rows.length})`} actions={addButton}>
              Apps
            </Header>
          }
          filter={
            <TextFilter
              {...filterProps}
              filteringPlaceholder="Find apps"
              filteringAriaLabel="Find apps"
              countText={`${filteredItemsCount ?? 0} found`}
            />
          }
          columnDefinitions={[
            {
              id: 'title',
              header: 'App',
              sortingField: 'title',
              isRowHeader: true,
              cell: (row) => <RouteLink href={`/apps/${row.id}`}>{row.title}</RouteLink>,
            },
            { id: 'name', header: 'Path', sortingField: 'name', cell: (row) => `/${row.name}` },
            { id: 'upstream', header: 'Upstream', sortingField: 'upstream', cell: (row) => row.upstream },
            {
              id: 'operations',
              header: 'Operations',
              cell: (row) =>
                row.description ? (
                  showCount(row.description.operations)
                ) : (
                  <StatusIndicator type="warning">No description</StatusIndicator>
                ),
            },
            {
              id: 'credential',
              header: 'Credential',
              cell: (row) =>
                row.credential ? row.credential.kind : <StatusIndicator type="warning">None</StatusIndicator>,
            },
            { id: 'calls', header: 'Calls, 7 days', sortingField: 'calls', cell: (row) => showCount(row.calls) },
            {
              id: 'last',
              header: 'Last call',
              sortingField: 'lastAt',
              cell: (row) => <Ago at={row.lastAt} none="never" />,
            },
          ]}
        />
      </SpaceBetween>
      {isAdding ? <AppForm onClose={() => setAdding(false)} onDone={({ id }) => go(`/apps/${id}`)} /> : null}
    </Page>
  );
}
