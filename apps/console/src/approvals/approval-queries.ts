import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

const POLL_MS = 2_000;

/** Live: an integration waits for the answer. */
export const approvalsQuery = queryOptions({
  queryKey: ['approvals'],
  queryFn: async () => taken(await api.GET('/api/v1/approvals')).items,
  refetchInterval: POLL_MS,
});
