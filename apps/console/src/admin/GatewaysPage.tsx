import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { systemQuery } from '../api/estate-queries.ts';
import { taken } from '../api/problem.ts';
import type { Gateway } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { CopyText } from '../integrations/MadeCredentialView.tsx';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

const POLL_MS = 2_000;

export function GatewaysPage() {
  const system = useQuery({ ...systemQuery, refetchInterval: POLL_MS });
  const gateways = useQuery({
    queryKey: ['gateways'],
    queryFn: async () => taken(await api.GET('/api/v1/gateways')).items,
    refetchInterval: POLL_MS,
  });
  const newest = system.data;
  return (
    <Page title="Gateways" description="Every process on the traffic path, and whether it holds the newest policy.">
      <SpaceBetween size="l">
        <ProblemAlert error={gateways.error ?? system.error} />
        {newest ? (
          <Container>
            <KeyValuePairs
              columns={3}
              items={[
                { label: 'Newest snapshot', value: newest.version },
                { label: 'Revocation epoch', value: newest.epoch },
                { label: 'Address', value: <CopyText text={newest.gatewayUrl} label="Copy the address" /> },
              ]}
            />
          </Container>
        ) : null}
        <Table<Gateway>
          variant="container"
          loading={gateways.isPending}
          loadingText="Loading gateways"
          items={gateways.data ?? []}
          trackBy={(row) => `${row.gatewayId} ${row.pid}`}
          ariaLabels={{ tableLabel: 'Gateways' }}
          header={
            <Header variant="h2" counter={`(${gateways.data?.filter(({ live }) => live).length ?? 0} live)`}>
              Gateway processes
            </Header>
          }
          columnDefinitions={[
            { id: 'id', header: 'Gateway', isRowHeader: true, cell: (row) => row.gatewayId },
            { id: 'pid', header: 'Process', cell: (row) => row.pid },
            { id: 'state', header: 'State', cell: (row) => <State gateway={row} newest={newest} /> },
            { id: 'version', header: 'Snapshot', cell: (row) => row.version },
            { id: 'epoch', header: 'Epoch', cell: (row) => row.epoch },
            { id: 'applied', header: 'Applied', cell: (row) => <Ago at={row.appliedAt} /> },
            { id: 'seen', header: 'Last heard of', cell: (row) => <Ago at={row.seenAt} /> },
          ]}
          empty={
            <Box color="text-body-secondary">
              No gateway has reported yet. Start one with `cordon up` or `cordon role gateway`.
            </Box>
          }
        />
      </SpaceBetween>
    </Page>
  );
}

function State({
  gateway,
  newest,
}: {
  readonly gateway: Gateway;
  readonly newest: { readonly version: number; readonly epoch: number } | undefined;
}) {
  if (!gateway.live) return <StatusIndicator type="stopped">Gone</StatusIndicator>;
  if (newest && gateway.epoch < newest.epoch)
    return <StatusIndicator type="error">Behind on revocations</StatusIndicator>;
  if (newest && gateway.version < newest.version) return <StatusIndicator type="in-progress">Behind</StatusIndicator>;
  return <StatusIndicator type="success">Up to date</StatusIndicator>;
}
