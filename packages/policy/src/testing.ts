import { generateKeyPairSync } from 'node:crypto';
import type { EntryInputOf, EntryKind } from './entry.ts';
import { createSnapshot, type Snapshot } from './snapshot.ts';
import { type SigningKey, snapshotKeyId } from './snapshot-signature.ts';

/** The least that each kind needs, for tests to override. */
const samples: { [K in EntryKind]: EntryInputOf<K> } = {
  app: { id: 'app-1', name: 'github', title: 'GitHub', upstream: 'https://api.github.com' },
  credential: { id: 'app-1.int-1', credential: { kind: 'basic', sealed: 'sealed' } },
  integration: { id: 'int-1', name: 'Nightly sync', ownerId: 'person-1', status: 'active', clientId: 'client-1' },
  grant: {
    id: 'grant-1',
    name: 'Read repositories',
    integrationId: 'int-1',
    appId: 'app-1',
    select: [{ kind: 'operations', ids: ['repos/get'] }],
  },
  policy: { id: 'policy-1', name: 'No deletes', text: 'forbid (principal, action, resource);' },
  inspection: { id: 'rule-1', name: 'Cards', class: 'payment.card', action: 'redact' },
  limit: { id: 'limit-1', name: 'Burst', rate: { count: 100, periodMs: 60_000, burst: 20 } },
  proxy: { id: 'settings' },
  'data-label': { id: 'app-1', label: 'confidential', operations: { 'users/list': 'confidential' } },
  'fingerprint-key': { id: 'key-1', sealed: 'sealed' },
  'own-detector': {
    id: 'detector-1',
    name: 'projects',
    title: 'Projects',
    label: 'confidential',
    category: 'user',
    confidence: 0.9,
    sha256: 'a'.repeat(64),
    bytes: 10,
    keyId: 'key-1',
    sealed: 'sealed',
  },
  'token-key': { id: 'key-1', sealed: 'sealed' },
  'inspection-pass': { id: 'pass-1', ruleId: 'rule-1', integrationId: 'int-1', expiresAt: 2_000_000_000_000 },
  requirement: { id: 'requirement-1', name: 'Payouts' },
  token: { integrationId: 'int-1', clientId: 'client-1', expiresAt: 2_000_000_000_000 },
  revoked: { expiresAt: 2_000_000_000_000 },
  unlock: { at: 1, expiresAt: 2_000_000_000_000 },
  'mcp-item': {
    id: 'item-1',
    appId: 'app-1',
    kind: 'tool',
    name: 'echo',
    sha256: '0'.repeat(64),
    state: 'accepted',
    access: 'read',
  },
  'graphql-schema': { id: 'app-1', sha256: '0'.repeat(64), bytes: 0 },
  jwk: { kid: 'key-1', issuer: 'https://cordon.example', jwk: { kty: 'OKP', alg: 'EdDSA', crv: 'Ed25519', x: 'AA' } },
  webhook: {
    id: 'hook-1',
    name: 'Issues',
    appId: 'app-1',
    integrationId: 'int-1',
    status: 'active',
    scheme: {
      name: 'plain',
      title: 'Plain',
      variants: [{ algorithm: 'hmac-sha256', signature: { header: 'x-signature' } }],
    },
    secrets: [{ id: 'secret-1', sealed: 'sealed' }],
  },
};

/** A valid entry of one kind with some fields replaced. */
export function sampleEntry<K extends EntryKind>(kind: K, overrides: Partial<EntryInputOf<K>> = {}): EntryInputOf<K> {
  return { ...samples[kind], ...overrides };
}

/** A snapshot of the given entries; version 1 and epoch 1 unless said otherwise. */
export function sampleSnapshot(
  entries: Record<string, unknown>,
  head: { version?: number; epoch?: number; createdAt?: number } = {},
): Snapshot {
  return createSnapshot({ version: 1, epoch: 1, createdAt: 0, ...head, entries: Object.entries(entries) });
}

/** A fresh Ed25519 key pair with the trust store that accepts it. */
export function sampleSigningKey(): { signing: SigningKey; keys: ReadonlyMap<string, SigningKey['privateKey']> } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const keyId = snapshotKeyId(publicKey);
  return { signing: { keyId, privateKey }, keys: new Map([[keyId, publicKey]]) };
}
