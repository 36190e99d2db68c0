import type { paths } from '@cordon/client';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

const QUEUE_MS = 5_000;
const RUNNING_MS = 2_000;

type Answer<Path extends keyof paths> = paths[Path]['get'] extends {
  responses: { 200: { content: { 'application/json': infer Body } } };
}
  ? Body
  : never;

export type Incident = Answer<'/api/v1/dlp/incidents'>['items'][number];
export type IncidentDetail = Answer<'/api/v1/dlp/incidents/{id}'>;
export type Remedy = IncidentDetail['remedies'][number];
export type Scan = Answer<'/api/v1/dlp/scans'>['items'][number];
export type ScanTarget = Answer<'/api/v1/dlp/targets'>['items'][number];
export type Pass = Answer<'/api/v1/dlp/passes'>['items'][number];
export type LabelName = Answer<'/api/v1/dlp/labels'>['items'][number];
export type IncidentStatus = Incident['status'];

export const incidentsQuery = (query: { readonly status?: IncidentStatus; readonly after?: string }) =>
  queryOptions({
    queryKey: ['dlp', 'incidents', query],
    queryFn: async () => taken(await api.GET('/api/v1/dlp/incidents', { params: { query } })),
    refetchInterval: QUEUE_MS,
  });

export const incidentQuery = (id: string) =>
  queryOptions({
    queryKey: ['dlp', 'incident', id],
    queryFn: async () => taken(await api.GET('/api/v1/dlp/incidents/{id}', { params: { path: { id } } })),
    refetchInterval: RUNNING_MS,
  });

export const scansQuery = queryOptions({
  queryKey: ['dlp', 'scans'],
  queryFn: async () => taken(await api.GET('/api/v1/dlp/scans', { params: { query: {} } })).items,
  refetchInterval: RUNNING_MS,
});

export const targetsQuery = queryOptions({
  queryKey: ['dlp', 'targets'],
  queryFn: async () => taken(await api.GET('/api/v1/dlp/targets')).items,
});

export const schedulesQuery = queryOptions({
  queryKey: ['dlp', 'schedules'],
  queryFn: async () => taken(await api.GET('/api/v1/dlp/schedules')).items,
});

export const passesQuery = queryOptions({
  queryKey: ['dlp', 'passes'],
  queryFn: async () => taken(await api.GET('/api/v1/dlp/passes')).items,
  refetchInterval: QUEUE_MS,
});

export const labelNamesQuery = queryOptions({
  queryKey: ['dlp', 'labels'],
  queryFn: async () => taken(await api.GET('/api/v1/dlp/labels')).items,
});
