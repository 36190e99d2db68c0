import { expect, test } from 'vitest';
import { entity as schema, isStored, type StoredEntity } from './entity.ts';
import { nhiSettings } from './nhi-settings.ts';

const read = (raw: unknown): StoredEntity[] => [schema.parse(raw)].filter(isStored);
const ACCOUNT = { type: 'account', id: 'u1', kind: 'person', status: 'suspended', email: 'ada@example.org' };

test.each<[what: string, entity: Record<string, unknown>, expected: Record<string, unknown>]>([
  [
    'a key of somebody who is gone',
    {
      type: 'credential',
      id: 'k1',
      kind: 'api_key',
      name: 'ci',
      ownerId: 'u1',
      createdAt: '2025-01-01T00:00:00Z',
      expiresAt: null,
    },
    { name: 'ci', owner: 'ada@example.org', ownerActive: false, runsAsPerson: true, expiresAt: null },
  ],
  [
    'a key without an owner',
    { type: 'credential', id: 'k2', kind: 'deploy_key', ownerId: null },
    { name: 'k2', owner: null },
  ],
  [
    'a key that a repository holds',
    { type: 'credential', id: 'k3', kind: 'deploy_key', ownerId: 'repo', ownerKind: 'resource', networks: [] },
    { owner: 'repo', networkLimited: false },
  ],
  [
    'a grant of software nobody verified',
    {
      type: 'grant',
      id: 'g1',
      kind: 'oauth',
      subject: { kind: 'account', id: 'u1' },
      object: { kind: 'organisation', id: 'o' },
      scopes: ['read'],
      client: { id: 'c', name: 'Notes', verified: false },
    },
    { name: 'Notes', kind: 'oauth_grant', owner: 'ada@example.org', publisher: { name: null, verified: false } },
  ],
])('%s', (_, entity, expected) => {
  const { identities } = nhiSettings('GitHub', [ACCOUNT, entity].flatMap(read)) as { identities: object[] }; // its own shape
  expect(identities).toEqual([expect.objectContaining({ app: 'GitHub', ...expected })]);
});

test('what a tool does not show is left out, so that nothing is claimed of it', () => {
  const found = read({ type: 'credential', id: 'k', kind: 'api_key' });
  expect(nhiSettings('GitHub', found)).toEqual({
    identities: [{ name: 'k', kind: 'api_key', app: 'GitHub', status: 'active' }],
    webhooks: [],
  });
});

test('a webhook is one, with its address; what a person signs in with is none', () => {
  const hook = read({
    type: 'grant',
    id: 'h',
    kind: 'webhook',
    subject: { kind: 'integration', id: 'h', name: 'to chat' },
    object: { kind: 'organisation', id: 'o' },
    endpoint: { url: 'http://chat.example', signed: false },
  });
  const session = read({ type: 'credential', id: 's', kind: 'session', ownerId: 'u1' });
  expect(nhiSettings('GitHub', [...hook, ...session])).toEqual({
    identities: [],
    webhooks: [{ name: 'to chat', app: 'GitHub', active: true, url: 'http://chat.example', signed: false }],
  });
});
