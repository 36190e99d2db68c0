import type { paths } from '@cordon/client';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

const POLL_MS = 2_000;

type Answer<Path extends keyof paths> = paths[Path]['get'] extends {
  responses: { 200: { content: { 'application/json': infer Body } } };
}
  ? Body
  : never;

export type Campaign = Answer<'/api/v1/reviews'>['items'][number];
export type ReviewDetail = Answer<'/api/v1/reviews/{id}'>;
export type ReviewItem = ReviewDetail['items'][number];

export const reviewsQuery = queryOptions({
  queryKey: ['reviews'],
  queryFn: async () => taken(await api.GET('/api/v1/reviews')).items,
  refetchInterval: POLL_MS * 5,
});

export const reviewQuery = (id: string) =>
  queryOptions({
    queryKey: ['reviews', id],
    queryFn: async () => taken(await api.GET('/api/v1/reviews/{id}', { params: { path: { id } } })),
    refetchInterval: POLL_MS,
  });
