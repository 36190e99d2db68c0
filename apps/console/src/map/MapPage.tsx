import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import type { EstateMap } from '../api/wire.ts';
import { showCount } from '../display/number.ts';
import { useCan } from '../session/session-query.ts';
import { useFollow } from '../shell/follow.ts';
import { Page } from '../shell/Page.tsx';
import { PagePanel } from '../shell/PagePanel.tsx';
import { useIsNarrow } from '../shell/use-is-narrow.ts';
import { QueryState } from '../shell/QueryState.tsx';
import { MapDetails, selectionTitle } from './MapDetails.tsx';
import { type Selection, sumEdges } from './map-model.ts';
import { MapTable } from './MapTable.tsx';

const MapCanvas = lazy(async () => ({ default: (await import('./MapCanvas.tsx')).MapCanvas }));

const POLL_MS = 2_000;
const WINDOWS = [
  { value: '300000', label: 'Last 5 minutes' },
  { value: '3600000', label: 'Last hour' },
  { value: '86400000', label: 'Last day' },
  { value: '604800000', label: 'Last 7 days' },
] as const;

export function MapPage() {
  const [windowMs, setWindowMs] = useState(3_600_000);
  const isNarrow = useIsNarrow();
  const [chosenView, setView] = useState<string | null>(null);
  const view = chosenView ?? (isNarrow ? 'table' : 'map');
  const [selection, setSelection] = useState<Selection | null>(null);
  const map = useQuery({
    queryKey: ['map', windowMs],
    queryFn: async () => taken(await api.GET('/api/v1/map', { params: { query: { windowMs } } })),
    refetchInterval: POLL_MS,
    placeholderData: keepPreviousData,
  });
  return (
    <Page
      title="Map"
      description={
        map.data ? <Summary map={map.data} isStale={map.isError} /> : 'Integrations, apps, and what flows between.'
      }
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Select
            ariaLabel="Time window"
            selectedOption={WINDOWS.find(({ value }) => value === String(windowMs)) ?? WINDOWS[1]}
            options={WINDOWS}
            onChange={({ detail }) => setWindowMs(Number(detail.selectedOption.value))}
          />
          <SegmentedControl
            label="Show as"
            selectedId={view}
            options={[
              { id: 'map', text: 'Map' },
              { id: 'table', text: 'Table' },
            ]}
            onChange={({ detail }) => setView(detail.selectedId)}
          />
        </SpaceBetween>
      }
    >
      <QueryState query={map}>
        {(data) =>
          data.apps.length === 0 && data.integrations.length === 0 ? (
            <NothingYet />
          ) : (
            <>
              {view === 'table' ? (
                <MapTable map={data} />
              ) : (
                <Container disableContentPaddings>
                  <Suspense fallback={<StatusIndicator type="loading">Loading the map</StatusIndicator>}>
                    <MapCanvas map={data} selection={selection} onSelect={setSelection} />
                  </Suspense>
                </Container>
              )}
              {selection ? (
                <PagePanel header={selectionTitle(data, selection)} onClose={() => setSelection(null)}>
                  <MapDetails map={data} selection={selection} windowMs={windowMs} />
                </PagePanel>
              ) : null}
            </>
          )
        }
      </QueryState>
    </Page>
  );
}

function Summary({ map, isStale }: { readonly map: EstateMap; readonly isStale: boolean }) {
  const { calls, refusals, redacted } = sumEdges(map.edges);
  return (
    <SpaceBetween direction="horizontal" size="s">
      <span>
        {showCount(calls)} calls, {showCount(refusals)} refused, {showCount(redacted)} redacted
      </span>
      {isStale ? (
        <StatusIndicator type="warning">Not up to date: Cordon does not answer</StatusIndicator>
      ) : (
        <StatusIndicator type="success">Live</StatusIndicator>
      )}
    </SpaceBetween>
  );
}

function NothingYet() {
  const can = useCan();
  const follow = useFollow();
  return (
    <Container>
      <Box textAlign="center" padding="xxl">
        <SpaceBetween size="m">
          <Box variant="h2">Nothing is connected yet</Box>
          <Box color="text-body-secondary">
            Add the SaaS tool that an integration calls, register the integration, and grant what it needs.
          </Box>
          {can('app.write') ? (
            <Button variant="primary" href="/setup" onFollow={follow}>
              Connect the first integration
            </Button>
          ) : (
            <Box>Ask an owner or a security engineer to add the first app.</Box>
          )}
        </SpaceBetween>
      </Box>
    </Container>
  );
}
