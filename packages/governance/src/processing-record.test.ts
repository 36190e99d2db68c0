import { expect, test } from 'vitest';
import { fideslangOf } from './fideslang.ts';
import type { Flow } from './flow-store.ts';
import { activityOf, processingCsv, subjectKey } from './processing-record.ts';
import { retentionRule } from './retention-rule.ts';

const flow: Flow = {
  id: 'f1',
  from: { app: 'crm', object: 'customer' },
  to: { app: 'chat', object: 'message' },
  integration: { id: 'i1', name: '=Sync, daily' },
  how: 'inferred',
  fields: { text: 1 },
  categories: ['user.contact.email'],
  label: 'confidential',
  records: 3,
  bytes: 10,
  calls: 1,
  regions: { from: 'eu', to: 'us' },
  vendor: 'Chat Inc',
  vendors: { from: null, to: 'Chat Inc' },
  purpose: null,
  legalBasis: null,
  safeguard: null,
  instrument: null,
  importer: null,
  assessment: null,
  firstSeen: new Date(0),
  lastSeen: new Date(0),
};
const subjects = new Map([[subjectKey('crm', 'customer'), ['customer']]]);
const rule = {
  name: 'Messages',
  settings: retentionRule.parse({ app: 'chat', clock: 'createdAt', days: 90, action: 'delete' }),
};

test('a flow of personal data is an activity, with what nobody has said yet', () => {
  expect(activityOf(flow, subjects, [rule])).toMatchObject({
    subjects: ['customer'],
    source: 'crm: customer',
    recipient: 'chat: message',
    isTransfer: true,
    erasure: ['Messages (delete after 90 days)'],
    missing: ['purpose', 'legal basis', 'safeguard'],
  });
  const said = { ...flow, purpose: 'Support', legalBasis: 'contract', safeguard: 'SCC module 2' };
  expect(activityOf(said, subjects, [])?.missing).toEqual(['time limit']);
});

test.each([
  ['no personal data', { categories: ['system.operations'] }, null],
  ['the integration itself', { to: { app: '', object: '' } }, 'integration =Sync, daily'],
])('%s', (_name, change, recipient) => {
  expect(activityOf({ ...flow, ...change }, subjects, [])?.recipient ?? null).toBe(recipient);
});

test('a cell is never a formula, and quotes what it must', () => {
  const row = activityOf(flow, subjects, []);
  const [head, first] = processingCsv(row ? [row] : []).split('\r\n');
  expect(head).toMatch(/^activity,purpose,legal_basis,data_subjects/);
  expect(first).toMatch(/^"'=Sync, daily",,,customer,user\.contact\.email,confidential,crm: customer,chat: message,/);
});

test('fideslang: nested fields, systems with both sides of a flow, nothing that is only possible', () => {
  const rows = [
    { app: 'crm', object: 'customer', path: 'items[].owner.email', category: 'user.contact.email' },
    { app: 'crm', object: 'customer', path: 'items[].owner.id', category: 'user.unique_id' },
  ];
  const { dataset, system } = fideslangOf(rows, [flow, { ...flow, how: 'possible', to: { app: 'x', object: 'y' } }]);
  expect(dataset).toEqual([
    {
      fides_key: 'crm',
      name: 'crm',
      collections: [
        {
          name: 'customer',
          fields: [
            {
              name: 'items',
              fields: [
                {
                  name: 'owner',
                  fields: [
                    { name: 'email', data_categories: ['user.contact.email'] },
                    { name: 'id', data_categories: ['user.unique_id'] },
                  ],
                },
              ],
            },
          ],
        },
      ],
    },
  ]);
  expect(system.map(({ name, egress, ingress }) => [name, egress.length, ingress.length])).toEqual([
    ['chat', 0, 1],
    ['crm', 1, 0],
  ]);
});
