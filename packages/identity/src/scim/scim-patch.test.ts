import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ScimRefused } from './scim-error.ts';
import { applyPatch, readOperations } from './scim-patch.ts';
import type { Resource } from './scim-read.ts';
import { resourceTypes } from './scim-schema.ts';

const { User, Group } = resourceTypes(undefined);
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

const ADA: Resource = {
  userName: 'ada',
  name: { givenName: 'Ada', familyName: 'Moreau' },
  emails: [
    { value: 'work@example.com', type: 'work', primary: true },
    { value: 'home@example.com', type: 'home' },
  ],
  [ENTERPRISE]: { department: 'Research', manager: { value: 'm1' } },
};

function patch(operations: unknown, resource: Resource = ADA): Resource {
  return applyPatch(User, resource, readOperations({ Operations: operations }));
}

/** The patched resource, or an empty one for a refusal of SCIM's; any other error is a fault and goes on. */
function attempt(operations: unknown): Resource {
  try {
    return patch(operations);
  } catch (error) {
    if (error instanceof ScimRefused) return {};
    throw error;
  }
}

/** What a PATCH body changes: the operations, and the attributes that differ afterwards (undefined: gone). */
const rows: [string, object[], Record<string, unknown>][] = [
  ['Okta: deactivation without a path', [{ op: 'replace', value: { active: false } }], { active: false }],
  [
    'Entra: deactivation with text for a boolean',
    [{ op: 'Replace', path: 'active', value: 'False' }],
    { active: false },
  ],
  ['a path in another case', [{ op: 'replace', path: 'DISPLAYNAME', value: 'A' }], { displayName: 'A' }],
  [
    'a path with the schema',
    [{ op: 'add', path: 'urn:ietf:params:scim:schemas:core:2.0:User:title', value: 'Dr' }],
    { title: 'Dr' },
  ],
  ['a number for a text', [{ op: 'add', path: 'title', value: 5 }], { title: '5' }],
  [
    'Entra: the old wrapped value',
    [{ op: 'Replace', path: 'displayName', value: [{ $ref: null, value: 'A' }] }],
    { displayName: 'A' },
  ],
  [
    'Entra: whole paths as names',
    [{ op: 'Add', value: { 'name.givenName': 'Eva', title: 'Dr', [`${ENTERPRISE}:department`]: 'Sales' } }],
    {
      name: { givenName: 'Eva', familyName: 'Moreau' },
      title: 'Dr',
      [ENTERPRISE]: { department: 'Sales', manager: { value: 'm1' } },
    },
  ],
  [
    'a sub-attribute',
    [{ op: 'replace', path: 'name.familyName', value: 'Lind' }],
    { name: { givenName: 'Ada', familyName: 'Lind' } },
  ],
  [
    'a complex value is merged by add',
    [{ op: 'add', path: 'name', value: { middleName: 'B' } }],
    { name: { givenName: 'Ada', familyName: 'Moreau', middleName: 'B' } },
  ],
  [
    'and replaced by replace',
    [{ op: 'replace', path: 'name', value: { middleName: 'B' } }],
    { name: { middleName: 'B' } },
  ],
  [
    'Entra: an address by its type',
    [{ op: 'Replace', path: 'emails[type eq "work"].value', value: 'new@example.com' }],
    {
      emails: [
        { value: 'new@example.com', type: 'work', primary: true },
        { value: 'home@example.com', type: 'home' },
      ],
    },
  ],
  [
    'Entra: an element that isn’t there yet is made from its filter',
    [{ op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '+49 1' }],
    { phoneNumbers: [{ type: 'mobile', value: '+49 1' }] },
  ],
  [
    'one primary at most: the new one',
    [{ op: 'add', path: 'emails', value: [{ value: 'x@example.com', primary: true }] }],
    {
      emails: [
        { value: 'work@example.com', type: 'work', primary: false },
        { value: 'home@example.com', type: 'home' },
        { value: 'x@example.com', primary: true },
      ],
    },
  ],
  [
    'adding what is there changes nothing',
    [{ op: 'add', path: 'emails', value: [{ value: 'home@example.com', type: 'home' }] }],
    {},
  ],
  [
    'an element is removed by its value',
    [{ op: 'remove', path: 'emails[value eq "WORK@example.com"]' }],
    { emails: [{ value: 'home@example.com', type: 'home' }] },
  ],
  [
    'a part of an element is removed',
    [{ op: 'remove', path: 'emails[type eq "work"].primary' }],
    {
      emails: [
        { value: 'work@example.com', type: 'work' },
        { value: 'home@example.com', type: 'home' },
      ],
    },
  ],
  [
    'Entra: elements are removed by value',
    [{ op: 'Remove', path: 'emails', value: [{ value: 'home@example.com', type: 'home' }] }],
    { emails: [{ value: 'work@example.com', type: 'work', primary: true }] },
  ],
  ['all elements', [{ op: 'remove', path: 'emails' }], { emails: undefined }],
  [
    'the last part of a complex value',
    [
      { op: 'remove', path: 'name.givenName' },
      { op: 'remove', path: 'name.familyName' },
    ],
    { name: undefined },
  ],
  ['null unassigns', [{ op: 'replace', path: 'name', value: null }], { name: undefined }],
  [
    'Entra: a manager as a bare id',
    [{ op: 'Add', path: `${ENTERPRISE}:manager`, value: 'm2' }],
    { [ENTERPRISE]: { department: 'Research', manager: { value: 'm2' } } },
  ],
  [
    'Okta: a whole extension',
    [{ op: 'replace', value: { [ENTERPRISE]: { department: 'Sales' } } }],
    { [ENTERPRISE]: { department: 'Sales' } },
  ],
  [
    'an extension by its path',
    [{ op: 'add', path: ENTERPRISE, value: { costCenter: '7' } }],
    { [ENTERPRISE]: { department: 'Research', manager: { value: 'm1' }, costCenter: '7' } },
  ],
  ['an extension is removed', [{ op: 'remove', path: ENTERPRISE }], { [ENTERPRISE]: undefined }],
  [
    'an extension that became empty',
    [
      { op: 'remove', path: `${ENTERPRISE}:department` },
      { op: 'remove', path: `${ENTERPRISE}:manager` },
    ],
    { [ENTERPRISE]: undefined },
  ],
  [
    'Okta: read-only and unknown names without a path are left out',
    [{ op: 'replace', value: { id: 'x', meta: {}, nothing: 1, title: 'Dr' } }],
    { title: 'Dr' },
  ],
];

