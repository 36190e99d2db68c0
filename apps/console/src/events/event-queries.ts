import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { type EventSearch, rangeOf } from './event-search.ts';
import { FACET_FIELDS } from './event-fields.ts';

export const PAGE_EVENTS = 50;
const BUCKETS = 60;

/** What is searched: `at` is when the person last asked, and fixes what "the last hour" means for all parts. */
export interface Asked {
  readonly search: EventSearch;
  readonly at: number;
}

function scopeOf({ search, at }: Asked) {
  return { ...(search.q ? { query: search.q } : {}), ...rangeOf(search, at) };
}

function keyOf({ search, at }: Asked) {
  const { q = '', window, from, to } = search;
  return { q, window, from, to, at };
}

export const pagesQuery = (asked: Asked) =>
  infiniteQueryOptions({
    queryKey: ['events', 'pages', keyOf(asked)],
    queryFn: async ({ pageParam }) =>
      taken(
        await api.GET('/api/v1/events', {
          params: {
            query: {
              ...scopeOf(asked),
              limit: PAGE_EVENTS,
              ...(pageParam === null ? { withTotal: 'true' } : { cursor: pageParam }),
            },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.cursor,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });

export const histogramQuery = (asked: Asked) =>
  queryOptions({
    queryKey: ['events', 'histogram', keyOf(asked)],
    queryFn: async () =>
      taken(
        await api.GET('/api/v1/events/histogram', {
          params: { query: { ...scopeOf(asked), buckets: BUCKETS, groupBy: 'decision' } },
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });

export const facetsQuery = (asked: Asked) =>
  queryOptions({
    queryKey: ['events', 'facets', keyOf(asked)],
    queryFn: async () =>
      taken(
        await api.GET('/api/v1/events/facets', {
          params: { query: { ...scopeOf(asked), fields: FACET_FIELDS.join(',') } },
        }),
      ).fields,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });

/** Values of one field, for completion while a filter is written. */
export const valuesQuery = (field: string, { search, at }: Asked) =>
  queryOptions({
    queryKey: ['events', 'values', field, search.window, search.from, search.to, at],
    queryFn: async () => {
      const query = { ...rangeOf(search, at), fields: field };
      return taken(await api.GET('/api/v1/events/facets', { params: { query } })).fields[field] ?? [];
    },
    staleTime: Number.POSITIVE_INFINITY,
  });

export const eventQuery = (id: string) =>
  queryOptions({
    queryKey: ['events', 'one', id],
    queryFn: async () => taken(await api.GET('/api/v1/events/{id}', { params: { path: { id } } })),
    staleTime: Number.POSITIVE_INFINITY,
  });
