import { expect, test } from 'vitest';
import { parseContacts, parseVendorList, showContacts } from './vendor-draft.ts';

test('contacts come out as they went in', () => {
  const contacts = [
    { name: 'Vera', email: 'vera@acme.example', role: 'CISO, deputy' },
    { name: 'Dan', email: 'dan@acme.example', role: '' },
  ];
  expect(parseContacts(showContacts(contacts))).toEqual(contacts);
});

test.each([
  [
    'quoted names and all columns',
    'Name,Tier,Owner,Website,Regions,Products\n"Acme, Inc.",High,Ann,https://acme.example,EU;US,"Mail|Files"\n',
    [
      {
        name: 'Acme, Inc.',
        tier: 'high',
        owner: 'Ann',
        website: 'https://acme.example',
        regions: ['EU', 'US'],
        products: ['Mail', 'Files'],
      },
    ],
    [],
  ],
  [
    'semicolons and a mark of byte order',
    '\uFEFFname;tier\nAcme;low\n',
    [{ name: 'Acme', tier: 'low', owner: '', website: null, regions: [], products: [] }],
    [],
  ],
  ['lines that say nothing', 'name,tier\n,low\nAcme,huge\n', [], ['Line 2 has no name.', 'Line 3: huge is no tier.']],
  ['no heading', 'Acme\n', [], ['The first line must name the columns, one of them "name".']],
])('a list with %s', (_, text, rows, problems) => {
  expect(parseVendorList(text)).toEqual({ rows, problems });
});
