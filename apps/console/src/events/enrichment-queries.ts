import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

const POLL_MS = 5_000;

export const enrichmentQuery = queryOptions({
  queryKey: ['enrichment', 'state'],
  queryFn: async () => taken(await api.GET('/api/v1/enrichment')).state,
  refetchInterval: 60_000,
});

export const threatListsQuery = queryOptions({
  queryKey: ['enrichment', 'lists'],
  queryFn: async () => taken(await api.GET('/api/v1/threat-lists')).items,
  refetchInterval: POLL_MS,
});
