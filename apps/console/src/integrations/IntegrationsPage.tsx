import { useCollection } from '@cloudscape-design/collection-hooks';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import PropertyFilter from '@cloudscape-design/components/property-filter';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { integrationsQuery, trafficQuery } from '../api/estate-queries.ts';
import type { Integration } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { showCount } from '../display/number.ts';
import { useCan } from '../session/session-query.ts';
import { useFollow, useGo } from '../shell/follow.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { Expiry } from './IntegrationFacts.tsx';
import { IntegrationForm } from './IntegrationForm.tsx';
import { IntegrationStatus } from './IntegrationStatus.tsx';

const PAGE_ROWS = 25;
const DAY_MS = 86_400_000;

interface Row extends Integration {
  readonly ownerName: string;
  readonly calls: number;
  readonly refusals: number;
  readonly lastAt: number | null;
}

export function IntegrationsPage() {
  const can = useCan();
  const go = useGo();
  const follow = useFollow();
  const [isAdding, setAdding] = useState(false);
  const integrations = useQuery(integrationsQuery);
  const traffic = useQuery({
    ...trafficQuery({ windowMs: 7 * DAY_MS, by: 'integration' }),
    enabled: can('event.read'),
  });
  const seen = new Map((traffic.data ?? []).map((row) => [row.key, row]));
  const rows: Row[] = (integrations.data ?? []).map((one) => {
    const { calls = 0, refusals = 0, lastAt = null } = seen.get(one.id) ?? {};
    return { ...one, ownerName: one.owner.name, calls, refusals, lastAt };
  });
  const addButton = can('integration.write') ? (
    <SpaceBetween direction="horizontal" size="xs">
      <Button href="/setup" onFollow={follow}>
        Guided set-up
      </Button>
      <Button variant="primary" onClick={() => setAdding(true)}>
        Register integration
      </Button>
    </SpaceBetween>
  ) : null;
  return (
    <Page title="Integrations" description="Everything that may call an app through Cordon, and who answers for it.">
      <SpaceBetween size="m">
        <ProblemAlert error={integrations.error} onRetry={() => void integrations.refetch()} />
        <IntegrationTable rows={rows} isLoading={integrations.isPending} addButton={addButton} />
      </SpaceBetween>
      {isAdding ? (
        <IntegrationForm onClose={() => setAdding(false)} onDone={({ id }) => go(`/integrations/${id}`)} />
      ) : null}
    </Page>
  );
}

function IntegrationTable({
  rows,
  isLoading,
  addButton,
}: {
  readonly rows: readonly Row[];
  readonly isLoading: boolean;
  readonly addButton: React.ReactNode;
}) {
  const { items, collectionProps, propertyFilterProps, paginationProps, filteredItemsCount } = useCollection(rows, {
    propertyFiltering: {
      filteringProperties: [
        { key: 'name', propertyLabel: 'Name', groupValuesLabel: 'Names', operators: ['=', '!=', ':', '!:'] },
        { key: 'status', propertyLabel: 'Status', groupValuesLabel: 'Statuses', operators: ['=', '!='] },
        { key: 'ownerName', propertyLabel: 'Owner', groupValuesLabel: 'Owners', operators: ['=', '!=', ':'] },
        { key: 'kind', propertyLabel: 'Kind', groupValuesLabel: 'Kinds', operators: ['=', '!='] },
        { key: 'purpose', propertyLabel: 'Purpose', groupValuesLabel: 'Purposes', operators: [':', '!:'] },
      ],
      empty: <Empty text="No integration is registered yet." action={addButton} />,
      noMatch: <Empty text="None matches the filter." action={null} />,
    },
    pagination: { pageSize: PAGE_ROWS },
    sorting: { defaultState: { sortingColumn: { sortingField: 'name' } } },
  });
  return (
    <Table<Row>
      {...collectionProps}
      variant="container"
      wrapLines
      loading={isLoading}
      loadingText="Loading integrations"
      items={items}
      trackBy="id"
      ariaLabels={{ tableLabel: 'Integrations' }}
      header={
        <Header counter={`(${rows.length})`} actions={addButton}>
          Integrations
        </Header>
      }
      filter={
        <PropertyFilter
          {...propertyFilterProps}
          filteringPlaceholder="Filter integrations"
          filteringAriaLabel="Filter integrations"
          countText={`${filteredItemsCount ?? 0} found`}
          expandToViewport
        />
      }
      pagination={<Pagination {...paginationProps} />}
      columnDefinitions={[
        {
          id: 'name',
          header: 'Name',
          sortingField: 'name',
          isRowHeader: true,
          cell: (row) => <RouteLink href={`/integrations/${row.id}`}>{row.name}</RouteLink>,
        },
        {
          id: 'status',
          header: 'Status',
          sortingField: 'status',
          cell: (row) => <IntegrationStatus status={row.status} />,
        },
        { id: 'owner', header: 'Owner', sortingField: 'ownerName', cell: (row) => row.ownerName },
        { id: 'purpose', header: 'Purpose', cell: (row) => row.purpose },
        { id: 'ends', header: 'Ends', sortingField: 'expiresAt', cell: (row) => <Expiry expiresAt={row.expiresAt} /> },
        { id: 'calls', header: 'Calls, 7 days', sortingField: 'calls', cell: (row) => showCount(row.calls) },
        { id: 'refused', header: 'Refused', sortingField: 'refusals', cell: (row) => showCount(row.refusals) },
        {
          id: 'last',
          header: 'Last call',
          sortingField: 'lastAt',
          cell: (row) => <Ago at={row.lastAt} none="never" />,
        },
      ]}
    />
  );
}

function Empty({ text, action }: { readonly text: string; readonly action: React.ReactNode }) {
  return (
    <Box textAlign="center" padding="m">
      <SpaceBetween size="s">
        <Box color="text-body-secondary">{text}</Box>
        {action}
      </SpaceBetween>
    </Box>
  );
}
