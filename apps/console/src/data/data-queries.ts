import type { paths } from '@cordon/client';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

const POLL_MS = 5_000;
const RUN_MS = 2_000;

type Answer<Path extends keyof paths> = paths[Path]['get'] extends {
  responses: { 200: { content: { 'application/json': infer Body } } };
}
  ? Body
  : never;

export type DataSet = Answer<'/api/v1/data/sets'>['items'][number];
export type DataField = Answer<'/api/v1/data/fields'>['items'][number];
export type DataFlow = Answer<'/api/v1/data/flows'>['items'][number];
export type LabelChange = Answer<'/api/v1/data/label-changes'>['items'][number];
export type Spread = Answer<'/api/v1/data/spreads'>['items'][number];
export type Activity = Answer<'/api/v1/data/processing'>['items'][number];
export type RetentionRule = Answer<'/api/v1/retention/rules'>['items'][number];
export type RetentionHold = Answer<'/api/v1/retention/holds'>['items'][number];
export type RetentionException = Answer<'/api/v1/retention/rules/{id}/exceptions'>['items'][number];
export type RetentionRun = Answer<'/api/v1/retention/runs/{id}'>;
export type RetentionItem = Answer<'/api/v1/retention/runs/{id}/items'>['items'][number];
export type DataMap = Answer<'/api/v1/data/map'>;
export type DataPlace = Answer<'/api/v1/data/places'>['items'][number];
export type Transfer = Answer<'/api/v1/data/transfers'>['items'][number];
export type Overlaps = Answer<'/api/v1/data/overlaps'>;
export type SubjectRequest = Answer<'/api/v1/subject-requests/{id}'>;
export type SubjectTarget = Answer<'/api/v1/subject-requests/{id}/targets'>['items'][number];
export type Label = DataSet['label'];

/** Lowest first. */
export const LABELS: readonly Label[] = ['public', 'internal', 'confidential', 'restricted'];
const PAGE = 200;
const SETS_MAX = 5_000;

/** All data sets, page by page. */
async function allSets(): Promise<DataSet[]> {
  const all: DataSet[] = [];
  for (let after = ''; all.length < SETS_MAX;) {
    const query = after === '' ? {} : { after };
    const { items } = taken(await api.GET('/api/v1/data/sets', { params: { query } }));
    all.push(...items);
    const last = items.at(-1);
    if (items.length < PAGE || !last) break;
    after = `${last.app}/${last.object}`;
  }
  return all;
}

export const setsQuery = queryOptions({ queryKey: ['data', 'sets'], queryFn: allSets, refetchInterval: POLL_MS });

export const fieldsQuery = (app: string, object: string) =>
  queryOptions({
    queryKey: ['data', 'fields', app, object],
    queryFn: async () => taken(await api.GET('/api/v1/data/fields', { params: { query: { app, object } } })).items,
    refetchInterval: POLL_MS,
  });

export const flowsQuery = queryOptions({
  queryKey: ['data', 'flows'],
  queryFn: async () => taken(await api.GET('/api/v1/data/flows', { params: { query: {} } })).items,
  refetchInterval: POLL_MS,
});

export const changesQuery = queryOptions({
  queryKey: ['data', 'label-changes'],
  queryFn: async () => taken(await api.GET('/api/v1/data/label-changes', { params: { query: {} } })).items,
  refetchInterval: POLL_MS,
});

export const spreadsQuery = queryOptions({
  queryKey: ['data', 'spreads'],
  queryFn: async () =>
    taken(await api.GET('/api/v1/data/spreads', { params: { query: { apps: 1, limit: 100 } } })).items,
});

export const processingQuery = queryOptions({
  queryKey: ['data', 'processing'],
  queryFn: async () => taken(await api.GET('/api/v1/data/processing')).items,
});

export const retentionRulesQuery = queryOptions({
  queryKey: ['retention', 'rules'],
  queryFn: async () => taken(await api.GET('/api/v1/retention/rules')).items,
});

export const holdsQuery = queryOptions({
  queryKey: ['retention', 'holds'],
  queryFn: async () => taken(await api.GET('/api/v1/retention/holds')).items,
});

export const exceptionsQuery = (id: string) =>
  queryOptions({
    queryKey: ['retention', 'exceptions', id],
    queryFn: async () =>
      taken(await api.GET('/api/v1/retention/rules/{id}/exceptions', { params: { path: { id } } })).items,
  });

export const retentionRunsQuery = (id: string) =>
  queryOptions({
    queryKey: ['retention', 'runs', id],
    queryFn: async () => taken(await api.GET('/api/v1/retention/rules/{id}/runs', { params: { path: { id } } })).items,
    refetchInterval: RUN_MS,
  });

export const retentionItemsQuery = (run: Pick<RetentionRun, 'id' | 'status'>) =>
  queryOptions({
    queryKey: ['retention', 'items', run.id, run.status],
    queryFn: async () =>
      taken(await api.GET('/api/v1/retention/runs/{id}/items', { params: { path: { id: run.id }, query: {} } })).items,
  });

export interface DataMapFilter {
  readonly app?: string;
  readonly label?: Label;
  readonly category?: string;
  readonly region?: string;
  readonly vendor?: string;
}

export const dataMapQuery = (filter: DataMapFilter) =>
  queryOptions({
    queryKey: ['data', 'map', filter],
    queryFn: async () => taken(await api.GET('/api/v1/data/map', { params: { query: filter } })),
    refetchInterval: POLL_MS,
    placeholderData: keepPreviousData,
  });

export const placesQuery = queryOptions({
  queryKey: ['data', 'places'],
  queryFn: async () => taken(await api.GET('/api/v1/data/places')).items,
});

export const transfersQuery = queryOptions({
  queryKey: ['data', 'transfers'],
  queryFn: async () => taken(await api.GET('/api/v1/data/transfers')),
});

export const overlapsQuery = queryOptions({
  queryKey: ['data', 'overlaps'],
  queryFn: async () => taken(await api.GET('/api/v1/data/overlaps')),
});

export const subjectRequestsQuery = queryOptions({
  queryKey: ['subjects', 'requests'],
  queryFn: async () => taken(await api.GET('/api/v1/subject-requests')).items,
  refetchInterval: POLL_MS,
});

export const subjectRequestQuery = (id: string) =>
  queryOptions({
    queryKey: ['subjects', 'request', id],
    queryFn: async () => taken(await api.GET('/api/v1/subject-requests/{id}', { params: { path: { id } } })),
    refetchInterval: RUN_MS,
  });

/** All targets, page by page: at most 5,000. */
async function allTargets(id: string): Promise<SubjectTarget[]> {
  const all: SubjectTarget[] = [];
  for (let after = -1; all.length < SETS_MAX;) {
    const params = { path: { id }, query: { after } };
    const { items } = taken(await api.GET('/api/v1/subject-requests/{id}/targets', { params }));
    all.push(...items);
    const last = items.at(-1);
    if (items.length < PAGE || !last) break;
    after = last.seq;
  }
  return all;
}

export const subjectTargetsQuery = (id: string) =>
  queryOptions({
    queryKey: ['subjects', 'targets', id],
    queryFn: async () => allTargets(id),
    refetchInterval: RUN_MS,
  });
