import { expect, test } from 'vitest';
import type { App } from '../api/wire.ts';
import { applyDraft, draftOf } from './app-settings-draft.ts';

const app: Pick<App, 'title' | 'settings'> = {
  title: 'GitHub',
  settings: {
    upstream: 'https://api.github.com',
    hosts: [],
    port: null,
    hostNames: [],
    rewriteHosts: ['uploads.github.com', 'raw.github.com'],
    rewriteBodies: true,
    privateAddresses: [],
    plaintext: 'refuse',
    caCertificates: [],
    publicKeyPins: [],
    tlsVersionMin: 'TLSv1.2',
    strict: false,
    backPressure: 'refuse',
    unknownOperations: 'refuse',
    validateRequests: 'enforce',
    validateResponses: 'observe',
    injection: 'detect',
    assurance: 'm0',
    classification: null,
    limits: {
      requestBytesMax: 10,
      responseBytesMax: 20,
      headerBytesMax: 30,
      timeoutMs: 40,
      jsonDepthMax: 50,
    },
  } as Partial<App['settings']> as App['settings'], // as much as the draft reads
};

test('nothing changed is nothing sent', () => {
  expect(applyDraft(app, draftOf(app))).toEqual({});
});

test.each([
  ['a list', { rewriteHosts: ' a.example ,, b.example ' }, { rewriteHosts: ['a.example', 'b.example'] }],
  ['an emptied list', { rewriteHosts: '' }, { rewriteHosts: [] }],
  ['a switch', { strict: 'true', rewriteBodies: 'false' }, { strict: true, rewriteBodies: false }],
  ['a port', { port: '8443' }, { port: 8_443 }],
  ['a classification', { classification: 'restricted' }, { classification: 'restricted' }],
  ['one limit of several', { timeoutMs: '5000' }, { limits: { timeoutMs: 5_000 } }],
  ['a text', { title: 'GH' }, { title: 'GH' }],
])('sends %s alone', (_, changed, patch) => {
  expect(applyDraft(app, { ...draftOf(app), ...changed })).toEqual(patch);
});

test('an own port and a classification can be taken away', () => {
  const set = { ...app, settings: { ...app.settings, port: 8_443, classification: 'public' as const } };
  expect(applyDraft(set, { ...draftOf(set), port: '', classification: '' })).toEqual({
    port: null,
    classification: null,
  });
});
