import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

const POLL_MS = 5_000;

export const vaultQuery = (id: string) =>
  queryOptions({
    queryKey: ['apps', id, 'credentials'],
    queryFn: async () => taken(await api.GET('/api/v1/apps/{id}/credentials', { params: { path: { id } } })),
    refetchInterval: POLL_MS,
  });

export const upstreamsQuery = (id: string) =>
  queryOptions({
    queryKey: ['apps', id, 'upstreams'],
    queryFn: async () => taken(await api.GET('/api/v1/apps/{id}/upstreams', { params: { path: { id } } })),
    refetchInterval: POLL_MS,
  });
