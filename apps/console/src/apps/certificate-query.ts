import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

const POLL_MS = 30_000;

export const certificatesQuery = (id: string) =>
  queryOptions({
    queryKey: ['apps', id, 'certificates'],
    queryFn: async () => taken(await api.GET('/api/v1/apps/{id}/certificates', { params: { path: { id } } })).items,
    // Gateways report on their own when they connect.
    refetchInterval: POLL_MS,
  });
