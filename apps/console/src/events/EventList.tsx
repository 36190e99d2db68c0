import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { asProblem, taken } from '../api/problem.ts';
import { Ago } from '../display/Ago.tsx';
import { useCan } from '../session/session-query.ts';
import { RouteLink } from '../shell/RouteLink.tsx';
import { Decision } from './Decision.tsx';
import { factsOf } from './event-facts.ts';
import { eventsHref } from './event-search.ts';

const POLL_MS = 4_000;
const DAY_MS = 86_400_000;

/** The newest events of a search, kept fresh, with the way into the explorer. */
export function EventList({
  title,
  query,
  limit,
  isWide = false,
}: {
  readonly title: string;
  readonly query: string;
  readonly limit: number;
  readonly isWide?: boolean;
}) {
  const can = useCan();
  const isAllowed = can('event.read');
  const events = useQuery({
    queryKey: ['events', 'newest', query, limit],
    queryFn: async () => taken(await api.GET('/api/v1/events', { params: { query: { query, limit } } })).items,
    refetchInterval: POLL_MS,
    enabled: isAllowed,
  });
  if (!isAllowed) return null;
  const empty = events.error ? asProblem(events.error).message : 'No events in the last day.';
  return (
    <Table
      variant={isWide ? 'container' : 'embedded'}
      contentDensity="compact"
      wrapLines
      loading={events.isPending}
      loadingText="Loading events"
      items={(events.data ?? []).map(factsOf)}
      trackBy="id"
      header={
        <Header
          variant="h3"
          actions={<RouteLink href={eventsHref({ q: query, window: DAY_MS })}>All in Events</RouteLink>}
        >
          {title}
        </Header>
      }
      empty={<Box color="text-body-secondary">{empty}</Box>}
      columnDefinitions={[
        { id: 'time', header: 'When', cell: (row) => <Ago at={row.time} /> },
        { id: 'decision', header: 'Decision', cell: (row) => <Decision decision={row.decision} /> },
        ...(isWide
          ? [
              { id: 'who', header: 'Who', cell: (row: ReturnType<typeof factsOf>) => row.who ?? '-' },
              { id: 'app', header: 'App', cell: (row: ReturnType<typeof factsOf>) => row.app ?? '-' },
            ]
          : []),
        {
          id: 'operation',
          header: 'Operation',
          cell: (row) => (
            <RouteLink href={eventsHref({ q: query, window: DAY_MS, event: row.id })}>
              {row.operation ?? row.kind}
            </RouteLink>
          ),
        },
        ...(isWide
          ? [{ id: 'reason', header: 'Reason', cell: (row: ReturnType<typeof factsOf>) => row.reason ?? '-' }]
          : []),
      ]}
    />
  );
}
