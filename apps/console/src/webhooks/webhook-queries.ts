import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

const POLL_MS = 2_000;
const DELIVERIES_SHOWN_MAX = 100;

export const schemesQuery = queryOptions({
  queryKey: ['webhook-schemes'],
  queryFn: async () => taken(await api.GET('/api/v1/webhook-schemes')).items,
  staleTime: 600_000,
});

/** All endpoints, or those of one app. */
export const webhooksQuery = (appId?: string) =>
  queryOptions({
    queryKey: ['webhooks', 'list', appId ?? ''],
    queryFn: async () => {
      const query = appId === undefined ? {} : { appId };
      return taken(await api.GET('/api/v1/webhooks', { params: { query } })).items;
    },
    refetchInterval: POLL_MS,
  });

export const webhookQuery = (id: string) =>
  queryOptions({
    queryKey: ['webhooks', id],
    queryFn: async () => taken(await api.GET('/api/v1/webhooks/{id}', { params: { path: { id } } })),
    refetchInterval: POLL_MS,
  });

export const deliveriesQuery = (id: string) =>
  queryOptions({
    queryKey: ['webhooks', id, 'deliveries'],
    queryFn: async () => {
      const params = { path: { id }, query: { limit: DELIVERIES_SHOWN_MAX } };
      return taken(await api.GET('/api/v1/webhooks/{id}/deliveries', { params })).items;
    },
    refetchInterval: POLL_MS,
  });

export const deliveryQuery = (id: string, delivery: string) =>
  queryOptions({
    queryKey: ['webhooks', id, 'deliveries', delivery],
    queryFn: async () => {
      const params = { path: { id, delivery } };
      return taken(await api.GET('/api/v1/webhooks/{id}/deliveries/{delivery}', { params }));
    },
    refetchInterval: POLL_MS,
  });
