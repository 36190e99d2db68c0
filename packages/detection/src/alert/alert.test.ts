import { expect, test } from 'vitest';
import { alertId, type Entity, entityKey, entityOf, entityOfGroup, raisesAlert, signalId } from './alert.ts';

const entities: [what: string, ocsf: unknown, product: string, entity: Entity][] = [
  [
    'the integration of a call',
    { actor: { app_uid: 'i1', app_name: 'sync', user: { email_addr: 'a@example.com' } } },
    'cordon',
    { type: 'integration', id: 'i1', name: 'sync' },
  ],
  [
    'the person of a vendor’s event',
    { actor: { app_uid: 'i1', user: { email_addr: 'a@example.com', name: 'Ada' } } },
    'okta',
    { type: 'person', id: 'a@example.com', name: 'Ada' },
  ],
  [
    'whom the system acted on',
    { actor: { user: { name: 'guard', type_id: 3 } }, user: { name: 'ada' } },
    'cordon',
    { type: 'person', id: 'ada', name: 'ada' },
  ],
  ['whose account it is', { user: { name: 'ada' } }, 'cordon', { type: 'person', id: 'ada', name: 'ada' }],
  [
    'the address',
    { src_endpoint: { ip: '192.0.2.1' } },
    'okta',
    { type: 'address', id: '192.0.2.1', name: '192.0.2.1' },
  ],
  ['the thing', { resources: [{ uid: 'r', name: 'R' }] }, 'box', { type: 'resource', id: 'r', name: 'R' }],
  ['at last the product', null, 'box', { type: 'product', id: 'box', name: 'box' }],
];

test.each(entities)('an alert is about %s', (_what, ocsf, product, entity) => {
  expect(entityOf(ocsf, product)).toEqual(entity);
});

test.each([
  [{ 'actor.app_uid': 'i1' }, 'integration:i1'],
  [{ 'ocsf.src_endpoint.ip': '192.0.2.1' }, 'address:192.0.2.1'],
  [{ 'ocsf.actor.user.email_addr': 'A@example.com' }, 'person:a@example.com'],
  [{ a: '1', b: '2' }, 'group:1, 2'],
  [{}, 'group:all'],
])('a correlation grouped by %o is about %s', (group, key) => {
  expect(entityKey(entityOfGroup(group))).toBe(key);
});

test('ids are UUIDs that follow from their parts', () => {
  expect(signalId('r', 'e')).toBe(signalId('r', 'e'));
  expect(new Set([signalId('r', 'e'), signalId('r', 'f'), alertId('r', 'e', 0), alertId('r', 'e', 1)]).size).toBe(4);
  expect(alertId('r', 'e', 0)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
});

test.each([
  ['informational', false],
  ['low', true],
  ['critical', true],
] as const)('a signal of level %s raises an alert: %s', (level, raises) => {
  expect(raisesAlert(level)).toBe(raises);
});
