import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

export const BACKTEST_DAYS = 30;

export const ruleFolderQuery = queryOptions({
  queryKey: ['detections', 'folder'],
  queryFn: async () => taken(await api.GET('/api/v1/detection-folder')),
  staleTime: 60_000,
});

export const ruleQuery = (id: string) =>
  queryOptions({
    queryKey: ['detections', 'rule', id],
    queryFn: async () => taken(await api.GET('/api/v1/detections/{id}', { params: { path: { id } } })),
  });

/** What the rule would have said; asked for by a person, because it reads the days from disk. */
export const backtestQuery = (id: string, enabled: boolean) =>
  queryOptions({
    queryKey: ['backtests', id],
    queryFn: async () => {
      const body = { days: BACKTEST_DAYS };
      return taken(await api.POST('/api/v1/detections/{id}/backtest', { params: { path: { id } }, body }));
    },
    enabled,
    staleTime: 60_000,
    retry: false,
  });
