import type { Grant, Integration, Rule } from '@cordon/estate';
import { expect, test } from 'vitest';
import { classOf, reportServiceAccounts } from './service-account-report.ts';

const DAY_MS = 86_400_000;
const NOW = 1_800_000_000_000;
type Clients = Parameters<typeof reportServiceAccounts>[0]['clients'];

const integration = (more: Partial<Integration> = {}): Integration => ({
  id: 'i1',
  name: 'sync',
  owner: { id: 'p1', name: 'Ann' },
  backupOwner: { id: 'p2', name: 'Ben' },
  orphanedUntil: null,
  purpose: 'syncs',
  kind: 'service',
  status: 'active',
  statusReason: null,
  statusAt: NOW,
  expiresAt: NOW + 200 * DAY_MS,
  assurance: 'm0',
  createdAt: NOW - DAY_MS,
  updatedAt: NOW,
  ...more,
});
const client = (authMethod: Clients[number]['authMethod'], binding: Clients[number]['binding'], more = {}) =>
  ({
    integrationId: 'i1',
    status: 'active',
    expiresAt: null,
    lastTokenAt: NOW,
    authMethod,
    binding,
    ...more,
  }) as Clients[number]; // what the report reads
const grant = { integrationId: 'i1', appId: 'a1', expiresAt: null } as Grant; // what the report reads
const rule = (appId: string | null, assurance: 'm1' | 'm2') =>
  ({ name: 'payouts', entry: { appId, integrationId: null, assurance } }) as Rule<'requirement'>; // what the report reads

test.each([
  ['client_secret_basic', 'none', 'm0'],
  ['client_secret_basic', 'dpop', 'm1'],
  ['private_key_jwt', 'none', 'm1'],
  ['private_key_jwt', 'dpop', 'm2'],
  ['tls_client_auth', 'mtls', 'm1'],
  ['federated', 'none', 'm1'],
] as const)('%s bound by %s proves %s', (authMethod, binding, expected) => {
  expect(classOf({ authMethod, binding })).toBe(expected);
});

test.each([
  ['nothing asks for more', 'm0', [], ['m0', 'm0', false]],
  ['the integration does', 'm1', [], ['m0', 'm1', true]],
  ['an app that it may call does', 'm0', [rule('a1', 'm2')], ['m0', 'm2', true]],
  ['an app that it may not call does', 'm0', [rule('a2', 'm2')], ['m0', 'm0', false]],
  ['every app does', 'm0', [rule(null, 'm1')], ['m0', 'm1', true]],
] as const)('shown, required and gap: %s', (_name, assurance, rules, expected) => {
  const clients = [client('private_key_jwt', 'none'), client('client_secret_basic', 'none')];
  const [row] = reportServiceAccounts({
    integrations: [integration({ assurance })],
    clients,
    grants: [grant],
    rules,
    now: NOW,
  });
  expect([row?.shown, row?.required, row?.isGap]).toEqual(expected);
});

test.each([
  ['in order', {}, {}, []],
  ['nobody answers for it', { orphanedUntil: NOW + DAY_MS, backupOwner: null }, {}, ['owner-left', 'no-backup-owner']],
  ['without an end', { expiresAt: null }, {}, ['never-expires']],
  ['ends soon', { expiresAt: NOW + DAY_MS }, {}, ['expires-soon']],
  ['ended', { expiresAt: NOW - DAY_MS }, {}, ['expired']],
  ['long unused', { createdAt: NOW - 200 * DAY_MS }, { lastTokenAt: NOW - 100 * DAY_MS }, ['unused']],
  ['its key ended', {}, { expiresAt: NOW }, ['no-credential']],
])('what is wrong with one that is %s', (_name, more, ofClient, expected) => {
  const clients = [client('private_key_jwt', 'none', ofClient)];
  const [row] = reportServiceAccounts({ integrations: [integration(more)], clients, grants: [], rules: [], now: NOW });
  expect(row?.problems).toEqual(expected);
});

test('what was cut off is no service account any more', () => {
  const integrations = [integration({ status: 'revoked' })];
  expect(reportServiceAccounts({ integrations, clients: [], grants: [], rules: [], now: NOW })).toEqual([]);
});
