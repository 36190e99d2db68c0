import { expect, test } from 'vitest';
import { type Vendor, vendorProfile } from '../register/vendor.ts';
import { matchVendor } from './match-vendor.ts';

const vendor = (id: string, name: string, website: string | null = null): Vendor => ({
  id,
  name,
  stage: 'monitoring',
  profile: vendorProfile.parse({ website }),
  appIds: [],
  createdAt: 0,
  updatedAt: 0,
});
const vendors = [vendor('acme', 'Acme', 'https://www.acme.example'), vendor('hub', 'Code Hub'), vendor('uk', 'Brit')];
const hosts = new Map([
  ['hub', ['api.codehub.com']],
  ['uk', ['api.brit.co.uk']],
]);

test.each([
  ['ACME, Inc.', 'acme'],
  ['acme gmbh', 'acme'],
  ['acme.example', 'acme'],
  ['https://status.acme.example/incidents/1', 'acme'],
  ['codehub.com', 'hub'],
  ['api.codehub.com:443', 'hub'],
  ['brit.co.uk', 'uk'],
  ['co.uk', undefined],
  ['com', undefined],
  ['notacme.example', undefined],
  ['acme.example.attacker.net', undefined],
  ['', undefined],
])('%s names %s', (named, id) => {
  expect(matchVendor(named, vendors, hosts)?.id).toBe(id);
});
