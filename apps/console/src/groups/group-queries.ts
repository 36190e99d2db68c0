import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

const PEOPLE_MAX = 200;
const PAGES_MAX = 20;

/** Every group, page after page; forms choose among them. */
export const groupsQuery = queryOptions({
  queryKey: ['groups'],
  queryFn: async () => {
    const all = [];
    let after: string | null = null;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const query: { after?: string } = after === null ? {} : { after };
      const { groups, next } = taken(await api.GET('/api/v1/groups', { params: { query } }));
      all.push(...groups);
      if (next === null) break;
      after = next;
    }
    return all;
  },
});

export const groupQuery = (id: string) =>
  queryOptions({
    queryKey: ['groups', id],
    queryFn: async () => taken(await api.GET('/api/v1/groups/{id}', { params: { path: { id } } })),
  });

export const peopleQuery = queryOptions({
  queryKey: ['people', 'choice'],
  queryFn: async () => taken(await api.GET('/api/v1/people', { params: { query: { limit: PEOPLE_MAX } } })).people,
});