test.each(rows)('%s', (_what, operations, changed) => {
  const expected = Object.fromEntries(
    Object.entries({ ...ADA, ...changed }).filter(([, value]) => value !== undefined),
  );
  const before = structuredClone(ADA);
  expect(patch(operations)).toEqual(expected);
  expect(ADA).toEqual(before);
});

test.each([
  ['no operations', {}, 'invalidSyntax'],
  ['an operation that there is not', { Operations: [{ op: 'move', path: 'title' }] }, 'invalidSyntax'],
  ['an unknown path', { Operations: [{ op: 'add', path: 'nothing', value: 1 }] }, 'invalidPath'],
  ['an unknown part', { Operations: [{ op: 'add', path: 'name.nothing', value: 1 }] }, 'invalidPath'],
  ['brackets on a single value', { Operations: [{ op: 'add', path: 'title[value eq "x"]', value: 1 }] }, 'invalidPath'],
  [
    'brackets that don’t close',
    { Operations: [{ op: 'add', path: 'emails[type eq "work"', value: 1 }] },
    'invalidPath',
  ],
  [
    'text after the brackets',
    { Operations: [{ op: 'add', path: 'emails[type eq "work"]value', value: 'x' }] },
    'invalidPath',
  ],
  ['a filter that is none', { Operations: [{ op: 'add', path: 'emails[type is work]', value: 1 }] }, 'invalidFilter'],
  ['a remove without a path', { Operations: [{ op: 'remove' }] }, 'noTarget'],
  [
    'a replace of nothing',
    { Operations: [{ op: 'replace', path: 'emails[type eq "x"].value', value: 'y' }] },
    'noTarget',
  ],
  ['a remove of nothing', { Operations: [{ op: 'remove', path: 'emails[type eq "x"]' }] }, 'noTarget'],
  [
    'an add by a filter of no equality',
    { Operations: [{ op: 'add', path: 'ims[type sw "x"].value', value: 'y' }] },
    'noTarget',
  ],
  ['a read-only attribute by its path', { Operations: [{ op: 'replace', path: 'id', value: 'x' }] }, 'mutability'],
  ['groups by their path', { Operations: [{ op: 'add', path: 'groups', value: [{ value: 'x' }] }] }, 'mutability'],
  ['the userName taken away', { Operations: [{ op: 'remove', path: 'userName' }] }, 'invalidValue'],
  ['an object for a text', { Operations: [{ op: 'add', path: 'title', value: {} }] }, 'invalidValue'],
  ['a text for a boolean', { Operations: [{ op: 'add', path: 'active', value: 'yes' }] }, 'invalidValue'],
  ['no object without a path', { Operations: [{ op: 'add', value: 'x' }] }, 'invalidValue'],
])('refused: %s', (_what, body, scimType) => {
  expect(() => applyPatch(User, ADA, readOperations(body))).toThrow(expect.objectContaining({ scimType }));
});

