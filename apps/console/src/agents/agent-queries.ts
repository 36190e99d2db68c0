import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

const POLL_MS = 5_000;

export const mcpItemsQuery = (id: string) =>
  queryOptions({
    queryKey: ['apps', id, 'mcp'],
    queryFn: async () => taken(await api.GET('/api/v1/apps/{id}/mcp/items', { params: { path: { id } } })).items,
    // Gateways report on their own when a server changes something.
    refetchInterval: POLL_MS,
  });

export const graphqlSchemaQuery = (id: string) =>
  queryOptions({
    queryKey: ['apps', id, 'graphql'],
    queryFn: async () => taken(await api.GET('/api/v1/apps/{id}/graphql/schema', { params: { path: { id } } })),
  });
