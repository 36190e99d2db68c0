import { queryOptions } from '@tanstack/react-query';
import { api } from './api-client.ts';
import { taken } from './problem.ts';

const TRAFFIC_POLL_MS = 5_000;

/** Queries that several pages read; the first part of each key is what a command names as changed. */
export const appsQuery = queryOptions({
  queryKey: ['apps'],
  queryFn: async () => taken(await api.GET('/api/v1/apps')).items,
});

export const appQuery = (id: string) =>
  queryOptions({
    queryKey: ['apps', id],
    queryFn: async () => taken(await api.GET('/api/v1/apps/{id}', { params: { path: { id } } })),
  });

export const operationsQuery = (id: string) =>
  queryOptions({
    queryKey: ['apps', id, 'operations'],
    queryFn: async () => taken(await api.GET('/api/v1/apps/{id}/operations', { params: { path: { id } } })).items,
    staleTime: 60_000,
  });

export const integrationsQuery = queryOptions({
  queryKey: ['integrations'],
  queryFn: async () => taken(await api.GET('/api/v1/integrations')).items,
});

export const integrationQuery = (id: string) =>
  queryOptions({
    queryKey: ['integrations', id],
    queryFn: async () => taken(await api.GET('/api/v1/integrations/{id}', { params: { path: { id } } })),
  });

export const credentialsQuery = (id: string) =>
  queryOptions({
    queryKey: ['credentials', id],
    queryFn: async () =>
      taken(await api.GET('/api/v1/integrations/{id}/credentials', { params: { path: { id } } })).items,
  });

export const grantsQuery = (of: { readonly integrationId?: string; readonly appId?: string }) =>
  queryOptions({
    queryKey: ['grants', of],
    queryFn: async () => taken(await api.GET('/api/v1/grants', { params: { query: of } })).items,
  });

export const systemQuery = queryOptions({
  queryKey: ['system'],
  queryFn: async () => taken(await api.GET('/api/v1/system')),
});

type TrafficBy = 'app' | 'integration' | 'operation' | 'decision' | 'reason';

export const trafficQuery = (of: { readonly query?: string; readonly windowMs: number; readonly by: TrafficBy }) =>
  queryOptions({
    queryKey: ['traffic', of],
    queryFn: async () => taken(await api.GET('/api/v1/traffic', { params: { query: of } })).items,
    refetchInterval: TRAFFIC_POLL_MS,
  });

export const auditQuery = (of: { readonly targetType?: string; readonly targetId?: string; readonly limit?: number }) =>
  queryOptions({
    queryKey: ['audit', of],
    queryFn: async () => taken(await api.GET('/api/v1/audit', { params: { query: of } })).items,
  });
