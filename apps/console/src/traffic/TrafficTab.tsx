import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useCallback, useState } from 'react';
import { api } from '../api/api-client.ts';
import { trafficQuery } from '../api/estate-queries.ts';
import { taken } from '../api/problem.ts';
import type { TrafficRow } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { showCount, showMs } from '../display/number.ts';
import { eventsHref } from '../events/event-search.ts';
import { quoteValue } from '../events/query-text.ts';
import { useGo } from '../shell/follow.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';

const EventsChart = lazy(async () => ({ default: (await import('../events/EventsChart.tsx')).EventsChart }));

const POLL_MS = 5_000;
const BUCKETS = 60;
const WINDOWS = [
  { value: '3600000', label: 'Last hour' },
  { value: '86400000', label: 'Last day' },
  { value: '604800000', label: 'Last 7 days' },
  { value: '2592000000', label: 'Last 30 days' },
] as const;

/** Calls of one integration or app over time, by operation or by the other side, and why some were refused. */
export function TrafficTab({ query, by }: { readonly query: string; readonly by: 'operation' | 'integration' }) {
  const go = useGo();
  const [windowMs, setWindowMs] = useState(3_600_000);
  const histogram = useQuery({
    queryKey: ['events', 'traffic', query, windowMs],
    queryFn: async () => {
      const to = Date.now();
      const scope = { query, from: to - windowMs, to, buckets: BUCKETS, groupBy: 'decision' };
      return taken(await api.GET('/api/v1/events/histogram', { params: { query: scope } }));
    },
    refetchInterval: POLL_MS,
    placeholderData: keepPreviousData,
  });
  const onPick = useCallback((from: number, to: number) => go(eventsHref({ q: query, from, to })), [go, query]);
  return (
    <SpaceBetween size="l">
      <Container
        header={
          <Header
            variant="h2"
            actions={
              <Select
                ariaLabel="Time window"
                options={WINDOWS}
                selectedOption={WINDOWS.find(({ value }) => value === String(windowMs)) ?? WINDOWS[0]}
                onChange={({ detail }) => setWindowMs(Number(detail.selectedOption.value))}
              />
            }
          >
            Calls over time
          </Header>
        }
      >
        <ProblemAlert error={histogram.error} />
        {histogram.data ? (
          <Suspense fallback={<StatusIndicator type="loading">Drawing</StatusIndicator>}>
            <EventsChart histogram={histogram.data} onPick={onPick} />
          </Suspense>
        ) : null}
      </Container>
      <ByTable title="By operation" by="operation" query={query} windowMs={windowMs} />
      {by === 'integration' ? (
        <ByTable title="By integration" by="integration" query={query} windowMs={windowMs} />
      ) : null}
      <ByTable title="Refusals by reason" by="reason" query={`${query} decision:(deny, error)`} windowMs={windowMs} />
    </SpaceBetween>
  );
}

function ByTable({
  title,
  by,
  query,
  windowMs,
}: {
  readonly title: string;
  readonly by: 'operation' | 'integration' | 'reason';
  readonly query: string;
  readonly windowMs: number;
}) {
  const traffic = useQuery({ ...trafficQuery({ query, windowMs, by }), placeholderData: keepPreviousData });
  return (
    <Table<TrafficRow>
      variant="container"
      contentDensity="compact"
      wrapLines
      loading={traffic.isPending}
      loadingText="Counting"
      items={traffic.data ?? []}
      trackBy="key"
      header={
        <Header variant="h2" counter={traffic.data ? `(${traffic.data.length})` : ''}>
          {title}
        </Header>
      }
      ariaLabels={{ tableLabel: title }}
      columnDefinitions={[
        {
          id: 'name',
          header: by === 'reason' ? 'Reason' : by === 'operation' ? 'Operation' : 'Integration',
          isRowHeader: true,
          cell: (row) =>
            row.key === '' ? (
              'none'
            ) : (
              <RouteLink href={eventsHref({ q: `${query} ${by}:${quoteValue(row.key)}`, window: windowMs })}>
                {row.name}
              </RouteLink>
            ),
        },
        { id: 'calls', header: 'Calls', cell: (row) => showCount(row.calls) },
        ...(by === 'reason'
          ? []
          : [
              { id: 'refused', header: 'Refused', cell: (row: TrafficRow) => showCount(row.refusals) },
              { id: 'redacted', header: 'Redacted', cell: (row: TrafficRow) => showCount(row.redacted) },
              { id: 'p50', header: 'Latency, median', cell: (row: TrafficRow) => showMs(row.latencyP50) },
              { id: 'p95', header: 'p95', cell: (row: TrafficRow) => showMs(row.latencyP95) },
            ]),
        { id: 'last', header: 'Last', cell: (row) => <Ago at={row.lastAt} /> },
      ]}
      empty={
        <Box color="text-body-secondary">
          {by === 'reason' ? 'Nothing was refused in this time.' : 'No calls in this time.'}
        </Box>
      }
    />
  );
}
