import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import type { CutOff } from '../api/wire.ts';
import { showMs } from '../display/number.ts';
import { showTime } from '../display/time.ts';

const POLL_MS = 400;

const cutOffsQuery = (id: string) =>
  queryOptions({
    queryKey: ['cut-offs', id],
    queryFn: async () => taken(await api.GET('/api/v1/integrations/{id}/cut-offs', { params: { path: { id } } })).items,
    // Only a cut-off that gateways have not all reported yet is worth asking about again.
    refetchInterval: ({ state }) => (state.data?.some(({ reachedAt }) => reachedAt === null) ? POLL_MS : false),
  });

/** The latest cut-off: whether every gateway applies it, and how long each took from the decision. */
export function CutOffProgress({ integrationId }: { readonly integrationId: string }) {
  const cutOffs = useQuery(cutOffsQuery(integrationId));
  const [latest] = [...(cutOffs.data ?? [])].sort((a, b) => b.decidedAt - a.decidedAt);
  if (!latest) return null;
  return (
    <Container
      header={
        <Header variant="h2" description={`Decided ${showTime(latest.decidedAt)}`}>
          Cut-off
        </Header>
      }
    >
      {latest.reachedAt === null ? (
        <ProgressBar
          value={100}
          status="in-progress"
          label="Telling the gateways"
          description={`${latest.gateways.length} reported so far`}
        />
      ) : (
        <Reached cutOff={latest} />
      )}
    </Container>
  );
}

function Reached({ cutOff }: { readonly cutOff: CutOff }) {
  const { gateways } = cutOff;
  const slowest = Math.max(0, ...gateways.map(({ delayMs }) => delayMs));
  return (
    <SpaceBetween size="s">
      {gateways.length === 0 ? (
        <StatusIndicator type="warning">
          No gateway was running. Each loads the cut-off before it serves again.
        </StatusIndicator>
      ) : (
        <StatusIndicator type="success">
          In force at {gateways.length === 1 ? 'the gateway process' : `all ${gateways.length} gateway processes`} after{' '}
          {showMs(slowest)}
        </StatusIndicator>
      )}
      <Table
        variant="embedded"
        contentDensity="compact"
        ariaLabels={{ tableLabel: 'Delay of each gateway process' }}
        items={[...gateways]}
        columnDefinitions={[
          { id: 'gateway', header: 'Gateway', isRowHeader: true, cell: (row) => row.id },
          { id: 'pid', header: 'Process', cell: (row) => row.pid },
          { id: 'delay', header: 'In force after', cell: (row) => showMs(row.delayMs) },
        ]}
        empty={<Box color="text-body-secondary">None</Box>}
      />
    </SpaceBetween>
  );
}
