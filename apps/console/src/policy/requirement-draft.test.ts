import { expect, test } from 'vitest';
import { describeRequirement, draftOfRequirement, requirementBody } from './requirement-draft.ts';

test('what was saved comes back as it was, selectors that the form doesn’t show among it', () => {
  const entry = {
    name: 'Payouts',
    appId: null,
    integrationId: null,
    select: [
      { kind: 'tag', tag: 'payouts', access: 'any' },
      { kind: 'operations', ids: ['payouts/create', 'payouts/cancel'] },
    ],
    assurance: 'm2',
    dpopNonce: true,
    approval: { bind: 'arguments', arguments: ['/amount', '/to'], countMax: 2 },
  };
  const rule = { id: '1', kind: 'requirement', name: 'Payouts', entry, createdAt: 0, updatedAt: 0 };
  expect(requirementBody(draftOfRequirement(rule as never))).toEqual(entry);
  expect(describeRequirement(entry as never)).toBe(
    'two different keys, a nonce in DPoP proofs, approval of some arguments of it by a second person',
  );
});
