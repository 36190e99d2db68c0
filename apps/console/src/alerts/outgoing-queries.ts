import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

const POLL_MS = 5_000;

export const forwardsQuery = queryOptions({
  queryKey: ['forwards'],
  queryFn: async () => taken(await api.GET('/api/v1/forward-targets')).items,
  refetchInterval: POLL_MS,
});

export const notificationTargetsQuery = queryOptions({
  queryKey: ['notifications', 'targets'],
  queryFn: async () => taken(await api.GET('/api/v1/notification-targets')).items,
});

export const deliveriesQuery = queryOptions({
  queryKey: ['notifications', 'deliveries'],
  queryFn: async () =>
    taken(await api.GET('/api/v1/notification-deliveries', { params: { query: { limit: 50 } } })).items,
  refetchInterval: POLL_MS,
});

export const eventRetentionQuery = queryOptions({
  queryKey: ['event-retention'],
  queryFn: async () => taken(await api.GET('/api/v1/event-retention')),
});
