import type { paths } from '@cordon/client';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

type Ok<Path extends keyof paths> = paths[Path]['get'] extends {
  responses: { 200: { content: { 'application/json': infer Body } } };
}
  ? Body
  : never;

export type Weighed = Ok<'/api/v1/vendors/{id}/score'>;
export type ScoreRow = Weighed['score']['rows'][number];
export type Contradiction = Weighed['contradictions'][number];
export type WatchedHost = Ok<'/api/v1/vendors/{id}/hosts'>['items'][number];
export type News = Ok<'/api/v1/vendor-news'>['items'][number];
export type Notice = Ok<'/api/v1/vendor-notices'>['items'][number];
export type Feed = Ok<'/api/v1/vendor-feeds'>['items'][number];
export type BadClient = Ok<'/api/v1/compromised-clients'>['items'][number];
export type Comparison = Ok<'/api/v1/questionnaires/{id}/comparison'>;

const at = (id: string) => ({ params: { path: { id } } });

export const vendorScoresQuery = queryOptions({
  queryKey: ['vendors', 'scores'],
  queryFn: async () => taken(await api.GET('/api/v1/vendor-scores')).items,
});
export const scoreQuery = (id: string) =>
  queryOptions({
    queryKey: ['vendors', id, 'score'],
    queryFn: async () => taken(await api.GET('/api/v1/vendors/{id}/score', at(id))),
  });
export const scoreHistoryQuery = (id: string) =>
  queryOptions({
    queryKey: ['vendors', id, 'score', 'history'],
    queryFn: async () => taken(await api.GET('/api/v1/vendors/{id}/score/history', at(id))).items,
  });
export const hostsQuery = (id: string) =>
  queryOptions({
    queryKey: ['vendors', id, 'hosts'],
    queryFn: async () => taken(await api.GET('/api/v1/vendors/{id}/hosts', at(id))).items,
    refetchInterval: 5_000,
  });
export const newsQuery = (id: string) =>
  queryOptions({
    queryKey: ['vendors', id, 'news'],
    queryFn: async () => taken(await api.GET('/api/v1/vendors/{id}/news', at(id))).items,
    refetchInterval: 5_000,
  });
export const noticesQuery = (id: string) =>
  queryOptions({
    queryKey: ['vendors', id, 'notices'],
    queryFn: async () => taken(await api.GET('/api/v1/vendors/{id}/notices', at(id))).items,
  });
export const feedsQuery = queryOptions({
  queryKey: ['vendor-feeds'],
  queryFn: async () => taken(await api.GET('/api/v1/vendor-feeds')).items,
});
export const badClientsQuery = queryOptions({
  queryKey: ['compromised-clients'],
  queryFn: async () => taken(await api.GET('/api/v1/compromised-clients')),
  refetchInterval: 5_000,
});
export const comparisonQuery = (id: string) =>
  queryOptions({
    queryKey: ['questionnaires', id, 'comparison'],
    queryFn: async () => taken(await api.GET('/api/v1/questionnaires/{id}/comparison', at(id))),
    retry: false,
  });
