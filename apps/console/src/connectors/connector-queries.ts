import type { paths } from '@cordon/client';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

const POLL_MS = 2_000;

type Body<Path extends keyof paths> = paths[Path]['get'] extends {
  responses: { 200: { content: { 'application/json': infer Answer } } };
}
  ? Answer
  : never;

export type Connector = Body<'/api/v1/connectors'>['items'][number];
export type ConnectionRow = Body<'/api/v1/connections'>['items'][number];
export type ConnectionDetail = Body<'/api/v1/connections/{id}'>;
export type Sync = Body<'/api/v1/connections/{id}/syncs'>['items'][number];
export type EntityRow = Body<'/api/v1/entities'>['items'][number];
export type EntityChange = Body<'/api/v1/connections/{id}/changes'>['items'][number];
export type ActionRun = Body<'/api/v1/connector-actions/{id}'>;
export type Posture = Body<'/api/v1/connections/{id}/posture'>;
export type PostureOverview = Body<'/api/v1/posture'>;
type PostureQuery = NonNullable<paths['/api/v1/posture']['get']['parameters']['query']>;
/** What the posture page is narrowed down to; undefined: all. */
export type PostureFilter = { readonly [Key in keyof PostureQuery]: PostureQuery[Key] | undefined };
export type Evidence = Connector['evidence'];

const isOpen = (sync: { readonly endedAt: number | null } | null): boolean => sync !== null && sync.endedAt === null;

export const connectorsQuery = queryOptions({
  queryKey: ['connectors'],
  queryFn: async () => taken(await api.GET('/api/v1/connectors')).items,
  staleTime: 600_000,
});

export const connectionsQuery = queryOptions({
  queryKey: ['connections'],
  queryFn: async () => taken(await api.GET('/api/v1/connections')).items,
  refetchInterval: ({ state }) => (state.data?.some(({ lastSync }) => isOpen(lastSync)) ? POLL_MS : POLL_MS * 5),
});

export const connectionQuery = (id: string) =>
  queryOptions({
    queryKey: ['connections', id],
    queryFn: async () => taken(await api.GET('/api/v1/connections/{id}', { params: { path: { id } } })),
    refetchInterval: ({ state }) => (isOpen(state.data?.lastSync ?? null) ? POLL_MS : POLL_MS * 5),
  });

export interface EntityFilter {
  readonly connectionId: string;
  readonly kind?: string;
  readonly text?: string;
  readonly gone?: string;
}

export const entitiesQuery = (query: EntityFilter & { readonly after?: string }) =>
  queryOptions({
    queryKey: ['connections', query.connectionId, 'entities', query],
    queryFn: async () => taken(await api.GET('/api/v1/entities', { params: { query } })),
  });

export const changesQuery = (id: string) =>
  queryOptions({
    queryKey: ['connections', id, 'changes'],
    queryFn: async () => taken(await api.GET('/api/v1/connections/{id}/changes', { params: { path: { id } } })).items,
  });

export const actionRunsQuery = (id: string) =>
  queryOptions({
    queryKey: ['connections', id, 'actions'],
    queryFn: async () => taken(await api.GET('/api/v1/connections/{id}/actions', { params: { path: { id } } })).items,
    refetchInterval: ({ state }) => (state.data?.some(({ endedAt }) => endedAt === null) ? POLL_MS : false),
  });

export const postureQuery = (id: string) =>
  queryOptions({
    queryKey: ['connections', id, 'posture'],
    queryFn: async () => taken(await api.GET('/api/v1/connections/{id}/posture', { params: { path: { id } } })),
    // Judged a moment after the sync's end, so a page that was opened at once looks again.
    refetchInterval: POLL_MS * 5,
  });

/** How all tools stand together, as far as the filter lets through. */
export const postureOverviewQuery = (filter: PostureFilter) =>
  queryOptions({
    queryKey: ['posture', filter],
    queryFn: async () => {
      const { framework, control, severity, result, product } = filter;
      const query = {
        ...(framework ? { framework } : {}),
        ...(control ? { control } : {}),
        ...(severity ? { severity } : {}),
        ...(result ? { result } : {}),
        ...(product ? { product } : {}),
      };
      return taken(await api.GET('/api/v1/posture', { params: { query } }));
    },
    placeholderData: (before) => before,
  });
