import type { paths } from '@cordon/client';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';

type Body<Path extends keyof paths> = paths[Path]['get'] extends {
  responses: { 200: { content: { 'application/json': infer Answer } } };
}
  ? Answer
  : never;

export type GraphNodes = Body<'/api/v1/graph/nodes'>;
export type GraphNode = GraphNodes['items'][number];
export type Radius = Body<'/api/v1/graph/radius'>;
export type Reached = Radius['reached'][number];
export type ReachedData = Radius['data'][number];
export type CutPlan = Body<'/api/v1/graph/cut'>;
export type Cut = Body<'/api/v1/graph/cuts'>['items'][number];

export const nodesQuery = (text: string) =>
  queryOptions({
    queryKey: ['graph', 'nodes', text],
    queryFn: async () => taken(await api.GET('/api/v1/graph/nodes', { params: { query: { text } } })),
  });

export const radiusQuery = (node: string) =>
  queryOptions({
    queryKey: ['graph', 'radius', node],
    queryFn: async () => taken(await api.GET('/api/v1/graph/radius', { params: { query: { node, limit: 300 } } })),
    enabled: node !== '',
  });

export const cutPlanQuery = (node: string) =>
  queryOptions({
    queryKey: ['graph', 'cut', node],
    queryFn: async () => taken(await api.GET('/api/v1/graph/cut', { params: { query: { node } } })),
    gcTime: 0,
  });

export const KIND_TEXT: Readonly<Record<GraphNode['kind'], string>> = {
  vendor: 'Vendor',
  app: 'App',
  integration: 'Integration',
  agent: 'Agent',
  oauth_grant: 'OAuth grant',
  installed_app: 'Installed app',
  api_grant: 'API grant',
  webhook: 'Webhook',
  automation: 'Automation',
  api_key: 'API key',
  credential: 'Credential',
  person: 'Person',
  service_account: 'Service account',
  group: 'Group',
  data_set: 'Data set',
};
