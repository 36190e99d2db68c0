import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

const POLL_MS = 3_000;

export type AlertView = 'open,acknowledged' | 'closed';

export const alertsQuery = (status: AlertView) =>
  queryOptions({
    queryKey: ['alerts', 'list', status],
    queryFn: async () => taken(await api.GET('/api/v1/alerts', { params: { query: { status, limit: 200 } } })),
    refetchInterval: POLL_MS,
  });

export const alertQuery = (id: string) =>
  queryOptions({
    queryKey: ['alerts', id],
    queryFn: async () => taken(await api.GET('/api/v1/alerts/{id}', { params: { path: { id } } })),
    refetchInterval: POLL_MS,
  });

export const detectionsQuery = queryOptions({
  queryKey: ['detections'],
  queryFn: async () => taken(await api.GET('/api/v1/detections')).items,
  staleTime: 60_000,
});

export const sourcesQuery = queryOptions({
  queryKey: ['sources'],
  queryFn: async () => taken(await api.GET('/api/v1/sources')).items,
  refetchInterval: POLL_MS,
});

export const deadLettersQuery = (id: string) =>
  queryOptions({
    queryKey: ['sources', id, 'dead-letters'],
    queryFn: async () => taken(await api.GET('/api/v1/sources/{id}/dead-letters', { params: { path: { id } } })).items,
    refetchInterval: POLL_MS,
  });
