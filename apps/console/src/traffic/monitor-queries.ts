import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { quoteValue } from '../events/query-text.ts';

const POLL_MS = 5_000;

export interface About {
  readonly app?: string;
  readonly integration?: string;
  readonly windowMs: number;
}
export type MonitorBy = 'app' | 'integration' | 'operation' | 'edge' | 'reason';

export const monitorSeriesQuery = (about: About) =>
  queryOptions({
    queryKey: ['monitor', 'series', about],
    queryFn: async () => taken(await api.GET('/api/v1/monitor/series', { params: { query: about } })),
    refetchInterval: POLL_MS,
    placeholderData: keepPreviousData,
  });

export const monitorRowsQuery = (about: About, by: MonitorBy) =>
  queryOptions({
    queryKey: ['monitor', 'rows', about, by],
    queryFn: async () => taken(await api.GET('/api/v1/monitor/rows', { params: { query: { ...about, by } } })).items,
    refetchInterval: POLL_MS,
    placeholderData: keepPreviousData,
  });

export const slosQuery = queryOptions({
  queryKey: ['monitor', 'slos'],
  queryFn: async () => taken(await api.GET('/api/v1/monitor/slos')).items,
  refetchInterval: POLL_MS,
});

/** The search for the calls that a row or a bar counted. */
export function callsSearch(values: Readonly<Record<string, string | undefined>>): string {
  return [
    'gateway:*',
    ...Object.entries(values).flatMap(([field, value]) => (value ? [`${field}:${quoteValue(value)}`] : [])),
  ].join(' ');
}
