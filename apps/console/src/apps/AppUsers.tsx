import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { grantsQuery, integrationsQuery } from '../api/estate-queries.ts';
import type { Grant } from '../api/wire.ts';
import { showDay } from '../display/time.ts';
import { describeSelector } from '../integrations/grant-text.ts';
import { IntegrationStatus } from '../integrations/IntegrationStatus.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';

/** Who may call the app, and what. */
export function AppUsers({ appId }: { readonly appId: string }) {
  const grants = useQuery(grantsQuery({ appId }));
  const integrations = useQuery(integrationsQuery);
  if (grants.error) return <ProblemAlert error={grants.error} />;
  const find = (id: string) => integrations.data?.find((one) => one.id === id);
  return (
    <Table<Grant>
      variant="container"
      wrapLines
      loading={grants.isPending || integrations.isPending}
      loadingText="Loading grants"
      items={grants.data ?? []}
      trackBy="id"
      ariaLabels={{ tableLabel: 'Integrations' }}
      header={<Header variant="h2">Integrations that may call it</Header>}
      columnDefinitions={[
        {
          id: 'name',
          header: 'Integration',
          isRowHeader: true,
          cell: (row) => (
            <RouteLink href={`/integrations/${row.integrationId}`}>
              {find(row.integrationId)?.name ?? row.integrationId}
            </RouteLink>
          ),
        },
        {
          id: 'status',
          header: 'Status',
          cell: (row) => {
            const integration = find(row.integrationId);
            return integration ? <IntegrationStatus status={integration.status} /> : '-';
          },
        },
        { id: 'grant', header: 'Grant', cell: (row) => row.name },
        { id: 'may', header: 'May do', cell: (row) => row.select.map(describeSelector).join('; ') },
        { id: 'since', header: 'Since', cell: (row) => showDay(row.createdAt) },
      ]}
      empty={<Box color="text-body-secondary">Nobody may call it yet. Grant operations on an integration’s page.</Box>}
    />
  );
}
