import Box from '@cloudscape-design/components/box';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useCallback, useState } from 'react';
import { appsQuery } from '../api/estate-queries.ts';
import type { MonitorRow } from '../api/wire.ts';
import { showBytes, showCount, showMs } from '../display/number.ts';
import { eventsHref } from '../events/event-search.ts';
import { useGo } from '../shell/follow.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { type About, callsSearch, type MonitorBy, monitorRowsQuery, monitorSeriesQuery } from './monitor-queries.ts';
import { SloTable } from './SloTable.tsx';

const MonitorChart = lazy(async () => ({ default: (await import('./MonitorChart.tsx')).MonitorChart }));

const WINDOWS = [
  { value: '600000', label: 'Last 10 minutes' },
  { value: '3600000', label: 'Last hour' },
  { value: '86400000', label: 'Last day' },
  { value: '604800000', label: 'Last 7 days' },
  { value: '2592000000', label: 'Last 30 days' },
] as const;
const CHARTS = [
  { chart: 'calls', title: 'Calls' },
  { chart: 'latency', title: 'Latency, milliseconds' },
  { chart: 'data', title: 'Data out' },
] as const;

/** How calls go, now and usually; every figure opens the calls behind it. */
export function MonitorPage() {
  const go = useGo();
  const apps = useQuery(appsQuery);
  const [app, setApp] = useState('');
  const [windowMs, setWindowMs] = useState(3_600_000);
  const about: About = { windowMs, ...(app === '' ? {} : { app }) };
  const series = useQuery(monitorSeriesQuery(about));
  const options = [
    { value: '', label: 'All apps' },
    ...(apps.data ?? []).map((one) => ({ value: one.id, label: one.title })),
  ];
  const q = callsSearch({ app });
  const onPick = useCallback((from: number, to: number) => go(eventsHref({ q, from, to })), [go, q]);
  return (
    <Page
      title="API monitoring"
      description="How calls go through the gateways, what is usual, and what was promised."
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Select
            ariaLabel="App"
            options={options}
            selectedOption={options.find(({ value }) => value === app) ?? null}
            onChange={({ detail }) => setApp(detail.selectedOption.value ?? '')}
          />
          <Select
            ariaLabel="Time window"
            options={WINDOWS}
            selectedOption={WINDOWS.find(({ value }) => value === String(windowMs)) ?? null}
            onChange={({ detail }) => setWindowMs(Number(detail.selectedOption.value))}
          />
        </SpaceBetween>
      }
    >
      <SpaceBetween size="l">
        <ProblemAlert error={series.error} />
        <ColumnLayout columns={3} minColumnWidth={300}>
          {CHARTS.map(({ chart, title }) => (
            <Container key={chart} header={<Header variant="h2">{title}</Header>}>
              {series.data ? (
                <Suspense fallback={<StatusIndicator type="loading">Drawing</StatusIndicator>}>
                  <MonitorChart series={series.data} chart={chart} label={`${title} over time`} onPick={onPick} />
                </Suspense>
              ) : (
                <StatusIndicator type="loading">Counting</StatusIndicator>
              )}
            </Container>
          ))}
        </ColumnLayout>
        <Season now={series.data?.now.calls} />
        <SloTable />
        <Rows title="By app and integration" by="edge" about={about} />
        <Rows title="By operation" by="operation" about={about} />
        <Rows title="Refusals and failures by reason" by="reason" about={about} />
      </SpaceBetween>
    </Page>
  );
}

function Season({
  now,
}: {
  readonly now: { usual: number; high: number; season: string; samples: number } | null | undefined;
}) {
  return (
    <Box color="text-body-secondary">
      {now
        ? `Usual for this hour: ${showCount(Math.round(now.usual))} calls; unusual above ${showCount(Math.round(now.high))} (${now.season === 'hour-of-week' ? 'the same hour of the week' : 'the same hour of the day'}, ${now.samples} of them).`
        : 'What is usual is still being learnt: it takes five days of the same hour.'}
    </Box>
  );
}

function Rows({ title, by, about }: { readonly title: string; readonly by: MonitorBy; readonly about: About }) {
  const rows = useQuery(monitorRowsQuery(about, by));
  const items = (rows.data ?? []).filter(({ key }) => by !== 'reason' || key[0]?.id !== '');
  const search = ({ key }: MonitorRow): string => {
    const [first, second] = key;
    const values = by === 'edge' ? { integration: first?.id, app: second?.id } : { app: about.app, [by]: first?.id };
    return eventsHref({ q: callsSearch(values), window: about.windowMs });
  };
  const share = (part: number, { calls }: MonitorRow): string =>
    part === 0 ? '0' : `${showCount(part)} (${((part / calls) * 100).toFixed(1)}%)`;
  return (
    <Table<MonitorRow>
      variant="container"
      contentDensity="compact"
      wrapLines
      loading={rows.isPending}
      loadingText="Counting"
      items={items}
      trackBy={({ key }) => key.map(({ id }) => id).join(' ')}
      header={
        <Header variant="h2" counter={`(${items.length})`}>
          {title}
        </Header>
      }
      ariaLabels={{ tableLabel: title }}
      columnDefinitions={[
        {
          id: 'key',
          header: by === 'edge' ? 'Integration and app' : by === 'reason' ? 'Reason' : 'Operation',
          isRowHeader: true,
          cell: (row) => (
            <RouteLink href={search(row)}>
              {row.key.map(({ name, id }) => name || id || 'unknown').join(' to ')}
            </RouteLink>
          ),
        },
        { id: 'calls', header: 'Calls', cell: (row) => showCount(row.calls) },
        { id: 'failed', header: 'Failed', cell: (row) => share(row.failures, row) },
        { id: 'refused', header: 'Refused', cell: (row) => share(row.refusals, row) },
        { id: 'p50', header: 'Median', cell: (row) => showMs(row.p50) },
        { id: 'p95', header: 'p95', cell: (row) => showMs(row.p95) },
        { id: 'p99', header: 'p99', cell: (row) => showMs(row.p99) },
        { id: 'bytes', header: 'Bytes out', cell: (row) => showBytes(row.responseBytes) },
        { id: 'records', header: 'Records', cell: (row) => showCount(row.records) },
      ]}
      empty={<Box color="text-body-secondary">Nothing in this time.</Box>}
    />
  );
}
