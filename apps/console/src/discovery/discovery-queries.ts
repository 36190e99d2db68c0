import type { paths } from '@cordon/client';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

const POLL_MS = 5_000;
const DETAIL_MS = 2_000;
const PEOPLE_MAX = 200;

type Answer<Path extends keyof paths> = paths[Path]['get'] extends {
  responses: { 200: { content: { 'application/json': infer Body } } };
}
  ? Body
  : never;

export type FoundApp = Answer<'/api/v1/discovery/apps'>['items'][number];
export type FoundAppDetail = Answer<'/api/v1/discovery/apps/{key}'>;
export type FoundKey = Answer<'/api/v1/discovery/keys'>['items'][number];
export type ActRun = Answer<'/api/v1/discovery/keys'>['runs'][number];
export type FileRead = Answer<'/api/v1/discovery/files'>['items'][number];

export const foundAppsQuery = queryOptions({
  queryKey: ['discovery', 'apps'],
  queryFn: async () => taken(await api.GET('/api/v1/discovery/apps', { params: { query: {} } })),
  refetchInterval: POLL_MS,
});

export const foundAppQuery = (key: string) =>
  queryOptions({
    queryKey: ['discovery', 'apps', key],
    queryFn: async () => taken(await api.GET('/api/v1/discovery/apps/{key}', { params: { path: { key } } })),
    refetchInterval: DETAIL_MS,
  });

export const foundKeysQuery = queryOptions({
  queryKey: ['discovery', 'keys'],
  queryFn: async () => taken(await api.GET('/api/v1/discovery/keys')),
  refetchInterval: DETAIL_MS,
});

export const filesQuery = queryOptions({
  queryKey: ['discovery', 'files'],
  queryFn: async () => taken(await api.GET('/api/v1/discovery/files')),
});

export const peopleQuery = queryOptions({
  queryKey: ['people', 'all'],
  queryFn: async () => taken(await api.GET('/api/v1/people', { params: { query: { limit: PEOPLE_MAX } } })).people,
});

export const EVIDENCE_NAMES: Readonly<Record<FoundApp['evidence'][number], string>> = {
  grant: 'Grant',
  sign_in: 'Sign-in',
  traffic: 'Traffic',
  proxy_log: 'Proxy log',
  dns: 'DNS',
  mail: 'Mail',
  expense: 'Expense',
  webhook: 'Webhook',
};
