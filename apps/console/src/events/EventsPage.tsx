import './events.css';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Toggle from '@cloudscape-design/components/toggle';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useState } from 'react';
import { asProblem } from '../api/problem.ts';
import { showCount } from '../display/number.ts';
import { Page } from '../shell/Page.tsx';
import { PagePanel } from '../shell/PagePanel.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { useIsNarrow } from '../shell/use-is-narrow.ts';
import { EventDetails } from './EventDetails.tsx';
import { EventFilter } from './EventFilter.tsx';
import { type Asked, eventQuery, histogramQuery, PAGE_EVENTS, pagesQuery } from './event-queries.ts';
import type { EventSearch } from './event-search.ts';
import { EventTable } from './EventTable.tsx';
import { FacetList } from './FacetList.tsx';
import { addCondition } from './query-text.ts';
import { TimeRange } from './TimeRange.tsx';
import { useTail } from './use-tail.ts';

const EventsChart = lazy(async () => ({ default: (await import('./EventsChart.tsx')).EventsChart }));
const TEXT_CODES = ['lake.query_invalid', 'lake.query_too_large'];

export function EventsPage() {
  const search = useSearch({ from: '/inside/events' });
  const navigate = useNavigate();
  const [at, setAt] = useState(() => Date.now());
  const asked: Asked = { search, at };
  const text = search.q ?? '';
  const isLive = search.live === true;
  const change = useCallback(
    (next: Partial<Record<keyof EventSearch, unknown>>) => {
      setAt(Date.now());
      // Undefined takes a part out of the address; the route checks the rest.
      void navigate({ to: '/events', search: (now: EventSearch) => ({ ...now, ...next }) as EventSearch });
    },
    [navigate],
  );
  const onPickSpan = useCallback(
    (from: number, to: number) => change({ from, to, window: undefined, live: undefined }),
    [change],
  );
  const select = (id: string): void => {
    void navigate({ to: '/events', search: (now: EventSearch) => ({ ...now, event: id }), replace: true });
  };
  const histogram = useQuery({ ...histogramQuery(asked), enabled: !isLive });
  const failure = histogram.error ? asProblem(histogram.error).problem : null;
  const textError = failure && TEXT_CODES.includes(failure.code) ? failure.detail : undefined;
  return (
    <Page
      title="Events"
      description="Everything that happened: calls, refusals, sign-ins, and what people changed."
      actions={
        <SpaceBetween direction="horizontal" size="xs" alignItems="center">
          <Toggle checked={isLive} onChange={({ detail }) => change({ live: detail.checked || undefined })}>
            Live
          </Toggle>
          <TimeRange
            search={search}
            isDisabled={isLive}
            onChange={(range) => change({ window: undefined, from: undefined, to: undefined, ...range })}
          />
          <Button iconName="refresh" ariaLabel="Search again" disabled={isLive} onClick={() => setAt(Date.now())} />
        </SpaceBetween>
      }
    >
      <SpaceBetween size="l">
        <EventFilter
          text={text}
          asked={asked}
          error={textError}
          onChange={(q) => change({ q: q === '' ? undefined : q })}
        />
        {failure && textError === undefined ? <ProblemAlert error={histogram.error} /> : null}
        {isLive ? (
          <LiveEvents query={text} onSelect={select} />
        ) : (
          <div className="events-layout">
            <Facets asked={asked} onPick={(field, value) => change({ q: addCondition(text, field, value) })} />
            <SpaceBetween size="l">
              <Container>
                {histogram.data ? (
                  <Suspense fallback={<StatusIndicator type="loading">Drawing</StatusIndicator>}>
                    <EventsChart histogram={histogram.data} onPick={onPickSpan} />
                  </Suspense>
                ) : (
                  <StatusIndicator type={histogram.error ? 'stopped' : 'loading'}>
                    {histogram.error ? 'No result' : 'Counting'}
                  </StatusIndicator>
                )}
              </Container>
              <FoundEvents asked={asked} onSelect={select} />
            </SpaceBetween>
          </div>
        )}
      </SpaceBetween>
      {search.event === undefined ? null : <OpenEvent id={search.event} onClose={() => change({ event: undefined })} />}
    </Page>
  );
}

/** Beside the events; on a narrow screen folded away above them. */
function Facets(props: { readonly asked: Asked; readonly onPick: (field: string, value: string) => void }) {
  const isNarrow = useIsNarrow();
  if (!isNarrow) return <FacetList {...props} />;
  return (
    <ExpandableSection headerText="Narrow the search">
      <FacetList {...props} />
    </ExpandableSection>
  );
}

interface Selecting {
  readonly onSelect: (id: string) => void;
}

function FoundEvents({ asked, onSelect }: Selecting & { readonly asked: Asked }) {
  const pages = useInfiniteQuery(pagesQuery(asked));
  const [picked, setPicked] = useState({ index: 0, of: '' });
  // Another search begins at its first page again.
  const of = JSON.stringify([asked.search.q, asked.search.window, asked.search.from, asked.search.to, asked.at]);
  const index = picked.of === of ? picked.index : 0;
  const loaded = pages.data?.pages ?? [];
  const total = loaded[0]?.total;
  const show = (next: number): void => {
    if (next >= loaded.length && pages.hasNextPage) void pages.fetchNextPage();
    setPicked({ index: next, of });
  };
  return (
    <EventTable
      events={loaded[index]?.items ?? []}
      isLoading={pages.isPending || (pages.isFetchingNextPage && index >= loaded.length)}
      onSelect={onSelect}
      header={
        <Header
          counter={total === null || total === undefined ? '' : `(${showCount(total)})`}
          description={
            pages.isPlaceholderData ? 'Searching…' : loaded[0] ? `Found in ${Math.round(loaded[0].took)} ms` : ' '
          }
        >
          Events
        </Header>
      }
      pagination={
        <Pagination
          currentPageIndex={index + 1}
          pagesCount={Math.max(1, loaded.length)}
          openEnd={pages.hasNextPage}
          ariaLabels={{ nextPageLabel: 'Older events', previousPageLabel: 'Newer events', paginationLabel: 'Pages' }}
          onChange={({ detail }) => show(detail.currentPageIndex - 1)}
        />
      }
      empty={
        <Box textAlign="center" color="text-body-secondary">
          Nothing matches in this time. Take a longer time range, or remove a condition. Pages hold {PAGE_EVENTS}{' '}
          events.
        </Box>
      }
    />
  );
}

function LiveEvents({ query, onSelect }: Selecting & { readonly query: string }) {
  const tail = useTail(query, true);
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={tail.error} />
      <EventTable
        events={tail.events}
        isLoading={false}
        onSelect={onSelect}
        header={
          <Header
            counter={`(${tail.events.length})`}
            description={
              <StatusIndicator type={tail.isConnected ? 'success' : 'pending'}>
                {tail.isConnected ? 'Following; the newest stands first' : 'Connecting'}
              </StatusIndicator>
            }
          >
            Live events
          </Header>
        }
        empty={
          <Box textAlign="center" color="text-body-secondary">
            Waiting for the next event{query === '' ? '' : ' that matches'}.
          </Box>
        }
      />
    </SpaceBetween>
  );
}

function OpenEvent({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const event = useQuery(eventQuery(id));
  return (
    <PagePanel header="Event" onClose={onClose}>
      <QueryState query={event}>{(stored) => <EventDetails stored={stored} />}</QueryState>
    </PagePanel>
  );
}
