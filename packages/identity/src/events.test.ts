import { parseEvent } from '@cordon/lake';
import { expect, test } from 'vitest';
import { accountChangeEvent, authenticationEvent, entityManagementEvent, type IdentityEvent } from './events.ts';

const at = Date.UTC(2026, 10, 23);
const ada = { kind: 'person', id: 'p1', name: 'Ada', roles: ['owner'] } as const;
const system = { kind: 'system', name: 'cordon' } as const;
const user = { id: 'p1', name: 'Ada', email: 'ada@example.com' };

const events: [string, IdentityEvent][] = [
  [
    'a sign-in',
    authenticationEvent('logon', { at, outcome: 'success', user, methods: ['hwk'], mfa: true, sessionId: 's' }),
  ],
  [
    'a sign-in of nobody',
    authenticationEvent('logon', { at, outcome: 'failure', reason: 'unknown', methods: ['pwd', 'otp'] }),
  ],
  [
    'a token',
    authenticationEvent('ticket', { at, outcome: 'success', methods: ['dpop'], clientId: 'c', integrationId: 'i' }),
  ],
  ['a leaver', accountChangeEvent('disable', { at, outcome: 'success', actor: ada, user })],
  ['a lock', accountChangeEvent('lock', { at, outcome: 'success', actor: system, user: { name: 'someone' } })],
  [
    'a revocation',
    entityManagementEvent('delete', {
      at,
      outcome: 'success',
      actor: system,
      entity: { type: 'token', id: 't' },
      integrationId: 'i',
    }),
  ],
];

test.each(events)('%s is an event that the lake takes', (_what, event) => {
  expect(() => parseEvent(JSON.parse(JSON.stringify(event)))).not.toThrow();
});

test('the integration that a token is for is found where the lake looks', () => {
  expect(events[2]?.[1]).toMatchObject({ actor: { app_uid: 'i' }, class_uid: 3002, type_uid: 300_203 });
});
