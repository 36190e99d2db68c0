import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

const LIST_POLL_MS = 3_000;
const DRILL_POLL_MS = 1_000;

export const scenariosQuery = queryOptions({
  queryKey: ['drill-scenarios'],
  queryFn: async () => taken(await api.GET('/api/v1/drill-scenarios')).items,
});

export const targetsQuery = queryOptions({
  queryKey: ['drill-targets'],
  queryFn: async () => taken(await api.GET('/api/v1/drill-targets')).items,
});

export const drillsQuery = queryOptions({
  queryKey: ['drills', 'list'],
  queryFn: async () => taken(await api.GET('/api/v1/drills')).items,
  refetchInterval: LIST_POLL_MS,
});

export const trendQuery = queryOptions({
  queryKey: ['drills', 'trend'],
  queryFn: async () => taken(await api.GET('/api/v1/drills/trend')).quarters,
});

export const schedulesQuery = queryOptions({
  queryKey: ['drill-schedules'],
  queryFn: async () => taken(await api.GET('/api/v1/drill-schedules')).items,
});

export const drillQuery = (id: string) =>
  queryOptions({
    queryKey: ['drills', id],
    queryFn: async () => taken(await api.GET('/api/v1/drills/{id}', { params: { path: { id } } })),
    refetchInterval: DRILL_POLL_MS,
  });

export const reportQuery = (id: string) =>
  queryOptions({
    queryKey: ['drills', id, 'report'],
    queryFn: async () => taken(await api.GET('/api/v1/drills/{id}/report', { params: { path: { id } } })).markdown,
  });
