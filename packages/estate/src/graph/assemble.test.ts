import { describe, expect, test } from 'vitest';
import type { App } from '../app.ts';
import type { Grant } from '../grant.ts';
import type { Integration } from '../integration.ts';
import { assembleGraph } from './assemble.ts';
import type { EntityFact, GraphFacts } from './graph-facts.ts';
import { answerPaths, pathQuestion } from './path-question.ts';
import { blastRadius } from './radius.ts';

const app = (id: string, name: string, title: string) =>
  ({ id, name, title, owner: null, createdAt: 1 }) as unknown as App; // only these are read
const integration = (id: string, status: Integration['status']): Integration => ({
  id,
  name: `integration ${id}`,
  owner: { id: 'p-1', name: 'Ada' },
  backupOwner: null,
  orphanedUntil: null,
  purpose: 'test',
  kind: 'service',
  status,
  statusReason: null,
  statusAt: 1,
  expiresAt: null,
  assurance: 'm0',
  createdAt: 1,
  updatedAt: 1,
});
const grant = (integrationId: string, appId: string, id = `g-${integrationId}`): Grant => ({
  id,
  name: 'default',
  integrationId,
  appId,
  select: [{ kind: 'operations', ids: ['cards.list'] }],
  resourceScope: [],
  expiresAt: null,
  createdAt: 1,
  createdBy: 'Ada',
});

const oauth: EntityFact = {
  type: 'grant',
  id: 'og-1',
  kind: 'oauth',
  status: 'active',
  subject: { kind: 'account', id: 'u1' },
  object: { kind: 'organisation', id: 'acme' },
  scopes: ['files.read'],
  client: { id: 'c-9', name: 'PDF Magic', publisher: 'Shady Inc' },
};
const entities: readonly EntityFact[] = [
  { type: 'account', id: 'u1', kind: 'person', status: 'active', email: 'Ada@Example.com', name: 'Ada B' },
  { type: 'account', id: 'u2', kind: 'person', status: 'suspended', email: 'bob@example.com' },
  { type: 'account', id: 'b1', kind: 'bot', status: 'active', name: 'release bot' },
  { type: 'credential', id: 'k1', kind: 'api_key', status: 'active', ownerId: 'b1', name: 'deploy' },
  { type: 'credential', id: 'k2', kind: 'api_key', status: 'revoked', ownerId: 'u1' },
  oauth,
];

const facts = (over: Partial<GraphFacts> = {}): GraphFacts => ({
  apps: [app('a1', 'shop', 'Shop'), app('a2', 'drive', 'Drive')],
  integrations: [integration('i1', 'active'), integration('i2', 'active'), integration('i3', 'revoked')],
  grants: [grant('i1', 'a1'), grant('i2', 'a2'), grant('i3', 'a1')],
  vaultCredentials: [{ id: 'v1', appId: 'a1', createdAt: 5 }],
  people: [{ id: 'p-1', email: 'ada@example.com', name: 'Ada' }],
  vendors: [{ id: 'vd', name: 'Shop Ltd', appIds: ['a1'] }],
  tools: [{ connectionId: 'co', app: 'drive', title: 'Drive', name: 'drive-main', credentialAt: 2, entities }],
  traffic: [{ integrationId: 'i2', appId: 'a2', calls: 5, lastAt: 9 }],
  seen: [
    {
      integrationId: 'i2',
      appId: 'a2',
      operation: 'files.get',
      dataClass: 'payment.card',
      calls: 2,
      values: 7,
      lastAt: 9,
    },
    {
      integrationId: 'i2',
      appId: 'a1',
      operation: 'cards.list',
      dataClass: 'contact.email',
      calls: 1,
      values: 1,
      lastAt: 8,
    },
  ],
  covers: (one, operation) => one.select.some((part) => part.kind === 'operations' && part.ids.includes(operation)),
  classificationOf: (dataClass) => (dataClass === 'payment.card' ? 'restricted' : 'confidential'),
  ...over,
});

const graph = assembleGraph(facts());
const radius = (id: string) => blastRadius(graph, graph.indexOf.get(id) ?? -1, 100);
const reachedBy = (id: string): string[] => radius(id).reached.map(({ node }) => node.id);

describe('the graph of the estate', () => {
  test('a person of Cordon and an account of a tool are one node by their address', () => {
    expect(reachedBy('person:ada@example.com')).toEqual(
      expect.arrayContaining(['integration:i1', 'app:a2', 'client:pdf magic', 'grant:co:og-1']),
    );
  });

  test.each([
    ['a vendor reaches its apps and their data', 'vendor:vd', ['app:a1'], ['contact.email']],
    ['a publisher reaches what its software was granted', 'publisher:shady inc', ['app:a2'], ['payment.card']],
    ['a credential in the vault opens its app', 'vault:v1', ['app:a1'], ['contact.email']],
    ['a key of a bot opens its tool', 'credential:co:k1', ['app:a2'], ['payment.card']],
    ['an integration may see what its grants showed others', 'integration:i1', ['app:a1'], ['contact.email']],
    ['who is cut off reaches nothing', 'integration:i3', [], []],
    ['a suspended account reaches nothing', 'person:bob@example.com', [], []],
  ])('%s', (_name, from, apps, classes) => {
    expect(reachedBy(from).filter((id) => id.startsWith('app:'))).toEqual(apps);
    expect(radius(from).data.map(({ dataClass }) => dataClass)).toEqual(classes);
  });

  test('what was seen outside of any grant still counts', () => {
    expect(radius('integration:i2').data.map(({ dataClass, seenValues }) => [dataClass, seenValues])).toEqual([
      ['payment.card', 7],
      ['contact.email', 1],
    ]);
  });

  test('a revoked key is no node', () => expect(graph.indexOf.has('credential:co:k2')).toBe(false));

  test('who can reach restricted data through an unsanctioned app?', () => {
    const question = pathQuestion.parse({
      from: { kind: ['person'] },
      through: { kind: ['app'], sanctioned: false },
      to: { kind: ['data_set'], classification: ['restricted'] },
    });
    const { paths, matched } = answerPaths(graph, question);
    expect(paths.map(({ steps }) => steps.map(({ node }) => node.id))).toEqual([
      ['person:ada@example.com', 'client:pdf magic', 'grant:co:og-1', 'app:a2', 'data:a2:payment.card'],
    ]);
    expect(matched).toEqual({ from: 2, to: 1, through: 1 });
  });
});
