import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import type { Upstreams } from '../api/wire.ts';
import { showTime } from '../display/time.ts';
import { upstreamsQuery } from './vault-queries.ts';

type Upstream = Upstreams['upstreams'][number];

const BREAKER: Readonly<Record<Upstream['breaker'], { type: StatusIndicatorProps.Type; text: string }>> = {
  closed: { type: 'success', text: 'Answers' },
  'half-open': { type: 'pending', text: 'Being tried again' },
  open: { type: 'error', text: 'Fails: left alone' },
};

/** How the vendor's hosts fare at the gateways now, and what is left of the vendor's own rate limit. */
export function UpstreamPanel({ appId }: { readonly appId: string }) {
  const { data, isPending } = useQuery(upstreamsQuery(appId));
  return (
    <SpaceBetween size="m">
      <Table<Upstream>
        variant="container"
        loading={isPending}
        loadingText="Loading upstreams"
        items={data?.upstreams ?? []}
        trackBy="origin"
        ariaLabels={{ tableLabel: 'Upstreams' }}
        header={<Header variant="h2">Upstreams</Header>}
        columnDefinitions={[
          { id: 'origin', header: 'Host', isRowHeader: true, cell: (one) => one.origin },
          {
            id: 'breaker',
            header: 'State',
            cell: ({ breaker }) => (
              <StatusIndicator type={BREAKER[breaker].type}>{BREAKER[breaker].text}</StatusIndicator>
            ),
          },
          { id: 'calls', header: 'Calls under way', cell: (one) => one.inFlight },
          { id: 'queued', header: 'Waiting', cell: (one) => one.queued },
          { id: 'gateways', header: 'Gateway processes', cell: (one) => one.gateways },
        ]}
        empty={
          <Box textAlign="center" padding="m" color="text-body-secondary">
            No gateway has called it lately.
          </Box>
        }
      />
      {(data?.budgets ?? []).map(({ bucket, limit, remaining, resetAt }) => (
        <ProgressBar
          key={bucket}
          label={bucket === '' ? 'Left of the vendor’s limit' : `Left of the vendor’s limit ${bucket}`}
          additionalInfo={`${remaining} of ${limit} until ${showTime(resetAt)}`}
          value={(remaining / limit) * 100}
          status="in-progress"
        />
      ))}
    </SpaceBetween>
  );
}
