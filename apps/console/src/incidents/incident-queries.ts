import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

const POLL_MS = 2_000;
const RUN_POLL_MS = 1_000;

export type CaseView = 'open,contained,recovered' | 'closed';

export const casesQuery = (status: CaseView) =>
  queryOptions({
    queryKey: ['cases', 'list', status],
    queryFn: async () => taken(await api.GET('/api/v1/cases', { params: { query: { status } } })),
    refetchInterval: POLL_MS,
  });

/** Cases that are about something, such as `alert:019b…`. */
export const casesAboutQuery = (link: string) =>
  queryOptions({
    queryKey: ['cases', 'about', link],
    queryFn: async () => taken(await api.GET('/api/v1/cases', { params: { query: { link } } })).items,
    refetchInterval: POLL_MS,
  });

export const caseQuery = (id: string) =>
  queryOptions({
    queryKey: ['cases', id],
    queryFn: async () => taken(await api.GET('/api/v1/cases/{id}', { params: { path: { id } } })),
    refetchInterval: POLL_MS,
  });

export const caseDutiesQuery = (id: string) =>
  queryOptions({
    queryKey: ['cases', id, 'duties'],
    queryFn: async () => taken(await api.GET('/api/v1/cases/{id}/duties', { params: { path: { id } } })),
    refetchInterval: POLL_MS,
  });

export const dutiesQuery = queryOptions({
  queryKey: ['duties'],
  queryFn: async () => taken(await api.GET('/api/v1/duties')),
});

export const contactsQuery = queryOptions({
  queryKey: ['contacts'],
  queryFn: async () => taken(await api.GET('/api/v1/contacts')).items,
  refetchInterval: POLL_MS,
});

export const channelsQuery = queryOptions({
  queryKey: ['channels'],
  queryFn: async () => taken(await api.GET('/api/v1/channels')).items,
});

export const playbooksQuery = queryOptions({
  queryKey: ['playbooks'],
  queryFn: async () => taken(await api.GET('/api/v1/playbooks')).items,
});

export const playbookQuery = (id: string) =>
  queryOptions({
    queryKey: ['playbooks', id],
    queryFn: async () => taken(await api.GET('/api/v1/playbooks/{id}', { params: { path: { id } } })),
  });

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ['playbook-runs', id],
    queryFn: async () => taken(await api.GET('/api/v1/playbook-runs/{id}', { params: { path: { id } } })),
    refetchInterval: RUN_POLL_MS,
  });