describe('no operation reaches a prototype', () => {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];
  const attempts: [object][] = names.flatMap((name): [object][] => [
    [{ op: 'add', path: name, value: { polluted: true } }],
    [{ op: 'add', path: `${name}.polluted`, value: true }],
    [{ op: 'add', path: `name.${name}`, value: { polluted: true } }],
    [{ op: 'add', path: `${ENTERPRISE}:${name}`, value: { polluted: true } }],
    [{ op: 'add', path: `emails[${name} eq "x"].value`, value: 'y' }],
    [{ op: 'add', value: JSON.parse(`{"${name}": {"polluted": true}, "name": {"${name}": {"polluted": true}}}`) }],
    [{ op: 'add', value: { [`${name}.polluted`]: true } }],
    [{ op: 'replace', path: 'name', value: JSON.parse(`{"${name}": {"polluted": true}}`) }],
  ]);
  test.each(attempts)('%j', (operation) => {
    const patched = attempt([operation]);
    expect({}).not.toHaveProperty('polluted');
    expect(Object.getPrototypeOf(patched)).toBe(Object.prototype);
    expect(JSON.stringify(patched)).not.toContain('polluted');
  });
});

test('whatever is sent, a PATCH gives a resource or a refusal of SCIM’s', () => {
  const path = fc.oneof(
    fc.string(),
    fc.constantFrom('emails', 'name', 'emails[type eq "work"]', 'emails[type eq "work"].value', ENTERPRISE),
  );
  const operation = fc.record(
    { op: fc.constantFrom('add', 'Replace', 'remove', 'x'), path, value: fc.jsonValue() },
    { requiredKeys: ['op'] },
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 4 }), (operations) => {
      expect(attempt(operations)).toBeTypeOf('object');
    }),
    { numRuns: 500 },
  );
});

test('a member is one, however it is written', () => {
  const group: Resource = { displayName: 'G', members: [{ value: 'a' }] };
  const add = [
    { op: 'add', path: 'members', value: [{ value: 'a', display: 'Ada', type: 'User', $ref: '../Users/a' }] },
  ];
  expect(applyPatch(Group, group, readOperations({ Operations: add }))).toEqual(group);
});
