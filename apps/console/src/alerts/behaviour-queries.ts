import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import type { BehaviourEntity } from '../api/wire.ts';

const POLL_MS = 5_000;

export type BehaviourView = BehaviourEntity['type'] | 'all';

export const riskiestQuery = (type: BehaviourView) =>
  queryOptions({
    queryKey: ['behaviour', 'list', type],
    queryFn: async () => {
      const query = type === 'all' ? { limit: 100 } : { limit: 100, type };
      return taken(await api.GET('/api/v1/behaviour', { params: { query } })).items;
    },
    refetchInterval: POLL_MS,
  });

export const behaviourQuery = (key: string) =>
  queryOptions({
    queryKey: ['behaviour', 'entity', key],
    queryFn: async () => taken(await api.GET('/api/v1/behaviour/entity', { params: { query: { key } } })),
    refetchInterval: POLL_MS,
  });

export const TYPE_NAMES: Readonly<Record<BehaviourEntity['type'], string>> = {
  person: 'Person',
  account: 'Service account',
  integration: 'Integration',
  'oauth-app': 'OAuth app',
  edge: 'App to app',
  network: 'Network',
  resource: 'Resource',
};

/** What a feature is called where people read it. */
const FEATURE_NAMES: Readonly<Record<string, string>> = {
  events: 'More activity',
  bytes: 'More data read',
  resources: 'More records touched',
  failures: 'More refusals and failures',
  hour: 'Unusual hour',
  dormant: 'Awake after silence',
  signals: 'Rules fired',
  'new-operation': 'New operation',
  'new-app': 'New app',
  'new-scope': 'New scope',
  'new-network': 'New network',
  'new-client': 'New client',
  'new-country': 'New country',
  'new-resource': 'New records',
  'new-actor': 'New actor',
};

export const featureName = (feature: string): string => FEATURE_NAMES[feature] ?? feature;
