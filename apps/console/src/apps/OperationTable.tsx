import { useCollection } from '@cloudscape-design/collection-hooks';
import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import Table from '@cloudscape-design/components/table';
import TextFilter from '@cloudscape-design/components/text-filter';
import { useQuery } from '@tanstack/react-query';
import { grantsQuery, integrationsQuery, operationsQuery } from '../api/estate-queries.ts';
import type { Operation } from '../api/wire.ts';
import { selectorCovers } from '../integrations/grant-text.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';

const PAGE_ROWS = 50;

interface Holder {
  readonly id: string;
  readonly name: string;
}

type Row = Operation & { readonly holders: readonly Holder[]; readonly holderNames: string; readonly tagText: string };

/** What the app's description says it can do, and which integrations are granted each. */
export function OperationTable({ appId }: { readonly appId: string }) {
  const operations = useQuery(operationsQuery(appId));
  const grants = useQuery(grantsQuery({ appId }));
  const integrations = useQuery(integrationsQuery);
  const names = new Map((integrations.data ?? []).map(({ id, name }) => [id, name]));
  const rows: Row[] = (operations.data ?? []).map((operation) => {
    const ids = (grants.data ?? [])
      .filter(({ select }) => select.some((selector) => selectorCovers(selector, operation)))
      .map(({ integrationId }) => integrationId);
    const holders = [...new Set(ids)].map((id) => ({ id, name: names.get(id) ?? id }));
    return {
      ...operation,
      holders,
      holderNames: holders.map(({ name }) => name).join(' '),
      tagText: operation.tags.join(' '),
    };
  });
  const { items, collectionProps, filterProps, paginationProps, filteredItemsCount } = useCollection(rows, {
    filtering: {
      fields: ['id', 'path', 'summary', 'method', 'tagText', 'holderNames'],
      empty: <Box color="text-body-secondary">No description yet. Add one under Actions.</Box>,
      noMatch: <Box color="text-body-secondary">No operation matches.</Box>,
    },
    pagination: { pageSize: PAGE_ROWS },
    sorting: {},
  });
  if (operations.error) return <ProblemAlert error={operations.error} />;
  return (
    <Table<Row>
      {...collectionProps}
      variant="container"
      contentDensity="compact"
      wrapLines
      loading={operations.isPending}
      loadingText="Loading operations"
      items={items}
      trackBy="id"
      ariaLabels={{ tableLabel: 'Operations' }}
      header={
        <Header variant="h2" counter={`(${rows.length})`}>
          Operations
        </Header>
      }
      filter={
        <TextFilter
          {...filterProps}
          filteringPlaceholder="Find by id, path, tag or integration"
          filteringAriaLabel="Find operations"
          countText={`${filteredItemsCount ?? 0} found`}
        />
      }
      pagination={<Pagination {...paginationProps} />}
      columnDefinitions={[
        { id: 'id', header: 'Operation', sortingField: 'id', isRowHeader: true, cell: (row) => row.id },
        { id: 'method', header: 'Method', sortingField: 'method', cell: (row) => row.method.toUpperCase() },
        { id: 'path', header: 'Path', sortingField: 'path', cell: (row) => row.path },
        {
          id: 'access',
          header: 'Access',
          sortingField: 'access',
          cell: (row) => <Badge color={row.access === 'write' ? 'severity-medium' : 'grey'}>{row.access}</Badge>,
        },
        { id: 'summary', header: 'What it does', cell: (row) => row.summary },
        {
          id: 'holders',
          header: 'Granted to',
          cell: (row) =>
            row.holders.length === 0
              ? '-'
              : row.holders.map(({ id, name }) => (
                  <div key={id}>
                    <RouteLink href={`/integrations/${id}`}>{name}</RouteLink>
                  </div>
                )),
        },
      ]}
    />
  );
}
